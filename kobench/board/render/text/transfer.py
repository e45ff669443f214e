"""Transfer matrices as plain text: the result in words, each predictor's means, then every pair.

What numbers call explained is the skill on a pair of groups, and a drop what is lost there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from kobench.board.numbers.intervals import Interval
from kobench.board.numbers.rules import NAMED
from kobench.board.numbers.skill import verdict_of
from kobench.board.render.text.marks import HOLLOW_LEGEND, arrow_of, marks_of
from kobench.board.transfer import TransferCell, TransferMatrix, drop_verdict
from kobench.board.written import bracket, number, spoken

#: What is said of predictors by how their skill compares with the best floor.
VERDICTS = {
    "better": "{} better than the best floor",
    "same": "can't be told apart from the best floor",
    "worse": "{} worse than the best floor",
    "": "can't be judged, for want of an interval",
}

#: What a drop says, beside its number.
DROPS = {"loses": "↓", "same": "≈", "gains": "↑", "": "·"}


def by_dataset(matrices: Iterable[TransferMatrix]) -> Iterator[list[TransferMatrix]]:
    """The matrices of each dataset, split and task."""

    def about(matrix: TransferMatrix) -> tuple[str, ...]:
        return matrix.dataset, matrix.dataset_version, matrix.split, matrix.task

    for _, group in groupby(matrices, key=about):
        yield list(group)


def title_of(matrix: TransferMatrix) -> str:
    """Task, dataset and split in one line."""
    return f"{matrix.task} between {matrix.noun}s of {matrix.dataset}, split {matrix.split}"


def floor_title(matrix: TransferMatrix) -> str:
    """What the table of the floor's own scores is called."""
    return f"{matrix.floor}, the floor: {matrix.metric} {arrow_of(matrix.direction)} itself"


def legend_of(matrix: TransferMatrix) -> str:
    """What the numbers and marks mean."""
    hollow = f" △ ≈ ▽ {HOLLOW_LEGEND}." if matrix.few else ""
    blank = "" if pairs_have_intervals(matrix) else " · No interval, so no verdict."
    return (
        f"Skill: 0 is the best floor ({matrix.floor}, made of the same training cells), 1 the truth"
        " (▲ better than that floor, ≈ can't be told apart from it, ▼ worse, by 95 % intervals; [ ]"
        f" trained on the asked {matrix.noun} itself).{hollow} Loss: how much more skill a model"
        f" has that was trained on the asked {matrix.noun}, on as many cells (↓ loses, ≈ can't be"
        f" told apart, ↑ gains).{blank}"
    )


def pairs_have_intervals(matrix: TransferMatrix) -> bool:
    """Whether every pair with a share has an interval of it."""
    return all(
        cell.explained.low is not None for row in matrix.cells for cell in row if cell.explained
    )


def sentence_of(matrices: Sequence[TransferMatrix]) -> str:
    """The result in words: who is better than trivial on groups not trained on, what that costs."""
    noun = matrices[0].noun
    found: dict[str, list[str]] = {verdict: [] for verdict in VERDICTS}
    for matrix in matrices:
        if matrix.other is not None:
            said = f"{matrix.predictor} (skill {with_ends(matrix.other)})"
            found[verdict_of(matrix.other, NAMED)].append(said)
    judged = [
        f"{spoken(names)} {VERDICTS[verdict].format('is' if len(names) == 1 else 'are')}"
        for verdict, names in found.items()
        if names
    ]
    text = f"Trained on one {noun} and asked about another: {'; '.join(judged)}." if judged else ""
    lost = [f"{with_ends(one.drop)} ({one.predictor})" for one in matrices if one.drop is not None]
    if lost:
        what = f"A model trained on the asked {noun} itself has this much more skill"
        text += f" {what}: {spoken(lost)}."
    silent = [matrix.predictor for matrix in matrices if matrix.other is None]
    if silent:
        has = "has" if len(silent) == 1 else "have"
        text += f" {spoken(silent)} {has} no score on other {noun}s."
    if floor := matrices[0].floor_drop:
        text += f" The floor itself loses {with_ends(floor)}."
    return text.strip()


def summary_head(matrix: TransferMatrix) -> list[str]:
    """What the columns of the summary hold."""
    return ["skill, mean", f"on its own {matrix.noun}", f"on other {matrix.noun}s", "loss"]


def summary_rows(matrices: Sequence[TransferMatrix]) -> list[list[str]]:
    """The means of every predictor, then of the floor.

    Parameters
    ----------
    matrices : sequence of TransferMatrix
        The predictors of one dataset.

    Returns
    -------
    list of list of str
        Name, own, other and drop. The floor's skill is 0 by definition, but it may lose, too.
    """

    def explained(interval: Interval | None, few: bool) -> str:
        if interval is None:
            return "-"
        return f"{marks_of(few)[verdict_of(interval, NAMED)]} {with_ends(interval)}"

    def dropped(interval: Interval | None) -> str:
        if interval is None:
            return "-"
        return f"{DROPS[drop_verdict(interval)]} {with_ends(interval)}"

    rows = [
        [
            matrix.predictor,
            explained(matrix.own, matrix.few),
            explained(matrix.other, matrix.few),
            dropped(matrix.drop),
        ]
        for matrix in matrices
    ]
    first = matrices[0]
    return [*rows, [f"floor: {first.floor}", "0", "0", dropped(first.floor_drop)]]


def interval_line(matrix: TransferMatrix) -> str:
    """What the intervals stand for, and what the task said of the question."""
    means = "means have none"
    if matrix.other and matrix.other.low is not None:
        means = f"of means over {matrix.label}"
    single = "single pairs have none"
    if pairs_have_intervals(matrix):
        networks = f"{matrix.blocks} networks"
        cells = "the asked cells (they say nothing of other training cells)"
        single = f"of single pairs over {networks if matrix.blocks > 1 else cells}"
        if matrix.over_draws:
            single = "of single pairs over draws of the cells of one network"
    said = [f"Intervals (95 %): {means}, {single}"]
    partly = sum(0 < cell.done < matrix.blocks for row in matrix.cells for cell in row)
    if partly:
        said.append(f"{partly} pairs were not scored on every network")
    return "; ".join([*said, *matrix.notes])


def share_text(matrix: TransferMatrix, cell: TransferCell, own: bool) -> str:
    """The skill on a pair: `▲ 0.12`, with own=True `▲[0.12]`, or why there is no number."""
    if cell.explained is None:
        return cell.missing
    mark = marks_of(matrix.few)[verdict_of(cell.explained, NAMED)]
    value = two_digits(cell.explained)
    return f"{mark}[{value}]" if own else f"{mark} {value}"


def drop_text(cell: TransferCell) -> str:
    """The drop of a pair: `↓ 0.30`, nothing where there is none."""
    return "" if cell.drop is None else f"{DROPS[drop_verdict(cell.drop)]} {two_digits(cell.drop)}"


def drop_with_ends(cell: TransferCell) -> str:
    """The drop of a pair: `loss ↓ 0.30 [0.25, 0.35]`, nothing where there is none."""
    return f"loss {drop_text(cell)} {ends(cell.drop)}".strip() if cell.drop else ""


def ends(interval: Interval | None) -> str:
    """`[0.08, 0.16]`, nothing where there is no interval."""
    return bracket(interval.low, interval.high, 2) if interval else ""


def with_ends(interval: Interval | None) -> str:
    """`0.12 [0.08, 0.16]`, a dash for nothing."""
    return "-" if interval is None else f"{number(interval.value, 2)} {ends(interval)}".strip()


def two_digits(interval: Interval) -> str:
    """Two decimals; what rounds to 0 and is told apart from it keeps its sign.

    >>> two_digits(Interval(-0.004, -0.006, -0.002))
    '-0.00'
    >>> two_digits(Interval(-0.004, -0.01, 0.01)), two_digits(Interval(0.123))
    ('0.00', '0.12')
    """
    text = number(interval.value, 2)
    if text == "0.00" and interval.above:
        return "+0.00"
    if text == "0.00" and interval.below:
        return "-0.00"
    return text
