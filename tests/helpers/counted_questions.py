"""Made screens of counted cells as datasets, files, and questions with answers."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import scipy.sparse
from counted_screens import MadeScreen, made_screen

from kobench.api import Answers, Cells, Dataset
from kobench.question import PerturbedCells
from kobench.truth.build import Material, build


def logs(counts: np.ndarray) -> np.ndarray:
    """The log of 1 + counts per ten thousand."""
    counts = np.asarray(counts, np.float64)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return np.log1p(1e4 * counts / total).astype(np.float32)


def cells_of(counts: np.ndarray, genes: np.ndarray) -> Cells:
    """Cells with these counts."""
    counts = np.asarray(counts, np.float32)
    return Cells(logs(counts), genes, layers={"counts": counts})


def dataset_of(number: int = 4, **more: object) -> Dataset:
    """A made screen as a dataset: its control cells are the wild type."""
    return dataset_from(made_screen(number), **more)


def dataset_from(screen: MadeScreen, **more: object) -> Dataset:
    """A screen as a dataset."""
    perturbed = cells_of(screen.real, screen.genes)
    labels = np.array(screen.names)[screen.group]
    fields = {
        "cells": cells_of(screen.control, screen.genes),
        "scale": "log1p-cp10k",
        "kind": "real",
        "perturbed": dataclasses.replace(perturbed, obs={"perturbation": labels}),
    }
    return Dataset(**{**fields, **more})


def asked(dataset: Dataset) -> PerturbedCells:
    """The question of its cells: every other control cell trains."""
    n = dataset.cells.n_obs
    training, reference = np.arange(0, n, 2), np.arange(1, n, 2)
    question = build("cells", Material(dataset, training, training, reference))
    assert isinstance(question, PerturbedCells)
    return question


def answers(question: PerturbedCells, change: np.ndarray) -> Answers:
    """The same answer in every answer row of a perturbation."""
    return Answers(
        response=np.nan_to_num(change)[question.row_perturbation],
        supported=np.ones(question.cells.n_vars, bool),
    )


def written(folder: Path) -> Path:
    """A file of a made screen."""
    import anndata
    import pandas

    screen = made_screen(4)
    labels = np.array(screen.names)[screen.group].tolist() + ["control"] * len(screen.control)
    counts = np.concatenate([screen.real, screen.control]).astype(np.float32)
    obs = pandas.DataFrame({"perturbation": labels}, index=[f"c{i}" for i in range(len(labels))])
    var = pandas.DataFrame(index=screen.genes.tolist())
    path = folder / "screen.h5ad"
    anndata.AnnData(scipy.sparse.csr_matrix(counts), obs=obs, var=var).write_h5ad(path)
    return path
