"""The population question with a truth without noise, from a simulator.

Means over the same simulated cells with and without the gene.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kobench.cells import IntArray
from kobench.dataset import Counterfactual, Dataset
from kobench.errors import UserError
from kobench.question import Responses
from kobench.truth.population.counterfactual import Change, change_of
from kobench.truth.population.events import Events, abundance, events_of, joined, nothing_asked
from kobench.truth.population.profiles import Population
from kobench.units import MIN_CELLS, TOLERANCE


def ask_simulated_responses(dataset: Dataset, asked: IntArray) -> Responses:
    """How the mean profile changes when a gene is removed, without noise.

    Parameters
    ----------
    dataset : Dataset
        With a counterfactual truth.
    asked : (m,) int
        Rows of the asked cells.

    Returns
    -------
    Responses
        One perturbation for every gene expressed in `MIN_CELLS` asked cells or more, by name. Where
        no gene is left the question has none (k = 0), and `left_out` says why. See Notes.

    Raises
    ------
    UserError
        Where the dataset has no counterfactual truth.

    Notes
    -----
    Events are those of `kobench.truth.singles.ask_singles`: the asked cells in which the gene and
    another one are read as present. All cells are one stratum. A gene's change is the mean over its
    events of knockout minus null, from the same clean cell. Its size is the energy distance between
    the two, of at most `size.MOST_CELLS` cells (a fixed draw), without a cell's distance to itself.
    An event whose knockout is within the solver's tolerance of its null does not respond, so ties
    are ties; `responds` has the genes whose mean changes by more than that. Events without a steady
    state, or with no gene left on, are left out and counted.
    """
    if dataset.truth is None:
        raise UserError(
            "this dataset has no counterfactual truth, so changes without noise can't be told; use"
            " `kobench predict` to ask"
        )
    cells = dataset.cells[asked]
    population = Population.of(cells.X, np.zeros(cells.n_obs, np.int64))
    found = _simulate(dataset, dataset.truth, np.asarray(asked), population)
    if not found.genes:
        return nothing_asked(dataset, asked, found.left_out())
    targets = [(gene,) for gene in found.genes]
    change = np.array([one.change for one in found.changes])
    return Responses(
        cells=cells,
        names=tuple(str(cells.var_names[gene]) for gene in found.genes),
        targets=tuple(targets),
        **joined(found.events, targets),
        change=change,
        size=np.array([one.size for one in found.changes]),
        abundance=abundance(population, targets),
        detectable=np.ones(len(targets), dtype=bool),
        perturbed=np.array([len(events.cells) for events in found.events]),
        responds=np.abs(np.nan_to_num(change)) > TOLERANCE,
        confounded=dataset.confounded,
        left_out=found.left_out(),
    )


@dataclass
class _Found:
    """The genes that can be asked, with their events and changes, and what is left out."""

    genes: list[int] = field(default_factory=list)
    events: list[Events] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    few: int = 0
    unsolved: int = 0
    silent: int = 0

    def left_out(self) -> dict[str, int]:
        """Reason -> how many genes or events."""
        counts = {
            f"genes asked in under {MIN_CELLS} cells": self.few,
            "events without a steady state": self.unsolved,
            "events after which no gene is on": self.silent,
        }
        return {reason: count for reason, count in counts.items() if count}


def _simulate(
    dataset: Dataset, truth: Counterfactual, asked: IntArray, population: Population
) -> _Found:
    """Remove every gene from the asked cells (m,) that express it, gene by gene in order of name.

    The order of measured perturbations is that of names, too, wherever a gene's column stands.
    """
    found = _Found()
    wild_type = truth.wild_type(asked)
    for gene in np.argsort(dataset.cells.var_names, kind="stable").tolist():
        events = events_of(population, [gene], np.ones(1))
        if len(events.cells) < MIN_CELLS:
            found.few += 1
            continue
        change = change_of(truth, asked[events.cells], wild_type[events.cells], (gene,))
        found.unsolved += change.unsolved
        found.silent += change.silent
        if change.known.sum() < MIN_CELLS:
            found.few += 1
            continue
        found.genes.append(gene)
        found.events.append(
            Events(events.cells[change.known], events.row[change.known], events.weight)
        )
        found.changes.append(change)
    return found
