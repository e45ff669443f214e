"""Small screens with real effects, in the layout of scPerturb's files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas
import scipy.sparse

GENES = (
    *("GATA1", "TAL1", "KLF1", "SPI1", "CEBPA", "RUNX1", "MYB", "LMO2", "ZFPM1", "FLI1"),
    *("ETV6", "HOXA9", "ATF6", "EIF2AK3", "ERN1", "STAT1"),
)

#: What becomes of the target's mean, by what was done.
LEFT = {"knockout": 0.05, "knockdown": 0.2, "overexpression": 4.0, "near-null": 1.0}

#: Columns of obs that scPerturb's files share, beside those of a screen.
SHARED: Mapping[str, Any] = {
    "nperts": 1,
    "celltype": "lymphoblasts",
    "tissue_type": "cell_line",
    "percent_mito": 0.05,
}


def screen(
    targets: Sequence[str] = ("GATA1", "TAL1", "KLF1", "GATA1+SPI1"),
    kind: str = "knockout",
    genes: Sequence[str] = GENES,
    spelt: Callable[[str], str] = str,
    control: Sequence[str] = ("control",),
    columns: Mapping[str, Any] | None = None,
    seed: int = 7,
) -> anndata.AnnData:
    """120 control cells, and 40 for each target, as counts.

    Parameters
    ----------
    targets : sequence of str
        Perturbed genes; several joined by `+`.
    kind : str
        What is done to them.
    genes : sequence of str
        The genes.
    spelt : callable
        How the file writes a target.
    control : sequence of str
        What it says in control cells, by turns.
    columns : mapping, or None
        More columns of obs: a value for all, or one for each cell.
    seed : int
        Of the counts.
    """
    rng = np.random.default_rng(seed)
    labels = [""] * 120 + [target for target in targets for _ in range(40)]
    place = {gene: number for number, gene in enumerate(genes)}
    mean = rng.gamma(2.0, 2.0, len(genes)) + 2.0
    effect = {
        gene: rng.normal(0, 0.8, len(genes)) * (rng.random(len(genes)) < 0.5) for gene in genes
    }
    rows = []
    for label in labels:
        rate = mean * rng.gamma(5, 0.2)
        for gene in filter(place.__contains__, label.split("+")):
            if kind != "near-null":
                rate = rate * np.exp(effect[gene])
            rate[place[gene]] = mean[place[gene]] * LEFT[kind]
        rows.append(rng.poisson(rate))
    values = np.array(rows, dtype=np.float32)
    values[values.sum(axis=1) == 0, 0] = 1
    said = [
        spelt(label) if label else control[number % len(control)]
        for number, label in enumerate(labels)
    ]
    obs = pandas.DataFrame(
        {
            "perturbation": pandas.Categorical(said),
            "batch": np.where(np.arange(len(labels)) % 2, "b1", "b2"),
            **SHARED,
            "ncounts": values.sum(axis=1),
            "ngenes": (values > 0).sum(axis=1),
            **(columns or {}),
        },
        index=[f"cell{number}" for number in range(len(labels))],
    )
    var = pandas.DataFrame(index=pandas.Index(list(genes), name="gene_symbol"))
    return anndata.AnnData(scipy.sparse.csr_matrix(values), obs=obs, var=var)


def card_of(path: Path, checksum: str, *lines: str, parameters: str = "", facts: str = "") -> str:
    """The text of a card of a file that nobody has opened; `lines` stand at its top."""
    given = "\n".join(lines)
    kind = "" if "kind =" in given else 'kind = "knockout"\n'
    organism = "" if "organism =" in given else 'organism = "human"\n'
    return f"""# A comment that stays.
name = "mine"
version = 1
summary = "a screen"
opened = false  # until somebody has
loader = "h5ad"
scale = "counts"
truth = "population"
{kind}{organism}{given}

[[sources]]
name = "{path.name}"
urls = ["https://127.0.0.1:1/{path.name}"]
md5 = "{checksum}"

[parameters]
perturbation_key = "perturbation"
batch_key = "batch"
{parameters}

[file]
name = "{path.name}"

[facts]
{facts}
"""
