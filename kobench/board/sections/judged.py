"""What is said of ranked rows: who is better than the best floor, by how much, and who is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kobench.board.overall import MIXED, UNPROVEN, overall
from kobench.board.row import Column, Row
from kobench.board.sections.called import called, closed, names, on_networks
from kobench.board.table import Section
from kobench.board.written import sized, spoken, with_interval

#: How what is said of rows with prior knowledge begins, after what is said of the others.
WITH_PRIOR = "With prior knowledge, ranked apart: "

#: What a task says of scores that an answer without any gene in it could have; the sentence says
#: so, too.
NOT_SPECIFIC = "not gene-specific"


def on_ranked(section: Section) -> list[str]:
    """Who is better than the best floor, level with it and worse, and who knows the gene.

    Of rows that know the cells alone, and then of those with prior knowledge: each kind has its
    best.
    """
    if not section.ranked:
        return [
            (
                "No predictor is ranked: floors and lines only."
                if not section.unranked
                else "No predictor is ranked."
            )
        ]
    parts = compared_rows(section, section.from_cells, "") if section.from_cells else []
    if section.with_prior:
        parts += compared_rows(section, section.with_prior, WITH_PRIOR)
    first = section.primary[0]
    if first.floor is None:
        no_floor = "No floor was scored, so nothing here says whether that is better than trivial."
        return [*parts, no_floor]
    specific = [closed(note) for note in section.task_notes if NOT_SPECIFIC in note]
    return [*parts, *knowing(section, first), *without_values(section), *specific]


def compared_rows(section: Section, rows: Sequence[Row], start: str) -> list[str]:
    """How ranked rows of one kind compare with the best floor; `start` begins the first sentence.

    The rows are at least one, the best first.
    """
    first, top = section.primary[0], rows[0]
    here = f" {on_networks(section.blocks)}" if section.few else ""
    if first.floor is None:
        tie = f"; it can't be told apart from {names(top.level_with)}" if top.level_with else ""
        return [f"{start}{top.name} comes first{here}{tie}."]
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[overall(section, row)].append(row)
    named = floors_of(section)
    floors = f"the best floor{'s' * (len(named) > 1)}, {spoken(named)}"
    by = by_how_many(section)
    parts = []
    if groups["better"]:
        lead, *others = groups["better"]
        score = lead.scores[first.name]
        gain = with_interval(score.difference) if score.difference else ""
        if by:
            gain = f"{by}{gain and f' ({gain} in the first)'}"
        elif gain:
            gain = f" by {gain}"
        level = [name for name in lead.level_with if any(name == row.name for row in rows)]
        tie = f"; it can't be told apart from {names(level)}" if level else ""
        parts.append(f"{start}{lead.name} is better than {floors},{gain}{here}{tie}.")
        if others:
            parts.append(f"So {'is' if len(others) == 1 else 'are'} {names(others)}.")
    else:
        nobody = "no predictor" if start else "No predictor"
        more = "".join(f", {text.strip()}" for text in (by, here) if text)
        parts.append(f"{start}{nobody} is better than {floors}{more}.")
    return [*parts, *on_others(section, groups)]


def on_others(section: Section, groups: dict[str, list[Row]]) -> list[str]:
    """Who is better by some metrics alone, who is not told apart, and who is worse."""
    said = [
        f"{closed(f'by {by} alone')[:-1]}: {names(rows)}."
        for by, rows in by_which(section, groups[MIXED]).items()
    ]
    if groups[UNPROVEN]:
        said.append(
            f"Better, but just as well where its answers are given to the wrong genes, which"
            f" doesn't count: {names(groups[UNPROVEN])}."
        )
    said += level(section, groups["same"])
    if groups["worse"]:
        said.append(f"Worse: {names(groups['worse'])}.")
    if groups[""]:
        said.append(f"No interval, so no verdict: {names(groups[''])}.")
    return said


def floors_of(section: Section) -> list[str]:
    """The best floor by each primary metric, each name once."""
    return list(dict.fromkeys(column.floor for column in section.primary if column.floor))


def by_how_many(section: Section) -> str:
    """That there are several metrics by which a row has to be better; "" for one."""
    count = len(section.primary)
    return "" if count < 2 else " by both metrics" if count == 2 else f" by all {count} metrics"


def by_which(section: Section, rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows that are better by some metrics, by what these are called."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        better = [
            called(section, column)
            for column in section.primary
            if (score := row.scores.get(column.name)) and score.verdict == "better"
        ]
        found[spoken(better)].append(row)
    return found


def level(section: Section, rows: Sequence[Row]) -> list[str]:
    """Who is not told apart from the floor, with the difference that would have been seen."""
    first = section.primary[0].name
    unseen = {row.name: row.scores[first].unseen for row in rows}
    sizes = [size for size in unseen.values() if size is not None]
    said = []
    if sizes:
        low, high = sized(min(sizes)), sized(max(sizes))
        size = low if low == high else f"{low} to {high}"
        seen = [row for row in rows if unseen[row.name] is not None]
        said.append(
            f"Not told apart from it: {names(seen)} (a difference of {size} would have been seen)."
        )
    small = [row for row in rows if unseen[row.name] is None]
    if small:
        said.append(f"Not told apart from it by enough to name: {names(small)}.")
    return said


def knowing(section: Section, column: Column) -> list[str]:
    """Who is shown to know which gene was removed, where answers were permuted."""
    permuted = [
        (row, one)
        for row in section.ranked
        if (one := row.scores[column.name].permuted) is not None
    ]
    knows = [row for row, one in permuted if one.knows]
    others = [row for row, one in permuted if not one.knows]
    if not permuted:
        return []
    if not knows:
        who = "any of them knows" if len(others) > 1 else "it knows"
        return [f"Nothing shows that {who} which gene was removed."]
    suspect = ", where hardly anything changes, so suspect" if section.control else ""
    rest = "; nothing shows it of the others" if others else ""
    if not others and len(knows) > 1:
        return [f"All of them know which gene was removed{suspect}."]
    verb = "Know" if len(knows) > 1 else "Knows"
    return [f"{verb} which gene was removed{suspect}: {names(knows)}{rest}."]


def without_values(section: Section) -> list[str]:
    """That a further primary metric has a value for nobody, and why."""
    said = []
    for column in section.primary[1:]:
        scores = [row.scores[column.name] for row in section.ranked if column.name in row.scores]
        if scores and all(score.value is None for score in scores):
            why = next((score.missing for score in scores if score.missing), "")
            if why != "none":
                said.append(f"No value by {column.name}{why and f', as {why}'}.")
    return said
