"""From transfer records to matrices.

They say what a model trained on one group of cells explains of another, and what it loses by that.
What the numbers are: `kobench.board.numbers.transfer`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kobench.board.numbers.intervals import ENOUGH, Interval
from kobench.board.numbers.transfer import FLOOR, Share, TransferNumbers, noun_of
from kobench.board.numbers.values import NOT_ANSWERED, NOT_RUN, Key, block_series
from kobench.results.parts import Record


@dataclass(frozen=True)
class TransferCell:
    """One model on one group of cells.

    Attributes
    ----------
    explained : Interval or None
        Its share of what there is to explain; None with the reason in `missing`.
    score : float or None
        The metric itself.
    drop : Interval or None
        How much less it explains than the asked group's own model; None on the diagonal, and where
        that model has no score.
    missing : str
        Why there is no share; "" where there is one.
    done : int
        On how many blocks (networks) both it and the floor have a score.
    """

    explained: Interval | None = None
    score: float | None = None
    drop: Interval | None = None
    missing: str = ""
    done: int = 0


@dataclass(frozen=True)
class TransferMatrix:
    """A predictor, trained on each group of a dataset and asked for each of its g groups.

    Attributes
    ----------
    dataset, dataset_version, kind, split, task : str
        What the trials have in common.
    metric, direction : str
        The primary metric of the task, and its better end.
    floor : str
        The floor that shares are measured against.
    predictor : str
        The name of the predictor.
    prior : bool
        Whether it has prior knowledge.
    groups : (g,) tuple of str
        The groups of cells.
    cells : (g, g) tuple of tuple of TransferCell
        By the group trained on, then by the group asked.
    floors : (g, g) tuple of tuple of float or None
        The floor's own score, the same way.
    own, other, drop : Interval or None
        Means of the diagonal, of the rest, and of the drops.
    floor_drop : Interval or None
        What the floor itself loses, in the mean.
    label : str
        What the intervals of means stand for.
    blocks : int
        How many networks; 1 for real data.
    notes : tuple of str
        What the task said of the question.
    over_draws : bool
        Whether intervals are over draws of the cells of one network.
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
    prior: bool
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
    over_draws: bool = False

    @property
    def few(self) -> bool:
        """Whether these are so few simulated networks that the results say little about others."""
        return self.kind == "simulated" and self.blocks < ENOUGH

    @property
    def noun(self) -> str:
        """What the groups are."""
        return noun_of(self.split)


def transfer_matrices(
    records: Iterable[Record],
    names: Mapping[Key, str] | None = None,
    priors: Collection[Key] = (),
) -> tuple[TransferMatrix, ...]:
    """A matrix for each dataset group, split, task and predictor.

    Parameters
    ----------
    records : iterable of Record
        Those of transfers count, others are passed over.
    names : mapping or None
        What rows are called, by `kobench.board.numbers.series.row_key`; None: by their selection.
    priors : collection of Key
        The rows with prior knowledge.

    Returns
    -------
    tuple of TransferMatrix
        By dataset, split and task; of these the best transfer first, those with prior knowledge
        after the others.
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
    found: list[TransferMatrix] = []
    for key, members in sorted(groups.items()):
        if key[3]:
            of_all_tasks = groups.get((*key[:3], ""), [])
            numbers = TransferNumbers([*members, *of_all_tasks], key)
            called = {row: (names or {}).get(row, row[1]) for row in numbers.rows}
            floor = floor_of(numbers)
            found += sorted(
                (
                    matrix_of(numbers, row, called[row], row in priors, floor)
                    for row in numbers.rows
                ),
                key=best_first,
            )
    return tuple(found)


def best_first(matrix: TransferMatrix) -> tuple[bool, float, str]:
    """Sorts matrices by what they explain of other groups, the most first, by kind of predictor."""
    explained = -np.inf if matrix.other is None else -matrix.other.value
    return matrix.prior, explained, matrix.predictor


class Floor(NamedTuple):
    """What the floor scores on each pair of groups, and what it loses, in the mean."""

    scores: tuple[tuple[float | None, ...], ...]
    drop: Interval | None


def floor_of(numbers: TransferNumbers) -> Floor:
    """The floor's numbers, the same beside every predictor."""
    _, drops = shares_and_drops(numbers, FLOOR)
    scores = tuple(
        tuple(mean_score(numbers, FLOOR, train, ask) for ask in numbers.groups)
        for train in numbers.groups
    )
    return Floor(scores, numbers.mean(drops))


def matrix_of(
    numbers: TransferNumbers, row: Key, name: str, prior: bool, floor: Floor
) -> TransferMatrix:
    """The matrix of one predictor, called `name`."""
    shares, drops = shares_and_drops(numbers, row)
    cells = tuple(
        tuple(
            cell_of(numbers, row, train, ask, shares.get((a, b)), drops.get((a, b)))
            for b, ask in enumerate(numbers.groups)
        )
        for a, train in enumerate(numbers.groups)
    )
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
        prior=prior,
        groups=tuple(numbers.groups),
        cells=cells,
        floors=floor.scores,
        own=numbers.mean({at: share for at, share in shares.items() if at[0] == at[1]}),
        other=numbers.mean({at: share for at, share in shares.items() if at[0] != at[1]}),
        drop=numbers.mean(drops),
        floor_drop=floor.drop,
        label=numbers.label,
        blocks=numbers.networks.count or len(numbers.blocks),
        over_draws=numbers.networks.noun == "draw",
        notes=numbers.notes,
    )


def shares_and_drops(
    numbers: TransferNumbers, row: Key
) -> tuple[dict[tuple[int, int], Share], dict[tuple[int, int], Share]]:
    """What a row explains of each pair of groups, and what it loses, where there are numbers.

    Parameters
    ----------
    numbers : TransferNumbers
        The numbers of a dataset and task.
    row : Key
        A predictor or floor.

    Returns
    -------
    shares : dict
        Places of the groups (trained, asked) -> what is explained.
    drops : dict
        The same for what is lost, off the diagonal.
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
    if not fits:
        return NOT_RUN
    failed = sorted(record.result.status for record in fits if record.result.status != "ok")
    if failed:
        return failed[0]
    if numbers.levels(row, train, ask):
        floor = numbers.levels(FLOOR, train, ask)
        return "floor = truth" if floor else "no floor"
    scores = (numbers.score(record, ask) for record in fits)
    return next((score.missing for score in scores if score and score.missing), NOT_ANSWERED)


def drop_verdict(drop: Interval | None) -> str:
    """What a drop says against a model of the asked group.

    Returns
    -------
    str
        "loses", "gains", "same" where it can't be told apart from 0, "" without an interval.
    """
    if drop is None or drop.low is None:
        return ""
    if drop.above:
        return "loses"
    return "gains" if drop.below else "same"
