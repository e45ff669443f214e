"""`retina-nuclei`: the protein-coding genes of an AnnData file that are seen often enough."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from kobench.datasets.recipes.common import from_counts, read_h5ad

#: Share of the nuclei in which a gene is seen.
SEEN = 0.1


def make(files: Mapping[str, Path]) -> Any:
    """All nuclei, on protein-coding genes with a symbol of their own seen in 10 % of them or more.

    Parameters
    ----------
    files : mapping of str to Path
        `test.h5ad`, genes by Ensembl id.
    """
    source = read_h5ad(files["test.h5ad"])
    counts = scipy.sparse.csr_matrix(source.X)
    symbols = source.var["symbol"].astype(str)
    seen = np.asarray((counts > 0).sum(axis=0)).ravel() >= SEEN * source.n_obs
    coding = (source.var["biotype"] == "protein_coding").to_numpy()
    chosen = coding & seen & ~symbols.duplicated(keep=False).to_numpy()
    return from_counts(
        counts[:, chosen],
        list(source.obs_names),
        list(symbols[chosen]),
        {
            "cell_type": source.obs["cell_type"].astype(str).to_numpy(),
            "cell_type_fine": source.obs["cell_type__custom"].astype(str).to_numpy(),
            "n_counts_all": np.asarray(counts.sum(axis=1)).ravel().astype(np.int64),
            "perturbation": "control",
        },
        {"ensembl_id": np.asarray(source.var_names)[chosen]},
    )
