"""`twofold`: a network where wild-type cells show one, else the contrast and states of the cells.

Which of them answers is decided by wild-type cells that were held back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts
from kobench_baselines.additive import Additive
from kobench_baselines.common import Floats, expressing, hold_out, mean_bray_curtis
from kobench_baselines.linear import Linear
from kobench_baselines.state_contrast import StateContrast

#: Share of the wild-type cells that is held back to decide whose profiles are better.
HELD = 0.2

#: With fewer wild-type cells nothing is decided: too few are held back to tell models apart, and a
#: network has nothing to be learned from.
FEWEST_TO_DECIDE = 50


@dataclass(frozen=True)
class Decided:
    """Who answers what, and why.

    Attributes
    ----------
    profiles : str
        The model that answers held-out profiles.
    knockouts : str
        The model that answers knockouts.
    explained : float
        Share of the held-out squared relative errors of constants that the network takes away.
    lost : mapping of str to float
        Mean Bray-Curtis dissimilarity of each model's profiles of the cells held back; empty where
        too few cells were there to decide.
    """

    profiles: Literal["network", "presence"]
    knockouts: Literal["network", "state"]
    explained: float
    lost: Mapping[str, float]


def decide(explained: float, lost: Mapping[str, float], least: float) -> Decided:
    """Who answers, see `Twofold`.

    Parameters
    ----------
    explained, lost
        See `Decided`.
    least : float
        The share that the network must explain.
    """
    profiles: Literal["network", "presence"]
    profiles = "network" if lost["network"] <= lost["presence"] else "presence"
    return Decided(profiles, "network" if explained >= least else "state", explained, lost)


class Twofold:
    """One of three models, each where wild-type cells say that it is right.

    1. `network`, see `Additive`: each gene a sparse sum over the values of a few others.
    2. `presence`, see `Linear`: a ridge regression on which genes are on.
    3. `state`, see `StateContrast`: cells without the gene against cells with it, and the states of
       the cells.

    A fifth of the wild-type cells is held back, and the first two are fitted to the others.

    - Held-out profiles are answered by the one of these two whose profiles of the cells held back,
      from their assemblages, have the smaller mean Bray-Curtis dissimilarity.
    - Knockouts are answered by `network` where its sums explain at least `explained` of the squared
      relative errors that constants make, by cross-validation inside the cells that it was fitted
      to; elsewhere by `state`. Whose profiles are better has no part in that: with lost readings
      presence says more of a profile as it was read, and `network` fills in what was lost before a
      knockout runs.

    What answers is then fitted to all cells. No perturbed cell and no gene's name is used.

    Parameters
    ----------
    explained : float
        See above; 0 leaves `state` out, over 1 it always answers.
    """

    def __init__(self, explained: float = 0.5) -> None:
        self.explained = explained

    def fit(self, cells: Cells, context: Context) -> None:
        """Decide who answers what, and fit these models to cells (n, G)."""
        self.decided = self._decide(cells[expressing(cells)[1]], context)
        self.knockouts: Additive | StateContrast
        self.knockouts = Additive() if self.decided.knockouts == "network" else StateContrast()
        self.knockouts.fit(cells, context)
        self.profiles: Additive | Linear
        if self.decided.profiles == "presence":
            self.profiles = Linear()
            self.profiles.fit(cells, context)
        elif isinstance(self.knockouts, Additive):
            self.profiles = self.knockouts
        else:
            self.profiles = Additive()
            self.profiles.fit(cells, context)

    def _decide(self, cells: Cells, context: Context) -> Decided:
        """Who answers, from cells that all express something."""
        if cells.n_obs < FEWEST_TO_DECIDE:
            return Decided("presence", "state", 0.0, {})
        rng = np.random.default_rng([context.seed, 1])
        kept, held = hold_out(cells.n_obs, HELD, rng)
        network, presence = Additive(), Linear()
        network.fit(cells[kept], context)
        presence.fit(cells[kept], context)
        asked, true = cells[held].assemblages(), cells[held].profiles()
        lost = {
            "network": mean_bray_curtis(network.predict_expression(asked), true),
            "presence": mean_bray_curtis(presence.predict_expression(asked), true),
        }
        return decide(network.explained, lost, self.explained)

    def predict_expression(self, assemblages: npt.NDArray[np.generic]) -> Floats:
        """Profiles (n, G) of cells in which exactly the given genes are on."""
        return self.profiles.predict_expression(assemblages)

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        return self.knockouts.predict_knockout(cells, knockouts)
