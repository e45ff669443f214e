"""What is said beside every board of a `grn` dataset: our choices, what follows, and facts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kobench.builtin.datasets.grn.absence import MODULE_CORRELATION
from kobench.builtin.datasets.grn.block import DECAY, THRESHOLD
from kobench.builtin.datasets.grn.cell_types import BASAL_GENES, LACKING_EDGES
from kobench.builtin.datasets.grn.dynamics import BUDGET, START
from kobench.builtin.datasets.grn.network import LARGEST_WEIGHT, LEAST_REGULATORS
from kobench.builtin.datasets.grn.truth import GrnTruth
from kobench.cells import BoolArray, FloatArray


def notes(p: Mapping[str, Any]) -> tuple[str, ...]:
    """What parameters mean for the scores, and what the paper does not state, a sentence each."""
    said = [_absence(p), _knockout(p)]
    if p["dropout"] > 0:
        said.append(
            "Dropout touches the observed cells only: wild type, null and knockout of the truth"
            " come from the same clean cell."
        )
    said.append(
        f"Our choices where the paper is silent, in line with its demo: B = {DECAY:g}; weights"
        f" uniform on 0 to {LARGEST_WEIGHT:g}; an edge represses with share {p['repressors']:g},"
        f" else it activates; each gene has {min(LEAST_REGULATORS, int(p['degree']))} regulators"
        " and the further edges go to random targets; no gene regulates itself; each cell"
        " multiplies every weight by max(0, 1 + sigma e), e standard normal; wild types start at x"
        f" = {START:g} (the equation has one steady state, so the start does not matter)."
    )
    if p["network"] == "sf":
        said.append(
            "Scale-free in the out-degrees: regulators are drawn with weight rank^(-1/(gamma -"
            f" 1)), gamma = {p['gamma']:g}; in-degrees follow the same law as with network=er."
        )
    if p["cell_types"] > 1:
        said.append(_cell_types(p))
    said.append(
        f"Cells that do not settle within {BUDGET} steps, and cells that express nothing, are left"
        " out and counted."
    )
    return tuple(said)


def _absence(p: Mapping[str, Any]) -> str:
    """A sentence on which genes cells lack."""
    if p["absence"] == "random":
        return (
            "Random absence is a randomised knockout experiment inside the training data: each cell"
            " lacks genes chosen without regard to any other, so comparing cells with and without a"
            " gene already measures its knockout."
        )
    return (
        f"Absence in modules: {p['modules']} latent factors switch correlated sets of genes off"
        f" (correlation {MODULE_CORRELATION:g} on the latent scale, modules drawn without"
        " regard to the network), so the presence of a gene is confounded with that of its"
        " module."
    )


def _knockout(p: Mapping[str, Any]) -> str:
    """A sentence on what an absent gene means in the equation."""
    if p["knockout"] == "zero":
        return (
            "A removed or absent gene has x = 0 in the equation, so the targets of a removed"
            " repressor rise."
        )
    return (
        "A removed or absent gene regulates nothing, as in the published code, so the targets"
        " of a removed repressor fall: all direct effects of a knockout are losses."
    )


def _cell_types(p: Mapping[str, Any]) -> str:
    """A sentence on what the cell types differ in."""
    differ = f"each lacks {LACKING_EDGES:.0%} of the network's edges, drawn for it"
    if p["types"] == "basal":
        differ = (
            f"each produces {BASAL_GENES:.0%} of the genes, drawn for it, at a constant rate"
            f" uniform on 0 to {LARGEST_WEIGHT:g}, whatever regulates them"
        )
    return (
        f"{p['cell_types']} cell types of one network, with as many cells each (our choice):"
        f" {differ}. They do not differ in which genes are absent. A knockout keeps its cell's"
        " own type."
    )


def planted_notes(p: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences on the perturbed cells of `planted`."""
    said = [
        f"Planted perturbations: {p['perturbations']} genes drawn from all"
        + (f", and {p['doubles']} pairs of them," if p["doubles"] else "")
        + f" are knocked out in {p['perturbed_cells']} cells each, other cells of the same"
        " simulator with assemblages and noise of their own; cells that lack the gene anyway are"
        " among them."
    ]
    if p["batches"] > 1:
        said.append(
            f"{p['batches']} batches, each with its own factor on every gene (sd of its logarithm"
            f" {p['batch_effect']:g}); the wild-type cells are spread over them evenly, each"
            " perturbation by a mix of its own. The true change without noise knows no batch."
        )
    if p["shuffle"] == "labels":
        said.append(
            "All labels are shuffled within batch, so no perturbation has any effect: a score over"
            " chance is a fault of the score."
        )
    if p["shuffle"] == "perturbed":
        said.append(
            "The labels of the perturbed cells are shuffled within batch, so all perturbations have"
            " the same effect: a score over chance on what is particular to a gene is a fault of"
            " the score."
        )
    return tuple(said)


def facts(truth: GrnTruth, seen: FloatArray, dropped: BoolArray) -> dict[str, Any]:
    """Numbers for `kobench info`.

    Parameters
    ----------
    truth : GrnTruth
    seen : (cells, genes) float
        Observed expression.
    dropped : (cells, genes) bool
        The entries lost to dropout.

    Returns
    -------
    dict
        Shares of all entries: `zeros`, observed as 0; `absent`, drawn as absent; `silent`, present
        but under the threshold; `dropped`. The others say what they are.
    """
    clean = truth.wild_type(np.arange(len(seen)))
    return {
        "zeros": float((seen == 0).mean()),
        "absent": float(truth.absent.mean()),
        "silent": float(((clean == 0) & ~truth.absent).mean()),
        "dropped": float(dropped.mean()),
        "edges": len(truth.edges),
        "repressing_edges": int((truth.sign < 0).sum()),
        "largest_out_degree": int(truth.network.out_degrees().max()),
        "largest_value": float(seen.max()),
        "threshold": THRESHOLD,
    }
