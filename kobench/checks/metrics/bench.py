"""A metric under test: its values on made-up units, and what no metric may return."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, get_args

import numpy as np

from kobench.checks.metrics import units
from kobench.checks.run import Bench, NotRun
from kobench.specs import MetricSpec
from kobench.units import Block, NotComputed, Parts, Units
from kobench.worker.checks.kit import NotApplicable, Wrong

#: Values that are apart by no more are equal: sums in another order.
EQUAL = 1e-9


@dataclass
class MetricBench(Bench):
    """A metric under test on made-up units. seen : every value that it gave, by what it was
    given.
    """

    spec: MetricSpec
    score: Callable[[Any], Any]
    examples: Sequence[Units] = ()
    seed: int = 0
    seen: list[tuple[str, float]] = field(default_factory=list)

    def value(self, what: str, given: Units) -> float | None:
        """The metric's value, NaN where the answer has none, None where it says that no answer
        could be scored; Wrong for anything else.
        """
        try:
            result = self.score(given)
        except NotComputed:
            return None
        if isinstance(result, Parts):
            self.check_parts(result)
            result = result.value
        if isinstance(result, bool) or not isinstance(
            result, (int, float, np.floating, np.integer)
        ):
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
        """Wrong where parts are no ratio of sums over blocks."""
        sizes = {np.shape(parts.ids), np.shape(parts.sums), np.shape(parts.weights)}
        if len(sizes) != 1 or len(next(iter(sizes))) != 1:
            raise Wrong(
                f"its Parts have ids, sums and weights of shapes {sorted(sizes)}; expected three"
                " arrays (b,) of one length"
            )
        if parts.over not in get_args(Block):
            raise Wrong(
                f"its Parts are over {parts.over!r}; expected one of {', '.join(get_args(Block))}"
            )

    @cached_property
    def all_units(self) -> dict[str, Units]:
        """Made-up units, and those that were brought."""
        made = units.example_units(self.spec.of, self.seed)
        return {
            **made,
            **{f"example {number}": given for number, given in enumerate(self.examples)},
        }

    @cached_property
    def scored(self) -> dict[str, Units]:
        """Those of the units that it computes, with the truth as the answer; NotRun where there are
        none.
        """
        values = {
            what: self.value(f"the truth on {what}", units.right(given))
            for what, given in self.all_units.items()
        }
        found = {
            what: units.right(self.all_units[what])
            for what, value in values.items()
            if value is not None
        }
        if not found:
            raise NotRun(
                f"it computes none of the made-up units ({', '.join(self.all_units)}); bring units"
                " that it computes, as examples"
            )
        return found

    def goodness(self, value: float | None) -> float:
        """Larger is better, 0 is the best there can be; NaN where there is no value."""
        if value is None:
            return math.nan
        sign = 1.0 if self.spec.direction == "higher" else -1.0
        return sign * (value - self.spec.best)

    def must_rank(self) -> None:
        """NotApplicable for a metric that is declared to describe answers whatever the truth is."""
        if self.spec.descriptive:
            raise NotApplicable(
                "descriptive is declared: it says what an answer follows, whatever the truth is,"
                " and ranks nobody"
            )
