"""What a section says of itself: what its intervals stand for, what was asked, what to mind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from kobench.board.numbers.intervals import ENOUGH, t_quantile
from kobench.board.numbers.networks import CELLS, EDGES, slot_of
from kobench.board.numbers.series import Numbers, column_of, units_of
from kobench.board.numbers.skill import NO_HEADROOM
from kobench.board.numbers.standings import Standings
from kobench.board.numbers.values import Key
from kobench.board.row import Column
from kobench.board.sections.calibrated import on_greyed
from kobench.board.sections.counted import Fits, by_slot, count, left_out
from kobench.board.sections.sampled import remarks_on_draws
from kobench.board.written import number, with_interval
from kobench.results.parts import Record, TaskScores

#: Under so many groups of cells a section says what they are worth.
FEW_GROUPS = 10


def label_of(numbers: Numbers, kind: str) -> str:
    """What the intervals of a section stand for."""
    blocks = len(numbers.blocks)
    if not numbers.all:
        return "nothing, as no trial has scores"
    inside = next((f"{scores.block}s" for scores in numbers.all if scores.block), "units")
    column = column_of(numbers.all)
    inside = f"groups of cells ({column})" if column else inside
    drawn = any(numbers.draws(metric) for metric in numbers.primary())
    if kind != "simulated":
        count = next((scores.blocks for scores in numbers.all if scores.blocks), None)
        label = f"{count:,} {inside}" if count else inside
        splits = numbers.splits.count(numbers.slots)
        label += (
            f" and {splits} splits" if splits > 1 and set(numbers.blocks) <= numbers.steady else ""
        )
    elif blocks >= ENOUGH:
        networks, draws = numbers.networks.count, numbers.networks.draws
        if networks < ENOUGH:
            return f"{draws} draws of the cells of 1 network; they say nothing of other networks"
        more = f", {draws} draws of cells" if draws > networks else ""
        return f"{networks} networks{more}"
    else:
        label = f"{inside} inside 1 network; they say nothing of other networks"
    return label if drawn else f"{label}; no draws inside, so no interval"


def on_groups(numbers: Numbers, slots: Fits) -> list[str]:
    """How many groups of cells the draws take, and what so many are worth."""
    column = column_of(numbers.all)
    if len(numbers.blocks) >= ENOUGH:
        return []
    if not column:
        return on_given_groups(numbers)
    groups = count({slot: max(one.blocks or 0 for one in fits) for slot, fits in slots.items()})
    said = f"intervals draw {groups} groups of cells ({column}){groups.each}, and cells inside them"
    if groups.high < 2:
        return [
            f"all asked cells are of one group ({column}), which says nothing of other groups: no"
            " interval"
        ]
    worth = min(units_of(one) for fits in slots.values() for one in fits)
    if worth <= 1:
        return [f"{said}; most cells are of one group, so there is no interval"]
    if worth < groups.low - 0.05:
        said += f"; they differ in size and are worth {worth:.1f} of one size"
    if worth < FEW_GROUPS:
        wider = t_quantile(worth - 1) / t_quantile(inf)
        said += (
            f"; so few say little: intervals are {wider:.1f} times as wide as they would be if the"
            " spread between groups were known"
        )
    return [said]


def on_given_groups(numbers: Numbers) -> list[str]:
    """That draws of perturbations or genes say nothing of other groups than these."""
    records = (record for fits in numbers.records.values() for record in fits)
    known = next((one.about.dataset.groups for one in records if one.about.dataset.groups), None)
    if known is None:
        return []
    return [
        f"groups of cells ({known.column}) are on one side of the split each; intervals are over"
        f" {numbers.all[0].block}s in these {known.count} groups, and say nothing of others"
    ]


def remarks_of(numbers: Numbers, standings: Standings, split: str, ranked: int) -> tuple[str, ...]:
    """What was asked, which floor counts and whether it leaves headroom, how ranks are made.

    Parameters
    ----------
    numbers : Numbers
        The numbers of the section.
    standings : Standings
        Its columns.
    split : str
        Name of the split.
    ranked : int
        How many rows have a rank.
    """
    if not numbers.all:
        return ()
    primary = [column for column in standings.columns.values() if column.primary]
    slots = by_slot(numbers)
    remarks = [*on_what_was_asked(numbers, slots), *on_groups(numbers, slots)]
    if split == "all":
        remarks.append("trained on the same cells as asked")
    remarks += on_sampled_rows(slots)
    remarks += remarks_on_draws(numbers, primary)
    remarks += on_what_was_left_out(slots)
    for column in primary:
        by = f" by {column.name}" if len(primary) > 1 else ""
        if column.floor == column.level:
            remarks.append(nothing_remark(column, by, *standings.beaten[column.name]))
        if column.reason == NO_HEADROOM:
            remarks.append(headroom_remark(column, by))
    remarks += on_greyed(standings.columns)
    if ranked > 1:
        remarks.append(
            "ranks come from pairwise comparisons at 95 % each, not corrected for their number"
        )
    return tuple(remarks)


def on_what_was_asked(numbers: Numbers, slots: Fits) -> list[str]:
    """How many units were asked: in a split the most that a row was asked."""
    asked = count({slot: max(int(one.asked) for one in fits) for slot, fits in slots.items()})
    return [f"{asked} {unit_of(numbers.all[0])} asked{asked.each}"] if asked.high else []


def on_sampled_rows(slots: Fits) -> list[str]:
    """How many events' full rows were compared, where these were sampled."""
    sampled = {
        slot: max(known)
        for slot, fits in slots.items()
        if (known := [int(one.sampled) for one in fits if one.sampled is not None])
    }
    if not sampled:
        return []
    rows = count(sampled)
    return [f"full rows of {rows} sampled events compared{rows.each}"]


def on_what_was_left_out(slots: Fits) -> list[str]:
    """How many units were dropped for everybody, by reason."""
    return [
        f"left out for everybody: {dropped}{dropped.each} ({reason})"
        for reason, dropped in left_out(slots).items()
        if dropped.high
    ]


def nothing_remark(column: Column, by: str, floor: str, value: float) -> str:
    """Why the level below which no floor counts is the floor; the best one has `value`."""
    worse = "below" if column.sign > 0 else "above"
    return (
        f"the best floor{by}, {floor}, is {worse} {column.level} ({column.nothing:g}): it has"
        f" {number(value)}, so {column.level} counts"
    )


def unit_of(scores: TaskScores) -> str:
    """What a task counts as asked."""
    if scores.asks == "response":
        return "perturbations"
    if scores.asks in ("profile", "transfer"):
        return "cells"
    return "genes" if scores.kind == "ranking" else "events"


def headroom_remark(column: Column, by: str) -> str:
    """Why no skill is printed, in numbers."""
    if column.gap is None:
        return ""
    top = (
        f"what an answer without error would score here ({number(column.ceiling)})"
        if column.estimated
        else "the truth"
    )
    said = f"no headroom{by}: the gap between the best floor and {top} is"
    if column.gap.value > column.headroom:
        return (
            f"{said} {with_interval(column.gap)}, and skill is printed where the interval lies"
            " above 0"
        )
    closed = column.low is not None and column.high is not None
    share = "a tenth of the metric's range" if closed else "the metric's range is open"
    if column.estimated:
        share += ", and as much again because that is an estimate"
    least = f"{column.headroom:g}"
    return f"{said} {number(column.gap.value)}, and skill is printed above {least} ({share})"


def counted(number: int, noun: str) -> str:
    """How a sentence on some of several begins.

    >>> counted(1, "draw"), counted(2, "network")
    ('1 draw has', 'Each of 2 networks has')
    """
    return f"1 {noun} has" if number == 1 else f"Each of {number} {noun}s has"


def warnings_of(
    records: Iterable[Record], numbers: Numbers, statuses: Mapping[Key, str]
) -> tuple[str, ...]:
    """What makes a section's rows less comparable than they look."""
    warnings = []
    digests: dict[Any, set[str]] = defaultdict(set)
    for record in records:
        digests[slot_of(record)].add(record.trial.dataset.digest)
    if any(len(found) > 1 for found in digests.values()):
        warnings.append(
            "These records were not all made from the same data (their digests differ): run the"
            " older ones again."
        )
    claimed = numbers.networks.claimed
    if twice := claimed[EDGES]:
        warnings.append(
            f"{counted(twice, 'network')} the same edges as another one, whatever its genes are"
            " called, and counts with it as one. Who wrote the simulator should say which seeds"
            " share a network (Dataset.network)."
        )
    if twice := claimed[CELLS]:
        warnings.append(
            f"{counted(twice, 'draw')} the very same cells as another one, and counts with it as"
            " one. Other seeds must give other cells."
        )
    lost = [
        key[1]
        for key in numbers.records
        if key[0] == "floor" and key[1] in numbers.floors and statuses[key] != "ok"
    ]
    if lost:
        warnings.append(
            f"Floors without a full score do not count here: {', '.join(sorted(lost))}."
        )
    return tuple(warnings)
