"""What is asked of several knockouts at once: which sets of genes, in which cells, and whether
their removal interacts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from kobench.cells import (
    BoolArray,
    FloatArray,
    IntArray,
    Knockouts,
    bray_curtis,
    normalise_rows,
    without_interaction,
)
from kobench.dataset import Counterfactual, Dataset
from kobench.datasets.edges import edges_of
from kobench.errors import UserError
from kobench.question import Answers, Multiples, QuestionSet
from kobench.truth.build import Material
from kobench.units import TOLERANCE
from kobench.worker.derive import chunks

#: So many sets of genes are asked, half of them drawn evenly among all sets, half among the linked
#: ones.
SETS = 200

#: Each set is asked in at most this many cells.
CELLS_A_SET = 20

#: Keeps the draws of sets apart from every other use of a seed.
_STREAM = 0x2D0B1E

#: A half is given up after this many draws for each set that is wanted: sets that no cell expresses
#: are drawn again, not asked.
_DRAWS_A_SET = 50


def ask_multiples(
    dataset: Dataset,
    asked: IntArray,
    order: int,
    sets: int = SETS,
    cells_a_set: int = CELLS_A_SET,
    seed: int | None = None,
) -> Multiples:
    """Knockouts of `order` genes at once in the asked cells, with the counterfactual truth.

    Half of the sets are drawn evenly among all sets of genes, half among the linked ones (see
    `Links`); without edges of a network, or where too few are linked, only as many as there are.
    Every set is asked in cells drawn evenly among those in which all its genes and at least one
    other are read as present; a set without such a cell is drawn again. The draws depend on the
    asked cells, the network, the order and the seed alone. Whoever knows the seed can draw the
    evenly drawn half again, and so tell which sets are linked in the network. Events
    without a steady state, in any of the single knockouts either, are left out for everybody and
    counted.

    Parameters
    ----------
    dataset : Dataset
        With a counterfactual truth.
    asked : (m,) int
        Rows of the asked cells.
    order : int
        How many genes each event removes.
    sets : int
        How many sets of genes are asked.
    cells_a_set : int
        In how many cells each set is asked at most.
    seed : int or None
        Seed of the draws; None for the same ones in every run.

    Returns
    -------
    Multiples
        Events are grouped by cell, and sorted by the names of their genes within each.

    Raises
    ------
    UserError
        Where the dataset has no counterfactual truth.
    ValueError
        For an order under 2.
    """
    if dataset.truth is None:
        raise UserError(
            "this dataset has no counterfactual truth, so several knockouts at once can't be scored"
        )
    if order < 2:
        raise ValueError(f"order is {order}; several knockouts at once are 2 or more")
    cells = dataset.cells[asked]
    # sets are drawn of names, wherever their columns stand
    by_name = np.argsort(cells.var_names, kind="stable")
    edges = edges_of(dataset.truth, cells.n_vars)
    rng = np.random.default_rng([_STREAM, order] if seed is None else [_STREAM, order, seed])
    chosen = _Chosen(cells.assemblages()[:, by_name], cells_a_set, rng)
    n_genes, n_random = cells.n_vars, sets - sets // 2
    if order <= n_genes:
        chosen.add(lambda: rng.choice(n_genes, order, replace=False), n_random)
    n_random = len(chosen.sets)
    links = Links(None if edges is None else np.argsort(by_name)[edges], n_genes)
    if links:
        chosen.add(lambda: links.draw(rng, order), sets // 2)
    events, pairs = chosen.events(order)
    events = Knockouts(by_name[events.genes].astype(np.int32), events.cells)
    interaction = true_interactions(dataset.truth, np.asarray(asked), events)
    solved = np.flatnonzero(~np.isnan(interaction))
    return Multiples(
        cells=cells,
        events=events[solved],
        pairs=pairs[solved],
        linked=pairs[solved] >= n_random,
        interaction=np.where(interaction[solved] < TOLERANCE, 0.0, interaction[solved]),
        unsolved=len(events) - len(solved),
    )


def true_interactions(truth: Counterfactual, rows: IntArray, events: Knockouts) -> FloatArray:
    """The true interaction of each event.

    Parameters
    ----------
    truth : Counterfactual
        The same cells with and without genes.
    rows : (m,) int
        The dataset's cells that `events.cells` count in.
    events : Knockouts
        n events of several genes.

    Returns
    -------
    (n,) float
        Bray-Curtis of the profile after the event and the one that `without_interaction` expects.
        NaN where the event, or one of its single knockouts, reaches no steady state.
    """
    assert events.cells is not None
    interaction = np.full(len(events), np.nan)
    for part in chunks(events.cells, int(truth.wild_type(rows[:1]).shape[1]), rows=True):
        chunk = events[part]
        assert chunk.cells is not None
        after = truth.knockout(Knockouts(chunk.genes, rows[chunk.cells].astype(np.int32)))
        # sets share genes and cells: every single knockout of a cell is simulated once
        alone = np.stack([np.repeat(chunk.cells, events.order), chunk.genes.ravel()], axis=1)
        distinct, place = np.unique(alone, axis=0, return_inverse=True)
        single = truth.knockout(Knockouts(distinct[:, 1:], rows[distinct[:, 0]].astype(np.int32)))
        places = place.reshape(-1, events.order)
        single_solved: BoolArray = np.asarray(np.isfinite(single).all(axis=1))
        solved: BoolArray = np.asarray(
            np.isfinite(after).all(axis=1) & single_solved[places].all(axis=1)
        )
        single, places = normalise_rows(np.nan_to_num(single)), places[solved]
        before = normalise_rows(truth.wild_type(rows[chunk.cells[solved]]))
        expected = without_interaction(
            before, [single[places[:, k]] for k in range(events.order)], chunk.genes[solved]
        )
        interaction[np.flatnonzero(solved) + part.start] = bray_curtis(
            normalise_rows(after[solved]), expected
        )
    return interaction


def build(row: QuestionSet, material: Material) -> Multiples:
    """Knockouts of `row.order` genes at once; see `kobench.truth.build.build`."""
    assert row.order is not None
    return ask_multiples(material.dataset, material.asked, row.order, seed=material.questions_seed)


def answer_line(line: str, question: Multiples, material: Material) -> Answers | None:
    """The truth, and another draw of the same cells; see `kobench.truth.references`.

    In the other draw an event that reaches no steady state has no interaction.
    """
    everything = np.ones(question.cells.n_vars, bool)
    if line == "truth":
        return Answers(interaction=question.interaction, supported=everything)
    if line == "replicate" and (truth := material.replicated_truth()) is not None:
        drawn = np.nan_to_num(true_interactions(truth, material.asked, question.events))
        return Answers(interaction=drawn, supported=everything)
    return None


class Links:
    """Which genes are linked: one regulates the other, or both regulate the same target.

    False where nothing is linked.

    Parameters
    ----------
    edges : (m, 2) int or None
        Regulator and target of each edge; None where no network is known.
    n_genes : int
        Number of genes.
    """

    def __init__(self, edges: npt.NDArray[np.integer] | None, n_genes: int) -> None:
        rows = np.empty((0, 2), np.int64) if edges is None else np.asarray(edges, np.int64)
        rows = rows[rows[:, 0] != rows[:, 1]]
        found = [rows]
        by_target = rows[np.argsort(rows[:, 1], kind="stable")]
        for regulators in np.split(by_target[:, 0], np.flatnonzero(np.diff(by_target[:, 1])) + 1):
            first, second = np.triu_indices(len(regulators), 1)
            found.append(np.stack([regulators[first], regulators[second]], axis=1))
        pairs = np.sort(np.concatenate(found), axis=1)
        # an edge that is listed twice shares its target with itself
        pairs = pairs[pairs[:, 0] != pairs[:, 1]]
        self.pairs = np.unique(pairs, axis=0)
        both = np.concatenate([self.pairs, self.pairs[:, ::-1]])
        both = both[np.lexsort(both.T[::-1])]
        self.neighbours = np.split(both[:, 1], np.searchsorted(both[:, 0], np.arange(1, n_genes)))

    def __bool__(self) -> bool:
        return len(self.pairs) > 0

    def draw(self, rng: np.random.Generator, order: int) -> IntArray | None:
        """A linked set of `order` genes; None where it can't grow to that size.

        Two genes are drawn evenly among all linked pairs, each further one evenly among the genes
        that are linked to one of the set.
        """
        genes: IntArray = self.pairs[rng.integers(len(self.pairs))]
        while len(genes) < order:
            near = np.setdiff1d(np.concatenate([self.neighbours[gene] for gene in genes]), genes)
            if not len(near):
                return None
            genes = np.append(genes, rng.choice(near))
        return genes


class _Chosen:
    """Distinct sets of genes, each with the cells it is asked in."""

    def __init__(self, on: BoolArray, cells_a_set: int, rng: np.random.Generator) -> None:
        self.on, self.cells_a_set, self.rng = on, cells_a_set, rng
        self.genes_on = on.sum(axis=1)
        self.sets: dict[tuple[int, ...], IntArray] = {}

    def add(self, draw: Callable[[], IntArray | None], wanted: int) -> None:
        """Up to `wanted` sets that are new and that a cell expresses beside another gene."""
        added = 0
        for _ in range(_DRAWS_A_SET * wanted):
            if added == wanted:
                return
            drawn = draw()
            if drawn is None or (genes := tuple(sorted(drawn.tolist()))) in self.sets:
                continue
            cells = np.flatnonzero(self.on[:, genes].all(axis=1) & (self.genes_on > len(genes)))
            if len(cells):
                self.sets[genes] = self.rng.permutation(cells)[: self.cells_a_set]
                added += 1

    def events(self, order: int) -> tuple[Knockouts, IntArray]:
        """Every set in each of its cells, grouped by cell and sorted by genes within each.

        The order of drawing would tell who is asked which sets are linked: those are drawn last.

        Returns
        -------
        (Knockouts, (n,) int)
            The events, and the number of each event's set in the order of drawing.
        """
        pairs = np.repeat(np.arange(len(self.sets)), [len(cells) for cells in self.sets.values()])
        cells = np.concatenate([np.empty(0, np.int64), *self.sets.values()])
        genes = np.array(list(self.sets), np.int32).reshape(-1, order)
        by_cell = np.lexsort((*genes[pairs].T[::-1], cells))
        return Knockouts(genes[pairs[by_cell]], cells[by_cell].astype(np.int32)), pairs[by_cell]
