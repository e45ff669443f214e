"""What is said of environments that can not be used."""

from __future__ import annotations

from kobench.plugins.load import Registry


def sentences(registry: Registry, environment: str) -> list[str]:
    """What is said of one environment."""
    return [problem.message for problem in registry.problems if problem.environment == environment]
