"""What transfer tasks ask: models trained on one group of cells (a cell type, a data set), asked
for the profiles of every group.

Every group trains with the same number of cells, and every model is asked for the same cells: all
that no model was trained on. So a model of the asked group is what a model of another group is
measured against, with as many training cells and on the same cells.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import Cells, IntArray
from kobench.data_checks import tidy
from kobench.errors import UserError
from kobench.truth import Dataset, Transfers

#: A group with fewer cells is neither trained on nor asked.
LEAST = 50

#: Share of the smallest group's cells that is trained on; so many of every other group, too.
TRAINED_SHARE = 0.8

#: With fewer genes in common data sets say too little of each other.
LEAST_GENES = 20

#: The column that says which data set a cell of `joined` comes from.
DATASET_KEY = "dataset"

#: Keeps this draw's random stream apart from every other use of the same seed.
_STREAM = 0x7A45


def groups_of(labels: npt.ArrayLike, least: int = LEAST) -> tuple[tuple[str, ...], dict[str, int]]:
    """The groups with `least` cells or more, sorted, and the others with their number of cells.

    labels : (n_cells,) the group of each cell. Raises UserError where fewer than two groups are
    large enough.

    >>> groups_of(["rod"] * 60 + ["cone"] * 50 + ["microglia"] * 5)
    (('cone', 'rod'), {'microglia': 5})
    """
    names, counts = np.unique(np.asarray(labels, dtype=np.str_), return_counts=True)
    sizes = {str(name): int(count) for name, count in zip(names, counts, strict=True)}
    eligible = tuple(name for name, size in sizes.items() if size >= least)
    if len(eligible) < 2:
        found = ", ".join(
            f"{name!r} {size}"
            for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0]))[:6]
        )
        raise UserError(
            f"transfer needs two groups of {least} cells or more, and {len(eligible) or 'none'} of"
            f" {len(sizes)} is that large ({found}{', ...' if len(sizes) > 6 else ''}); bring more"
            " cells, or use split=holdout"
        )
    return eligible, {name: size for name, size in sizes.items() if name not in eligible}


def training_size(labels: npt.ArrayLike, groups: Sequence[str]) -> int:
    """How many cells of each group are trained on: 0.8 of the smallest group's, rounded down.

    >>> training_size(["a"] * 51 + ["b"] * 90, ("a", "b"))
    40
    """
    known = np.asarray(labels, dtype=np.str_)
    return int(TRAINED_SHARE * min(int((known == group).sum()) for group in groups))


def training_rows(
    labels: npt.ArrayLike, groups: Sequence[str], trained: str, seed: int
) -> IntArray:
    """Rows (n_train,) of the cells of the group `trained` that are trained on, sorted; the same
    number for every one of `groups`.

    The draw depends on the seed, the group's name and the order of its own cells: other groups and
    the place of the cells among theirs change nothing but the number.
    """
    known = np.asarray(labels, dtype=np.str_)
    if trained not in groups:
        raise ValueError(f"{trained!r} is not one of the groups {', '.join(groups)}")
    word = int.from_bytes(hashlib.sha256(trained.encode()).digest()[:8], "little")
    own = np.flatnonzero(known == trained)
    drawn = np.random.default_rng([_STREAM, seed, word]).permutation(own)[
        : training_size(known, groups)
    ]
    rows: IntArray = np.sort(drawn)
    return rows


def asked_rows(labels: npt.ArrayLike, groups: Sequence[str], seed: int) -> IntArray:
    """Rows of the cells that every model is asked for, sorted: those of the groups that no model is
    trained on.
    """
    trained = np.concatenate([training_rows(labels, groups, group, seed) for group in groups])
    rows: IntArray = np.setdiff1d(
        np.flatnonzero(np.isin(np.asarray(labels, dtype=np.str_), groups)), trained
    )
    return rows


def ask_transfers(
    dataset: Dataset, labels: npt.ArrayLike, groups: Sequence[str], trained: str, seed: int
) -> Transfers:
    """The profiles that a model of the group `trained` is asked for, by assemblage alone; the same
    cells whichever group it is.

    labels : (n_cells,) the group of each of the dataset's cells. groups : those large enough, as
    `groups_of` gives them.
    """
    known = np.asarray(labels, dtype=np.str_)
    rows = asked_rows(known, groups, seed)
    cells = dataset.cells[rows]
    names, counts = np.unique(known, return_counts=True)
    return Transfers(
        assemblages=cells.assemblages(),
        true=cells.profiles(),
        rows=rows,
        groups=known[rows],
        trained=trained,
        training_cells=len(training_rows(known, groups, trained, seed)),
        left_out={
            str(name): int(count)
            for name, count in zip(names, counts, strict=True)
            if name not in groups
        },
    )


def joined(datasets: Mapping[str, Dataset]) -> Dataset:
    """One dataset of the wild-type cells of several, on the genes that all have, matched by name;
    obs["dataset"] is each cell's source.

    datasets : name -> dataset. Genes come sorted by name. Cells that express none of them are left
    out and counted in a note. Truth and perturbed cells are not carried over: transfer is between
    wild types. "real" as soon as one of them is. Raises UserError for fewer than two datasets, for
    different working scales, and for fewer than 20 genes in common.
    """
    if len(datasets) < 2:
        raise UserError(
            f"split=dataset needs two datasets or more, not {len(datasets)}; name more of them"
            " with -d"
        )
    (first, one), *others = datasets.items()
    for name, other in others:
        if other.scale != one.scale:
            raise UserError(
                f"split=dataset needs one working scale, but {first} is {one.scale!r} and {name} is"
                f" {other.scale!r}; choose parameters or cards of these datasets that give the same"
                " scale"
            )
    genes = shared_genes({name: dataset.cells.var_names for name, dataset in datasets.items()})
    parts, notes = [], []
    for name, dataset in datasets.items():
        place = {str(gene): i for i, gene in enumerate(dataset.cells.var_names)}
        columns = np.array([place[gene] for gene in genes])
        X = dataset.cells.X[:, columns]
        expressed = np.asarray((X > 0).sum(axis=1)).ravel() > 0
        counts = dataset.cells.layers.get("counts")
        parts.append(
            (name, X[expressed], None if counts is None else counts[:, columns][expressed])
        )
        empty = int((~expressed).sum())
        said = (
            f"; {empty:,} of {len(expressed):,} cells express none of them and are left out"
            if empty
            else ""
        )
        notes.append(
            f"{name}: {len(genes):,} of {len(place):,} genes are in all of the data sets{said}"
        )
        notes += [f"{name}: {note}" for note in dataset.notes]
    of_counts = [counts for _, _, counts in parts]
    cells = Cells(
        X=_stacked([X for _, X, _ in parts]),
        var_names=np.array(genes),
        obs={
            DATASET_KEY: np.repeat(
                [name for name, _, _ in parts], [X.shape[0] for _, X, _ in parts]
            )
        },
        layers=(
            {} if any(counts is None for counts in of_counts) else {"counts": _stacked(of_counts)}
        ),
    )
    kinds = {dataset.kind for dataset in datasets.values()}
    return Dataset(
        cells=cells,
        scale=one.scale,
        kind="simulated" if kinds == {"simulated"} else "real",
        notes=tuple(notes),
        facts={
            "genes in all of the data sets": len(genes),
            **{f"cells of {name}": int(X.shape[0]) for name, X, _ in parts},
        },
    )


def shared_genes(names: Mapping[str, npt.NDArray[np.str_]]) -> list[str]:
    """The gene names that all data sets have, sorted; UserError where they are fewer than 20.

    names : data set -> its genes.
    """
    sets = [{str(gene) for gene in genes} for genes in names.values()]
    shared = set.intersection(*sets)
    if len(shared) < LEAST_GENES:
        folded = set.intersection(*({gene.casefold() for gene in genes} for genes in sets))
        hint = (
            f"{len(folded):,} are the same but for capital letters, as between mouse and human;"
            " rename the genes of one of them"
            if len(folded) >= LEAST_GENES
            else "check that all use the same kind of gene name"
        )
        sizes = ", ".join(f"{name} {len(genes):,}" for name, genes in names.items())
        raise UserError(
            f"these datasets have {len(shared)} gene names in common ({sizes}), and {LEAST_GENES}"
            f" are needed; {hint}"
        )
    return sorted(shared)


def _stacked(matrices: Sequence[Any]) -> Any:
    """Rows of several matrices one below the other: sparse where all are, else dense."""
    if all(scipy.sparse.issparse(matrix) for matrix in matrices):
        return tidy(scipy.sparse.vstack(matrices, format="csr"))
    return np.vstack(
        [
            matrix.toarray() if scipy.sparse.issparse(matrix) else np.asarray(matrix)
            for matrix in matrices
        ]
    )
