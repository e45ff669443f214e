"""From records to a leaderboard: the same records, in any order, give the same board.

`make_board` builds the board that `kobench.board.render.formats.render` writes down; `check_board`
rebuilds a published one and compares. A section is made in `kobench.board.sections.section`; its
statistics are in `kobench.board.numbers.standings`, its words in
`kobench.board.sections.sentences`.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from kobench.board.answer import answer_of
from kobench.board.board import Board
from kobench.board.glance import matrices_of
from kobench.board.growth import growths_of
from kobench.board.headline import headline_of
from kobench.board.made import made_of
from kobench.board.names import by_key, name_rows, prior_of
from kobench.board.numbers.series import row_key
from kobench.board.numbers.values import Key
from kobench.board.sections.basis import missing_basis
from kobench.board.sections.elsewhere import with_marks
from kobench.board.sections.older import older_remark
from kobench.board.sections.provenance import ran_of
from kobench.board.sections.section import NO_TASK, SectionKey, make_section, task_about
from kobench.board.sections.seeds import seeds_of
from kobench.board.sections.sentences import short_names
from kobench.board.sections.tuned import tuned_remark
from kobench.board.sections.unfinished import unfinished_text
from kobench.board.sections.verified import with_levels
from kobench.board.transfer import transfer_matrices
from kobench.board.visible import all_visible
from kobench.board.words import base
from kobench.errors import UserError
from kobench.results.evidence import Evidence, Place, place_of
from kobench.results.parts import Record, TrialInfo
from kobench.results.records import identity
from kobench.results.versions import newest
from kobench.util.files import canonical_json
from kobench.util.text import listed


def make_board(
    records: Iterable[Record],
    cost: bool = True,
    datasets: Sequence[str] | None = None,
    tasks: Sequence[str] | None = None,
    predictors: Sequence[str] | None = None,
    left_out: str = "",
    explained: Mapping[str, str] | None = None,
    older: Iterable[Record] = (),
    elsewhere: Collection[Key] = (),
    more: Sequence[str] = (),
    evidence: Mapping[Place, Evidence] | None = None,
) -> Board:
    """The leaderboard of trial records.

    Parameters
    ----------
    records : iterable of Record
        The records, in any order.
    cost : bool
        False leaves out all that may differ between two equal runs (seconds, memory), so that their
        boards are equal byte for byte.
    datasets : sequence of str, or None
        Keep only these, each a dataset's name, group or selection.
    tasks : sequence of str, or None
        Keep only these, each a task's name or label.
    predictors : sequence of str, or None
        Keep only these, each a predictor's name or selection; floors and lines always stay.
    left_out : str
        What is said first of records that are not among these, because they can't be read.
    explained : mapping of str to str, or None
        Name of a row -> why it may score above what is possible, see `kobench.board.explained`.
    older : iterable of Record
        Results of older versions that are kept beside these; the board says so.
    elsewhere : collection of Key
        Rows that were run on another machine: their costs are marked.
    more : sequence of str
        More remarks, on how the records came together.
    evidence : mapping of Place to Evidence, or None
        How far somebody looked at rows, and at just these records.

    Raises
    ------
    UserError
        Without records, for an unknown name, where two records of the same trial disagree, and
        where networks of secret and of public seeds are mixed.
    """
    present, before = newest(records)
    every = distinct(present)
    kept = chosen_records(every, datasets, predictors)
    labels = sorted({label for record in kept for label in record.result.scores})
    chosen = chosen_tasks(labels, tasks)
    priors = prior_of(every)
    row_names = name_rows(kept, priors)
    reasons = by_key(explained or {}, row_names)
    groups, whole = grouped(kept), grouped(every)
    shorts = short_names(key.dataset for key in groups)
    sections = []
    for key, members in groups.items():
        found = tasks_of(members, chosen) or ([] if tasks else [NO_TASK])
        for task in found:
            short = shorts[key.dataset]
            missing = missing_basis(whole[key], task)
            sections.append(
                make_section(members, key, task, short, row_names, cost, reasons, priors, missing)
            )
    with_rows = [section for section in sections if section.rows]
    # the order is stable: controls come last, others stay as they are
    ordered = sorted(with_rows, key=lambda section: bool(section.near_null))
    with_costs, on_costs = with_marks(ordered, elsewhere, row_names)
    places = {place_of(record) for record in kept} if evidence else set()
    with_verified, on_levels = with_levels(with_costs, evidence or {}, row_names, places)
    shown = tuple(with_verified)
    transfers = tuple(
        matrix for matrix in transfer_matrices(kept, row_names, priors) if matrix.task in chosen
    )
    growths = growths_of(shown) if cost else ()
    headline = headline_of(shown, transfers, unfinished_text(kept))
    remarks = (
        *([left_out] if left_out else []),
        *ran_of(kept, row_names),
        *tuned_remark(kept, row_names),
        *more,
        *on_costs,
        *on_levels,
        *older_remark(every, like((*before, *older), kept), row_names),
    )
    return all_visible(
        Board(
            shown,
            matrices_of(shown),
            cost,
            answer_of(shown, transfers),
            transfers,
            growths,
            remarks,
            seeds_of(kept),
            headline.text,
            headline.names,
            made_of(kept, cost),
        )
    )


def chosen_records(
    records: list[Record], datasets: Sequence[str] | None, predictors: Sequence[str] | None
) -> list[Record]:
    """The records of the wanted datasets and predictors, as `make_board` takes them.

    Raises
    ------
    UserError
        Without records, and for an unknown name.
    """
    if not records:
        raise UserError(
            "no records to make a board from; make some first, for instance with `kobench run"
            " quick`"
        )
    kept = keep(
        records,
        datasets,
        "dataset",
        lambda trial: {trial.dataset.name, trial.dataset.group, trial.dataset.selection},
    )
    kept = keep(
        kept,
        predictors,
        "predictor",
        lambda trial: {trial.predictor.name, trial.predictor.selection},
        always=lambda record: record.role != "predictor",
    )
    # a line that a dataset does not offer is no news
    return [record for record in kept if record.role != "line" or record.result.status == "ok"]


def like(records: Iterable[Record], kept: Sequence[Record]) -> list[Record]:
    """Those of some records that are of rows and datasets of a board."""
    rows = {row_key(record) for record in kept}
    groups = {record.trial.dataset.group for record in kept}
    return [
        record
        for record in records
        if row_key(record) in rows and record.trial.dataset.group in groups
    ]


def grouped(records: Iterable[Record]) -> dict[SectionKey, list[Record]]:
    """The records of each dataset, split and training group, in the order of the board."""
    groups: dict[SectionKey, list[Record]] = defaultdict(list)
    for record in records:
        dataset, split = record.trial.dataset, record.trial.split
        key = SectionKey(
            dataset.group, dataset.name, str(dataset.version), split.name, split.train or ""
        )
        groups[key].append(record)
    return {key: groups[key] for key in sorted(groups, key=by_size)}


def tasks_of(records: Sequence[Record], chosen: Sequence[str]) -> list[str]:
    """Those of the chosen tasks that any of the records has scores of, the most demanding first."""
    scored = {label for record in records for label in record.result.scores} & set(chosen)
    return sorted(scored, key=lambda task: (-task_about(records, task).demand, task))


def check_board(records: Iterable[Record], published: bytes, format: str, **options: Any) -> bool:
    """Whether a published board is, byte for byte, what these records give.

    Its pictures are left out of that: they depend on the version of the drawing library, too.

    Parameters
    ----------
    records : iterable of Record
        The records that it was made from.
    published : bytes
        The file.
    format : str
        The format it is in.
    **options
        As for `make_board`.
    """
    from kobench.board.render.formats import render
    from kobench.board.render.pictured import without_pictures

    written = render(make_board(records, **options), format)
    if written.encode() == published:
        return True
    return without_pictures(published.decode("utf-8", "replace")) == written


def by_size(group: SectionKey) -> tuple[str, ...]:
    """Orders groups by name, numbers of genes and cells by their value: 500 before 1,000."""
    padded = re.sub(
        r"\b(genes|cells)=(\d+)", lambda found: f"{found[1]}={int(found[2]):012d}", group.dataset
    )
    return (padded, *group)


def distinct(records: Iterable[Record]) -> list[Record]:
    """Records in a fixed order, each trial once.

    Two records of one trial whose results agree (one of them from a packed file, say) count once.
    If they disagree, neither can be preferred.

    Raises
    ------
    UserError
        Where two records of the same trial disagree.
    """
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[identity(record.trial) + record.role].append(record)
    for twins in found.values():
        if any(twin.result != twins[0].result for twin in twins[1:]):
            trial = twins[0].trial
            what = (
                f"{trial.predictor.selection} on {trial.dataset.selection}, fit seed"
                f" {trial.fit_seed}"
            )
            raise UserError(
                f"two records of the same trial ({what}) have different results; keep one of them"
                " and delete the other"
            )
    return [
        min(twins, key=lambda record: canonical_json(record.to_json()))
        if len(twins) > 1
        else twins[0]
        for _, twins in sorted(found.items())
    ]


def keep(
    records: list[Record],
    wanted: Sequence[str] | None,
    what: str,
    names: Callable[[TrialInfo], set[str]],
    always: Callable[[Record], bool] = lambda record: False,
) -> list[Record]:
    """The records of the wanted names; UserError for a name that no record has."""
    if not wanted:
        return records
    known = sorted(
        {name for record in records if not always(record) for name in names(record.trial)}
    )
    refuse_unknown(wanted, known, what)
    return [record for record in records if always(record) or names(record.trial) & set(wanted)]


def chosen_tasks(labels: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """The labels of the wanted tasks, given as `name` or `name@version`."""
    if not wanted:
        return list(labels)
    refuse_unknown(wanted, sorted({*labels, *(base(label) for label in labels)}), "task")
    return [label for label in labels if label in wanted or base(label) in wanted]


def refuse_unknown(wanted: Sequence[str], known: Sequence[str], what: str) -> None:
    """Raise UserError for a wanted name that is not known, with what could be meant."""
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise UserError(
                f"no record has the {what} {name!r}; {hint}these records have: {listed(known)}"
            )
