"""The population question with a truth measured in other cells: those that were perturbed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kobench.cells import IntArray
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.question import Responses
from kobench.truth.population.counterfactual import expected_changes
from kobench.truth.population.events import Events, abundance, events_of, joined, nothing_asked
from kobench.truth.population.labels import perturbations
from kobench.truth.population.measure import DETECTABLE, SPLITS
from kobench.truth.population.profiles import Population
from kobench.truth.population.screen import MeasuredChange, Screen
from kobench.truth.population.significance import adjusted
from kobench.units import MIN_CELLS

#: A perturbation with fewer perturbed cells than this is not asked.
MIN_PERTURBED = 20


def ask_responses(dataset: Dataset, training: IntArray, reference: IntArray) -> Responses:
    """How the mean profile changes in each perturbation of `dataset.perturbed`.

    Predictors learn from the training cells and are asked in them. The truth compares perturbed
    cells with the reference cells of the same batches, which predictors never see.

    Parameters
    ----------
    dataset : Dataset
    training, reference : (m,), (m',) int
        Rows of the wild-type cells, none in both (`kobench.datasets.split.split` by "halves").

    Returns
    -------
    Responses
        Perturbations come in alphabetical order. Where none is left the question has none (k = 0),
        and `left_out` says why. See Notes.

    Raises
    ------
    UserError
        Where the dataset has no perturbed cells, or where they lack the batch column.

    Notes
    -----
    Of each perturbation those perturbed cells count that lie in a batch with `MIN_CELLS` reference
    cells or more (`measure.matched`). Asked are the training cells that express all its targets and
    another gene and lie in one of these batches. An answer row is one batch, weighted by its share
    of the perturbed cells, over the batches in which a cell is asked. Without a batch column all
    cells are one batch.

    `halves` cuts in two the cells that the truth is measured with. `detectable` cuts all wild-type
    cells instead of the reference, so that it does not depend on how they were split. `size_p` is
    adjusted over the perturbations by Benjamini and Hochberg. `expected` is given where the dataset
    has a counterfactual truth too.
    """
    if dataset.perturbed is None:
        raise UserError(
            "this dataset has no perturbed cells, so changes of a population can't be scored; use"
            " `kobench predict` to ask"
        )
    if len(np.intersect1d(training, reference)):
        raise ValueError(
            "a wild-type cell is both trained on and in the reference; give two halves without a"
            " common cell"
        )
    labels = np.asarray(dataset.perturbed.obs["perturbation"], dtype=np.str_)
    targets, number, left_out = perturbations(labels, dataset.cells.var_names)
    screen = Screen.of(dataset, dataset.perturbed, training, reference)
    asked = Population.of(dataset.cells.X[training], screen.wild_type.batch[training])
    found = _measure(screen, asked, targets, number)
    counts = {**left_out, **found.left_out(), _FEW_REFERENCE: screen.few_reference}
    counts = {reason: count for reason, count in counts.items() if count}
    if not found.measured:
        return replace(
            nothing_asked(dataset, training, counts),
            halves=np.zeros((SPLITS, 2, 0, dataset.cells.n_vars)),
        )
    measured = list(found.measured.values())
    asked_of = [targets[name] for name in found.measured]
    return Responses(
        cells=dataset.cells[training],
        names=tuple(found.measured),
        targets=tuple(asked_of),
        **joined(list(found.events.values()), asked_of),
        change=np.array([one.change for one in measured]),
        size=np.array([one.size for one in measured]),
        abundance=abundance(asked, asked_of),
        detectable=np.array([one.agreement >= DETECTABLE for one in measured]),
        perturbed=np.array([one.cells for one in measured]),
        halves=np.stack([one.halves for one in measured], axis=2),
        responds=np.array([one.responds for one in measured]),
        size_p=adjusted(np.array([one.size_p for one in measured])),
        expected=None if dataset.truth is None else expected_changes(dataset, asked_of),
        confounded=dataset.confounded,
        left_out=counts,
    )


_FEW_REFERENCE = f"batches with under {MIN_CELLS} reference cells"


@dataclass
class _Found:
    """What could be measured and asked, and what had too few cells, by name of the perturbation.

    few_perturbed, few_asked : name -> how many cells there are.
    """

    measured: dict[str, MeasuredChange] = field(default_factory=dict)
    events: dict[str, Events] = field(default_factory=dict)
    few_perturbed: dict[str, int] = field(default_factory=dict)
    few_asked: dict[str, int] = field(default_factory=dict)

    def left_out(self) -> dict[str, int]:
        """Reason -> how many perturbations had too few cells.

        Reasons are added up over networks, so they name no perturbation, but for the case in which
        nothing is left: then the names are all there is to say.
        """
        few_perturbed, few_asked = (
            "" if self.measured else examples(few) for few in (self.few_perturbed, self.few_asked)
        )
        under_perturbed = f"perturbations with under {MIN_PERTURBED} perturbed cells"
        under_asked = (
            f"perturbations whose targets are expressed together in under {MIN_CELLS} asked cells"
        )
        return {
            under_perturbed + few_perturbed: len(self.few_perturbed),
            under_asked + few_asked: len(self.few_asked),
        }


def _measure(
    screen: Screen, asked: Population, targets: Mapping[str, tuple[int, ...]], number: IntArray
) -> _Found:
    """Measure every perturbation that has enough cells; `number` (n,) is that of each cell."""
    found = _Found()
    for place, (name, genes) in enumerate(targets.items()):
        rows = np.flatnonzero(number == place)
        per_batch = screen.count(rows, genes)
        # one cell a batch has no spread to measure a size by
        if per_batch.sum() < MIN_PERTURBED or per_batch.max() < 2:
            found.few_perturbed[name] = int(per_batch.sum())
            continue
        events = events_of(asked, genes, per_batch)
        if len(events.cells) < MIN_CELLS:
            found.few_asked[name] = len(events.cells)
            continue
        found.measured[name], found.events[name] = screen.measure(rows, genes), events
    return found


def examples(few: Mapping[str, int], most: int = 3) -> str:
    """The first names with their numbers of cells, for a reason.

    >>> examples({"Nkx2-1": 9})
    ': Nkx2-1 in 9'
    """
    shown = [f"{name} in {count}" for name, count in [*few.items()][:most]]
    return f": {', '.join(shown)}{', ...' if len(few) > most else ''}" if shown else ""
