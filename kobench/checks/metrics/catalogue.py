"""The checks of metrics by name: a metric that can be fooled on made-up units fails one of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from kobench.checks.metrics import calibration, offers, ranking, values
from kobench.checks.metrics.tested import MetricUnderTest
from kobench.specs import MetricSpec
from kobench.units import Units
from kobench.worker.checks.result import CheckResult
from kobench.worker.checks.run import run_named

#: Every check of metrics by its name, in the order in which they run.
METRIC_CHECKS: dict[str, Callable[[MetricUnderTest], str]] = {
    "gives-a-value": values.gives_a_value,
    "truth-scores-best": ranking.truth_scores_best,
    "more-noise-is-worse": ranking.more_noise_is_worse,
    "tells-controls-apart": calibration.tells_controls_apart,
    "reads-the-truth": ranking.reads_the_truth,
    "unit-order": values.unit_order,
    "gene-order": values.gene_order,
    "constants-never-best": ranking.constants_never_best,
    "nan-never-best": ranking.nan_never_best,
    "no-value-where-none": values.no_value_where_none,
    "repeatable": values.repeatable,
    "in-range": values.in_range,
    "nothing-agrees": offers.nothing_agrees,
    "redraws-agree": offers.redraws_agree,
    "permuted-agrees": offers.permuted_agrees,
    "ceiling-agrees": offers.ceiling_agrees,
}


def run_metric_checks(
    spec: MetricSpec,
    score: Callable[[Any], Any],
    examples: Sequence[Units] = (),
    seed: int = 0,
    only: Collection[str] | None = None,
) -> Iterator[CheckResult]:
    """Run the checks of metrics one after the other.

    Parameters
    ----------
    spec : MetricSpec
        What the metric declares.
    score : callable
        What `spec.score` refers to.
    examples : sequence of Units
        Units of the metric's kind beside the made-up ones, for a metric that needs others.
    seed : int
        Seed of the made-up units and answers.
    only : collection of str, optional
        Names of the checks to run; None for all.

    Yields
    ------
    CheckResult
        One result a check. "skipped" is a check that does not apply. A check that had nothing to
        compare has failed. Nothing that the metric raises escapes.
    """
    tested = MetricUnderTest(spec=spec, score=score, examples=examples, seed=seed)
    yield from run_named(METRIC_CHECKS, tested, only)
