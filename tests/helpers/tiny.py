"""A run that takes a second: a small dataset, the plugin file of tests, and their results."""

from __future__ import annotations

from command import kobench
from places import PREDICTORS

#: The predictors of tests.
PLUGIN = PREDICTORS

#: The dataset.
TINY = "grn:genes=12,cells=40"


def results_of_a_run(folder):
    """The results folder of a run of `good`."""
    kobench("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--out", folder / "out")
    return folder / "out"
