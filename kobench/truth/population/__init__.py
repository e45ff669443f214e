"""The population question: how the mean of every gene changes in each perturbation."""

from kobench.truth.population.build import answer_line, build
from kobench.truth.population.measured import MIN_PERTURBED, ask_responses, why_unasked
from kobench.truth.population.simulated import ask_simulated_responses

__all__ = [
    "MIN_PERTURBED",
    "answer_line",
    "ask_responses",
    "ask_simulated_responses",
    "build",
    "why_unasked",
]
