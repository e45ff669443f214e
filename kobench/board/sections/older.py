"""What a board says of results of older versions, and how they are shown as rows of their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kobench.board.numbers.series import row_key
from kobench.board.numbers.values import Key
from kobench.board.written import spoken
from kobench.results.parts import Record
from kobench.results.versions import code_of, spot_of, version_key

#: How many rows the remark names.
NAMED = 5


def older_remark(
    shown: Iterable[Record], older: Iterable[Record], names: Mapping[Key, str]
) -> tuple[str, ...]:
    """That results of older versions are kept, and of how many tasks nothing else tells.

    Parameters
    ----------
    shown : iterable of Record
        What the board shows: one version of a row on each dataset and split.
    older : iterable of Record
        Results of older versions.
    names : mapping of Key to str
        What rows are called.

    Returns
    -------
    tuple of str
        One remark, or none.
    """
    known = tasks_of(shown)
    kept: dict[str, dict[tuple[str, ...], set[str]]] = defaultdict(lambda: defaultdict(set))
    lacking: dict[str, set[object]] = defaultdict(set)
    there: dict[str, set[object]] = defaultdict(set)
    for record in older:
        name = names.get(row_key(record), record.trial.predictor.selection)
        found = tasks_of([record])
        kept[name][version_key(record.trial.predictor)].add(code_of(record.trial.predictor))
        there[name] |= found
        lacking[name] |= found - known
    if not kept:
        return ()
    said = []
    for name in sorted(kept)[:NAMED]:
        codes = sorted({code for found in kept[name].values() for code in found})
        count = len(lacking[name]) or len(there[name])
        tasks = f"{count} task{'s' if count > 1 else ''}"
        lack = " that the newer was not asked" if lacking[name] else ""
        said.append(f"{name} (code {spoken(codes)}; {tasks}{lack})")
    more = f" and {len(kept) - NAMED} more rows" if len(kept) > NAMED else ""
    return (
        f"Older version kept, and not shown: {'; '.join(said)}{more}. `kobench board --older` shows"
        " it beside the newer, `kobench versions` lists and removes it.",
    )


def tasks_of(records: Iterable[Record]) -> set[object]:
    """The rows, datasets, splits and tasks that records have scores of."""
    return {
        (spot_of(record.role, record.trial), label)
        for record in records
        for label in record.result.scores
    }


def as_rows(older: Iterable[Record], shown: Sequence[Record]) -> list[Record]:
    """The records of predictors' older versions as rows of their own, named by their code.

    Those of other cells than are shown are left out: data has changed since.

    Parameters
    ----------
    older : iterable of Record
        Results of older versions.
    shown : sequence of Record
        What the board shows beside them.
    """
    cells = {place_of(record): record.trial.dataset.digest for record in shown}
    found: dict[tuple[object, ...], Record] = {}
    for record in older:
        predictor, place = record.trial.predictor, place_of(record)
        if record.role != "predictor" or cells.get(place, "") not in (
            "",
            record.trial.dataset.digest,
        ):
            continue
        selection = f"{predictor.selection} (code {code_of(predictor)})"
        own = row_key(record), place, record.trial.fit_seed, version_key(predictor)
        before = found.get(own)
        if before is None or (before.run.started or "") < (record.run.started or ""):
            told = replace(predictor, selection=selection)
            found[own] = replace(record, trial=replace(record.trial, predictor=told))
    return list(found.values())


def place_of(record: Record) -> tuple[object, ...]:
    """The cells and the split of a record."""
    trial = record.trial
    split = trial.split
    return trial.dataset.selection, split.name, split.seed, split.train
