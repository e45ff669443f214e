"""The digest of the content of an AnnData, as that of its file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from kobench.datasets.content import content_of_file


def content_of(adata: Any) -> str:
    """The digest of a file that is written of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.h5ad"
        adata.write_h5ad(path)
        return content_of_file(path)
