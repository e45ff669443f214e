"""Results in words: a sentence for each section, and how numbers and names are written in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.written import permuted_p, sized, spoken, with_interval
from kobench.errors import UserError
from kobench.util.grammar import split as split_selection


def by_verdict(rows: Iterable[Row], metric: str) -> dict[str, list[Row]]:
    """Ranked rows by what their comparison with the best floor says."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row.scores[metric].verdict].append(row)
    return groups


def names(rows: Iterable[Row]) -> str:
    """The names of rows as in a sentence."""
    return spoken([row.name for row in rows])


#: How the sentence of a section begins where a good score is suspect.
NEAR_NULL = (
    "Near-null control: hardly any effect beyond the target; a predictor that scores significantly"
    " here is suspect."
)


def sentence_of(section: Section) -> str:
    """The result of a section in one or a few plain sentences.

    Of the first primary metric and, in short, the others.
    """
    parts = [NEAR_NULL] if section.control else []
    parts += [f"Trained on {section.train}."] if section.train else []
    if section.unranked_reason:
        parts.append(closed(section.unranked_reason))
        known = [
            row
            for row in section.unrankable
            if any(score.value is not None for score in row.scores.values())
        ]
        if known:
            parts.append(f"Scored all the same, without skill or rank: {names(known)}.")
    elif not section.primary:
        parts.append("No task was scored here.")
    else:
        parts += first_metric(section, section.primary[0])
        parts += [
            second_metric(section, column) for column in section.primary[1:] if section.ranked
        ]
    below: dict[str, list[Row]] = defaultdict(list)
    for row in section.unranked:
        if row.role == "predictor":
            below[row.status].append(row)
    if below:
        parts.append(
            "Not ranked:"
            f" {', '.join(f'{names(rows)} ({status})' for status, rows in sorted(below.items()))}."
        )
    return " ".join(part for part in parts if part)


def closed(text: str) -> str:
    """A reason as a sentence.

    >>> closed("not ranked: fewer than 20 perturbations")
    'Not ranked: fewer than 20 perturbations.'
    """
    return text[:1].upper() + text[1:].rstrip(". ") + "."


#: Variants as they are spoken of; others by their own name.
OVER = {
    "all": "over all perturbations",
    "linked": "over linked sets of genes",
    "random": "over random sets of genes",
    "raw": "of raw impacts",
    "population": "over all cells",
}


def over(section: Section, column: Column) -> str:
    """What the variant of a metric covers, nothing where there is nothing to tell it from.

    Beside a metric over all perturbations, the same without a variant is over the detectable ones.
    """
    base, _, variant = column.name.partition("[")
    if variant:
        return OVER.get(variant.rstrip("]"), f"on {variant.rstrip(']')}")
    return (
        "over the detectable perturbations"
        if any(other.name == f"{base}[all]" for other in section.columns)
        else ""
    )


def called(section: Section, column: Column) -> str:
    """How a sentence begins that is about one of several primary metrics.

    By what tells the metric from the others.
    """
    base, words = column.name.partition("[")[0], over(section, column)
    bases = {other.name.partition("[")[0] for other in section.primary}
    if len(bases) == 1 and words:
        return words[:1].upper() + words[1:]
    return f"By {base} {words}".rstrip()


def on_networks(count: int) -> str:
    """How far a result from few networks reaches.

    >>> on_networks(1), on_networks(2)
    ('on this network', 'on these 2 networks')
    """
    return "on this network" if count == 1 else f"on these {count} networks"


#: How what is said of rows with prior knowledge begins, after what is said of the others.
WITH_PRIOR = "With prior knowledge, ranked apart: "


def first_metric(section: Section, column: Column) -> list[str]:
    """Who is above, level with and below the best floor by the metric that ranks.

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
    start = f"{called(section, column)}: " if over(section, column) else ""
    parts = compared_rows(section, column, section.from_cells, start) if section.from_cells else []
    if section.with_prior:
        parts += compared_rows(section, column, section.with_prior, WITH_PRIOR)
    if column.floor is None:
        no_floor = "No floor was scored, so nothing here says whether that is better than trivial."
        return [*parts, no_floor]
    specific = [closed(note) for note in section.task_notes if NOT_SPECIFIC in note]
    return [*parts, *knowing(section, column), *specific]


def compared_rows(section: Section, column: Column, rows: Sequence[Row], start: str) -> list[str]:
    """How ranked rows of one kind compare with the best floor; `start` begins the first sentence.

    The rows are at least one, the best first.
    """
    here = f" {on_networks(section.blocks)}" if section.few else ""
    groups, top, parts = by_verdict(rows, column.name), rows[0], []
    if column.floor is None:
        tie = f"; it can't be told apart from {spoken(top.level_with)}" if top.level_with else ""
        return [f"{start}{top.name} comes first{here}{tie}."]
    if groups["better"]:
        lead = groups["better"][0]
        score = lead.scores[column.name]
        gain = with_interval(score.difference) if score.difference else ""
        tie = f"; it can't be told apart from {spoken(lead.level_with)}" if lead.level_with else ""
        parts.append(
            f"{start}{lead.name} is above the best floor, {score.floor}, by {gain}{here}{tie}."
        )
        if len(groups["better"]) > 1:
            parts.append(f"Also above the floor: {names(groups['better'][1:])}.")
    else:
        nobody = "no predictor" if start else "No predictor"
        parts.append(
            f"{start}{nobody} is above the best floor, {column.floor}{here and f',{here}'}."
        )
    parts += level(groups["same"], column)
    if groups["worse"]:
        parts.append(f"Below the floor: {names(groups['worse'])}.")
    if groups[""]:
        parts.append(f"No interval, so no verdict: {names(groups[''])}.")
    return parts


def level(rows: Sequence[Row], column: Column) -> list[str]:
    """Who is not told apart from the floor, with the difference that would have been seen."""
    unseen = [(row.name, row.scores[column.name].unseen) for row in rows]
    sizes = [f"{name} ({sized(value)})" for name, value in unseen if value is not None]
    small = [name for name, value in unseen if value is None]
    said = []
    if sizes:
        said.append(
            f"No difference from the floor seen; one of this size would have been: {spoken(sizes)}."
        )
    if small:
        said.append(f"Not told apart from the floor by enough to name: {spoken(small)}.")
    return said


#: What a task says of scores that an answer without any gene in it could have; the sentence says
#: so, too.
NOT_SPECIFIC = "not gene-specific"


def knowing(section: Section, column: Column, first: bool = True) -> list[str]:
    """Who is shown to know which gene was removed, where answers were permuted.

    Parameters
    ----------
    section : Section
        The section.
    column : Column
        The metric.
    first : bool
        Whether it is the first metric, of which more is said.
    """
    permuted = [
        (row, one)
        for row in section.ranked
        if (one := row.scores[column.name].permuted) is not None
    ]
    knows = [f"{row.name} ({permuted_p(one)})" for row, one in permuted if one.knows]
    others = [f"{row.name} ({permuted_p(one)})" for row, one in permuted if not one.knows]
    if section.control:
        above = (
            "Above their own permuted answers where there is hardly anything to predict, so suspect"
        )
    elif first:
        above = (
            "Above its own answers permuted among the perturbations, so it tells genes apart, which"
            " does not mean better than the floor"
        )
    else:
        above = "Above its own permuted answers"
    said = [f"{above}: {spoken(knows)}."] if knows else []
    if others:
        said.append(f"Nothing shows that it knows which gene was removed: {spoken(others)}.")
    return said


def second_metric(section: Section, column: Column) -> str:
    """Who is above the best floor by a co-primary metric."""
    start = called(section, column)
    if column.floor is None:
        return ""
    groups = by_verdict(section.ranked, column.name)
    if all(row.scores[column.name].value is None for row in section.ranked):
        why = next(
            (
                row.scores[column.name].missing
                for row in section.ranked
                if row.scores[column.name].missing
            ),
            "",
        )
        return f"{start}: no value{why and f', as {why}'}." if why != "none" else ""
    here = f", {on_networks(section.blocks)}" if section.few else ""
    said = (
        f"{start}, above its best floor, {column.floor}{here}:"
        f" {names(groups['better']) or 'nobody'}."
    )
    return " ".join([said, *level(groups["same"], column), *knowing(section, column, first=False)])


def short_names(selections: Iterable[str]) -> dict[str, str]:
    """Each selection without the parameters that all selections of the same name share.

    >>> short_names(["grn:a=1,b=2", "grn:a=1,b=3", "pbmc"])
    {'grn:a=1,b=2': 'grn b=2', 'grn:a=1,b=3': 'grn b=3', 'pbmc': 'pbmc'}
    """
    split = {selection: name_and_items(selection) for selection in sorted(set(selections))}
    shared: dict[str, set[str]] = {}
    for name, parts in split.values():
        shared[name] = shared[name] & set(parts) if name in shared else set(parts)
    several = {
        name for name, _ in split.values() if sum(other == name for other, _ in split.values()) > 1
    }
    return {
        selection: " ".join(
            [name, *[part for part in parts if name in several and part not in shared[name]]]
        )
        for selection, (name, parts) in split.items()
    }


def name_and_items(selection: str) -> tuple[str, list[str]]:
    """Name and `key=value` items of a selection; all of it is the name where it can't be read."""
    try:
        _, name, items = split_selection(selection)
        return name, list(items)
    except UserError:
        return selection, []
