"""Numbers of a task's scores that contradict each other, or what their metric can give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from kobench.results.parts import DrawnValue, MetricScore, TaskScores
from kobench.specs import MetricSpec
from kobench.verify.known import Known

#: What rounding may add to a number of a range, a share or a mean.
ROUNDING = 1e-6

#: How many standard deviations of its bootstrap draws a score may be from their mean. The largest
#: of 1,341 published ones is 0.15; what is left is for scores of a handful of blocks, whose draws
#: are biased.
FROM_DRAWS = 2.0

#: Relative precision of the permuted scores that a record keeps.
KEPT = 1e-3

#: Fewer draws than these say little of what a score can be.
ENOUGH_DRAWS = 50


def check_scores(label: str, scores: TaskScores, known: Known) -> Iterator[str]:
    """Every contradiction in the scores of one task, as a sentence."""
    yield from check_versions(label, scores, known)
    yield from check_lists(scores, known)
    yield from check_counts(scores)
    for shown, metric in scores.metrics.items():
        spec = known.metric(scores.task, shown)
        for reason in check_metric(shown, metric, scores, spec):
            yield f"{shown} {reason}"


def check_versions(label: str, scores: TaskScores, known: Known) -> Iterator[str]:
    """Versions that no kobench had, and labels that are not of their task."""
    if label != f"{scores.task}@{scores.version}":
        yield f"is called {label!r} and is {scores.task}@{scores.version}"
    task = known.task(scores.task)
    if task is not None and not 1 <= scores.version <= task.spec.version:
        yield (
            f"the task has version {scores.version}, expected 1 to {task.spec.version}, which are"
            " known here"
        )
    for shown, metric in scores.metrics.items():
        spec = known.metric(scores.task, shown)
        if spec is not None and not 1 <= metric.version <= spec.version:
            yield (
                f"{shown} has version {metric.version}, expected 1 to {spec.version}, which are"
                " known here"
            )


def check_lists(scores: TaskScores, known: Known) -> Iterator[str]:
    """Floors and lines which the task doesn't declare in that version, and strange metrics.

    A shorter list would have the best floor missed by nobody. Which metrics rank follows from the
    question, too (of one perturbation others do), so only scoring again can tell; here they are to
    be the task's.
    """
    task = known.task(scores.task)
    if task is None or task.spec.version != scores.version:
        return
    for what, said, declared in (
        ("floors", scores.floors, task.spec.floors),
        ("lines", scores.lines, task.spec.lines),
    ):
        if sorted(said) != sorted(declared):
            yield f"names the {what} {names(said)}, and the task has {names(declared)}"
    ranks = [name.partition("[")[0] for name in scores.primary]
    if not ranks or set(ranks) - task.named_metrics.keys():
        yield f"ranks by {names(ranks)}, and the task has {names(sorted(task.named_metrics))}"


def names(words: Iterable[str]) -> str:
    """Words as a list, "none" for none.

    >>> names(["a", "b"]), names([])
    ('a, b', 'none')
    """
    return ", ".join(words) or "none"


def check_counts(scores: TaskScores) -> Iterator[str]:
    """Counts that don't add up."""
    asked, answered, coverage = scores.asked, scores.answered, scores.coverage
    if not 0 <= answered <= asked:
        yield f"answered {answered:g} of {asked:g} units"
    share = answered / asked if asked else 0.0
    if coverage is not None and abs(coverage - share) > ROUNDING:
        yield f"has coverage {coverage:g}, and answered {answered:g} of {asked:g} units"
    for reason, count in scores.left_out.items():
        if count < 0:
            yield f"left out {count:g} units ({reason[:60]})"
    if scores.events is not None and not 0 < scores.events.asked <= scores.events.of:
        yield f"asked {scores.events.asked} of {scores.events.of} events"


def check_metric(
    shown: str, metric: MetricScore, scores: TaskScores, spec: MetricSpec | None
) -> Iterator[str]:
    """What can't be so of one metric's scores."""
    if (metric.value is None) != (metric.missing is not None):
        yield "has a value and a reason why there is none, or neither"
    yield from check_declared(shown, metric, scores, spec)
    low, high = range_of(metric, spec)
    for what, value in numbers_of(metric):
        if value is not None and not low - ROUNDING <= value <= high + ROUNDING:
            yield f"{what} is {value:g}, outside of its range, {low:g} to {high:g}"
            break
    for what, drawn in drawn_of(metric):
        yield from check_draws(what, drawn)
    if metric.floors and scores.coverage == 1:
        yield "has floors on the units that it answered, and it answered all"
    if metric.permuted is not None and metric.value is not None:
        yield from check_permuted(metric)


def check_declared(
    shown: str, metric: MetricScore, scores: TaskScores, spec: MetricSpec | None
) -> Iterator[str]:
    """What a record says of a metric that is declared otherwise here."""
    if spec is None or spec.version != metric.version:
        return
    if metric.direction != spec.direction:
        yield f"is better when {metric.direction}, expected {spec.direction}"
    if metric.best is not None and not math.isclose(metric.best, spec.best):
        yield f"is {metric.best:g} for the truth, expected {spec.best:g}"
    if shown in scores.primary and range_of(metric, None) != (spec.low, spec.high):
        yield (
            "has the range {:g} to {:g}, expected {:g} to {:g}".format(
                *range_of(metric, None), spec.low, spec.high
            )
        )


def range_of(metric: MetricScore, spec: MetricSpec | None) -> tuple[float, float]:
    """The range of a metric's values: as declared here, else as its record says."""
    if spec is not None and spec.version == metric.version:
        return spec.low, spec.high
    low = -math.inf if metric.low is None else metric.low
    return low, math.inf if metric.high is None else metric.high


def drawn_of(metric: MetricScore) -> Iterator[tuple[str, DrawnValue]]:
    """Every value of a metric that has draws beside it, and what it is of."""
    yield "the value", DrawnValue(value=metric.value, draws=metric.draws)
    for name, floor in metric.floors.items():
        yield f"the floor {name}", floor
    if metric.ceiling is not None:
        yield "the ceiling", metric.ceiling


def numbers_of(metric: MetricScore) -> Iterator[tuple[str, float | None]]:
    """Every number of a metric's scores that has to lie within its range, and what it is.

    Draws need not: those of a centred metric are corrected for the mean that is taken out, and may
    pass the end of the range by a little where perturbations are few.
    """
    yield from ((what, drawn.value) for what, drawn in drawn_of(metric))
    if metric.permuted is not None:
        yield "the mean of permuted answers", metric.permuted.mean
        yield from (("a permuted answer", score) for score in metric.permuted.scores or ())


def check_draws(what: str, drawn: DrawnValue) -> Iterator[str]:
    """Why a value can't be of its bootstrap draws."""
    draws = [draw for draw in drawn.draws if draw is not None]
    if drawn.value is None or len(draws) < ENOUGH_DRAWS:
        return
    mean = math.fsum(draws) / len(draws)
    sd = math.sqrt(math.fsum((draw - mean) ** 2 for draw in draws) / len(draws))
    far = abs(drawn.value - mean)
    margin = ROUNDING * max(1.0, abs(drawn.value))
    outside = not min(draws) - margin <= drawn.value <= max(draws) + margin
    if outside or far > FROM_DRAWS * sd + margin:
        yield (
            f"{what} is {drawn.value:g}, and its {len(draws)} bootstrap draws are"
            f" {min(draws):g} to {max(draws):g} with mean {mean:g}"
        )


def check_permuted(metric: MetricScore) -> Iterator[str]:
    """Why a p value can't be of its permuted answers."""
    permuted = metric.permuted
    assert permuted is not None
    assert metric.value is not None
    if not permuted.low - ROUNDING <= permuted.mean <= permuted.high + ROUNDING:
        yield (
            f"has permuted answers from {permuted.low:g} to {permuted.high:g} with mean"
            f" {permuted.mean:g}"
        )
    if not 0 < permuted.p <= 1:
        yield f"has p {permuted.p:g}"
    scores = permuted.scores or ()
    if len(scores) < ENOUGH_DRAWS:
        return
    sign = 1.0 if metric.direction == "higher" else -1.0
    above = [sign * (score - metric.value) for score in scores]
    as_good = sum(gap >= 0 for gap in above) / len(scores)
    # few digits of a permuted score are kept, and of few perturbations many give the score itself
    digits = KEPT * max(abs(metric.value), KEPT)
    least = sum(gap >= digits or gap == 0 for gap in above) / len(scores)
    most = sum(gap >= -digits for gap in above) / len(scores)
    # of the same permutations or of the first of them: four standard errors, and four digits
    spread = math.sqrt(max(permuted.p * (1 - permuted.p), 1 / len(scores)) / len(scores))
    margin = 4 * spread + 2 / len(scores)
    if not least - margin <= permuted.p <= most + margin:
        yield (
            f"has p {permuted.p:g}, and {as_good:.0%} of its permuted answers are as good as its"
            f" {metric.value:g}"
        )
