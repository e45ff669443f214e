"""The 700 blood cells that scanpy ships, found without importing scanpy."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from kobench.builtin import h5ad
from kobench.errors import UserError
from kobench.truth import Dataset

FILE = Path("datasets") / "10x_pbmc68k_reduced.h5ad"


def find() -> Path:
    """The file inside the installed scanpy; UserError where scanpy or the file is missing."""
    spec = importlib.util.find_spec("scanpy")
    if spec is None or not spec.origin:
        raise UserError("dataset pbmc68k is part of scanpy, which is not installed here; pip install 'kobench[pbmc]'")
    file = Path(spec.origin).parent / FILE
    if not file.is_file():
        raise UserError(
            f"dataset pbmc68k should be at {file} in the installed scanpy but is not; pip install --force-reinstall 'scanpy>=1.10'"
        )
    return file


def load(sha256: str = "", genes: int = 0, cell_type: str = "") -> Dataset:
    """700 wild-type cells x 765 genes; `.raw` of the file is log1p of counts per 10,000, rounded to 3 decimals, and so declared."""
    file = find()
    if sha256:
        from kobench.fetch import check_sha256

        check_sha256(
            file,
            sha256,
            "the file of dataset pbmc68k in the installed scanpy",
            "install scanpy 1.10 or 1.11, which ship the file of the card",
        )
    return h5ad.load(
        str(file),
        perturbation_key=h5ad.NO_PERTURBATION,
        cell_type_key="bulk_labels",
        scale="log1p",
        raw=True,
        genes=genes,
        cell_type=cell_type,
    )
