"""The checks of metrics.

kobench's own pass them all, and each check fails for a metric that breaks just that.
"""

from __future__ import annotations

import unittest
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kobench.api import MetricSpec, NotComputed, Parts, RankingUnits, ResponseUnits
from kobench.checks.metrics import examples, variants
from kobench.checks.metrics.catalogue import METRIC_CHECKS, run_metric_checks
from kobench.checks.testing import MetricTests
from kobench.checks.trusted import check_trusted
from kobench.plugins.load import load_registry, resolve

OWN = [entry for entries in load_registry().metrics.values() for entry in entries if entry.trusted]


@pytest.mark.parametrize("entry", OWN, ids=lambda entry: f"{entry.spec.name}-{entry.spec.of}")
def test_kobenchs_own_metrics_pass(entry: Any) -> None:
    results = list(run_metric_checks(entry.spec, resolve(entry)))
    assert [result.name for result in results] == list(METRIC_CHECKS)
    assert {result.name: result.found for result in results if result.status == "failed"} == {}


def test_every_check_passes_for_some_metric_of_kobenchs_own() -> None:
    names = ("explained-change", "spearman-within-cell", "pearson-delta-centred")
    chosen = [entry for entry in OWN if entry.spec.name in names]
    passed = {
        result.name
        for entry in chosen
        for result in run_metric_checks(entry.spec, resolve(entry))
        if result.status == "passed"
    }
    assert passed == set(METRIC_CHECKS)


def error(given: RankingUnits) -> float:
    """Mean absolute error: a sound metric."""
    if not len(given.true):
        raise NotComputed("nothing was asked")
    return float(np.abs(given.predicted - given.true).mean())


SPEC = MetricSpec("error", error, of="ranking", direction="lower", best=0.0)


def results(score: Callable[[Any], Any], **changes: Any) -> dict[str, Any]:
    spec = MetricSpec(**{**vars(SPEC), "score": score, **changes})
    return {result.name: result for result in run_metric_checks(spec, score)}


def failed(score: Callable[[Any], Any], **changes: Any) -> dict[str, str]:
    return {
        name: result.found
        for name, result in results(score, **changes).items()
        if result.status == "failed"
    }


def test_a_sound_metric_passes() -> None:
    found = results(error)
    skipped = {"nothing-agrees", "redraws-agree", "permuted-agrees", "ceiling-agrees"}
    assert {name for name, result in found.items() if result.status != "passed"} == skipped


def test_what_a_metric_raises_is_said_with_its_place() -> None:
    def raises(given: RankingUnits) -> float:
        raise RuntimeError("no scale")

    found = results(raises)["gives-a-value"]
    assert found.status == "failed"
    assert found.found.startswith("RuntimeError: no scale (test_metrics.py:")
    assert found.found.endswith('in raises: raise RuntimeError("no scale"))')


def test_the_old_name_of_the_tests_keeps_working() -> None:
    from kobench.checking import testing as old
    from kobench.checks import testing

    assert old.MetricTests is testing.MetricTests
    assert old.DatasetTests is testing.DatasetTests


class TestError(MetricTests):
    """The base for an author's own tests, on a metric that passes."""

    spec = SPEC


def backwards(given: RankingUnits) -> float:
    """More noise scores better, but for the truth itself."""
    wrong = error(given)
    return 1 / (1 + wrong) if wrong else 0.0


def blind(given: RankingUnits) -> float:
    """The spread of the answer, whatever the truth is."""
    if not len(given.true):
        raise NotComputed("nothing was asked")
    return float(np.std(given.predicted))


def by_place(given: RankingUnits) -> float:
    """Errors of units count by where they stand."""
    if not len(given.true):
        raise NotComputed("nothing was asked")
    return float(
        np.abs(given.predicted - given.true) @ np.linspace(0, 1, len(given.true)) / len(given.true)
    )


def by_number(given: RankingUnits) -> float:
    """Errors of genes count by their number."""
    if not len(given.true):
        raise NotComputed("nothing was asked")
    return float(np.abs(given.predicted - given.true) @ given.genes / len(given.true) / 1000)


def likes_constants(given: RankingUnits) -> float:
    return 0.0 if len(given.true) and np.ptp(given.predicted) == 0 else error(given)


def skips_nan(given: RankingUnits) -> float:
    """Scores what is known: leaving out costs nothing."""
    known = np.flatnonzero(~np.isnan(given.predicted))
    return error(variants.taken(given, known)) if len(known) else 1.0  # type: ignore[arg-type]


def of_nothing(given: RankingUnits) -> float:
    return error(given) if len(given.true) else 0.0


def blames_the_units(given: RankingUnits) -> float:
    if len(given.true) and np.ptp(given.predicted) == 0:
        raise NotComputed("the answer is constant")
    return error(given)


def changes_units(given: RankingUnits) -> float:
    value = error(given)
    given.predicted[:] = given.true
    return value


def draws(given: RankingUnits) -> float:
    return error(given) * (1 + np.random.rand())  # noqa: NPY002 - the mistake that is tested


def large(given: RankingUnits) -> float:
    return 1000 * error(given)


def infinite(given: RankingUnits) -> float:
    return float("inf") if error(given) else 0.0


def words(given: RankingUnits) -> Any:
    return "good"


def uneven(given: RankingUnits) -> Parts:
    return Parts(
        "gene", given.genes, np.abs(given.predicted - given.true), np.ones(len(given.true) + 1)
    )


def moves_one(given: RankingUnits) -> Parts:
    n = len(given.true)
    return Parts(
        "gene", given.genes, np.abs(given.predicted - given.true), np.ones(n), moves=np.zeros(1)
    )


def raises(given: RankingUnits) -> float:
    raise KeyError("gene")


def never(given: RankingUnits) -> float:
    raise NotComputed("not here")


# the metric, what its spec says beside SPEC, the check that must fail, what it finds
FOOLED: list[tuple[Callable[[Any], Any], dict[str, Any], str, str]] = [
    (error, {"best": 0.5}, "truth-scores-best", "the truth scores 0 on 240 genes; expected 0.5"),
    (
        error,
        {"direction": "higher"},
        "more-noise-is-worse",
        "noise of 0.1 standard deviations scores better than of 0",
    ),
    (
        backwards,
        {},
        "more-noise-is-worse",
        "noise of 0.3 standard deviations scores better than of 0.1",
    ),
    (
        blind,
        {},
        "reads-the-truth",
        "whatever the truth is; if it is meant to, say descriptive=True",
    ),
    (error, {"descriptive": True}, "reads-the-truth", "descriptive is declared, but an answer has"),
    (by_place, {}, "unit-order", "240 genes in another order score"),
    (by_number, {}, "gene-order", "numbered anew score"),
    (
        likes_constants,
        {},
        "constants-never-best",
        "0 everywhere scores 0 on 240 genes; the truth scores 0",
    ),
    (skips_nan, {}, "nan-never-best", "NaN in half of the entries scores 0"),
    (of_nothing, {}, "no-value-where-none", "no units at all score 0"),
    (blames_the_units, {}, "no-value-where-none", "return NaN: it is the answer's fault"),
    (changes_units, {}, "repeatable", "scored twice, 240 genes have"),
    (draws, {}, "repeatable", "scored twice, 240 genes have"),
    (large, {}, "in-range", "the spec declares 0 to 1"),
    (infinite, {}, "more-noise-is-worse", "it is inf for noise on 240 genes"),
    (words, {}, "gives-a-value", "it returned a str for the truth on 240 genes"),
    (uneven, {}, "gives-a-value", "its Parts have ids, sums and weights of shapes"),
    (moves_one, {}, "gives-a-value", "its Parts have moves of shape (1,) for 240 blocks"),
    (raises, {}, "gives-a-value", "KeyError: 'gene'"),
    (
        never,
        {},
        "gives-a-value",
        "not run: it computes none of the made-up units (240 genes, 25 perturbations)",
    ),
    (error, {"nothing": 0.7}, "nothing-agrees", "the answer that nothing responds scores"),
]


@pytest.mark.parametrize(("score", "changes", "check", "found"), FOOLED)
def test_what_can_be_fooled_fails(
    score: Callable[[Any], Any], changes: dict[str, Any], check: str, found: str
) -> None:
    assert found in failed(score, **changes)[check]


class Offers:
    """Half the squared error of responses, with extras that may be wrong."""

    def __init__(self, **extras: Any) -> None:
        vars(self).update(extras)

    def __call__(self, given: ResponseUnits) -> float:
        if not len(given.true):
            raise NotComputed("nothing was asked")
        off = (given.predicted - given.true) ** 2 * 1e5
        return (
            float("nan")
            if (np.isnan(off) & ~np.isnan(given.true)).any()
            else float(np.nanmean(off))
        )


def of_response(**extras: Any) -> dict[str, str]:
    found = results(Offers(**extras), of="response", high=1e6)
    return {name: result.found for name, result in found.items() if result.status == "failed"}


def test_extras_that_agree_pass() -> None:
    score = Offers()

    def prepare(given: ResponseUnits) -> Callable[[Any], float]:
        places = np.arange(len(given.true))
        return lambda often: score(variants.taken(given, np.repeat(places, often)))  # type: ignore[arg-type]

    def permuted(given: ResponseUnits, orders: Any) -> Any:
        answers = [variants.answered(given, given.predicted[order]) for order in orders]
        return np.array([score(answer) for answer in answers])  # type: ignore[arg-type]

    def ceiling(given: ResponseUnits) -> float:
        if given.halves is None:
            raise NotComputed("no noise")
        return float(1e5 * np.nanmean((given.halves[:, 0] - given.halves[:, 1]) ** 2) / 4)

    assert of_response(prepare=prepare, permuted=permuted, ceiling=ceiling) == {}


def test_extras_that_disagree_fail() -> None:
    assert (
        "prepare gives other values than scoring drawn units anew"
        in of_response(prepare=lambda given: lambda often: 0.5)["redraws-agree"]
    )
    for permuted in (
        lambda given, orders: np.full(len(orders), Offers()(given)),  # the answers never move
        lambda given, orders: np.full(len(orders), np.nan),
        lambda given, orders: [  # the other way round
            Offers()(variants.answered(given, given.predicted[np.argsort(order)]))
            for order in orders
        ],
    ):
        found = of_response(permuted=permuted)["permuted-agrees"]
        assert "the answers in that order score" in found
    assert "gave shape ()" in of_response(permuted=lambda given, orders: 0.0)["permuted-agrees"]
    assert (
        "ceiling promises 0.000 on average"
        in of_response(ceiling=lambda given: 0.0)["ceiling-agrees"]
    )


def test_units_brought_as_examples_are_scored_too() -> None:
    def only_three(given: RankingUnits) -> float:
        if len(given.true) not in (0, 3):
            raise NotComputed("made for three genes")
        return error(given)

    three = RankingUnits(np.zeros(3), np.array([0.1, 0.5, 0.9]), np.arange(3))
    found = {result.name: result for result in run_metric_checks(SPEC, only_three, [three])}
    assert (
        found["gives-a-value"].found
        == "computed for example 0; not for 240 genes, 25 perturbations"
    )
    assert found["truth-scores-best"].status == "passed"


@pytest.mark.parametrize("of", ["profile", "impact", "ranking", "response", "interaction"])
def test_made_up_units_keep_what_they_must(of: str) -> None:
    for given in examples.example_units(of, 0).values():
        rng = np.random.default_rng(0)
        answer = variants.noisy(given, 1.0, rng)
        assert np.array_equal(np.isnan(answer.predicted), np.isnan(answer.true))
        if of == "profile":
            np.testing.assert_allclose(answer.predicted.sum(axis=1), 1)
            assert not answer.predicted[~answer.present].any()  # type: ignore[union-attr]
        moved = variants.genes_reordered(answer, rng)
        # the same pairs of numbers, somewhere else
        before, after = (
            sorted(zip(np.ravel(x.predicted), np.ravel(x.true), strict=True), key=str)
            for x in (answer, moved)
        )
        np.testing.assert_array_equal(before, after)
        assert not np.array_equal(variants.another_truth(answer).true, answer.true, equal_nan=True)


def test_measured_truths_are_split_fairly() -> None:
    """Each half is as noisy as two of the whole.

    With noise of variance v, halves have variance 2 v about the clean change.
    """
    given = examples.responses(np.random.default_rng(1), True, 400, False)
    clean = given.predicted
    whole, half = np.nanvar(given.true - clean), np.nanvar(given.halves[:, 0] - clean)  # type: ignore[index]
    assert whole == pytest.approx((examples.MEASURED * 1e-3) ** 2, rel=0.05)
    assert half == pytest.approx(2 * whole, rel=0.05)
    np.testing.assert_allclose(
        given.halves.mean(axis=1), np.broadcast_to(given.true, (examples.SPLITS, *given.true.shape))
    )  # type: ignore[union-attr]


def test_the_base_for_authors_fails_where_a_metric_can_be_fooled() -> None:
    class OfBlind(MetricTests):
        spec = MetricSpec("blind", blind, of="ranking", direction="lower", best=0.0)

    with pytest.raises(AssertionError, match="reads-the-truth: an answer scores"):
        OfBlind().test_reads_the_truth()  # type: ignore[attr-defined]
    with pytest.raises(unittest.SkipTest, match="offers no ceiling"):
        OfBlind().test_ceiling_agrees()  # type: ignore[attr-defined]


CRASHES = """
import os
from kobench.api import MetricSpec, hookimpl

def score(units):
    os.abort()

@hookimpl
def kobench_metrics():
    yield MetricSpec("crashes", score, of="profile")
"""


def test_a_metric_that_ends_its_process_fails(tmp_path: Any) -> None:
    plugin = tmp_path / "crashing.py"
    plugin.write_text(CRASHES)
    assert check_trusted("metrics", "crashes", plugin_files=[str(plugin)]) == [
        {
            "name": "survives",
            "status": "failed",
            "found": "its process was ended by SIGABRT; 0 checks came before",
        }
    ]
    plugin.write_text(CRASHES.replace("os.abort()", "while True: pass"))
    (result,) = check_trusted("metrics", "crashes", plugin_files=[str(plugin)], timeout=3)
    assert result["found"] == "it took longer than 3 seconds; 0 checks came before"


def test_a_metric_that_cannot_tell_controls_apart_fails() -> None:
    assert "tells-controls-apart" not in failed(error)
    assert "tells-controls-apart" in failed(lambda given: 0.0)
    found = results(lambda given: 0.0)["tells-controls-apart"].found
    assert found.startswith("it can't tell controls apart: 240 genes: the truth 0, best of what")

    def coin(given: RankingUnits) -> float:
        return float(np.random.default_rng(int(1e6 * np.abs(given.predicted).sum())).random())

    assert "tells-controls-apart" in failed(coin)
