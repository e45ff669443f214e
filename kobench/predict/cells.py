"""Counted cells of predicted changes, as the Virtual Cell Challenge 2026 takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kobench.cells import Cells, FloatArray
from kobench.errors import UserError
from kobench.plugins.chosen import Chosen
from kobench.predict.client import Client
from kobench.predict.new_file import NewFile
from kobench.predict.writers import responses
from kobench.screens.emit import Emitter, no_cells_of

#: The column with what was removed, and what the control cells have there.
COLUMN, CONTROL = "target", "non-targeting"

#: How many cells of each target the challenge asks for.
CELLS = 400


class CellsFile(NewFile):
    """An AnnData file of counted cells: the control cells, then those of each target.

    Parameters
    ----------
    out : Path
        The file, an .h5ad.
    each : int
        How many cells of each target.
    seed : int
        Seed of the draws.
    wanted : sequence of str
        The targets that were named; () for all that can be answered.
    columns : sequence of str
        The genes that the file has, in their order; () for those of the dataset.
    """

    def __init__(
        self,
        out: Path,
        each: int = CELLS,
        seed: int = 0,
        wanted: Sequence[str] = (),
        columns: Sequence[str] = (),
    ) -> None:
        super().__init__(out, (".h5ad",))
        self.columns = tuple(columns)
        self.each, self.seed, self.wanted = each, seed, tuple(wanted)
        self.unchanged: list[str] = []

    def write(self, cells: Cells, blocks: Sequence[Any], targets: Sequence[str]) -> None:
        """Write the control cells and blocks of cells (n, G), one for each target."""
        import anndata
        import pandas
        import scipy.sparse

        control = scipy.sparse.csr_matrix(cells.layers["counts"], dtype=np.float32)
        counts = scipy.sparse.vstack([control, *blocks], format="csr")
        labels = [CONTROL] * control.shape[0]
        labels += [
            name for name, block in zip(targets, blocks, strict=True) for _ in range(block.shape[0])
        ]
        obs = pandas.DataFrame(
            {COLUMN: pandas.Categorical(labels)},
            index=[f"cell{number}" for number in range(len(labels))],
        )
        names = [str(name) for name in cells.var_names]
        if self.columns:
            place = {name: number for number, name in enumerate(self.columns)}
            at = np.array([place[name] for name in names])
            parts = (counts.data, at[counts.indices], counts.indptr)
            counts = scipy.sparse.csr_matrix(parts, shape=(len(labels), len(place)))
            counts.sort_indices()
            names = list(place)
        var = pandas.DataFrame(index=names)
        whole = anndata.AnnData(counts, obs=obs, var=var)
        whole.write_h5ad(self.file.name, compression="gzip")
        self.rows = len(labels)


def write_cells(client: Client, file: CellsFile) -> None:
    """The control cells, and `file.each` cells of each target.

    A target that was named and that no answer can be had of (no asked cell expresses it, or the
    predictor can't remove it) gets cells in which nothing else changes.
    """
    names = [str(name) for name in client.cells.var_names]
    genes, changes = responses(client)
    of_gene: dict[int, FloatArray] = dict(zip(genes.tolist(), changes, strict=True))
    columns = [names.index(name) for name in file.wanted] or genes.tolist()
    emitter, blocks = Emitter(client.cells, file.seed), []
    for column in sorted(set(columns), key=lambda column: names[column]):
        if column not in of_gene:
            file.unchanged.append(names[column])
        change = of_gene.get(column, np.zeros(len(names)))
        blocks.append(emitter.draw(emitter.factors(change, (column,)), file.each, column))
    targets = sorted({names[column] for column in columns})
    file.write(client.cells, blocks, targets)


def read_columns(path: Path) -> tuple[str, ...]:
    """The names of genes in a text file, one a line; UserError where they are none, or not once."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UserError(f"the list of genes {path} can't be read: {why}") from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise UserError(f"the list of genes {path} has no name; give one gene a line")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise UserError(f"the list of genes {path} has the line {name} {count} times; give it once")
    return tuple(names)


def check_columns(cells: Cells, columns: Sequence[str], path: Path | None) -> None:
    """Raise UserError where a list of genes lacks one of the dataset's."""
    missing = sorted({str(name) for name in cells.var_names} - set(columns))
    if columns and missing:
        raise UserError(
            f"the list of genes {path} has no line {missing[0]}, which the dataset has (and"
            f" {len(missing) - 1} more like it); give all of its genes"
        )


def check_cells(cells: Cells, scale: str, predictor: Chosen, dataset: str) -> None:
    """Raise UserError where no counted cells can be made of a predictor's answers."""
    if why := no_cells_of(cells, scale):
        raise UserError(f"no cells can be made on {dataset}: {why}")
    spec = predictor.entry.spec
    if "response" in spec.answers and spec.response != "profile-change":
        raise UserError(
            f"{predictor.selection} answers with a {spec.response}, which has no size to make cells"
            " of; ask a predictor whose response is a profile-change"
        )
