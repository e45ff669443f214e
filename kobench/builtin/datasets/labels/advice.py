"""What was probably meant, where labels name genes that are not found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kobench.builtin.datasets.formats.source import Frame
from kobench.builtin.datasets.labels.controls import Controls, is_usual
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.names import gene_names
from kobench.builtin.datasets.labels.read import Labels, Spelling
from kobench.builtin.datasets.labels.templates import ANY, Template
from kobench.errors import UserError

#: What often joins the genes of a label.
JOINS = ("_", ",", ";", "|", "&", "/", ":", "-", ".", "__")

#: How guides are often called.
TEMPLATES = (
    *("{gene}_g{n}", "{gene}-g{n}", "{gene}_sg{n}", "{gene}_sgRNA{n}", "{gene}_{n}", "{gene}-{n}"),
    *("{gene}.{n}", "sg{gene}_{n}", "sg{gene}-{n}", "sg{gene}", "{gene}g{n}"),
    *("{gene}_*", "{gene}-*", "{gene} *", "*_{gene}_*"),
)

#: Labels that are tried; of the advice that follows all are counted.
TRIED = 60

#: Characters of a label that is tried: with dozens of genes it takes long to read.
MOST_TRIED = 120

#: Columns of var that are tried.
MOST_COLUMNS = 8

#: Changes of the spelling that one advice may have.
STEPS = 3


@dataclass(frozen=True, eq=False)
class _Choice:
    """How labels and genes could be read, and how a user says that."""

    spelling: Spelling
    names: Genes
    said: tuple[str, ...] = ()
    column: str = ""
    measured: int = 0


def advice(labels: Labels, spelling: Spelling, genes: Genes, var: Frame, var_key: str) -> str:
    """How more labels would name measured genes; "" where no other reading is known to help.

    Parameters
    ----------
    labels : Labels
        As they were read.
    spelling : Spelling
        How they were read.
    genes : Genes
        The genes as they are called.
    var : Frame
        Whose columns may have other names of the genes.
    var_key : str
        The column that names the genes; "" for the index.
    """
    if not any(reading.unknown for reading in labels.readings.values()):
        return ""
    controls = Controls(spelling.control, genes)
    asked = [
        label
        for label, reading in labels.readings.items()
        if reading.names
        and not all(is_usual(part, genes) and not controls.is_in(part) for part in reading.names)
    ]
    missed = [label for label in asked if labels.readings[label].unknown]
    if not missed:
        return ""
    short = [label for label in missed if len(label) <= MOST_TRIED] or missed[:1]
    tried = short[:: max(1, len(short) // TRIED)]
    columns = _columns(var, var_key)
    best = _Choice(spelling, genes)
    for _ in range(STEPS):
        choices = [_counted(choice, tried) for choice in _near(best, columns)]
        # the first of equals: they are in the order of what is least to say
        better = max(choices, key=lambda choice: choice.measured, default=best)
        if better.measured <= best.measured:
            break
        best = better
    if not _is_worth_saying(best, len(tried)):
        return ""
    measured, every = _perturbations(best, asked)
    return (
        f"did you mean {' and '.join(best.said)}? then {measured:,} of {every:,} perturbations"
        " would be of measured genes"
    )


def _is_worth_saying(best: _Choice, tried: int) -> bool:
    """Whether enough labels are found: a few names may look like others by chance."""
    return best.measured > 0 and best.measured >= tried / 5


def _near(choice: _Choice, columns: Mapping[str, Genes]) -> Iterator[_Choice]:
    """What differs from a choice in one point, or in that and in case."""
    found = list(_one_step(choice, columns))
    yield from found
    if not choice.spelling.ignore_case:
        for other in found:
            yield _ignoring_case(other)


def _one_step(choice: _Choice, columns: Mapping[str, Genes]) -> Iterator[_Choice]:
    """What differs from a choice in one point."""
    spelling = choice.spelling
    if not spelling.ignore_case:
        yield _ignoring_case(choice)
    if not choice.column:
        for column, names in columns.items():
            said = (*choice.said, f"`--var-key {column}`" if column else "no `--var-key`")
            names = names.without_case if spelling.ignore_case else names
            yield _Choice(spelling, names, said, column or "-")
    if spelling.table:
        return
    for join in JOINS:
        if join not in spelling.join and not any(
            ANY in each.text and join in each.text for each in spelling.templates
        ):
            said = (*choice.said, f"`--join '{join}'`")
            changed = replace(spelling, join=(*spelling.join, join))
            yield replace(choice, spelling=changed, said=said)
    if not spelling.templates:
        for text in TEMPLATES:
            if ANY in text and any(join in text for join in spelling.join):
                continue
            said = (*choice.said, f"`--guide-pattern '{text}'`")
            changed = replace(spelling, templates=(Template.read(text, ""),))
            yield replace(choice, spelling=changed, said=said)


def _ignoring_case(choice: _Choice) -> _Choice:
    """The same without regard to case."""
    return replace(
        choice,
        spelling=replace(choice.spelling, ignore_case=True),
        names=choice.names.without_case,
        said=(*choice.said, "`--ignore-case`"),
    )


def _counted(choice: _Choice, labels: Iterable[str]) -> _Choice:
    """The choice with the number of labels that name measured genes, and nothing else."""
    parser = choice.spelling.parser(choice.names)
    table = choice.spelling.table
    best = [parser.read(table.get(label, label))[0] for label in labels]
    return replace(choice, measured=sum(bool(one.genes) and not one.unknown for one in best))


def _perturbations(choice: _Choice, labels: Iterable[str]) -> tuple[int, int]:
    """How many perturbations of measured genes labels would be, and of any."""
    parser, table = choice.spelling.parser(choice.names), choice.spelling.table
    read = [parser.read(table.get(label, label))[0] for label in labels]
    named = {one.names: not one.unknown for one in read if one.names}
    return sum(named.values()), len(named)


def _columns(var: Frame, var_key: str) -> dict[str, Genes]:
    """The genes by other names, by the column of var that has these; "" is the index."""
    found: dict[str, Genes] = {}
    if var_key:
        found[""] = Genes(map(str, var.names))
    for column in var.columns()[:MOST_COLUMNS]:
        try:
            if column != var_key and var.column(column).kind == "O":
                found[column] = Genes(map(str, gene_names(var, column, "").names))
        except UserError:
            continue
    return found
