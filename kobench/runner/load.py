"""From a chosen dataset to its validated cells and truth; several joined as one, and the groups of
cells in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from kobench.dataset import Dataset
from kobench.datasets.join import DATASET_KEY, joined
from kobench.datasets.validate import validate
from kobench.errors import UserError
from kobench.plugins.load import resolve
from kobench.truth.transfer import groups_of

if TYPE_CHECKING:
    from kobench.plugins.chosen import Chosen


def load(chosen: Chosen) -> Dataset:
    """Load and validate a dataset; raises UserError, also for what a stranger's loader raises."""
    if chosen.parts:
        groups = [part.group for part in chosen.parts]
        names = [
            part.group if groups.count(part.group) == 1 else part.selection for part in chosen.parts
        ]
        return joined({name: load(part) for name, part in zip(names, chosen.parts, strict=True)})
    try:
        dataset = resolve(chosen.entry)(**chosen.params)
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"dataset {chosen.selection} of {chosen.entry.distribution} can't be loaded:"
            f" {type(error).__name__}: {error}"
        ) from error
    if not isinstance(dataset, Dataset):
        raise UserError(
            f"dataset {chosen.selection} of {chosen.entry.distribution} gave a"
            f" {type(dataset).__name__}; expected a kobench.api.Dataset"
        )
    return validate(dataset, chosen.selection)


def labels_of(dataset: Dataset, split: str, selection: str) -> npt.NDArray[Any]:
    """The group of each cell: its dataset or its cell type.

    Parameters
    ----------
    dataset : Dataset
        Whose cells.
    split : str
        "dataset" or "cell-type".
    selection : str
        What messages call the dataset.

    Returns
    -------
    (n_cells,) str

    Raises
    ------
    UserError
        Where the cells have no types.
    """
    if split == "dataset":
        return np.asarray(dataset.cells.obs[DATASET_KEY])
    if dataset.cell_type_key is None:
        raise UserError(
            f"dataset {selection} has no cell types, so split=cell-type can't be made; choose one"
            " whose card names cell_type_key"
        )
    return np.asarray(dataset.cells.obs[dataset.cell_type_key])


def groups_to_train_on(chosen: Chosen, split: str) -> list[str]:
    """The groups of cells that are large enough to train on; loads the dataset."""
    return list(groups_of(labels_of(load(chosen), split, chosen.selection))[0])
