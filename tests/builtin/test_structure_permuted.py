"""An answer that is the same for all perturbations is not above the floor of cell-structure."""

from __future__ import annotations

import numpy as np
import pytest
from counted_questions import answers, asked, dataset_from
from counted_screens import screen_of

from kobench.api import Answers, TaskView
from kobench.builtin.metrics.structure import pair_correlation
from kobench.builtin.specs.screens import screen_metrics
from kobench.builtin.tasks.structure import cell_structure
from kobench.scoring.metric import Permuting, score_metric, score_permuted
from kobench.screens.pairs import log_values

SPEC = next(spec for spec in screen_metrics() if spec.name == "pair-correlation")


@pytest.fixture(scope="module")
def question():
    return asked(dataset_from(screen_of(1)))


def units_of(question, given: Answers):
    return cell_structure(TaskView(question, given)).variants[""]


def value_and_p(units) -> tuple[float, float]:
    value = score_metric(SPEC, pair_correlation, units).value
    found = score_permuted(SPEC, pair_correlation, units, value, Permuting(0))
    assert value is not None
    assert found is not None
    return value, found.p


def cells_of(question, blocks: list[np.ndarray]) -> Answers:
    """The blocks as a predictor's own cells; no removed gene has counts in its own."""
    for block, targets in zip(blocks, question.targets, strict=True):
        block[:, list(targets)] = 0
    supported = np.ones(question.cells.n_vars, bool)
    return Answers(cells=np.concatenate(blocks).astype(np.float32), supported=supported)


def typical(counts: np.ndarray, n: int) -> list[int]:
    """Rows of n cells that vary together as all do: one after the other that which fits best."""
    import scipy.sparse

    logs = log_values(scipy.sparse.csr_matrix(counts))
    kept = np.argsort(-logs.var(axis=0))[:60]
    z = ((logs - logs.mean(axis=0)) / np.maximum(logs.std(axis=0), 1e-9))[:, kept]
    wanted = z.T @ z / len(z)
    along = np.einsum("ij,jk,ik->i", z, wanted, z)
    length = (z**2).sum(axis=1)
    together, total, picked = np.zeros_like(wanted), np.zeros(60), []
    for k in range(1, n + 1):
        cost = (length**2 + 2 * np.einsum("ij,jk,ik->i", z, together, z)) / k**2
        cost += 5 * ((total + z) ** 2).sum(axis=1) / k**2 - 2 * along / k
        cost[picked] = np.inf
        picked.append(int(np.argmin(cost)))
        together += np.outer(z[picked[-1]], z[picked[-1]])
        total += z[picked[-1]]
    return picked


def test_control_cells_that_were_chosen_are_no_better_than_all_of_them(question) -> None:
    """Chosen ones are above those drawn by chance, which is not the floor."""
    counts = np.asarray(question.cells.layers["counts"])
    rng, k = np.random.default_rng(0), len(question.names)
    best = counts[typical(counts, question.each)]
    chosen, p = value_and_p(units_of(question, cells_of(question, [best.copy() for _ in range(k)])))
    drawn = [counts[rng.integers(0, len(counts), question.each)] for _ in range(k)]
    by_chance, _ = value_and_p(units_of(question, cells_of(question, drawn)))
    floor, p_of_floor = value_and_p(units_of(question, answers(question, 0 * question.change)))
    assert chosen > by_chance + 0.02
    assert chosen < floor + 0.01
    assert (p, p_of_floor) == (1.0, 1.0)


def test_changes_that_are_the_same_for_all_have_p_1(question) -> None:
    rng = np.random.default_rng(3)
    change = np.repeat(rng.normal(0, 0.003, (1, question.change.shape[1])), len(question.names), 0)
    assert value_and_p(units_of(question, answers(question, change)))[1] == 1.0


def test_cells_of_the_perturbation_itself_are_known_as_such(question) -> None:
    """The measured cells in another order than asked are not."""
    counted = question.counted
    own = [
        np.resize(counted.perturbed[counted.rows[counted.group == row]], (question.each, 150))
        for row in range(len(question.names))
    ]
    value, p = value_and_p(units_of(question, cells_of(question, [each.copy() for each in own])))
    assert value > 0.9
    assert p < 0.01
    others = cells_of(question, [each.copy() for each in np.roll(np.array(own), 1, axis=0)])
    assert value_and_p(units_of(question, others))[1] > 0.05


def test_floors_are_made_of_all_control_cells(question) -> None:
    """No cell is drawn: what varies together is exactly what does in those that train."""
    import scipy.sparse

    units = units_of(question, answers(question, 0 * question.change))
    counts = np.array(question.cells.layers["counts"], np.float64)
    counts[:, list(question.targets[2])] = 0
    from kobench.builtin.tasks.structure import _prepared

    logs = log_values(scipy.sparse.csr_matrix(counts))[:, _prepared(question).genes]
    expected = np.corrcoef(logs, rowvar=False)[np.triu_indices(logs.shape[1], 1)]
    np.testing.assert_allclose(units.predicted[2], expected, atol=1e-12)
