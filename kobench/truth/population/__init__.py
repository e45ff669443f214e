"""The population question: how the mean of every gene changes in each perturbation, with the truth
that other cells give.
"""

from __future__ import annotations

from kobench.truth.population.measured import MIN_PERTURBED, ask_responses
from kobench.truth.population.simulated import ask_simulated_responses

#: A new version makes every stored answer to the question out of date.
VERSION = 1

__all__ = ["MIN_PERTURBED", "VERSION", "ask_responses", "ask_simulated_responses"]
