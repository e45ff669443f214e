"""All labels of a file: which cells are wild type, and what was perturbed in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.labels.controls import Controls, is_usual
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.parse import JOIN, Parser, Reading
from kobench.builtin.datasets.labels.templates import ANY, Template
from kobench.builtin.datasets.labels.text import MOST_SHOWN, joined, listed, shown, trimmed
from kobench.cells import BoolArray, IntArray
from kobench.errors import UserError
from kobench.util.text import suggestion, visible

#: Labels that a message names.
MOST_NAMED = 40


@dataclass(frozen=True)
class Spelling:
    """How the labels of a file are written.

    Attributes
    ----------
    control : tuple of str
        What says that nothing was perturbed; `*` in it stands for any text.
    unlabelled : bool
        Whether cells without a label are controls.
    join : tuple of str
        What joins genes, beside `+`.
    templates : tuple of Template
        How guides are called.
    table : mapping of str to str
        Label -> its genes, joined by `+`; where it is not empty, only these labels are known.
    ignore_case : bool
        Whether a label finds a gene that differs from it by case only.
    """

    control: tuple[str, ...]
    join: tuple[str, ...] = ()
    templates: tuple[Template, ...] = ()
    table: Mapping[str, str] = field(default_factory=dict)
    ignore_case: bool = False
    unlabelled: bool = False

    @classmethod
    def of(
        cls,
        where: str,
        control: str | Sequence[str],
        join: str | Sequence[str],
        guide_pattern: str | Sequence[str],
        table: Mapping[str, str],
        ignore_case: bool,
    ) -> Spelling:
        """The spelling that parameters describe; UserError where they contradict each other."""
        controls, joins, patterns = map(several, (control, join, guide_pattern))
        if not controls or any(each and not trimmed(each).strip("*") for each in controls):
            raise UserError(
                f"{where}: control is {control!r}; give the label of unperturbed cells, or a list"
                " of such labels (`*` stands for the rest of one: 'NT*'; [\"\"] for cells without"
                " a label)"
            )
        unlabelled, controls = "" in controls, tuple(filter(None, controls))
        for each in joins:
            if each.isalnum():
                raise UserError(
                    f"{where}: join is {each!r}, which would cut names of genes; give the sign"
                    " between the genes of a label, as `_` in A_B"
                )
        if table and (joins or patterns):
            raise UserError(
                f"{where}: labels is given, which says what every label means, and"
                f" {'join' if joins else 'guide_pattern'} too; leave one of them out"
            )
        for each in joins:
            for pattern in patterns:
                if ANY in pattern and each in pattern:
                    raise UserError(
                        f"{where}: join is {each!r} and guide_pattern is {pattern!r}, in which"
                        f" {ANY} could stand for a gene; write what guides are called by, as in"
                        " '{gene}_g{n}'"
                    )
        templates = tuple(Template.read(each, where) for each in patterns)
        known = _checked_table(table, where)
        return cls(controls, joins, templates, known, ignore_case, unlabelled)

    def parser(self, genes: Genes) -> Parser:
        """What reads such labels, where these genes are measured."""
        return Parser(Controls(self.control, genes), genes, self.join, self.templates)


@dataclass(frozen=True, eq=False)
class Labels:
    """What the labels of n cells say.

    Attributes
    ----------
    wild_type : (n,) bool
        Which cells are controls.
    names : (n,) str
        What was perturbed in each cell: genes as the file's genes are called, sorted and joined by
        `+`, without controls; "" in wild-type cells.
    readings : dict of str to Reading
        Each label, as it is written -> what it says.
    cells : dict of str to int
        Each label -> in how many cells it stands.
    others : dict of str to Reading
        Labels that can be read in another way, too -> that way.
    hidden : dict of str to str
        Unknown parts of labels that would be a guide or a control, did `*` not stand for this gene
        or sign.
    """

    wild_type: BoolArray
    names: npt.NDArray[np.str_]
    readings: Mapping[str, Reading] = field(default_factory=dict)
    cells: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, Reading] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict)

    def targets_of(self, rows: IntArray) -> list[str]:
        """All that was perturbed in some cells, each once, sorted."""
        there = set(self.names[rows].tolist())
        named = {JOIN.join(reading.names): reading.names for reading in self.readings.values()}
        return sorted({gene for name in there for gene in named.get(name, ())})


def all_wild_type(n: int) -> Labels:
    """The labels of n cells of which none was perturbed."""
    return Labels(np.ones(n, dtype=bool), np.zeros(n, dtype="U1"))


def read_labels(
    labels: npt.NDArray[np.str_], spelling: Spelling, genes: Genes, where: str
) -> Labels:
    """Read the labels of n cells.

    Parameters
    ----------
    labels : (n,) str
        As they stand in the file.
    spelling : Spelling
        How they are written.
    genes : Genes
        The measured genes.
    where : str
        What messages start with: the file and the column.

    Raises
    ------
    UserError
        Where a declared control is in no label, no cell is a control, a label is empty or not in
        the table, or one can be read in two ways that are equally good.
    """
    distinct, of_cell, counts = np.unique(labels, return_inverse=True, return_counts=True)
    written = [str(label) for label in distinct]
    cells = dict(zip(written, map(int, counts), strict=True))
    if blank := [label for label in written if not trimmed(label)]:
        raise UserError(
            f"{where}: {sum(cells[label] for label in blank):,} of {len(labels):,} cells have the"
            f" label {shown(blank[0])}, in which nothing can be seen; fill it in, or, if"
            " nobody knows what was perturbed in them, leave them out by `--unassigned ''`; if they"
            " are the controls, say so by `--control ''`"
        )
    parser = spelling.parser(genes)
    readings, others = _readings(cells, spelling, parser, where)
    _check_controls(readings, cells, spelling, genes, where)
    control = np.array([readings[label].is_control for label in written], dtype=bool)
    names = [
        "" if is_control else JOIN.join(readings[label].names) or trimmed(label)
        for label, is_control in zip(written, control, strict=True)
    ]
    place = of_cell.ravel()
    return Labels(
        control[place],
        np.array(names, dtype=np.str_)[place],
        readings,
        cells,
        others,
        parser.hidden,
    )


def _readings(
    cells: Mapping[str, int], spelling: Spelling, parser: Parser, where: str
) -> tuple[dict[str, Reading], dict[str, Reading]]:
    """What each label says, and what it could say too."""
    readings: dict[str, Reading] = {}
    others: dict[str, Reading] = {}
    said = _looked_up(cells, spelling, where) if spelling.table else {}
    for label in cells:
        best, *more = parser.read(said.get(label, label))
        readings[label] = best
        # a reading that takes more for the name of a guide is no rival
        sound = [each for each in more if not each.unknown and each.cost[1] <= best.cost[1]]
        if sound and sound[0].cost == best.cost:
            raise UserError(
                f"{where}: the label {shown(label)} can be read as {_and(best)} or as"
                f" {_and(sound[0])}; say what it means in a table of labels (`--labels FILE.csv`)"
            )
        if sound:
            others[label] = sound[0]
    return readings, others


def _looked_up(cells: Mapping[str, int], spelling: Spelling, where: str) -> dict[str, str]:
    """The genes of each label by the table; a declared control need not stand there."""
    controls = Controls(spelling.control, ())
    said = {label: spelling.table.get(trimmed(label)) for label in cells}
    missing = {
        label: cells[label]
        for label, genes in said.items()
        if genes is None and controls.of(label) is None
    }
    if missing:
        raise UserError(
            f"{where}: {len(missing):,} of {len(cells):,} labels are not in the table of labels:"
            f" {listed(missing, MOST_NAMED)}; add a line for each, with its genes or a control"
        )
    return {label: genes for label, genes in said.items() if genes is not None}


def _check_controls(
    readings: Mapping[str, Reading],
    cells: Mapping[str, int],
    spelling: Spelling,
    genes: Genes,
    where: str,
) -> None:
    """UserError where a declared control is in no label, or no cell is a control."""
    seen = {trimmed(control) for reading in readings.values() for _, control in reading.controls}
    missing = [control for control in spelling.control if trimmed(control) not in seen]
    alone = spelling.unlabelled or any(reading.is_control for reading in readings.values())
    if alone and not missing:
        return
    what = "so there is no wild type; set control to the label of unperturbed cells"
    if alone:
        what = "though it is declared as a control; correct it or leave it out"
    declared = f"{missing[0]!r}" if missing else f"{spelling.control[0]!r} alone"
    usual = [label for label in cells if is_usual(label, genes) and not readings[label].genes]
    meant = f"did you mean {shown(max(usual, key=cells.__getitem__))}? " if usual else ""
    there = labels_there((missing or spelling.control)[0], cells)
    there = meant + there.rpartition("? ")[2] if usual else there
    raise UserError(f"{where}: no cell has {declared}, {what}; {there}")


def labels_there(label: str, cells: Mapping[str, int], most: int = 12) -> str:
    """What was probably meant, and the labels found, the most frequent first."""
    ordered = sorted(cells.items(), key=lambda item: -item[1])
    meant, question, _ = suggestion(label, map(str, cells)).rpartition("? ")
    said = [
        f"{visible(str(name), MOST_SHOWN)} ({count:,} cell{'s' * int(count != 1)})"
        for name, count in ordered[:most]
    ]
    return f"{meant}{question}its labels: {joined(said, len(ordered) - most)}"


def _and(reading: Reading) -> str:
    """The names of a reading, in words."""
    return " and ".join(reading.names) or "control"


def several(value: str | Sequence[str]) -> tuple[str, ...]:
    """One text, or several, as a tuple; none for ""."""
    return ((value,) if value else ()) if isinstance(value, str) else tuple(dict.fromkeys(value))


def _checked_table(table: Any, where: str) -> dict[str, str]:
    """The table with trimmed labels; UserError where it does not say names of genes."""
    found: dict[str, str] = {}
    for label, genes in table.items():
        if not isinstance(genes, str) or not trimmed(genes):
            raise UserError(
                f"{where}: labels says {genes!r} for {shown(str(label))}; give its genes joined by"
                " `+`, or a control"
            )
        before = found.setdefault(trimmed(label), genes)
        if before != genes:
            raise UserError(
                f"{where}: labels says two things of {shown(trimmed(label))}: {before!r} and"
                f" {genes!r}; leave one of them out"
            )
    return found
