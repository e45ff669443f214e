"""Near-null: whether the perturbations do more than labels put on wild-type cells at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kobench.audit.material import Material
from kobench.audit.pictures import dots_of_two
from kobench.audit.report import Part, Picture, Table, Verdict, share
from kobench.audit.shared import responding_genes, with_caveat
from kobench.cells import Cells
from kobench.truth.population import DETECTABLE
from kobench.truth.population.screen import Screen
from kobench.truth.population.significance import responding

KEY, TITLE = "near_null", "Near-null: is there more than chance gives?"

#: So many sham perturbations are made.
SHAMS = 20

#: Of so many shams genes are tested, which takes time.
TESTED = 5

#: Keeps these draws apart from every other use of random numbers.
_STREAM = 0x5AA3


@dataclass(frozen=True)
class Shams:
    """What perturbations that are none come to.

    agreement : of each. responding : genes that respond to each of the first `TESTED`.
    """

    agreement: tuple[float, ...]
    responding: tuple[int, ...]


def shams(material: Material) -> Shams:
    """Label cells of the training half at random, and measure them as perturbations are.

    Each has as many cells as one of the perturbations, as far as the half has them; they are
    measured against the other half.
    """
    question = material.question
    assert question is not None
    dataset, (training, reference) = material.measured, material.rows
    rng = np.random.default_rng([_STREAM, material.seed])
    sizes = rng.permutation(np.resize(question.perturbed, SHAMS))
    chosen = [
        np.sort(rng.choice(len(training), min(int(size), len(training)), replace=False))
        for size in sizes
    ]
    half = dataset.cells[training]
    as_perturbed = Cells(half.X, half.var_names, half.obs)
    screen = Screen.of(dataset, as_perturbed, reference, reference)
    against = screen.wild_type[screen.everyone]
    return Shams(
        tuple(screen.agreement(rows, ()) for rows in chosen),
        tuple(
            int(responding(screen.perturbed[rows], against, ()).sum()) for rows in chosen[:TESTED]
        ),
    )


def near_null(material: Material) -> Part:
    """Compare perturbations with shams, and give the verdict."""
    seen, question = material.overview, material.question
    if question is None:
        return Part(
            KEY,
            TITLE,
            "unknown",
            "No perturbation can be asked, so nobody knows.",
            {"verdict": "unknown"},
        )
    sham = shams(material)
    ours = [material.agreement[name] for name in question.names]
    found = sum(value >= DETECTABLE for value in ours)
    false = sum(value >= DETECTABLE for value in sham.agreement)
    null = seen.near_null == "yes"
    verdict: Verdict = "bad" if null and not seen.declared_null else "look" if null else "fine"
    if not null and false > 0.1 * len(sham.agreement):
        verdict = "look"
    text = _sentence(null, bool(seen.declared_null), found, len(ours), false, len(sham.agreement))
    text, verdict = with_caveat(text.rstrip("."), verdict, material)
    rows = [
        (
            what,
            f"{len(values):,}",
            f"{sum(value >= DETECTABLE for value in values):,}",
            f"{float(np.median(values)):.2f}",
            f"{float(np.median(genes)):g}",
            f"{max(genes):,}",
        )
        for what, values, genes in (
            ("the perturbations", ours, responding_genes(question).tolist()),
            ("shams", list(sham.agreement), list(sham.responding)),
        )
    ]
    heads = (
        "",
        "measured",
        "detectable",
        "agreement in the middle",
        "responding genes in the middle",
        "most",
    )
    return Part(
        KEY,
        TITLE,
        verdict,
        f"{text}.",
        {
            "verdict": seen.near_null,
            "declared": bool(seen.declared_null),
            "detectable": found,
            "measured": len(ours),
            "shams": len(sham.agreement),
            "detectable_shams": false,
            "responding_genes_of_shams": list(sham.responding),
        },
        Table(heads, rows),
        Picture(
            "Agreement of halves, of the perturbations and of shams; detectable from the line on",
            lambda: dots_of_two(
                ours,
                list(sham.agreement),
                ("perturbations", "shams"),
                "correlation of halves",
                DETECTABLE,
            ),
        ),
    )


def _sentence(null: bool, declared: bool, found: int, of: int, false: int, shams: int) -> str:
    compared = (
        f"detectable are {share(found, of)}, and {false:,} of {shams:,} shams, which are wild-type"
        " cells labelled at random"
    )
    if null:
        end = (
            "its card says so (near_null), and a method that scores well here is suspect"
            if declared
            else "write near_null = true on its card, and rank nobody by it"
        )
        return f"Near-null: {compared}; {end}."
    if false > 0.1 * shams:
        return (
            f"Not near-null, but chance is loud: {compared}, so believe single perturbations only"
            " where genes respond, too."
        )
    note = (
        " Its card says near-null all the same; one of the two is to be mended." if declared else ""
    )
    return f"Not near-null: {compared}.{note}"
