"""`pbmc68k-counts`: the counts behind the normalised values that scanpy ships."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from kobench.datasets.recipes.common import fail, from_counts, read_h5ad

#: How far a count worked out from values with three decimals may be from a whole number; the
#: farthest is 0.082.
NEAR = 0.2


def make(files: Mapping[str, Path]) -> Any:
    """Counts from `.raw`, which is log1p of counts per 10,000, and from each cell's total.

    Parameters
    ----------
    files : mapping of str to Path
        `10x_pbmc68k_reduced.h5ad`.
    """
    source = read_h5ad(files["10x_pbmc68k_reduced.h5ad"])
    totals = source.obs["n_counts"].to_numpy(dtype=np.float64)
    values = scipy.sparse.csr_matrix(source.raw.X, dtype=np.float64)
    counts = scipy.sparse.diags(totals / 1e4) @ values.expm1()
    whole = counts.rint()
    if np.any(abs((counts - whole).data) > NEAR):
        fail("the values of .raw are no log1p of counts per 10,000")
    return from_counts(
        whole,
        list(source.obs_names),
        list(source.raw.var_names),
        {
            "cell_type": source.obs["bulk_labels"].astype(str).to_numpy(),
            "louvain": source.obs["louvain"].astype(str).to_numpy(),
            "n_counts_all": totals.astype(np.int64),
            "perturbation": "control",
        },
    )
