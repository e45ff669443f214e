"""A metric under test: its values on made-up units, and what no metric may return."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

import numpy as np

from kobench.checks.metrics.examples import example_units
from kobench.checks.metrics.variants import right
from kobench.specs import MetricSpec
from kobench.units import Block, NotComputed, Parts, Units
from kobench.worker.checks.result import NotApplicable, NotRun, Wrong
from kobench.worker.checks.run import UnderTest

#: Values that are apart by no more are equal: sums in another order.
EQUAL = 1e-9


@dataclass
class MetricUnderTest(UnderTest):
    """A metric under test.

    Attributes
    ----------
    spec : MetricSpec
        What it declares.
    score : callable
        Its function, units -> float or Parts.
    examples : sequence of Units
        Units beside the made-up ones.
    seed : int
        Seed of the made-up units and answers.
    seen : list of (str, float)
        Every value that it gave, after what it was given.
    """

    spec: MetricSpec
    score: Callable[[Any], Any]
    examples: Sequence[Units] = ()
    seed: int = 0
    seen: list[tuple[str, float]] = field(default_factory=list)

    def value(self, what: str, given: Units) -> float | None:
        """The metric's value of units.

        Parameters
        ----------
        what : str
            What the units are called in messages.
        given : Units
            Truth and answer.

        Returns
        -------
        float or None
            NaN where the answer has no value; None where it says that no answer could be scored.

        Raises
        ------
        Wrong
            If the metric returned anything else.
        """
        try:
            result = self.score(given)
        except NotComputed:
            return None
        if isinstance(result, Parts):
            self.check_parts(result)
            result = result.value
        numeric = (int, float, np.floating, np.integer)
        if isinstance(result, bool) or not isinstance(result, numeric):
            raise Wrong(
                f"it returned a {type(result).__name__} for {what}; expected a float or"
                " kobench.api.Parts"
            )
        value = float(result)
        if math.isinf(value):
            raise Wrong(
                f"it is {value} for {what}; expected a finite number, NaN for an answer without a"
                " value, or NotComputed"
            )
        self.seen.append((what, value))
        return value

    @staticmethod
    def check_parts(parts: Parts) -> None:
        """Raise Wrong where parts are no ratio of sums over blocks."""
        sizes = {np.shape(parts.ids), np.shape(parts.sums), np.shape(parts.weights)}
        if len(sizes) != 1 or len(next(iter(sizes))) != 1:
            raise Wrong(
                f"its Parts have ids, sums and weights of shapes {sorted(sizes)}; expected three"
                " arrays (b,) of one length"
            )
        if parts.moves is not None and {np.shape(parts.moves)} != sizes:
            raise Wrong(
                f"its Parts have moves of shape {np.shape(parts.moves)} for"
                f" {len(parts.ids)} blocks; expected one for each, or None"
            )
        if parts.over not in get_args(Block):
            raise Wrong(
                f"its Parts are over {parts.over!r}; expected one of {', '.join(get_args(Block))}"
            )

    @cached_property
    def all_units(self) -> dict[str, Units]:
        """Made-up units and the examples, each after what it is called."""
        examples = {f"example {number}": given for number, given in enumerate(self.examples)}
        return {**example_units(self.spec.of, self.seed), **examples}

    @cached_property
    def scored(self) -> dict[str, Units]:
        """Those units that it can be computed for, with the truth as the answer.

        Raises
        ------
        NotRun
            If there are none.
        """
        found = {}
        for what, given in self.all_units.items():
            if self.value(f"the truth on {what}", right(given)) is not None:
                found[what] = right(given)
        if not found:
            raise NotRun(
                f"it computes none of the made-up units ({', '.join(self.all_units)}); bring units"
                " that it computes, as examples"
            )
        return found

    def goodness(self, value: float | None) -> float:
        """A value on a scale where larger is better and 0 is the best; NaN where there is none."""
        if value is None:
            return math.nan
        sign = 1.0 if self.spec.direction == "higher" else -1.0
        return sign * (value - self.spec.best)

    def must_rank(self) -> None:
        """Raise NotApplicable for a metric that is declared descriptive: it ranks nobody."""
        if self.spec.descriptive:
            raise NotApplicable(
                "descriptive is declared: it says what an answer follows, whatever the truth is,"
                " and ranks nobody"
            )
