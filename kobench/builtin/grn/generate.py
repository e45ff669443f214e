"""From parameters to a data set: network, absence, noise, steady states, dropout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.builtin.grn.absence import draw_module_absence, draw_random_absence
from kobench.builtin.grn.describe import facts, notes
from kobench.builtin.grn.dynamics import Solver
from kobench.builtin.grn.network import Network, draw_network
from kobench.builtin.grn.spec import PARAMS
from kobench.builtin.grn.truth import GrnTruth
from kobench.cells import BoolArray, Cells, FloatArray
from kobench.errors import UserError
from kobench.truth import Dataset

#: One stream of random numbers for each purpose, so that a parameter changes only what it names: seed 7 at sigma 0.05 and at
#: 0.30 is the same network with the same assemblages.
NETWORK, ABSENCE, NOISE, DROPOUT, REPLICATE = range(5)

#: How often a replicate draws again the noise of cells that reached no steady state.
REDRAWS = 10


def generate(params: Mapping[str, Any]) -> Dataset:
    """The data set of some parameters; those not given have their defaults (`kobench.builtin.grn.spec.PARAMS`)."""
    p = complete(params)
    genes, cells, seed, sigma = p["genes"], p["cells"], p["seed"], p["sigma"]
    network = draw_network(stream(seed, NETWORK), genes, p["degree"], p["gamma"] if p["network"] == "sf" else None, p["repressors"])
    rng = stream(seed, ABSENCE)
    if p["absence"] == "random":
        absent = draw_random_absence(rng, cells, genes, p["absent"])
    else:
        absent = draw_module_absence(rng, cells, genes, p["absent"], p["modules"])
    solver = Solver(network, silenced=p["knockout"] == "silenced")
    drawn = GrnTruth.settle(network, solver, draw_cell_weights(stream(seed, NOISE), network, cells, sigma), absent)

    clean = drawn.wild_type(np.arange(cells))
    dropped = draw_dropout(stream(seed, DROPOUT), clean, p["dropout"])
    seen = np.where(dropped, 0.0, clean)
    kept = drawn.solved & (seen > 0).any(axis=1)
    left_out = {
        "cells_without_steady_state": int((~drawn.solved).sum()),
        "cells_without_expression": int((drawn.solved & ~kept).sum()),
    }
    if not kept.any():
        raise UserError(
            f"grn: none of the {cells} cells drawn can be used ({left_out['cells_without_steady_state']} without a steady state, "
            f"{left_out['cells_without_expression']} without expression) with genes={genes}, absent={p['absent']}, "
            f"dropout={p['dropout']}; raise genes, or lower absent or dropout"
        )
    truth, seen, dropped = drawn.keep(kept), seen[kept], dropped[kept]

    def replicate() -> Dataset:
        other = draw_replicate(truth, stream(seed, REPLICATE), sigma)
        values = np.where(dropped, 0.0, other.wild_type(np.arange(len(dropped))))
        return Dataset(observed(values), "linear", "simulated", other, notes=notes(p), facts=facts(other, values, dropped))

    return Dataset(observed(seen), "linear", "simulated", truth, replicate, notes(p), facts=facts(truth, seen, dropped) | left_out)


def stream(seed: int, purpose: int) -> np.random.Generator:
    """The random numbers of one seed for one purpose."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(purpose,)))


def draw_cell_weights(rng: np.random.Generator, network: Network, cells: int, sigma: float) -> npt.NDArray[np.float64]:
    """(cells, m): each cell's own weights, w max(0, 1 + sigma e) with e standard normal."""
    return network.weights * np.maximum(0.0, 1.0 + sigma * rng.standard_normal((cells, len(network.weights))))


def draw_dropout(rng: np.random.Generator, clean: FloatArray, probability: float) -> BoolArray:
    """(cells, genes) bool, which entries are read as 0.

    Each entry under the median of its gene, over the cells where the gene is > 0, with this probability. NaN rows never.
    """
    below = np.zeros(clean.shape, bool)
    for gene, values in enumerate(clean.T):
        on = values > 0
        if on.any():
            below[:, gene] = on & (values < np.median(values[on]))
    return np.asarray(below & (rng.random(clean.shape) < probability))


def draw_replicate(truth: GrnTruth, rng: np.random.Generator, sigma: float) -> GrnTruth:
    """The same network and assemblages with fresh noise. Cells that reach no steady state draw theirs again, so that rows correspond."""
    weights = draw_cell_weights(rng, truth.network, len(truth.absent), sigma)
    for _ in range(REDRAWS):
        other = GrnTruth.settle(truth.network, truth.solver, weights, truth.absent)
        if other.solved.all():
            return other
        weights[~other.solved] = draw_cell_weights(rng, truth.network, int((~other.solved).sum()), sigma)
    raise UserError(
        f"grn: {int((~other.solved).sum())} cells of the replicate reached no steady state in {REDRAWS} draws of their noise; "
        "take another seed, or fewer activators (a larger repressors)"
    )


def observed(values: FloatArray) -> Cells:
    """Cells as predictors see them: float32, genes named G000, G001, ..."""
    genes = values.shape[1]
    width = max(3, len(str(genes - 1)))
    return Cells(values.astype(np.float32), np.array([f"G{gene:0{width}d}" for gene in range(genes)]))


def complete(params: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters with their defaults filled in, checked one by one and against each other."""
    for name in params:
        if name not in PARAMS:
            raise UserError(f"grn has no parameter {name!r}; it has {', '.join(PARAMS)}")
    p = {name: params.get(name, param.default) for name, param in PARAMS.items()}
    for name, param in PARAMS.items():
        value = p[name]
        if isinstance(param.default, str):
            fits, wanted = isinstance(value, str) and value in (param.choices or ()), " or ".join(map(str, param.choices or ()))
        else:
            whole = isinstance(param.default, int)
            low, high = param.low if param.low is not None else -np.inf, param.high if param.high is not None else np.inf
            fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and low <= value <= high
            wanted = f"{'a whole number' if whole else 'a number'} from {low:g}" + (f" to {high:g}" if high < np.inf else "")
            p[name] = value if whole or not fits else float(value)
        if not fits:
            raise UserError(f"grn: {name}={value!r} is not possible; give {wanted}")
    if p["gamma"] <= 2.0:
        raise UserError(f"grn: gamma={p['gamma']:g} gives no finite mean degree; give an exponent over 2, for instance 2.5")
    if p["genes"] > 1 and p["degree"] > p["genes"] - 1:
        raise UserError(
            f"grn: degree={p['degree']:g} is more than the {p['genes'] - 1} possible regulators of a gene with genes={p['genes']}; "
            "lower degree or raise genes"
        )
    if p["modules"] > p["genes"] and p["absence"] == "modules":
        raise UserError(f"grn: modules={p['modules']} is more than genes={p['genes']}; lower modules")
    return p
