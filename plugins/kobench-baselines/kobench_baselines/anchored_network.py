"""`mlp-anchored`: the change that the network predicts, applied to the cell's own profile."""

from __future__ import annotations

from kobench.api import Cells, Knockouts
from kobench_baselines.anchored import anchored_knockouts
from kobench_baselines.common import Floats
from kobench_baselines.mlp import ProfileNetwork


class MLPAnchored(ProfileNetwork):
    """The network's profiles; a knockout changes the cell's own profile as the network's."""

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1."""
        return anchored_knockouts(self.predict_expression, cells, knockouts)
