"""The population question with a truth measured in other cells: those that were perturbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from kobench.cells import BoolArray, Cells, IntArray
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.question import CountedCells, Responses
from kobench.truth.population.counterfactual import expected_changes
from kobench.truth.population.events import Events, abundance, events_of, joined, nothing_asked
from kobench.truth.population.labels import perturbations
from kobench.truth.population.measure import DETECTABLE, SPLITS
from kobench.truth.population.profiles import Population
from kobench.truth.population.screen import MeasuredChange, Screen
from kobench.truth.population.significance import adjusted
from kobench.units import MIN_CELLS
from kobench.util.room import room_for

#: The kinds of perturbation that are asked: those that take a gene away.
ASKED = ("knockout", "knockdown")

#: Why nothing is asked of another kind.
NOT_ASKED = "perturbations of kind {}, which takes no gene away"

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
    sorted_out = Screened.of(dataset, dataset.perturbed, training, reference)
    targets, found = sorted_out.targets, sorted_out.found
    unasked, counts = sorted_out.unasked, sorted_out.left_out()
    if not found.events:
        return replace(
            nothing_asked(dataset, training, counts),
            halves=np.zeros((SPLITS, 2, 0, dataset.cells.n_vars)),
            unasked=unasked,
        )
    asked_of = [targets[name] for name in found.events]
    halves = room_for((SPLITS, 2, len(asked_of), dataset.cells.n_vars))
    measured = []
    for place, name in enumerate(found.events):
        one = sorted_out.measure(name)
        halves[:, :, place] = one.halves
        measured.append(replace(one, halves=halves[:, :, place]))
    return Responses(
        cells=dataset.cells[training],
        names=tuple(found.events),
        targets=tuple(asked_of),
        **joined(list(found.events.values()), asked_of),
        change=np.array([one.change for one in measured]),
        size=np.array([one.size for one in measured]),
        abundance=abundance(sorted_out.asked, asked_of),
        detectable=np.array([one.agreement >= DETECTABLE for one in measured]),
        perturbed=np.array([one.cells for one in measured]),
        halves=halves,
        responds=np.array([*sorted_out.responding()]),
        size_p=adjusted(np.array([one.size_p for one in measured])),
        expected=None if dataset.truth is None else expected_changes(dataset, asked_of),
        confounded=dataset.confounded,
        left_out=counts,
        unasked=unasked,
        counted=_counted(dataset, sorted_out, reference),
        scale=dataset.scale,
    )


def _counted(dataset: Dataset, asked: Screened, reference: IntArray) -> CountedCells | None:
    """Where the counts of the asked perturbations lie; None for a dataset without counts."""
    assert dataset.perturbed is not None
    perturbed, wild_type = (
        cells.layers.get("counts") for cells in (dataset.perturbed, dataset.cells)
    )
    if perturbed is None or wild_type is None:
        return None
    rows = [asked.cells(name) for name in asked.names]
    group = np.repeat(np.arange(len(rows)), [len(mine) for mine in rows])
    return CountedCells(perturbed, wild_type, np.concatenate(rows), group, np.asarray(reference))


def why_unasked(dataset: Dataset, training: IntArray, reference: IntArray) -> dict[str, str]:
    """Each perturbation that can't be asked -> why; as `ask_responses` finds it, unmeasured."""
    if dataset.perturbed is None:
        return {}
    return dict(Screened.of(dataset, dataset.perturbed, training, reference).unasked)


_FEW_REFERENCE = f"batches with under {MIN_CELLS} reference cells"

#: Why a perturbation can't be asked: what there is of its cells.
FEW_PERTURBED = f"perturbations with under {MIN_PERTURBED} perturbed cells"
UNMATCHED = f"perturbations whose cells lie in batches with under {MIN_CELLS} reference cells"
ALONE = "perturbations with one cell in each batch"
FEW_ASKED = f"perturbations whose targets are expressed together in under {MIN_CELLS} asked cells"


@dataclass
class _Found:
    """What can be measured and asked, and what not, by name of the perturbation.

    cells : its rows of the perturbed cells. events : what is asked. unasked : why, and how many
    cells there are.
    """

    cells: dict[str, IntArray] = field(default_factory=dict)
    events: dict[str, Events] = field(default_factory=dict)
    unasked: dict[str, tuple[str, int]] = field(default_factory=dict)

    def left_out(self) -> dict[str, int]:
        """Reason -> how many perturbations could not be asked for it.

        Reasons are added up over networks, so they name no perturbation, but for the case in which
        nothing is left: then the names are all there is to say.
        """
        found = {}
        for reason in (FEW_PERTURBED, UNMATCHED, ALONE, FEW_ASKED):
            cells = {name: count for name, (why, count) in self.unasked.items() if why == reason}
            found[reason + ("" if self.events else examples(cells))] = len(cells)
        return found


@dataclass(frozen=True, eq=False)
class Screened:
    """The perturbations of a dataset, sorted into those that can be asked and the others.

    Attributes
    ----------
    screen : Screen
        The cells.
    asked : Population
        The training cells.
    targets : mapping of str to tuple of int
        Name -> columns of its genes.
    found : _Found
        What can be asked.
    unnamed : mapping of str to str
        Label -> why it names nothing that can be asked.
    real : bool
        Whether the cells are real.
    """

    screen: Screen
    asked: Population
    targets: Mapping[str, tuple[int, ...]]
    found: _Found
    unnamed: Mapping[str, str]
    real: bool

    @classmethod
    def of(
        cls, dataset: Dataset, perturbed: Cells, training: IntArray, reference: IntArray
    ) -> Screened:
        """Sort out the perturbations of these cells."""
        labels = np.asarray(perturbed.obs["perturbation"], dtype=np.str_)
        targets, number, unnamed = perturbations(labels, dataset.cells.var_names)
        kinds = {
            name: dataset.kinds.get(name, dataset.perturbation) for name in (*targets, *unnamed)
        }
        of_kind = {
            name: NOT_ASKED.format(kind) for name, kind in kinds.items() if kind not in ASKED
        }
        unnamed = {**of_kind, **{name: why for name, why in unnamed.items() if name not in of_kind}}
        screen = Screen.of(dataset, perturbed, training, reference)
        asked = screen.wild_type[training]
        found = _sort_out(screen, asked, targets, number, unnamed)
        return cls(screen, asked, targets, found, unnamed, dataset.kind == "real")

    @property
    def names(self) -> tuple[str, ...]:
        """The perturbations that can be asked, in alphabetical order."""
        return tuple(self.found.events)

    def cells(self, name: str) -> IntArray:
        """Rows of the perturbed cells of one that can be asked."""
        return self.found.cells[name]

    def measure(self, name: str) -> MeasuredChange:
        """All that is measured of one that can be asked."""
        return self.screen.measure(self.cells(name), self.targets[name])

    def responding(self) -> Iterator[BoolArray]:
        """(G,) the genes that differ significantly in each of those that can be asked."""
        return self.screen.responding(
            [(self.cells(name), self.targets[name]) for name in self.names]
        )

    @property
    def unasked(self) -> dict[str, str]:
        """Each perturbation that can't be asked -> why; of networks, whose genes have no names
        that tell anything, none.
        """
        few = {name: why for name, (why, _) in self.found.unasked.items()}
        return {**self.unnamed, **few} if self.real else {}

    def left_out(self) -> dict[str, int]:
        """Reason -> how many perturbations, or batches."""
        counts = {
            **Counter(self.unnamed.values()),
            **self.found.left_out(),
            _FEW_REFERENCE: self.screen.few_reference,
        }
        return {reason: count for reason, count in counts.items() if count}


def _sort_out(
    screen: Screen,
    asked: Population,
    targets: Mapping[str, tuple[int, ...]],
    number: IntArray,
    others: Container[str],
) -> _Found:
    """Which perturbations have enough cells, but for the `others`; `number` (n,) is that of each
    cell.
    """
    found = _Found()
    for place, (name, genes) in enumerate(targets.items()):
        if name in others:
            continue
        rows = np.flatnonzero(number == place)
        per_batch = screen.count(rows, genes)
        if why := _too_few(len(rows), per_batch):
            found.unasked[name] = why, len(rows) if why == FEW_PERTURBED else int(per_batch.sum())
            continue
        events = events_of(asked, genes, per_batch)
        if len(events.cells) < MIN_CELLS:
            found.unasked[name] = FEW_ASKED, len(events.cells)
            continue
        found.cells[name], found.events[name] = rows, events
    return found


def _too_few(cells: int, per_batch: IntArray) -> str:
    """Why a perturbation can't be measured; "" where it can.

    Parameters
    ----------
    cells : int
        How many cells it has.
    per_batch : (b,) int
        How many it is measured with in each batch.
    """
    if cells < MIN_PERTURBED:
        return FEW_PERTURBED
    if per_batch.sum() < MIN_PERTURBED:
        return UNMATCHED
    # one cell a batch has no spread to measure a size by
    return ALONE if per_batch.max() < 2 else ""


def examples(few: Mapping[str, int], most: int = 3) -> str:
    """The first names with their numbers of cells, for a reason.

    >>> examples({"Nkx2-1": 9})
    ': Nkx2-1 in 9'
    """
    shown = [f"{name} in {count}" for name, count in [*few.items()][:most]]
    return f": {', '.join(shown)}{', ...' if len(few) > most else ''}" if shown else ""
