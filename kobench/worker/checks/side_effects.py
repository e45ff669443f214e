"""Checks that a predictor changes nothing that is not its own.

Each is a function of the predictor under test, as in `form`.
"""

from __future__ import annotations

from kobench.worker.checks.result import Wrong
from kobench.worker.checks.tested import PredictorUnderTest


def input_unchanged(tested: PredictorUnderTest) -> str:
    """Neither fitting nor answering changes the arrays it is given."""
    for kind in tested.answers:
        tested.raw(kind)
    if tested.first.modified:
        raise Wrong(
            f"{' and '.join(dict.fromkeys(tested.first.modified))} changed the arrays that were"
            " passed; work on a copy"
        )
    tested.compared += 1
    return "fit and every answer left their arrays as they were"


def global_random_state(tested: PredictorUnderTest) -> str:
    """Neither fitting nor answering touches the global state of random, numpy.random or torch.

    The seed is `context.seed`.
    """
    for kind in tested.answers:
        tested.second.ask(kind, tested.asked, tested.events_of(kind))
    if tested.second.touched:
        found = " and ".join(dict.fromkeys(tested.second.touched))
        raise Wrong(
            f"{found}; use np.random.default_rng(context.seed), or"
            " torch.Generator().manual_seed(context.seed)"
        )
    tested.compared += 1
    return "untouched"
