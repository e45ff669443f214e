"""`state-contrast-prior`: state-contrast, times how strong a gene is known to be.

What is known comes from a table, and not from the cells: prior knowledge, which boards mark.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from kobench.api import Cells, Context
from kobench_baselines.common import Floats
from kobench_baselines.state_contrast import StateContrast

#: The table that comes with the package, see the NOTICE beside it.
PROCESSES = Path(__file__).parent / "tables" / "human_processes.csv"


class StateContrastPrior(StateContrast):
    """State-contrast, with the change of each removed gene times the gene's strength.

    Both parts of `StateContrast`, the contrast and the change of log expression, are multiplied by
    the strength of the removed gene. The table says who is strong beside whom; wild-type cells say
    how strong that is: strengths are divided by their mean over the genes, weighted by the share of
    the cells that have the gene. So in the mean a knockout is as strong as state-contrast has it.

    - Without `table`, the strength of a gene is 1 + log2(1 + n), with n the number of biological
      processes in which a mutant of the human gene was seen (`tables/NOTICE.md`): 1 where nothing
      is known, 2 for one process, 3 for three.
    - With `table`, it is the gene's number in that file; a gene that the file does not name has the
      mean strength.

    Genes are found by their symbols, capital letters or not, so that a mouse's gene takes the
    number of the human one of the same symbol. Where no gene is found, all have the same strength.

    Parameters
    ----------
    table : str
        A file of comma-separated values with the columns `gene` and `strength`, >= 0; "" for the
        table that comes with the package.
    factors, most, overlap
        See `StateContrast`.
    """

    def __init__(
        self, table: str = "", factors: int = 0, most: int = 10, overlap: float = 0.5
    ) -> None:
        super().__init__(factors, most, overlap)
        self.table = table

    def fit(self, cells: Cells, context: Context) -> None:
        """Keep cells (n, G), find their states, and look up the strengths of their genes."""
        known = read_strengths(Path(self.table)) if self.table else processes_as_strengths()
        genes = [str(gene).upper() for gene in cells.var_names]
        if self.table and not any(gene in known for gene in genes):
            raise ValueError(
                f"state-contrast-prior: {self.table} names none of the {len(genes)} genes of the"
                f" data, which are {', '.join(map(str, cells.var_names[:3]))}, ...; expected their"
                " symbols in the column gene"
            )
        super().fit(cells, context)
        unknown = np.nan if self.table else 1.0
        found = np.array([known.get(gene, unknown) for gene in genes])
        self.strengths = calibrated(found, self.on.mean(axis=0))

    def contrast(self, gene: int) -> Floats:
        """(G,) that of state-contrast times the strength of the removed gene."""
        return super().contrast(gene) * self.strengths[gene]

    def log_change(self, gene: int) -> Floats:
        """(G,) that of state-contrast times the strength of the removed gene."""
        return super().log_change(gene) * self.strengths[gene]


def calibrated(strengths: Floats, weights: Floats) -> Floats:
    """Strengths (G,) over their mean, which counts each gene by its weight; NaN becomes 1.

    Where the known ones are all 0, or have no weight, nobody is stronger than another: all are 1.

    >>> calibrated(np.array([1.0, 3.0, np.nan]), np.array([1.0, 1.0, 0.5]))
    array([0.5, 1.5, 1. ])
    """
    known = np.isfinite(strengths)
    total = float(strengths[known] @ weights[known])
    if total <= 0:
        return np.ones(len(strengths))
    mean = total / float(weights[known].sum())
    return np.where(known, strengths / mean, 1.0)


def processes_as_strengths() -> dict[str, float]:
    """Symbol in capitals -> 1 + log2(1 + n), from the table that comes with the package."""
    with PROCESSES.open(encoding="utf-8", newline="") as file:
        return {
            row["gene"].upper(): 1 + math.log2(1 + int(row["processes"]))
            for row in csv.DictReader(file)
        }


def read_strengths(path: Path) -> dict[str, float]:
    """Symbol in capitals -> strength, from a user's table.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ValueError
        For a file that can't be read, one without the two columns or without a gene, a strength
        that is no finite number >= 0, and a gene with two strengths.
    """
    found: dict[str, float] = {}
    for line, gene, text in rows_of(path):
        try:
            strength = float(text)
        except ValueError:
            strength = math.nan
        if not (math.isfinite(strength) and strength >= 0):
            raise ValueError(
                f"state-contrast-prior: {path}, line {line}: the strength of {gene} is {text!r};"
                " expected a number, 0 or more"
            )
        if found.setdefault(gene.upper(), strength) != strength:
            raise ValueError(
                f"state-contrast-prior: {path}, line {line}: {gene} has the strength {text}, and"
                f" {found[gene.upper()]:g} in a line before; expected one line a gene"
            )
    if not found:
        raise ValueError(f"state-contrast-prior: {path} names no gene; expected one a line")
    return found


def rows_of(path: Path) -> Iterator[tuple[int, str, str]]:
    """Number of the line, gene and strength of each row; see `read_strengths`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"state-contrast-prior: the table {path} can't be read: {error}. In a run a predictor"
            " sees no folder but its own: name the table's, as in --readable FOLDER, and give the"
            " table by its whole path"
        ) from None
    rows = csv.DictReader(text.splitlines())
    columns = rows.fieldnames or []
    if not {"gene", "strength"} <= set(columns):
        raise ValueError(
            f"state-contrast-prior: {path} has the columns {', '.join(columns) or 'none'}; expected"
            " gene and strength in its first line, with a comma between them"
        )
    for row in rows:
        values: Mapping[str, str | None] = row
        gene = (values["gene"] or "").strip()
        if gene:
            yield rows.line_num, gene, (values["strength"] or "").strip()
