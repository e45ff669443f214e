"""The checks of predictors by name, and how they are run on a few made-up cells.

`kobench check`, a plugin author's own tests and kobench's tests share them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from kobench.cells import Cells
from kobench.worker.checks import edge_cases, form, invariance, side_effects
from kobench.worker.checks.examples import example_cells
from kobench.worker.checks.result import CheckResult
from kobench.worker.checks.run import run_named
from kobench.worker.checks.tested import PredictorUnderTest

#: Every check of predictors by its name, in the order in which they run.
CHECKS: dict[str, Callable[[PredictorUnderTest], str]] = {
    "fits": form.fits,
    "answers-given": form.answers_given,
    "shape": form.shape,
    "numbers": form.numbers,
    "finite": form.finite,
    "non-negative": form.non_negative,
    "whole-counts": form.whole_counts,
    "rows-sum-to-one": form.rows_sum_to_one,
    "removed-gene-is-zero": form.removed_gene_is_zero,
    "order-zero": form.order_zero,
    "impact-agrees": form.impact_agrees,
    "impacts-vary": form.impacts_vary,
    "repeatable": invariance.repeatable,
    "same-seed": invariance.same_seed,
    "permuted-events": invariance.permuted_events,
    "permuted-genes": invariance.permuted_genes,
    "renamed-genes": invariance.renamed_genes,
    "one-cell": invariance.one_cell,
    "one-gene": edge_cases.one_gene,
    "two-genes": edge_cases.two_genes,
    "sparse-and-dense": invariance.sparse_and_dense,
    "unsupported-genes": edge_cases.unsupported_genes,
    "input-unchanged": side_effects.input_unchanged,
    "global-random-state": side_effects.global_random_state,
}


def run_checks(
    make: Callable[[], Any],
    answers: Sequence[str],
    wants: str = "dense",
    seed: int = 0,
    cells: Cells | None = None,
    only: Collection[str] | None = None,
    order_matters: bool = False,
    max_order: int | None = None,
    prior: str = "",
) -> Iterator[CheckResult]:
    """Run the checks of predictors one after the other, with at most six fits.

    Parameters
    ----------
    make : callable
        Returns a new predictor.
    answers : sequence of str
        The answer kinds that it declares.
    wants : str
        The form of cells that it wants; see `PredictorSpec`.
    seed : int
        Seed of the made-up cells, of the fits and of the questions.
    cells : Cells, optional
        (n, G), dense; the last 6 are kept for questions. 80 + 6 made-up cells x 12 genes if None.
    only : collection of str, optional
        Names of the checks to run; None for all.
    order_matters, max_order, prior : bool, int or None, str
        See `PredictorSpec`.

    Yields
    ------
    CheckResult
        One result a check. "skipped" is a check that does not apply to these answer kinds. A check
        that had nothing to compare has failed. Nothing that the predictor raises escapes.
    """
    tested = PredictorUnderTest(
        make,
        tuple(answers),
        wants,
        seed,
        example_cells(seed) if cells is None else cells,
        order_matters,
        max_order,
        prior,
    )
    yield from run_named(CHECKS, tested, only)
