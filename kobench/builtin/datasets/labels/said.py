"""What a reader has to know of how labels were read, in sentences."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from kobench.builtin.datasets.labels.controls import Controls, is_usual
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.parse import Reading
from kobench.builtin.datasets.labels.read import Labels, Spelling
from kobench.builtin.datasets.labels.templates import ANY
from kobench.builtin.datasets.labels.text import joined, listed, shown, trimmed

#: Parts of labels that a sentence gives reasons for.
MOST = 8


def how_read(
    labels: Labels, spelling: Spelling, genes: Genes, joined_up: bool = False
) -> tuple[str, ...]:
    """Sentences on what was taken to be the same, and on what may be meant otherwise.

    Of undeclared controls nothing is said where labels may be `joined_up` by a sign that is not
    declared: their parts are not known yet, and whoever names one makes perturbed cells wild type.
    """
    controls = Controls(spelling.control, genes)
    return tuple(
        sentence
        for sentence in (
            _taken(labels),
            *_patterns(labels),
            "" if joined_up else _undeclared(labels, genes, controls),
            _genes_like_controls(labels, controls),
            _together(labels),
            _respelt(labels),
            _otherwise(labels),
            _unused(labels, spelling.table),
        )
        if sentence
    )


def why_unknown(labels: Labels, genes: Genes) -> str:
    """Why parts of labels are no gene of the file, where there is more to say; "" where not."""
    unknown = sorted({part for _, reading, _ in _each(labels) for part in reading.unknown})
    reasons = [
        f"{shown(part)} has {labels.hidden[part]} where `*` stands for the rest of a name"
        if part in labels.hidden
        else genes.why_not(part)
        for part in unknown
    ]
    reasons = [reason for reason in reasons if reason]
    return joined(reasons[:MOST], len(reasons) - MOST)


def _each(labels: Labels) -> Iterator[tuple[str, Reading, int]]:
    """Every label, what it says, and in how many cells it stands."""
    for label, reading in labels.readings.items():
        yield label, reading, labels.cells[label]


def _taken(labels: Labels) -> str:
    """Controls that are written in another way than the declared one."""
    alike: dict[str, Counter[str]] = defaultdict(Counter)
    for label, reading, cells in _each(labels):
        for part, control in sorted(set(reading.controls)):
            # blanks around a whole label are shown; of a guide, what is left without its number
            written = label if trimmed(label) == part else part
            if ANY not in control and written != control:
                alike[control][written] += cells
    said = [f"{listed(found)} as {shown(control)}" for control, found in alike.items()]
    return f"controls that are spelt in another way were counted: {'; '.join(said)}" if said else ""


def _patterns(labels: Labels) -> Iterator[str]:
    """What each pattern of controls took."""
    taken: dict[str, Counter[str]] = defaultdict(Counter)
    for _, reading, cells in _each(labels):
        for part, control in set(reading.controls):
            if ANY in control:
                taken[control][part] += cells
    for control, found in taken.items():
        yield f"control {shown(control)} stands for {listed(found, MOST)}"


def _together(labels: Labels) -> str:
    """How many perturbations several labels are, where that is not one each."""
    named: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for label, reading, _ in _each(labels):
        if reading.names:
            named[reading.names].append(label)
    count, number = sum(map(len, named.values())), len(named)
    if count == number:
        return ""
    most = max(named, key=lambda names: len(named[names]))
    same = joined([shown(label) for label in named[most][:2]], len(named[most]) - 2)
    return (
        f"{count:,} labels of perturbed cells are {number:,} perturbation{'s' * (number != 1)}:"
        f" {same} are {'+'.join(most)}"
    )


def _undeclared(labels: Labels, genes: Genes, controls: Controls) -> str:
    """Words for controls that are not declared."""
    found: Counter[str] = Counter()
    for _, reading, cells in _each(labels):
        words = () if reading.names else reading.words
        usual = (part for part in reading.unknown if is_usual(part, genes))
        for part in (*words, *(part for part in usual if not controls.is_in(part))):
            found[part] += cells
    if not found:
        return ""
    return (
        f"{listed(found)} may be controls that are not declared, and are not counted as such; if"
        " they are, name each (`--control` several times; in a card: control = [...])"
    )


def _genes_like_controls(labels: Labels, controls: Controls) -> str:
    """Labels that were taken as genes though a control could be meant."""
    found = {label: cells for label, reading, cells in _each(labels) if controls.is_gene_too(label)}
    if not found:
        return ""
    return (
        f"{listed(found)} could be a declared control, and was taken as the gene of the file that"
        " is called so; if it is a control, declare it letter by letter"
    )


def _respelt(labels: Labels) -> str:
    """Genes that labels write in another way than the file."""
    found = dict(
        pair
        for _, reading, _ in _each(labels)
        for pair in reading.respelt
        if trimmed(pair[0]) != pair[1]
    )
    if not found:
        return ""
    said = [f"{shown(part)} as {shown(gene)}" for part, gene in sorted(found.items())]
    return f"labels were matched with genes: {joined(said[:MOST], len(said) - MOST)}"


def _otherwise(labels: Labels) -> str:
    """Labels that could be read in another way."""
    if not labels.others:
        return ""
    said = [
        f"{shown(label)} as {_words(labels.readings[label])}, not as {_words(other)}"
        for label, other in sorted(labels.others.items())
    ]
    return (
        f"labels that can be read in two ways were read so: {joined(said[:3], len(said) - 3)}; a"
        " table of labels (`--labels FILE.csv`) says otherwise"
    )


def _words(reading: Reading) -> str:
    """What a reading names."""
    return " and ".join(reading.names) or "a control"


def _unused(labels: Labels, table: Mapping[str, str]) -> str:
    """Lines of the table whose label is in no cell."""
    there = set(map(trimmed, labels.cells))
    unused = sorted(label for label in table if label not in there)
    if not unused:
        return ""
    names = joined([shown(label) for label in unused[:3]], len(unused) - 3)
    return f"{len(unused):,} lines of the table of labels name no label of the file: {names}"
