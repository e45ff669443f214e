"""Predicted cells: given by a predictor itself, and whether genes vary together among them."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from command import kobench
from counted_questions import answers, asked, dataset_of, written
from counted_screens import made_screen

from kobench.api import Answers, NotComputed, StructureUnits, TaskView
from kobench.builtin.metrics.structure import pair_correlation
from kobench.builtin.tasks.screen import vcc2026
from kobench.builtin.tasks.structure import cell_structure
from kobench.errors import InvalidAnswerError
from kobench.question import Payload
from kobench.screens.measure import Counted
from kobench.screens.pairs import correlations, log_values, varying_genes
from kobench.worker.answers import answer_cells
from kobench.worker.derive import Asker
from kobench.worker.predictor import Fitted


@pytest.fixture(scope="module")
def question():
    return asked(dataset_of())


def given_cells(question, rng: np.random.Generator, apart: bool = False) -> Answers:
    """Other cells than those of the truth: each perturbation's own, drawn again.

    With `apart` each gene is permuted by itself: right marginals without structure.
    """
    screen = made_screen(4)
    blocks = []
    for row in range(len(question.names)):
        mine = screen.real[screen.group == row]
        block = mine[rng.integers(0, len(mine), question.each)].astype(np.float32)
        if apart:
            block = np.column_stack([rng.permutation(column) for column in block.T])
        blocks.append(block)
    supported = np.ones(question.cells.n_vars, bool)
    return Answers(cells=np.concatenate(blocks), supported=supported)


def score(question, given: Answers) -> float:
    units = cell_structure(TaskView(question, given)).variants[""]
    return pair_correlation(units).value


def test_right_marginals_without_structure_score_low(question) -> None:
    rng = np.random.default_rng(0)
    whole = score(question, given_cells(question, rng))
    alone = score(question, given_cells(question, rng, apart=True))
    assert whole > 0.5
    assert abs(alone) < 0.1


def test_the_members_of_the_challenge_do_not_see_that(question) -> None:
    rng = np.random.default_rng(0)
    found = [
        vcc2026(TaskView(question, given_cells(question, rng, apart))).variants[""]
        for apart in (False, True)
    ]
    np.testing.assert_allclose(found[0].predicted[:, 2], found[1].predicted[:, 2], atol=1.5)


def test_cells_of_changes_vary_together_as_control_cells(question) -> None:
    made = score(question, answers(question, 0 * question.change))
    assert made > 0.2


def test_given_cells_are_scored_as_they_are(question) -> None:
    """The measured cells themselves, as far as they are asked, are the truth."""
    screen = made_screen(4)
    size = np.bincount(screen.group)
    blocks = []
    for row in range(len(size)):
        mine = screen.real[screen.group == row][: question.each]
        blocks.append(np.resize(mine, (question.each, mine.shape[1])).astype(np.float32))
    given = Answers(cells=np.concatenate(blocks), supported=np.ones(len(screen.genes), bool))
    units = cell_structure(TaskView(question, given)).variants[""]
    whole = question.each % size[units.perturbations] == 0
    np.testing.assert_allclose(units.predicted[whole], units.true[whole], atol=1e-12)
    assert whole.any()
    assert pair_correlation(units).value > 0.95
    assert question.each == min(int(size.max()), 256)


def test_what_is_no_count_is_refused(question) -> None:
    given = given_cells(question, np.random.default_rng(0))
    for wrong in (0.5, -1.0):
        cells = given.cells.copy()
        cells[3, 2] = wrong
        with pytest.raises(InvalidAnswerError, match="what is no count"):
            vcc2026(TaskView(question, dataclasses.replace(given, cells=cells)))


def test_correlations_by_hand() -> None:
    import scipy.sparse

    counts = scipy.sparse.csr_matrix(
        np.random.default_rng(0).poisson(3.0, (50, 6)).astype(np.float32)
    )
    cells = Counted(counts, np.repeat([0, 1], 25), counts, [(0,), (3,)])
    genes = varying_genes(cells)
    assert not {0, 3} & set(genes.tolist())
    found = correlations(cells, np.array([1]), genes)
    expected = np.corrcoef(log_values(counts[25:])[:, genes], rowvar=False)
    np.testing.assert_allclose(found[0], expected[np.triu_indices(len(genes), 1)])
    still = Counted(scipy.sparse.csr_matrix(np.ones((4, 6))), np.zeros(4, int), counts, [(0,)])
    assert not correlations(still, np.array([0]), genes).any()


def test_the_metric_by_hand() -> None:
    true = np.array([[0.1, 0.5, 0.3], [0.2, 0.2, 0.2], [0.0, 0.4, -0.4]])
    answer = np.array([[0.1, 0.5, 0.3], [0.1, 0.5, 0.9], [0.3, 0.3, 0.3]])
    parts = pair_correlation(StructureUnits(answer, true, np.array([4, 5, 6])))
    assert parts.ids.tolist() == [4, 6]
    assert parts.sums.tolist() == [1.0, 0.0]
    constant = StructureUnits(np.full((3, 3), 0.1), true, np.arange(3))
    assert math.isnan(pair_correlation(constant).value)
    with pytest.raises(NotComputed, match="differ"):
        pair_correlation(StructureUnits(true[1:2], true[1:2], np.arange(1)))


# how a predictor is asked


class Copies:
    """Gives the first control cells, without the removed genes."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []

    def predict_cells(self, cells, knockouts, n):
        self.asked.append((knockouts.genes.tolist(), knockouts.cells, n))
        counts = np.resize(np.asarray(cells.layers["counts"]), (n, cells.n_vars)).copy()
        counts[:, knockouts.genes[0]] = 0
        return counts[None]


def test_a_predictor_is_asked_for_one_perturbation_at_a_time(question) -> None:
    predictor, supported = Copies(), np.ones(question.cells.n_vars, bool)
    supported[list(question.targets[2])] = False
    fitted = Fitted(Asker(predictor, ("cells", "expression")), supported)
    given = answer_cells(fitted, question.payload())
    assert given["response"] is None
    assert len(predictor.asked) == len(question.names) - 1
    assert predictor.asked[0] == ([list(question.targets[0])], None, question.each)
    missing = np.isnan(given["cells"]).all(axis=1).reshape(-1, question.each)
    assert np.flatnonzero(missing.all(axis=1)).tolist() == [2]
    shapes = question.shapes(supported)
    assert given["cells"].shape == shapes["cells"].dimensions
    np.testing.assert_array_equal(shapes["cells"].missing.reshape(-1, question.each), missing)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda n, g: np.full((1, n, g), 0.5), "counts are whole numbers"),
        (lambda n, g: np.full((1, n, g), -1.0), "counts are whole numbers"),
        (lambda n, g: np.zeros((n, g)), "expected"),
        (lambda n, g: np.full((1, n, g), np.nan), "not finite"),
    ],
)
def test_answers_that_are_no_counts_are_refused(question, answer, said: str) -> None:
    class Wrong:
        def predict_cells(self, cells, knockouts, n):
            return answer(n, cells.n_vars)

    fitted = Fitted(Asker(Wrong(), ("cells",)), np.ones(question.cells.n_vars, bool))
    with pytest.raises(InvalidAnswerError, match=said):
        answer_cells(fitted, question.payload())


def test_the_number_of_cells_tells_nothing_of_a_perturbation(question) -> None:
    handed: Payload = question.payload()
    assert handed.arrays["each"].shape == ()
    assert handed.arrays["targets"].tolist() == [list(genes) for genes in question.targets]


PLUGIN = '''
import numpy as np
from kobench.api import PredictorSpec, hookimpl


class Mix:
    """Control cells of the asked population, the removed gene at 0."""

    def fit(self, cells, context):
        self.seed = context.seed

    def predict_cells(self, cells, knockouts, n):
        counts = cells.layers["counts"]
        counts = np.asarray(counts.toarray() if hasattr(counts, "toarray") else counts)
        found = []
        for genes in knockouts.genes:
            rng = np.random.default_rng([self.seed, *genes.tolist()])
            mine = counts[rng.integers(0, len(counts), n)].astype(np.float32)
            mine[:, genes] = 0
            found.append(mine)
        return np.array(found)


class Apart(Mix):
    """The same with each gene permuted by itself."""

    def predict_cells(self, cells, knockouts, n):
        found = super().predict_cells(cells, knockouts, n)
        rng = np.random.default_rng(self.seed)
        return np.array([rng.permuted(block, axis=0) for block in found])


@hookimpl
def kobench_predictors():
    return [PredictorSpec("mix", make=Mix), PredictorSpec("apart", make=Apart)]
'''


def test_predictors_of_cells_are_checked_and_scored(tmp_path: Path) -> None:
    plugin = tmp_path / "some.py"
    plugin.write_text(PLUGIN)
    checked = kobench("check", "mix", "--plugin", plugin, "--json")
    found = {each["name"]: each for each in json.loads(checked.stdout)}
    assert {name for name, each in found.items() if each["status"] == "failed"} == set()
    assert found["whole-counts"]["status"] == "passed"
    assert found["answers-given"]["found"] == "cells"
    assert found["permuted-genes"]["status"] == "skipped"
    out = tmp_path / "out"
    kobench(
        *("run", "-d", f"h5ad:path={written(tmp_path)}", "-t", "vcc2026", "-t", "cell-structure"),
        *("-p", "mix", "-p", "apart", "--plugin", plugin, "--splits", 1, "--out", out),
    )
    values: dict[str, float] = {}
    for path in (out / "records").glob("*.json"):
        record = json.loads(path.read_text())
        assert record["result"]["status"] == "ok", record["result"]["message"]
        assert set(record["result"]["answers"]) == {"cells"}
        scores = record["result"]["scores"]
        name = record["trial"]["predictor"]["name"]
        if not name.startswith("call-"):  # floors of vcc2026 alone
            values[name] = scores["cell-structure@2"]["metrics"]["pair-correlation"]["value"]
        assert scores["vcc2026@2"]["metrics"]["mean-of-six"]["value"] is not None
    assert values["mix"] > 0.2
    assert abs(values["apart"]) < 0.1
    assert values["no-effect"] == pytest.approx(values["mix"], abs=0.15)
