"""The 700 blood cells that scanpy ships, found without importing scanpy."""

from __future__ import annotations

from kobench.builtin.datasets import h5ad
from kobench.builtin.datasets.read_anndata import NO_PERTURBATION
from kobench.dataset import Dataset
from kobench.datasets.fetch import find_file

#: Where the file lies, as a card says it; the card `pbmc68k` adds the checksum.
PLACE = {
    "name": "pbmc",
    "where": "pip install 'kobench[pbmc]'",
    "file": {"package": "scanpy", "folder": "datasets", "name": "10x_pbmc68k_reduced.h5ad"},
}


def load(path: str = "", genes: int = 0, cell_type: str = "") -> Dataset:
    """700 wild-type cells x 765 genes; `path`, `genes` and `cell_type` as for `h5ad.load`.

    `.raw` of the file is log1p of counts per 10,000, rounded to 3 decimals, and so declared.

    Raises
    ------
    UserError
        Where scanpy, or the file in it, is missing.
    """
    return h5ad.load(
        path or str(find_file(PLACE)),
        perturbation_key=NO_PERTURBATION,
        cell_type_key="bulk_labels",
        scale="log1p",
        raw=True,
        genes=genes,
        cell_type=cell_type,
    )
