"""An audit: every part, in the order in which a reviewer asks."""

from __future__ import annotations

from kobench.audit.agreement import agreement
from kobench.audit.confounding import confounding
from kobench.audit.depth import depth
from kobench.audit.effects import effects
from kobench.audit.knockdown import knockdown
from kobench.audit.leakage import leakage
from kobench.audit.material import Material
from kobench.audit.near_null import near_null
from kobench.audit.power import power
from kobench.audit.presence import presence
from kobench.audit.report import Report
from kobench.dataset import Dataset
from kobench.plugins.load import Registry


def audit(dataset: Dataset, name: str, registry: Registry, seed: int = 0) -> Report:
    """The report on a validated dataset.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    name : str
        What the report calls it.
    registry : Registry
        Where the task `response`, its metrics and its floors are found.
    seed : int
        The seed of every draw; the same seed gives the same report.
    """
    material = Material.of(dataset, seed)
    parts = [power(material, registry)]
    if dataset.perturbed is not None:
        parts += [near_null(material), confounding(material)]
    parts.append(leakage(material))
    if dataset.perturbed is not None:
        parts += [knockdown(material), effects(material), agreement(material)]
    if dataset.kind == "real":
        parts.append(depth(material))
    parts.append(presence(material))
    return Report(
        dataset=name,
        summary=_summary(material),
        parts=tuple(parts),
        notes=tuple(dataset.notes),
        drawn=material.drawn,
        seed=seed,
    )


def _summary(material: Material) -> str:
    seen = material.overview
    perturbed = ""
    if seen.perturbed:
        asked = len(seen.askable)
        perturbed = (
            f", {seen.perturbed:,} perturbed ({seen.perturbation}); {asked:,} of"
            f" {asked + len(seen.unasked):,} perturbations can be asked"
        )
    return f"{seen.kind} data: {seen.wild_type:,} wild-type cells x {seen.genes:,} genes{perturbed}"
