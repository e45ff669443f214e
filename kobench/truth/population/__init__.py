"""The population question: how the mean of every gene changes in each perturbation."""

from kobench.truth.population.build import answer_line, build
from kobench.truth.population.labels import NOT_MEASURED
from kobench.truth.population.measure import DETECTABLE
from kobench.truth.population.measured import (
    MIN_PERTURBED,
    Screened,
    ask_responses,
    why_unasked,
)
from kobench.truth.population.simulated import ask_simulated_responses

__all__ = [
    "DETECTABLE",
    "MIN_PERTURBED",
    "NOT_MEASURED",
    "Screened",
    "answer_line",
    "ask_responses",
    "ask_simulated_responses",
    "build",
    "why_unasked",
]
