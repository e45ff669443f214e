"""The checks of predictors.

Sound ones of every kind pass, and each check fails for a predictor that breaks just that.
"""

from __future__ import annotations

import random
import unittest
from typing import Any

import numpy as np
import pytest

from kobench.api import (
    Cells,
    Context,
    Impacts,
    Knockouts,
    answer_kinds,
    bray_curtis,
    normalise_rows,
)
from kobench.checks import (
    CHECKS,
    CheckResult,
    ContractTests,
    assert_contract,
    run_checks,
)
from kobench.worker.checks.examples import ASKED, example_cells
from kobench.worker.checks.tested import PredictorUnderTest


class Sound:
    """Masked mean of cells weighed by its own generator: expression, knockout and impact agree."""

    def fit(self, cells: Cells, context: Context) -> None:
        self.rng = np.random.default_rng(context.seed)
        dense = np.asarray(cells.X.todense() if hasattr(cells.X, "todense") else cells.X)
        self.mean = (normalise_rows(dense) * self.rng.uniform(0.5, 1.5, (len(dense), 1))).mean(
            axis=0
        ) + 1e-3

    def predict_expression(self, assemblages: Any) -> Any:
        return normalise_rows(assemblages * self.mean).astype(np.float32)


class Whole(Sound):
    """All seven answers."""

    def predict_knockout(self, cells: Any, knockouts: Knockouts) -> Any:
        return self.predict_expression(knockouts.remove_from(cells.assemblages()))

    def predict_impact(self, cells: Any, knockouts: Knockouts) -> Impacts:
        before = normalise_rows(cells.assemblages() * self.mean)
        null = normalise_rows(knockouts.remove_from(before))
        after = normalise_rows(knockouts.remove_from(cells.assemblages()) * self.mean)
        return Impacts(bray_curtis(after, before[knockouts.cells]), bray_curtis(after, null))

    def predict_response(self, cells: Any, knockouts: Knockouts) -> Any:
        return -self.mean[knockouts.genes] * np.ones((1, len(self.mean)))

    def predict_interaction(self, cells: Any, knockouts: Knockouts) -> Any:
        return self.mean[knockouts.genes].prod(axis=1)

    def score_genes(self, cells: Any, genes: Any) -> Any:
        return self.mean[genes]

    def predict_cells(self, cells: Any, knockouts: Knockouts, n: int) -> Any:
        counts = np.resize(cells.layers["counts"], (n, cells.n_vars))
        found = np.repeat(counts[None], len(knockouts), axis=0)
        for event, genes in enumerate(knockouts.genes):
            found[event][:, genes] = 0
        return found


class OfAnnData(Sound):
    def fit(self, cells: Any, context: Context) -> None:
        assert type(cells).__name__ == "AnnData"
        super().fit(cells, context)

    def predict_knockout(self, cells: Any, knockouts: Knockouts) -> Any:
        return self.predict_expression(knockouts.remove_from(np.asarray(cells.X) > 0))


class OfSparse(Sound):
    def fit(self, cells: Any, context: Context) -> None:
        assert hasattr(cells.X, "indptr")
        super().fit(cells, context)


class Scorer:
    """Answers gene scores alone, and takes only some genes."""

    def fit(self, cells: Cells, context: Context) -> None:
        self.total = np.asarray(cells.X).sum(axis=0)

    def supports(self, genes: Any) -> Any:
        return np.char.startswith(genes, "S") | (genes == "MYC")

    def score_genes(self, cells: Cells, genes: Any) -> Any:
        return self.total[genes]


def results(
    make: Any, answers: Any = None, wants: str = "dense", **more: Any
) -> dict[str, CheckResult]:
    answers = answer_kinds(make) if answers is None else answers
    return {result.name: result for result in run_checks(make, answers, wants, **more)}


class Responding(Sound):
    """Shares grow more unequal the more genes are on, so a removal changes the others."""

    def predict_expression(self, assemblages: Any) -> Any:
        rows = super().predict_expression(assemblages) ** (
            1 + assemblages.sum(1, keepdims=True) / 10
        )
        return np.asarray(rows / rows.sum(1, keepdims=True))


SOUND = [
    (Sound, "dense"),
    (Whole, "dense"),
    (OfAnnData, "anndata"),
    (OfSparse, "sparse"),
    (Scorer, "dense"),
]


@pytest.mark.parametrize(("make", "wants"), SOUND)
def test_sound_predictors_pass(make: type, wants: str) -> None:
    found = results(make, wants=wants)
    assert list(found) == list(CHECKS)
    assert {name: result.found for name, result in found.items() if result.status == "failed"} == {}
    assert_contract(make, wants=wants)


def test_every_check_passes_somewhere_and_only_those_that_can_not_apply_are_skipped() -> None:
    assert {name for name, result in results(Whole).items() if result.status != "passed"} == {
        "impacts-vary"
    }
    assert results(Responding)["impacts-vary"].status == "passed"
    skipped = {name for name, result in results(Scorer).items() if result.status == "skipped"}
    assert skipped == {
        "non-negative",
        "whole-counts",
        "rows-sum-to-one",
        "removed-gene-is-zero",
        "order-zero",
        "impact-agrees",
        "impacts-vary",
    }
    assert {name for name, result in results(Sound).items() if result.status == "skipped"} == {
        "impact-agrees",
        "impacts-vary",
        "whole-counts",
    }
    assert "boards will say 'none'" in results(Sound)["impacts-vary"].found


# Predictors that break one thing each
# ---------------------------------------------------------------------------------------


class FitRaises(Sound):
    def fit(self, cells: Cells, context: Context) -> None:
        raise RuntimeError("no convergence")


class FitExits(Sound):
    def fit(self, cells: Cells, context: Context) -> None:
        raise SystemExit(3)


class SupportsWrong(Sound):
    def supports(self, genes: Any) -> Any:
        return np.ones(len(genes))


class SupportsNothing(Sound):
    def supports(self, genes: Any) -> Any:
        return np.zeros(len(genes), bool)


class AnswerRaises(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        raise KeyError("gene")


class Transposed(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        return super().predict_expression(assemblages).T


class Lists(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        return super().predict_expression(assemblages).tolist()


class Objects(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        return super().predict_expression(assemblages).astype(object)


class NotANumber(Scorer):
    def score_genes(self, cells: Cells, genes: Any) -> Any:
        return np.where(genes == genes[0], np.nan, self.total[genes])


class NegativeImpact(Scorer):
    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        return Impacts(raw=-self.total[knockouts.genes[:, 0]].astype(float))


class NoImpact(Scorer):
    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        return Impacts()


class NegativeProfile(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        rows = super().predict_expression(assemblages)
        first = assemblages.argmax(axis=1)
        second = assemblages.shape[1] - 1 - assemblages[:, ::-1].argmax(axis=1)
        at = np.flatnonzero(first != second)
        rows[at, first[at]] -= 2
        rows[at, second[at]] += 2
        return rows


class Unnormalised(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        return assemblages * self.mean


class NegativeInteraction(Scorer):
    def predict_interaction(self, cells: Cells, knockouts: Knockouts) -> Any:
        return -self.total[knockouts.genes].prod(axis=1)


class KeepsRemoved(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        return np.tile(self.mean / self.mean.sum(), (len(assemblages), 1))


class NoOrderZero(Sound):
    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Any:
        knockouts.genes[:, 0]
        return self.predict_expression(knockouts.remove_from(cells.assemblages()))


class ImpactDisagrees(Whole):
    def predict_impact(self, cells: Any, knockouts: Knockouts) -> Impacts:
        true = super().predict_impact(cells, knockouts)
        assert true.propagated is not None
        return Impacts(true.raw, true.propagated * 1.001 + 2e-6)


class Random(Sound):
    """Draws anew for every answer."""

    def predict_expression(self, assemblages: Any) -> Any:
        return normalise_rows(assemblages * self.rng.uniform(0.5, 1.5, assemblages.shape))


class Unseeded(Sound):
    def fit(self, cells: Cells, context: Context) -> None:
        super().fit(cells, Context(seed=np.random.SeedSequence().entropy))  # type: ignore[arg-type]


class Sorted(Scorer):
    """Answers in an order of its own."""

    def score_genes(self, cells: Cells, genes: Any) -> Any:
        return self.total[np.sort(genes)]


class SortedImpacts(Scorer):
    def predict_impact(self, cells: Cells, knockouts: Knockouts) -> Impacts:
        return Impacts(raw=np.sort(np.asarray(self.total[knockouts.genes[:, 0]], float)))


class ColumnSeeded(Sound):
    """Draws numbers column by column, as a network draws its first weights."""

    def fit(self, cells: Cells, context: Context) -> None:
        super().fit(cells, context)
        self.mean = self.mean * self.rng.uniform(0.5, 1.5, len(self.mean))


class KnowsFactors(Sound):
    """Has a list of transcription factors in its code, and gives them larger shares."""

    FACTORS = ("GATA1", "MYC", "SOX2", "PAX6")

    def fit(self, cells: Cells, context: Context) -> None:
        super().fit(cells, context)
        self.mean = self.mean * np.where(np.isin(cells.var_names, self.FACTORS), 2, 1)


class SupportsFirstHalf(Sound):
    """Takes genes by their place and not by their name."""

    def supports(self, genes: Any) -> Any:
        return np.arange(len(genes)) < len(genes) / 2


class KnowsNames(Sound):
    """Looks every gene up, and says nothing of those it does not know."""

    def fit(self, cells: Cells, context: Context) -> None:
        known = {name: place for place, name in enumerate(example_cells(0).var_names)}
        self.place = [known[name] for name in cells.var_names]
        super().fit(cells, context)


class SupportsByNeighbours(Sound):
    """Takes no gene at all where one has a name that it never saw."""

    def supports(self, genes: Any) -> Any:
        return np.full(len(genes), not np.char.startswith(genes, "RP11").any())


class NeedsSupported(Sound):
    """Says which genes it knows, and still answers nothing when there are others."""

    def supports(self, genes: Any) -> Any:
        return ~np.char.startswith(genes, "RP11")

    def fit(self, cells: Cells, context: Context) -> None:
        super().fit(cells, context)
        self.mean = np.where(self.supports(cells.var_names), self.mean, np.nan)


class NeedsTwoGenes(Sound):
    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Any:
        on = cells.assemblages()
        return self.predict_expression(
            knockouts.remove_from(on) & (on.sum(axis=1) > 1)[knockouts.cells, None]
        )


class LonelyScores(Scorer):
    """Cells of one gene turn its scores into NaN."""

    def score_genes(self, cells: Cells, genes: Any) -> Any:
        others = cells.assemblages().sum(axis=1) - 1
        return self.total[genes] * (1 if others.all() else np.nan)


class EveryFitAnother(Sound):
    """What it answers hangs on how many of its kind were fitted before."""

    fitted = 0

    def fit(self, cells: Cells, context: Context) -> None:
        type(self).fitted += 1
        super().fit(cells, Context(seed=self.fitted))


class BatchNormalised(Sound):
    """What it says of a cell depends on the other cells that are asked."""

    def predict_expression(self, assemblages: Any) -> Any:
        return normalise_rows(assemblages * (self.mean + assemblages.mean(axis=0)))


class NeedsThreeGenes(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        enough = assemblages.sum(axis=1, keepdims=True) > 1
        return super().predict_expression(assemblages & enough)


class ChangesTraining(Sound):
    def fit(self, cells: Cells, context: Context) -> None:
        super().fit(cells, context)
        np.log1p(cells.X, out=cells.X)


class ChangesAssemblages(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        rows = super().predict_expression(assemblages)
        assemblages[:] = False
        return rows


class ChangesEvents(Sound):
    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Any:
        rows = self.predict_expression(knockouts.remove_from(cells.assemblages()))
        knockouts.genes[...] = 0
        return rows


class SeedsNumpy(Sound):
    def fit(self, cells: Cells, context: Context) -> None:
        np.random.seed(context.seed)  # noqa: NPY002 - the mistake that is tested
        super().fit(cells, context)


class DrawsFromNumpy(Sound):
    def fit(self, cells: Cells, context: Context) -> None:
        super().fit(cells, context)
        self.mean = self.mean * np.random.uniform(0.5, 1.5, len(self.mean))  # noqa: NPY002 - the mistake that is tested


class DrawsFromRandom(Sound):
    def predict_expression(self, assemblages: Any) -> Any:
        random.random()
        return super().predict_expression(assemblages)


class HalfCounts(Whole):
    def predict_cells(self, cells: Any, knockouts: Knockouts, n: int) -> Any:
        return super().predict_cells(cells, knockouts, n) + 0.5


#: Those that apply to predictors without cells.
ALL = set(CHECKS) - {"whole-counts"}
OF_PROFILES = {"rows-sum-to-one", "removed-gene-is-zero", "order-zero"}
ODD = {"one-gene", "two-genes", "unsupported-genes"}
GUARDED = {"finite", "non-negative", *OF_PROFILES, *ODD}  # they rest on the right shape and type
FITS_AGAIN = {"same-seed", "permuted-genes", "renamed-genes", "sparse-and-dense"}

# make: the checks that fail (all others pass or do not apply), and what the first of them finds
BREAKS: dict[type, tuple[set[str], str]] = {
    HalfCounts: ({"whole-counts"}, "counts are whole numbers, >= 0"),
    FitRaises: (ALL - {"impact-agrees"}, "RuntimeError: no convergence"),
    FitExits: (ALL - {"impact-agrees"}, "SystemExit: 3"),
    SupportsWrong: (ALL - {"impact-agrees"}, "supports"),
    SupportsNothing: (
        {
            "finite",
            "non-negative",
            "rows-sum-to-one",
            "removed-gene-is-zero",
            "repeatable",
            "same-seed",
            "permuted-events",
            "permuted-genes",
            "renamed-genes",
            "one-cell",
            "two-genes",
            "sparse-and-dense",
        },
        "supports() takes none of the genes GATA1",
    ),
    AnswerRaises: (ALL - {"impacts-vary", "fits", "impact-agrees"}, "KeyError: 'gene'"),
    Transposed: (
        GUARDED - {"one-gene"} | {"shape", "permuted-events", "permuted-genes", "one-cell"},
        "expected (",
    ),
    Lists: (GUARDED | {"numbers"}, "returned list"),
    Objects: (
        GUARDED
        | {"numbers", "permuted-events", "one-cell"}
        | {"permuted-genes", "renamed-genes", "sparse-and-dense"},
        "dtype object",
    ),
    NotANumber: ({"finite", "permuted-events", "one-cell", *ODD}, "nan at (0,)"),
    NegativeImpact: ({"non-negative"}, "expected nothing below 0"),
    NoImpact: (
        ALL - OF_PROFILES - {"fits", "impact-agrees", "impacts-vary"},
        "neither raw nor propagated",
    ),
    NegativeProfile: ({"non-negative", "order-zero", "permuted-genes"}, "expected nothing below 0"),
    Unnormalised: (
        {"rows-sum-to-one", "order-zero", "one-gene", "two-genes"},
        "every profile must sum to 1",
    ),
    KeepsRemoved: ({"removed-gene-is-zero"}, "at a removed gene; expected 0"),
    NoOrderZero: ({"order-zero", "one-gene"}, "IndexError"),
    ImpactDisagrees: ({"impact-agrees"}, "when derived from its profiles"),
    Random: (
        {"repeatable", "permuted-events", "permuted-genes", "one-cell"},
        "gave other answers asked again",
    ),
    Unseeded: (FITS_AGAIN, "after another fit with the same seed"),
    EveryFitAnother: (FITS_AGAIN, "after another fit with the same seed"),
    ColumnSeeded: ({"permuted-genes"}, "say order_matters=True in its PredictorSpec"),
    KnowsFactors: ({"renamed-genes"}, "declare it, as in prior='a list of transcription factors'"),
    SupportsFirstHalf: ({"permuted-genes"}, "go by their names"),
    SupportsByNeighbours: ({"unsupported-genes"}, "go by the name alone"),
    KnowsNames: ({"unsupported-genes"}, "fit raised KeyError"),
    NeedsSupported: ({"unsupported-genes"}, "sums to 0"),
    NeedsTwoGenes: ({"one-gene"}, "sums to 0"),
    LonelyScores: ({"one-gene"}, "not finite"),
    NegativeInteraction: ({"non-negative"}, "expected nothing below 0"),
    Sorted: ({"permuted-events"}, "events in another order"),
    SortedImpacts: ({"permuted-events", "one-cell"}, "events in another order"),
    BatchNormalised: ({"one-cell"}, "for a cell asked alone"),
    NeedsThreeGenes: ({"one-gene", "two-genes"}, "sums to 0"),
    ChangesTraining: ({"input-unchanged"}, "fit changed the arrays"),
    ChangesAssemblages: ({"input-unchanged"}, "predict_expression changed the arrays"),
    ChangesEvents: ({"input-unchanged"}, "predict_knockout changed the arrays"),
    SeedsNumpy: ({"global-random-state"}, "fit changed the global state of numpy.random"),
    DrawsFromRandom: (
        {"global-random-state"},
        "predict_expression changed the global state of random",
    ),
    DrawsFromNumpy: ({"global-random-state", *FITS_AGAIN}, "after another fit with the same seed"),
}


@pytest.mark.parametrize("make", BREAKS)
def test_what_breaks_the_contract_fails_the_checks_that_say_so(make: type) -> None:
    expected, text = BREAKS[make]
    state = random.getstate()
    found = results(make)
    assert random.getstate() == state  # the checks leave it as it was, whatever the predictor does
    failed = {name: result.found for name, result in found.items() if result.status == "failed"}
    assert set(failed) == expected, failed
    assert text in next(iter(failed.values()))
    with pytest.raises(AssertionError, match="the contract is broken"):
        assert_contract(make)


#: Checks whose messages state a deviation, and what they must say it is.
DEVIATIONS = [
    (Random, "repeatable", ["(absolute) and", "(relative)"]),
    (Unseeded, "same-seed", ["(absolute) and", "(relative)"]),
    *(
        (make, check, ["allowed are 0.0001 of the value (relative) plus 1e-06 (absolute)"])
        for make, check in [
            (Sorted, "permuted-events"),
            (ColumnSeeded, "permuted-genes"),
            (KnowsFactors, "renamed-genes"),
            (BatchNormalised, "one-cell"),
        ]
    ),
    (Unnormalised, "rows-sum-to-one", ["within 0.001 (absolute)"]),
    (ImpactDisagrees, "impact-agrees", ["relative deviation is", "allowed 0.0001"]),
    (Sound, "rows-sum-to-one", ["largest absolute deviation"]),
    (Whole, "impact-agrees", ["largest relative deviation"]),
]


@pytest.mark.parametrize(("make", "check", "said"), DEVIATIONS)
def test_a_deviation_is_said_to_be_relative_or_absolute(
    make: type, check: str, said: list[str]
) -> None:
    found = results(make)[check].found
    assert [text for text in said if text not in found] == [], found


def test_no_check_is_without_a_predictor_that_breaks_it() -> None:
    broken = set().union(
        *(checks for make, (checks, _) in BREAKS.items() if len(checks) < len(CHECKS) - 4)
    )
    assert broken | {"fits", "answers-given", "impacts-vary"} == set(CHECKS)


def test_checks_after_a_failed_fit_say_that_they_did_not_run() -> None:
    found = results(FitRaises)
    assert found["fits"].found.startswith("RuntimeError: no convergence (test_predictors.py:")
    assert {
        result.found
        for name, result in found.items()
        if name not in ("fits", "impact-agrees", "whole-counts")
    } == {"not run: there is no fitted predictor"}


def test_a_declared_answer_that_is_not_there_is_named() -> None:
    found = results(Sound, answers=("expression", "impact"))
    assert (
        "answer 'impact' is declared, but Sound has no method predict_impact"
        in found["answers-given"].found
    )


def test_a_predictor_that_answers_nothing_passes_nothing_but_the_fit() -> None:
    class Silent:
        def fit(self, cells: Cells, context: Context) -> None: ...

    found = results(Silent)
    assert {name for name, result in found.items() if result.status == "passed"} == {
        "fits",
        "input-unchanged",
        "global-random-state",
    }
    assert found["shape"].status == "failed"


def test_fitting_happens_at_most_six_times_and_only_when_needed() -> None:
    count = 0

    class Counted(Sound):
        def fit(self, cells: Cells, context: Context) -> None:
            nonlocal count
            count += 1
            super().fit(cells, context)

    assert_contract(Counted)
    assert count == 6
    assert_contract(Counted, only=["shape"])
    assert count == 7


def test_an_order_that_matters_can_be_declared() -> None:
    found = results(ColumnSeeded, order_matters=True)["permuted-genes"]
    assert (found.status, found.found[:53]) == (
        "skipped",
        "order_matters is declared: predict_expression gives o",
    )
    assert_contract(ColumnSeeded, order_matters=True)
    found = results(Sound, order_matters=True)["permuted-genes"]
    assert (found.status, found.found) == (
        "passed",
        "12 genes in one other order; order_matters need not be declared",
    )
    # it declares other numbers, not an answer that can't be had
    assert results(SupportsFirstHalf, order_matters=True)["permuted-genes"].status == "failed"


def test_prior_knowledge_can_be_declared() -> None:
    found = results(KnowsFactors, prior="a list of factors")["renamed-genes"]
    assert (found.status, found.found[:77]) == (
        "skipped",
        "prior is declared: predict_expression gives other answers where genes swapped",
    )
    assert_contract(KnowsFactors, prior="a list of factors")
    assert results(Sound, prior="weights")["renamed-genes"].status == "passed"


def test_one_gene_alone_has_nobody_to_swap_its_name_with() -> None:
    class TakesOne(KnowsFactors):
        def supports(self, genes: Any) -> Any:
            return np.asarray(genes) == "CD4"

    found = results(TakesOne)["renamed-genes"]
    assert (found.status, found.found) == (
        "skipped",
        "supports takes one gene, so there are no names to swap",
    )


class TestWhole(ContractTests):
    """The base for an author's own tests, on a predictor that fulfils the contract."""

    make = Whole


class TestMade(ContractTests):
    """By a function and with what a spec declares."""

    make = lambda: ColumnSeeded()  # noqa: E731
    order_matters = True


def test_the_base_for_authors_fails_where_the_contract_is_broken() -> None:
    class OfRandom(ContractTests):
        make = Random

    assert {name for name in dir(OfRandom) if name.startswith("test_")} == {
        f"test_{name.replace('-', '_')}" for name in CHECKS
    }
    OfRandom().test_shape()  # type: ignore[attr-defined]
    with pytest.raises(
        AssertionError, match="repeatable: predict_expression gave other answers asked again"
    ):
        OfRandom().test_repeatable()  # type: ignore[attr-defined]
    with pytest.raises(unittest.SkipTest, match="gives no impact beside profiles"):
        OfRandom().test_impact_agrees()  # type: ignore[attr-defined]


def test_the_base_for_authors_fits_as_often_as_all_checks_together() -> None:
    count = 0

    class Counted(Sound):
        def fit(self, cells: Cells, context: Context) -> None:
            nonlocal count
            count += 1
            super().fit(cells, context)

    class First(ContractTests):
        make = Counted

    class Second(First):
        seed = 1

    for tests in (First, Second):
        tests().test_shape()  # type: ignore[attr-defined]
        tests().test_same_seed()  # type: ignore[attr-defined]
        tests().test_finite()  # type: ignore[attr-defined]
    assert count == 4


def test_an_unknown_check_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no check 'shapes'; the checks are fits,"):
        assert_contract(Sound, only=["shapes"])


def test_a_torch_state_is_watched_too() -> None:
    torch = pytest.importorskip("torch")

    class Seeds(Sound):
        def fit(self, cells: Cells, context: Context) -> None:
            torch.manual_seed(context.seed)
            super().fit(cells, context)

    state = torch.get_rng_state()
    found = results(Seeds)
    assert torch.equal(torch.get_rng_state(), state)
    assert "fit changed the global state of torch" in found["global-random-state"].found


@pytest.mark.parametrize("seed", range(20))
def test_example_cells_can_be_asked(seed: int) -> None:
    cells = example_cells(seed)
    assert cells.X.dtype == np.float32
    on = cells.X > 0
    assert on.sum(axis=1).min() >= 3
    assert 0.2 < 1 - on.mean() < 0.4
    assert on.any(axis=0).all()
    assert np.array_equal(cells.X, example_cells(seed).X)
    assert not np.array_equal(cells.X, example_cells(seed + 1).X)


def test_reordered_events_stay_grouped_by_cell() -> None:
    tested = PredictorUnderTest(Sound, ("expression",), "dense", 0, example_cells(0))
    order = tested.reordered(tested.events)
    assert sorted(order) == list(range(len(tested.events)))
    assert tested.events.cells is not None
    assert np.count_nonzero(np.diff(tested.events.cells[order])) == ASKED - 1
    assert not np.array_equal(tested.events.cells[order], tested.events.cells)
