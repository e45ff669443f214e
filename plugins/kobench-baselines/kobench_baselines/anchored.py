"""`mlp-anchored`, `linear-anchored`: a model of profiles says how shares change; the change is
applied to the cell's own profile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Knockouts, normalise_rows
from kobench_baselines.common import Floats, blocks_of, close_on
from kobench_baselines.linear import Linear
from kobench_baselines.mlp import ProfileNetwork

#: A share changes at most by this factor: a predicted share of next to nothing before the knockout
#: would make it anything.
LARGEST_FACTOR = 10.0


def anchored(null: Floats, before: Floats, after: Floats) -> Floats:
    """(n, G) profiles after knockouts: null * after / before, the factor between 1/10 and 10, rows
    over their sum.

    null : the cells' own profiles, removed genes at 0, rows over their sum. before, after :
    predicted profiles before the knockout, treated in the same way, and after it; a factor of 1
    therefore is "no response". A gene whose predicted share before is 0 keeps its own.
    """
    factor = np.divide(after, before, out=np.ones_like(null), where=before > 0)
    return close_on(null * np.clip(factor, 1 / LARGEST_FACTOR, LARGEST_FACTOR), null)


def anchored_knockouts(
    predict: Callable[[npt.NDArray[Any]], Floats], cells: Cells, knockouts: Knockouts
) -> Floats:
    """(n, G) profiles after each event, from a model of profiles by assemblage; order 0 is the
    cell's own profile.
    """
    own, on = cells.profiles(), cells.assemblages()
    if not knockouts.order:
        return knockouts.remove_from(own)
    before = predict(on)
    rows = np.empty((len(knockouts), cells.n_vars))
    for block in blocks_of(len(knockouts), cells.n_vars):
        part = knockouts[block]
        null, expected = (
            normalise_rows(part.remove_from(own)),
            normalise_rows(part.remove_from(before)),
        )
        rows[block] = anchored(null, expected, predict(part.remove_from(on)))
    return rows


class MLPAnchored(ProfileNetwork):
    """The network's profiles; after a knockout the cell's own profile, changed as the network's
    is.
    """

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        return anchored_knockouts(self.predict_expression, cells, knockouts)


class LinearAnchored(Linear):
    """The regression's profiles; after a knockout the cell's own profile, changed as the
    regression's is.
    """

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        return anchored_knockouts(self.predict_expression, cells, knockouts)
