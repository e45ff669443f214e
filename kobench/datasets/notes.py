"""What kobench itself says of a dataset's cells, beside what the dataset says of itself."""

from __future__ import annotations

import dataclasses
from collections import Counter

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
    said = (on_presence(dataset), on_copies(dataset), on_batches_in_groups(dataset))
    return tuple(note for note in said if note)


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
    kept = "copies are kept on one side of a split"
    if dataset.group_key is not None:
        kept = "those that are equal to a training cell are not asked"
    return f"{found:,} of {dataset.cells.n_obs:,} wild-type {are} of another; {kept}"


def on_batches_in_groups(dataset: Dataset) -> str:
    """That batches lie inside groups, so that halves leave perturbed cells without reference cells.

    "" where they do not, or where there is nothing to compare with.
    """
    if dataset.group_key is None or dataset.batch_key is None or dataset.perturbed is None:
        return ""
    obs = dataset.cells.obs
    columns = [map(str, obs[key]) for key in (dataset.batch_key, dataset.group_key)]
    groups_in = Counter(batch for batch, _ in set(zip(*columns, strict=True)))
    alone = sum(count == 1 for count in groups_in.values())
    if not alone or len(set(map(str, obs[dataset.group_key]))) == 1:
        return ""
    return (
        f"{alone:,} of {len(groups_in):,} batches ({dataset.batch_key}) lie in one group"
        f" ({dataset.group_key}) each: where that group is trained on, the batch has no reference"
        " cells, and its perturbed cells are not measured"
    )
