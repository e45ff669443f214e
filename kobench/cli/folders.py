"""Results folders as commands read them: by the newest version of each method, and older ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench.errors import DISBELIEVED, UserError

if TYPE_CHECKING:
    from kobench.plugins.load import Registry
    from kobench.results.evidence import Evidence, Place
    from kobench.results.parts import Record

#: The results folder that commands look into where none is named.
FOLDER = Path("kobench-results")


@dataclass
class Found:
    """What folders hold, as a board is made of it.

    Attributes
    ----------
    records, older : list of Record
        Of the newest version of each method, and of older ones.
    remark : str
        On what can't be read, "" for nothing.
    explained : dict of str to str
        See `kobench.board.explained`.
    elsewhere : set of tuple of str
        Rows of other folders than the first, run on other machines.
    more : list of str
        What folders disagree about, and what was not taken.
    """

    records: list[Record]
    older: list[Record]
    remark: str = ""
    explained: dict[str, str] = field(default_factory=dict)
    elsewhere: set[tuple[str, ...]] = field(default_factory=set)
    more: list[str] = field(default_factory=list)


def own_folder(ctx: click.Context) -> Path:
    """The folder that is meant where none is named; UsageError where there is none."""
    if not FOLDER.is_dir():
        raise click.UsageError(f"there is no folder {FOLDER}; name a results folder", ctx)
    return FOLDER


def all_of(folder: Path, others: Sequence[Path] = ()) -> Found:
    """What one folder holds, or several together.

    Raises
    ------
    UserError
        Where one holds no records.
    """
    from kobench.board.explained import read_explained
    from kobench.results.merge import merge

    records, older, remark = versions_of(folder)
    found = Found(records, older, remark, dict(read_explained(folder)))
    if not others:
        return found
    sources = [(str(folder), records)]
    for other in others:
        more, older_there, said = versions_of(other)
        sources.append((str(other), more))
        found.older += older_there
        found.remark = " ".join(text for text in (found.remark, said) if text)
        found.explained = {**read_explained(other), **found.explained}
    merged = merge(sources, tolerance())
    found.records, found.elsewhere = merged.records, merged.elsewhere
    found.more = merged.remarks()
    return found


def tolerance() -> Callable[[str], float]:
    """Metric -> the relative difference by which its values may differ between machines."""
    from kobench.specs import MetricSpec

    @cache
    def registry() -> dict[str, float]:
        from kobench.cli.options import load

        known = load((), ()).metrics
        return {name: entries[0].spec.tolerance for name, entries in known.items() if entries}

    usual = MetricSpec("any", "", of="profile").tolerance
    return lambda metric: registry().get(metric, usual)


def versions_of(folder: Path) -> tuple[list[Record], list[Record], str]:
    """The records of a results folder by the newest version of each method, and older ones.

    With a remark on those that can't be read, "" for none.
    """
    from kobench.results.versions import newest, read_older

    records, remark = records_of(folder)
    shown, before = newest(records)
    return shown, [*before, *(record for _, record in read_older(folder))], remark


def records_of(folder: Path) -> tuple[list[Record], str]:
    """The records of a results folder, and a remark on those that can't be read, "" for none.

    Raises
    ------
    UserError
        Where there are none.
    """
    from kobench.results.left_out import LeftOut, NothingReadableError
    from kobench.results.records import read_records

    left_out = LeftOut()
    records = list(read_records(folder, left_out))
    if records:
        return records, left_out.remark()
    if left_out.count:
        raise NothingReadableError(
            f"there is no record in {folder} that can be read. {left_out.remark()}"
        )
    hint = "make some with `kobench run quick`, or name another folder"
    inside = sorted(str(found.parent) for found in folder.glob("*/records"))
    if inside:
        hint = f"did you mean {' or '.join(inside[:3])}?"
    raise UserError(f"there are no records in {folder}; {hint}")


def of_predictors(records: Sequence[Record], names: Sequence[str]) -> list[Record]:
    """The records of these predictors, each a name or a selection; all where none is named."""
    return [
        record
        for record in records
        if not names or {record.trial.predictor.name, record.trial.predictor.selection} & set(names)
    ]


def networks_of_suite(folder: Path | None, registry: Registry) -> dict[str, int]:
    """Dataset without its seed -> its number of networks, in the suite of a published folder.

    A published folder is of a built-in suite where it has its name and the suite is published on
    secret networks.
    """
    from kobench.cli.suites import built_in, expanded, published_as_secret
    from kobench.plugins.chosen import choose
    from kobench.util.bounded import read_toml

    name = "" if folder is None else folder.resolve().name
    if folder is None or name not in built_in() or not (folder / "records.jsonl.gz").is_file():
        return {}
    if not published_as_secret(name):
        return {}
    suite = read_toml(built_in()[name])
    texts = [*suite.get("dataset", ()), *expanded(built_in()[name], suite.get("grid", []))]
    datasets = [choose(registry, "datasets", text) for text in texts]
    return {chosen.group: suite["networks"] for chosen in datasets if chosen.entry.spec.seeded}


#: Rows that a sentence names.
NAMED = 3


def evidence_for(folders: Sequence[Path], records: Sequence[Record]) -> dict[Place, Evidence]:
    """What evidence in folders says of rows, of those whose records are just these."""
    from kobench.results.evidence import fitting, read_evidence

    return fitting([one for folder in folders for one in read_evidence(folder)], records)


def consistent(
    records: list[Record],
    folder: Path | None = None,
    evidence: Mapping[Place, Evidence] | None = None,
) -> tuple[list[Record], str]:
    """The records of a board as it may show them, and what is wrong with them, "" for nothing.

    Those that contradict themselves, or each other, have no scores any more, and say why; so have
    those that evidence is against.

    Parameters
    ----------
    records : list of Record
        The records.
    folder : Path or None
        Where they lie, which may be the published folder of a suite.
    evidence : mapping of Place to Evidence, or None
        What somebody found out of rows, and of just these records.
    """
    from kobench.cli.options import load
    from kobench.util.text import one_line
    from kobench.verify.consistent import check_consistent, without
    from kobench.verify.known import Known

    registry = load((), ())
    findings = check_consistent(records, Known(registry), networks_of_suite(folder, registry))
    single = [finding for finding in findings if finding.record is not None]
    # boards say themselves which floors and trials are missing
    several = [one for one in findings if one.record is None and not one.lacking]
    sentences = [f"{finding}." for finding in several]
    if single:
        rows = list(dict.fromkeys(finding.what for finding in single))
        named = "; ".join(dict.fromkeys(str(finding) for finding in single[:NAMED]))
        more = f"; and {len(single) - NAMED} more" if len(single) > NAMED else ""
        sentences.append(
            f"{len(rows)} row{'s' * (len(rows) != 1)} can't be what a run left, so no score of"
            f" theirs is shown: {named}{more}. `kobench verify` says all of it."
        )
    refuted = [one for one in (evidence or {}).values() if one.outcome in DISBELIEVED]
    if refuted:
        named = "; ".join(
            f"{one.row[1]} on {one.dataset} is {one.outcome}: {one.reason}"
            for one in refuted[:NAMED]
        )
        more = f"; and {len(refuted) - NAMED} more" if len(refuted) > NAMED else ""
        sentences.append(f"Evidence beside the records is against some, {named}{more}.")
    return without(records, single, evidence or {}), one_line(" ".join(sentences))
