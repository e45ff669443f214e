"""`kobench versions`: which versions of methods a results folder keeps, and their removal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import json_option
from kobench.cli.output import say
from kobench.errors import UserError
from kobench.util.text import one_line

if TYPE_CHECKING:
    from kobench.results.parts import Record

EXAMPLES = """
\b
Examples:
  kobench versions kobench-results
  kobench versions kobench-results --remove 3f2a1b
  kobench versions kobench-results --remove all
"""


@click.command("versions", epilog=EXAMPLES)
@click.argument(
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("kobench-results"),
)
@click.option(
    "--remove",
    multiple=True,
    metavar="CODE",
    help="Remove the older results of this code, or of all; may be repeated.",
)
@json_option
def versions_command(folder: Path, remove: tuple[str, ...], as_json: bool) -> None:
    """List the versions of methods that a results folder keeps, or remove older ones.

    Results of the newest version of each method are what boards show; they are never removed here.
    """
    from kobench.results.left_out import LeftOut
    from kobench.results.records import read_records
    from kobench.results.versions import newest, read_older

    if remove:
        remove_older(folder, remove)
        return
    shown, before = newest(read_records(folder, LeftOut()))
    older = [*before, *(record for _, record in read_older(folder))]
    rows = [*listed(shown, "newest"), *listed(older, "older")]
    rows.sort(key=lambda row: (row["method"], row["kept"], row["begun"], row["code"]))
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    several = {row["method"] for row in rows if row["kept"] == "older"}
    if not several:
        say(f"No results of older versions are kept in {folder}.")
    for row in rows:
        if row["method"] in several:
            say(
                one_line(
                    f"{row['method']}: code {row['code']}, {row['kept']}, begun"
                    f" {row['begun'] or 'at an unknown time'}, {row['tasks']} tasks on"
                    f" {row['datasets']} datasets"
                )
            )


def listed(records: Iterable[Record], kept: str) -> list[dict[str, Any]]:
    """What is known of each method's versions, for a reader.

    Parameters
    ----------
    records : iterable of Record
        The records.
    kept : str
        "newest" or "older".
    """
    from kobench.results.versions import code_of, row_of

    found: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        if record.role != "line":
            own = row_of(record.role, record.trial), code_of(record.trial.predictor)
            found.setdefault(own, []).append(record)
    return [
        {
            "method": row[1],
            "code": code,
            "version": str(fits[0].trial.predictor.version),
            "kept": kept,
            "begun": max(fit.run.started or "" for fit in fits),
            "tasks": len({label for fit in fits for label in fit.result.scores}),
            "datasets": len({fit.trial.dataset.group for fit in fits}),
        }
        for (row, code), fits in found.items()
    ]


def remove_older(folder: Path, codes: Sequence[str]) -> None:
    """Remove the older results of some codes, each named by its first digits, or of all."""
    from kobench.results.versions import code_of, read_older
    from kobench.runner.folder import locked
    from kobench.runner.older import forget

    with locked(folder):
        older = list(read_older(folder))
        known = sorted({code_of(record.trial.predictor) for _, record in older})
        for code in codes:
            if code != "all" and not any(one.startswith(code) for one in known):
                raise UserError(
                    f"no older results of code {code!r} are kept in {folder};"
                    f" {'known: ' + ', '.join(known[:12]) if known else 'there are none'}"
                )
        gone = [
            (path, record)
            for path, record in older
            if "all" in codes or code_of(record.trial.predictor).startswith(tuple(codes))
        ]
        forget(folder, gone)
    say(f"Removed {len(gone)} records of older versions from {folder}.")
