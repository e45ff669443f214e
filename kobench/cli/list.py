"""`kobench list`: what is there, and where it came from."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import KINDS, json_option, load, plugin_options
from kobench.cli.output import say
from kobench.cli.suites import built_in, summary_of
from kobench.util.text import one_line

if TYPE_CHECKING:
    from kobench.plugins.entry import Entry
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench list
  kobench list predictors
  kobench list datasets --json
  kobench list plugins
"""


@click.command("list", epilog=EXAMPLES)
@click.argument("what", type=click.Choice([*KINDS, "floors", "plugins", "suites"]), required=False)
@json_option
@plugin_options
def list_command(
    what: str | None, as_json: bool, plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...]
) -> None:
    """List datasets, predictors, metrics and tasks, and plugins with problems."""
    registry = load(plugin_files, dataset_folders)
    rows = {
        section: list(rows_of(registry, section))
        for section in ([what] if what else [*KINDS, "suites"])
    }
    problems = [dataclasses.asdict(problem) for problem in registry.problems]
    if as_json:
        say(json.dumps({**rows, "problems": problems}, indent=1))
        return
    for section, entries in rows.items():
        say(f"{section}", bold=True)
        opened = [entry for entry in entries if entry.get("opened", True)]
        show_entries(opened)
        if section == "datasets":
            show_unopened([entry for entry in entries if entry not in opened], whole=bool(what))
    if problems:
        say("problems", bold=True)
        for problem in problems:
            say(f"  {problem['distribution']}: {problem['message']}")
            if what == "plugins" and problem["traceback"]:
                say("    " + problem["traceback"].replace("\n", "\n    "))


def show_entries(entries: Sequence[dict[str, Any]]) -> None:
    """Print one line for each entry of a section."""
    width = max((len(entry["name"]) for entry in entries), default=0)
    kinds = max((len(f"of {entry.get('of')}") for entry in entries), default=0)
    for entry in entries:
        kind = f"{'of ' + entry['of']:<{kinds}}  " if "of" in entry else ""
        where = where_of(entry)
        origin = f"  [{where}]" if where != "kobench" else ""
        origin += "  with prior knowledge" if entry.get("prior") else ""
        say(f"  {entry['name']:<{width}}  {kind}{one_line(entry['summary'])}{origin}")
    if not entries:
        say("  none")


def show_unopened(entries: Sequence[dict[str, Any]], whole: bool) -> None:
    """Print the datasets whose files nobody has opened: in one line, or each in its own.

    Parameters
    ----------
    entries : sequence of dict
        The datasets.
    whole : bool
        Whether each is shown.
    """
    if not entries:
        return
    if not whole:
        are = "is 1 dataset" if len(entries) == 1 else f"are {len(entries)} datasets"
        say(f"  there {are} beside these that nobody has opened yet: kobench list datasets")
        return
    say("datasets that nobody has opened yet: their cards may be wrong", bold=True)
    show_entries(entries)


def where_of(entry: dict[str, Any]) -> str:
    """The distribution of a listed entry, and the environment that it lives in."""
    where = str(entry.get("distribution", "kobench"))
    return f"{where} in environment {entry['environment']}" if entry.get("environment") else where


def rows_of(registry: Registry, section: str) -> Iterator[dict[str, Any]]:
    """Name, summary, version and origin of what a section lists."""
    if section == "suites":
        for name, path in built_in().items():
            yield {"name": name, "summary": summary_of(path)}
    elif section == "plugins":
        for source in registry.sources:
            yield {
                "name": source.known_as,
                "summary": source.version,
                "version": source.version,
                "file": source.file,
                "environment": source.environment or None,
            }
    elif section in ("predictors", "floors"):
        for entries in registry.predictors.values():
            for entry in entries:
                if entry.spec.floor == (section == "floors"):
                    yield entry_row(
                        entry,
                        environment=entry.environment or None,
                        prior=entry.spec.prior or None,
                    )
    elif section == "datasets":
        from kobench.datasets.opened import is_opened

        for entries in registry.datasets.values():
            for entry in entries:
                yield entry_row(entry, opened=is_opened(entry.spec.card))
    else:
        for entries in getattr(registry, section).values():
            for entry in entries:
                # one name may stand for a metric of profiles and another of rankings
                yield entry_row(entry, **({"of": entry.spec.of} if section == "metrics" else {}))


def entry_row(entry: Entry, **more: Any) -> dict[str, Any]:
    """One entry of a registry as plain values."""
    return {
        "name": entry.shown_name,
        "summary": entry.spec.summary,
        "version": entry.spec.version,
        **more,
        "distribution": entry.distribution,
        "distribution_version": entry.version,
    }
