"""The results in words and at a glance: a sentence for each section, a matrix for each task, short names for datasets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import floor, log10

from kobench.board.intervals import Interval
from kobench.board.table import Column, Matrix, Row, Section


def number(value: float | None, decimals: int = 3) -> str:
    """Fixed decimals, no negative zero, a dash for nothing.

    >>> number(0.12345), number(0.00123, 5), number(-0.0001), number(None)
    ('0.123', '0.00123', '0.000', '-')
    """
    return "-" if value is None else f"{round(value, decimals) + 0.0:.{decimals}f}"


def bracket(low: float | None, high: float | None, decimals: int = 3) -> str:
    """`[low, high]`, nothing where there is no interval."""
    return "" if low is None or high is None else f"[{number(low, decimals)}, {number(high, decimals)}]"


def decimals_for(values: Iterable[float | None], digits: int = 3) -> int:
    """Decimals that give the largest of the values `digits` significant digits; three from 0.1 to 100.

    >>> decimals_for([0.5, 0.001]), decimals_for([0.0021, None]), decimals_for([12345.0]), decimals_for([])
    (3, 5, 0, 3)
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    if largest == 0 or 0.1 <= largest < 100:
        return 3
    return min(8, max(0, digits - 1 - floor(log10(largest))))


def spoken(names: Sequence[str]) -> str:
    """Names as in a sentence.

    >>> spoken(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def with_interval(interval: Interval) -> str:
    """`0.120 [0.080, 0.160]`, with more decimals where the value is small."""
    decimals = max(3, decimals_for([interval.value], 2))
    return f"{number(interval.value, decimals)} {bracket(interval.low, interval.high, decimals)}".strip()


def by_verdict(section: Section, metric: str) -> dict[str, list[Row]]:
    """Ranked rows by what their comparison with the best floor says."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in section.ranked:
        groups[row.scores[metric].verdict].append(row)
    return groups


def names(rows: Iterable[Row]) -> str:
    return spoken([row.name for row in rows])


def sentence_of(section: Section) -> str:
    """The result of a section in one or a few plain sentences, of the first primary metric and, in short, the second."""
    parts = []
    if not section.primary:
        parts.append("No task was scored here.")
    else:
        parts += first_metric(section, section.primary[0])
        parts += [second_metric(section, column) for column in section.primary[1:] if section.ranked]
    below: dict[str, list[Row]] = defaultdict(list)
    for row in section.unranked:
        if row.role == "predictor":
            below[row.status].append(row)
    if below:
        parts.append(f"Not ranked: {', '.join(f'{names(rows)} ({status})' for status, rows in sorted(below.items()))}.")
    return " ".join(part for part in parts if part)


def on_networks(count: int) -> str:
    """How far a result from few networks reaches.

    >>> on_networks(1), on_networks(2)
    ('on this network', 'on these 2 networks')
    """
    return "on this network" if count == 1 else f"on these {count} networks"


def first_metric(section: Section, column: Column) -> list[str]:
    """Who is above, level with and below the best floor by the metric that ranks."""
    here = f" {on_networks(section.blocks)}" if section.few else ""
    if not section.ranked:
        return ["No predictor is ranked: floors and lines only." if not section.unranked else "No predictor is ranked."]
    groups = by_verdict(section, column.name)
    top = section.ranked[0]
    if column.floor is None:
        tie = f"; it can't be told apart from {spoken(top.level_with)}" if top.level_with else ""
        return [f"{top.name} comes first{here}{tie}. No floor was scored, so nothing here says whether that is better than trivial."]
    parts = []
    if groups["better"]:
        lead = groups["better"][0]
        score = lead.scores[column.name]
        gain = with_interval(score.difference) if score.difference else ""
        tie = f"; it can't be told apart from {spoken(lead.level_with)}" if lead.level_with else ""
        parts.append(f"{lead.name} is above the best floor, {score.floor}, by {gain}{here}{tie}.")
        if len(groups["better"]) > 1:
            parts.append(f"Also above the floor: {names(groups['better'][1:])}.")
    else:
        parts.append(f"No predictor is above the best floor, {column.floor}{here and f',{here}'}.")
    if groups["same"]:
        parts.append(f"Not told apart from the floor: {names(groups['same'])}.")
    if groups["worse"]:
        parts.append(f"Below the floor: {names(groups['worse'])}.")
    if groups[""]:
        parts.append(f"No interval, so no verdict: {names(groups[''])}.")
    return parts


def second_metric(section: Section, column: Column) -> str:
    """Who is above the best floor by a co-primary metric."""
    if column.floor is None:
        return ""
    better = by_verdict(section, column.name)["better"]
    here = f", {on_networks(section.blocks)}" if section.few else ""
    return f"By {column.name}, above its best floor, {column.floor}{here}: {names(better) or 'nobody'}."


def split_selection(selection: str) -> tuple[str, list[str]]:
    """Name and `key=value` parts of a selection; commas inside quotes or brackets do not split.

    >>> split_selection('grn:genes=[1,2],note="a,b",seed=3')
    ('grn', ['genes=[1,2]', 'note="a,b"', 'seed=3'])
    """
    name, _, rest = selection.partition(":")
    parts, depth, quote, start = [], 0, "", 0
    for i, character in enumerate(rest):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{(":
            depth += 1
        elif character in "]})":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(rest[start:i])
            start = i + 1
    return name, [part for part in [*parts, rest[start:]] if part]


def short_names(selections: Iterable[str]) -> dict[str, str]:
    """Each selection without the parameters that all selections of the same name share.

    >>> short_names(["grn:a=1,b=2", "grn:a=1,b=3", "pbmc"])
    {'grn:a=1,b=2': 'grn b=2', 'grn:a=1,b=3': 'grn b=3', 'pbmc': 'pbmc'}
    """
    split = {selection: split_selection(selection) for selection in sorted(set(selections))}
    shared: dict[str, set[str]] = {}
    for name, parts in split.values():
        shared[name] = shared[name] & set(parts) if name in shared else set(parts)
    several = {name for name, _ in split.values() if sum(other == name for other, _ in split.values()) > 1}
    return {
        selection: " ".join([name, *[part for part in parts if name in several and part not in shared[name]]])
        for selection, (name, parts) in split.items()
    }


def matrices_of(sections: Sequence[Section]) -> tuple[Matrix, ...]:
    """For each task and split seen on several datasets: predictors x datasets, those better than trivial most often first."""
    groups: dict[tuple[str, str], list[Section]] = defaultdict(list)
    for section in sections:
        if section.primary:
            groups[section.task, section.split].append(section)
    matrices = []
    for (task, split), members in groups.items():
        rows = [{row.name: row for row in section.rows if row.role == "predictor"} for section in members]
        predictors = in_order(members, rows)
        if len(members) > 1 and predictors:
            cells = tuple(tuple(row.get(name) for row in rows) for name in predictors)
            matrices.append(Matrix(task, split, tuple(members), predictors, cells))
    return tuple(matrices)


def in_order(sections: Sequence[Section], rows: Sequence[Mapping[str, Row]]) -> tuple[str, ...]:
    """Names of the rows: by the number of wins, where few networks count for none, then by mean skill, then by mean rank.

    Where others have a skill, a row without one counts as the worst of them: failing must not raise a mean.
    """
    predictors = sorted({name for named in rows for name in named})
    wins: Counter[str] = Counter()
    skills: dict[str, list[float]] = defaultdict(list)
    ranks: dict[str, list[float]] = defaultdict(list)
    for section, named in zip(sections, rows, strict=True):
        metric = section.primary[0].name
        scores = {name: row.scores[metric] for name, row in named.items() if row.rank is not None}
        known = {name: score.skill for name, score in scores.items() if score.skill is not None}
        for name in predictors:
            row = named.get(name)
            wins[name] += name in scores and scores[name].verdict == "better" and not named[name].hollow
            if row:
                ranks[name].append(sum(row.rank) / 2 if row.rank else len(predictors) + 1.0)
            if known:
                skills[name].append(known.get(name, min(known.values())))

    def order(name: str) -> tuple[float, float, float, str]:
        skill = sum(skills[name]) / max(1, len(skills[name]))
        return -wins[name], -skill, sum(ranks[name]) / len(ranks[name]), name

    return tuple(sorted(predictors, key=order))
