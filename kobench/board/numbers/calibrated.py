"""Which metrics cannot tell controls of known quality apart on a dataset.

That is read from records of floors, in which it follows from the truth alone
(`kobench.scoring.calibration`). Older records say nothing of it, and then no metric is greyed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from kobench.board.numbers.intervals import ENOUGH, Interval, Series, mean_interval
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import Slot, mean
from kobench.results.parts import Calibration

#: Why no skill is printed: the metric tells nothing apart here.
CANNOT_TELL = "can't tell"


@dataclass(frozen=True)
class Calibrated:
    """What a metric tells apart on a dataset.

    Attributes
    ----------
    duplicate : float
        Score of the change in one half of the cells against that in the other half.
    control : str
        The best of the answers that know nothing, in most of the splits or networks.
    known : float
        What the best one scores.
    apart : Interval
        How far the duplicate is above it; > 0 is better.
    near_null : bool
        Whether the dataset is a control in which there is nothing to tell. Nothing is greyed there:
        a verdict of "better" has to be seen, as it is suspect.
    """

    duplicate: float
    control: str
    known: float
    apart: Interval
    near_null: bool = False

    @property
    def tells(self) -> bool:
        """Whether the duplicate is better by more than chance, or nobody can say."""
        return self.apart.low is None or self.apart.above


def calibration_of(numbers: Numbers, metric: str) -> Calibrated | None:
    """What the records of a section say of a metric; None where they say nothing.

    Over networks the interval is that of their mean. Splits of the same cells share their
    perturbations, so of these it is the mean of their intervals, no narrower.
    """
    slots: dict[Slot, Calibration] = {}
    for key in sorted(numbers.scores):
        for slot, fits in sorted(numbers.scores[key].items()):
            for fit in fits:
                score = fit.metrics.get(metric)
                if score is not None and score.calibration is not None:
                    slots.setdefault(slot, score.calibration)
    if not slots:
        return None
    found = [slots[slot] for slot in sorted(slots)]
    counts = Counter(one.control for one in found)
    return Calibrated(
        duplicate=mean([one.duplicate for one in found]),
        control=min(counts, key=lambda name: (-counts[name], name)),
        known=mean([one.known for one in found]),
        apart=_apart(slots),
        near_null=any(
            one.about.dataset.near_null for fits in numbers.records.values() for one in fits
        ),
    )


def _apart(slots: dict[Slot, Calibration]) -> Interval:
    blocks: dict[str, list[Calibration]] = defaultdict(list)
    for (block, _), one in sorted(slots.items()):
        blocks[block].append(one)
    values = [mean([one.apart for one in found]) for found in blocks.values()]
    if len(values) >= ENOUGH:
        return mean_interval(Series(np.array(values)))
    found = next(iter(blocks.values()))
    lows = [one.low for one in found if one.low is not None]
    highs = [one.high for one in found if one.high is not None]
    if len(lows) < len(found) or len(highs) < len(found):
        return Interval(values[0])
    return Interval(values[0], mean(lows), mean(highs))
