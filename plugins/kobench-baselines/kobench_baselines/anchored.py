"""`mlp-anchored`, `linear-anchored`: a model of profiles says by which factors shares change.

The factors are applied to the cell's own profile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Knockouts, normalise_rows
from kobench_baselines.common import Floats, blocks_of, close_on
from kobench_baselines.linear import Linear

#: A share changes at most by this factor. Where the predicted share before the knockout is next to
#: nothing, the factor could be anything.
LARGEST_FACTOR = 10.0


def anchored(null: Floats, before: Floats, after: Floats) -> Floats:
    """Profiles after knockouts: null * after / before, the factor between 1/10 and 10.

    Parameters
    ----------
    null : (n, G) float
        The cells' own profiles with the removed genes at 0, rows summing to 1.
    before : (n, G) float
        Predicted profiles before the knockout, treated in the same way. A factor of 1 is therefore
        no response. A gene whose predicted share is 0 here keeps its own.
    after : (n, G) float
        Predicted profiles after the knockout.

    Returns
    -------
    (n, G) float
        Rows divided by their sums.
    """
    factor = np.divide(after, before, out=np.ones_like(null), where=before > 0)
    return close_on(null * np.clip(factor, 1 / LARGEST_FACTOR, LARGEST_FACTOR), null)


def anchored_knockouts(
    predict: Callable[[npt.NDArray[Any]], Floats], cells: Cells, knockouts: Knockouts
) -> Floats:
    """Profiles after each event, from a model of profiles by assemblage.

    Parameters
    ----------
    predict : callable
        The model, assemblages (n, G) -> profiles (n, G).
    cells : Cells
        The asked cells.
    knockouts : Knockouts
        The events; of order 0 the cell's own profile is the answer.

    Returns
    -------
    (n, G) float
        One profile an event.
    """
    own, on = cells.profiles(), cells.assemblages()
    if not knockouts.order:
        return knockouts.remove_from(own)
    before = predict(on)
    rows = np.empty((len(knockouts), cells.n_vars))
    for block in blocks_of(len(knockouts), cells.n_vars):
        part = knockouts[block]
        null = normalise_rows(part.remove_from(own))
        expected = normalise_rows(part.remove_from(before))
        rows[block] = anchored(null, expected, predict(part.remove_from(on)))
    return rows


class LinearAnchored(Linear):
    """The regression's profiles; a knockout changes the cell's own profile likewise."""

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        return anchored_knockouts(self.predict_expression, cells, knockouts)
