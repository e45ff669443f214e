"""What kobench itself says of a dataset's cells, beside what the dataset says of itself."""

from __future__ import annotations

import dataclasses

from kobench.dataset import Dataset
from kobench.datasets.copies import copies, first_equal
from kobench.datasets.normalise import zeros

#: With a smaller share of zeros presence counts as hardly varying.
FEW_ZEROS = 0.01


def with_notes(dataset: Dataset) -> Dataset:
    """The dataset with the sentences of `notes_on`, each once."""
    more = tuple(note for note in notes_on(dataset) if note not in dataset.notes)
    return dataclasses.replace(dataset, notes=(*dataset.notes, *more)) if more else dataset


def notes_on(dataset: Dataset) -> tuple[str, ...]:
    """What a reader of scores on these cells has to know, in sentences; none where all is well."""
    return tuple(note for note in (on_presence(dataset), on_copies(dataset)) if note)


def on_presence(dataset: Dataset) -> str:
    """That hardly any gene is ever off, "" where it is not so."""
    share = zeros(dataset.cells.X)
    if share >= FEW_ZEROS:
        return ""
    how = "never varies" if share == 0 else "hardly varies"
    return (
        f"presence {how}: {share:.1%} of the entries of wild-type cells are zero, so which genes"
        " are on tells little of a cell, and a method that learns from that extrapolates when it is"
        " asked for a knockout"
    )


def on_copies(dataset: Dataset) -> str:
    """That cells are copies of others, "" where none is; simulated cells are never looked at."""
    if dataset.kind != "real":
        return ""
    found = copies(first_equal(dataset.cells.X))
    if not found:
        return ""
    are = "cell is an exact copy" if found == 1 else "cells are exact copies"
    return (
        f"{found:,} of {dataset.cells.n_obs:,} wild-type {are} of another; copies are kept on one"
        " side of a split"
    )
