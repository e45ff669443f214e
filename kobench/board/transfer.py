"""From transfer records to matrices: what a model trained on one group of cells explains of
another, and what it loses by that.

What the numbers are: `kobench.board.numbers.transfer`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from kobench.board.numbers.intervals import ENOUGH, Interval
from kobench.board.numbers.series import NOT_ANSWERED, NOT_RUN, Key, block_series
from kobench.board.numbers.transfer import Share, TransferNumbers, noun_of
from kobench.results.parts import Record


@dataclass(frozen=True)
class TransferCell:
    """One model on one group of cells.

    explained : None with the reason in `missing`. score : the metric itself. drop : None on the
    diagonal, and where the asked group's own model has no score. done : on how many blocks
    (networks) both it and the floor have a score.
    """

    explained: Interval | None = None
    score: float | None = None
    drop: Interval | None = None
    missing: str = ""
    done: int = 0


@dataclass(frozen=True)
class TransferMatrix:
    """A predictor, trained on each group of a dataset and asked for each: `cells[trained][asked]`,
    both in the order of `groups`.

    floors : the floor's own score, the same way. own, other, drop : means of the diagonal, of the
    rest, and of the drops, each with the interval that `label` names; floor_drop : what the floor
    itself loses. blocks : how many networks (1 for real data). notes : what the task said of the
    question.
    """

    dataset: str
    dataset_version: str
    kind: str
    split: str
    task: str
    metric: str
    direction: str
    floor: str
    predictor: str
    groups: tuple[str, ...]
    cells: tuple[tuple[TransferCell, ...], ...]
    floors: tuple[tuple[float | None, ...], ...]
    own: Interval | None
    other: Interval | None
    drop: Interval | None
    floor_drop: Interval | None
    label: str
    blocks: int
    notes: tuple[str, ...] = ()

    @property
    def few(self) -> bool:
        """Whether these are so few simulated networks that the results say little about others."""
        return self.kind == "simulated" and self.blocks < ENOUGH

    @property
    def noun(self) -> str:
        """What the groups are."""
        return noun_of(self.split)


def transfer_matrices(
    records: Iterable[Record], names: Mapping[Key, str] | None = None
) -> tuple[TransferMatrix, ...]:
    """A matrix for each dataset group, split, task and predictor among the records of transfers; of
    a dataset, the best transfer first.

    names : what rows are called, by `kobench.board.numbers.series.row_key`; None: by their selection.
    Records of other splits are passed over.
    """
    groups: dict[tuple[str, str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        dataset, split = record.trial.dataset, record.trial.split
        if split.train is not None:
            labels = [
                label for label, scores in record.result.scores.items() if scores.asks == "transfer"
            ]
            # a failed trial has no scores; it belongs to every task of its dataset
            for label in labels or [""]:
                groups[dataset.group, str(dataset.version), split.name, label].append(record)
    found = []
    for key, members in sorted(groups.items()):
        if key[3]:
            numbers = TransferNumbers([*members, *groups.get((*key[:3], ""), [])], key)
            matrices = (
                matrix_of(numbers, row, (names or {}).get(row, row[1])) for row in numbers.rows
            )
            found += sorted(
                matrices,
                key=lambda matrix: (
                    -np.inf if matrix.other is None else -matrix.other.value,
                    matrix.predictor,
                ),
            )
    return tuple(found)


def matrix_of(numbers: TransferNumbers, row: Key, name: str) -> TransferMatrix:
    """The matrix of one predictor."""
    groups = numbers.groups
    places = list(np.ndindex(len(groups), len(groups)))
    shares, drops = shares_and_drops(numbers, row)
    cells = {
        at: cell_of(numbers, row, groups[at[0]], groups[at[1]], shares.get(at), drops.get(at))
        for at in places
    }
    return TransferMatrix(
        dataset=numbers.dataset,
        dataset_version=numbers.version,
        kind=numbers.kind,
        split=numbers.split,
        task=numbers.task,
        metric=numbers.metric,
        direction=numbers.direction,
        floor=numbers.floor,
        predictor=name,
        groups=tuple(groups),
        cells=tuple(tuple(cells[a, b] for b in range(len(groups))) for a in range(len(groups))),
        floors=tuple(
            tuple(mean_score(numbers, ("floor", numbers.floor), train, ask) for ask in groups)
            for train in groups
        ),
        own=numbers.mean({at: share for at, share in shares.items() if at[0] == at[1]}),
        other=numbers.mean({at: share for at, share in shares.items() if at[0] != at[1]}),
        drop=numbers.mean(drops),
        floor_drop=numbers.mean(shares_and_drops(numbers, ("floor", numbers.floor))[1]),
        label=numbers.label,
        blocks=len(numbers.blocks),
        notes=numbers.notes,
    )


def shares_and_drops(
    numbers: TransferNumbers, row: Key
) -> tuple[dict[tuple[int, int], Share], dict[tuple[int, int], Share]]:
    """What a row explains in each (trained, asked) pair of groups, and what it loses off the
    diagonal, where there are numbers.
    """
    shares, drops = {}, {}
    for a, train in enumerate(numbers.groups):
        for b, ask in enumerate(numbers.groups):
            if share := numbers.explained(row, train, ask):
                shares[a, b] = share
            if a != b and (drop := numbers.drop(row, train, ask)):
                drops[a, b] = drop
    return shares, drops


def cell_of(
    numbers: TransferNumbers,
    row: Key,
    train: str,
    ask: str,
    share: Share | None,
    drop: Share | None,
) -> TransferCell:
    """One cell of a matrix, from its explained share and drop."""
    return TransferCell(
        explained=share.interval if share else None,
        score=mean_score(numbers, row, train, ask),
        drop=drop.interval if drop else None,
        missing="" if share else missing(numbers, row, train, ask),
        done=len(share.blocks) if share else 0,
    )


def mean_score(numbers: TransferNumbers, row: Key, train: str, ask: str) -> float | None:
    """A row's own score, its mean over blocks."""
    levels = numbers.levels(row, train, ask)
    return block_series(levels).mean if levels else None


def missing(numbers: TransferNumbers, row: Key, train: str, ask: str) -> str:
    """Why a cell has no explained share."""
    fits = [record for records in numbers.fits.get((row, train), {}).values() for record in records]
    failed = sorted(record.result.status for record in fits if record.result.status != "ok")
    if not fits or failed:
        return str(failed[0]) if failed else NOT_RUN
    if numbers.levels(row, train, ask):
        return (
            "floor = truth" if numbers.levels(("floor", numbers.floor), train, ask) else "no floor"
        )
    scores = (numbers.score(record, ask) for record in fits)
    return next((score.missing for score in scores if score and score.missing), NOT_ANSWERED)


def drop_verdict(drop: Interval | None) -> str:
    """ "loses" or "gains" against a model of the asked group, "same" where it can't be told apart,
    "" without an interval.
    """
    if drop is None or drop.low is None:
        return ""
    return "loses" if drop.above else "gains" if drop.below else "same"
