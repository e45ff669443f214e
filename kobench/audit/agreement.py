"""Agreement: how well halves of the cells, and replicates, agree on what changes."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from kobench.audit.material import Material
from kobench.audit.pictures import intervals
from kobench.audit.report import Part, Picture, Table, Verdict, counted, listed, share
from kobench.audit.shared import ONCE, nothing_measured, with_caveat
from kobench.cells import FloatArray
from kobench.truth.population import DETECTABLE
from kobench.truth.population.measure import agreement as agreement_of
from kobench.truth.population.measure import change, matched
from kobench.units import MIN_CELLS

KEY, TITLE = "agreement", "Agreement: would the change be measured again?"


def agreement(material: Material) -> Part:
    """How well halves of the cells, and replicates, agree on what a perturbation changes."""
    question = material.question
    if question is None:
        return nothing_measured(material, KEY, TITLE)
    halves = material.agreement
    good = [name for name, value in halves.items() if value >= DETECTABLE]
    replicates = replicate_agreement(material)
    weak = [name for name in good if name in replicates and replicates[name] < DETECTABLE]
    verdict: Verdict = "fine" if len(good) > len(halves) / 2 else "look"
    if not good:
        verdict = "bad"
    elif weak:
        verdict = "look"
    text = (
        f"Detectable are {share(len(good), len(halves))}, in which changes measured in two halves"
        f" of the cells correlate by {DETECTABLE} or more"
    )
    if len(good) < len(halves):
        text += "; the others are measured too badly to score anybody by"
    if same := material.overview.doubled.same:
        text = (
            f"{counted(same, 'cell')} equal another of their label, which makes halves agree: take"
            f" them out first ({ONCE}). {text}"
        )
        verdict = "bad"
    key = material.measured.replicate_key
    if replicates:
        middle = float(np.median(list(replicates.values())))
        text += f". Between replicates ({key}) the correlation is {middle:.2f} in the middle"
        if weak:
            text += (
                f", and {listed(weak)} {'agrees' if len(weak) == 1 else 'agree'} between"
                " halves, not"
                " between replicates, so what is seen there may be the replicate"
            )
    elif key:
        text += f". No perturbation has two replicates ({key}) with {MIN_CELLS} cells each"
    elif material.dataset.kind == "real":
        text += (
            ". Halves share library, day and animal; no replicate column is given"
            " (--replicate-key),"
            " so nothing says that another experiment would agree"
        )
    text, verdict = with_caveat(text, verdict, material)
    order = sorted(halves, key=lambda name: (-halves[name], name))
    with_replicates = bool(replicates)
    rows = [
        (
            name,
            f"{halves[name]:.2f}",
            "yes" if name in good else "no",
            *([f"{replicates[name]:.2f}" if name in replicates else ""] if with_replicates else []),
        )
        for name in order
    ]
    heads = ("perturbation", "halves", "detectable", *(["replicates"] if with_replicates else []))
    return Part(
        KEY,
        TITLE,
        verdict,
        f"{text}.",
        {
            "halves": {name: round(value, 6) for name, value in halves.items()},
            "threshold": DETECTABLE,
            "replicates": {name: round(value, 6) for name, value in replicates.items()},
            "replicate_key": key,
        },
        Table(heads, rows),
        Picture(
            f"Correlation of the changes in two halves of the cells; detectable from"
            f" {DETECTABLE} on",
            lambda: intervals(
                order,
                [(halves[name], None, None) for name in order],
                "correlation of halves",
                DETECTABLE,
            ),
        ),
    )


def replicate_agreement(material: Material) -> dict[str, float]:
    """Perturbation -> mean correlation of its changes measured in two replicates.

    Each replicate is compared with its own wild-type cells where it has `MIN_CELLS` of them in a
    batch, else with all. Replicates with under `MIN_CELLS` perturbed cells do not count.
    """
    dataset = material.measured
    key = dataset.replicate_key
    perturbed = dataset.perturbed
    if key is None or perturbed is None or key not in perturbed.obs:
        return {}
    screened, found = material.screened, {}
    screen = screened.screen
    labels = np.asarray(perturbed.obs[key], dtype=np.str_)
    wild = np.asarray(dataset.cells.obs[key], np.str_) if key in dataset.cells.obs else None
    for name in screened.names:
        rows, targets = screened.cells(name), screened.targets[name]
        changes: list[FloatArray] = []
        for replicate, count in zip(*np.unique(labels[rows], return_counts=True), strict=True):
            if count < MIN_CELLS:
                continue
            ours = screen.perturbed[rows[labels[rows] == replicate]]
            everyone = screen.everyone
            own = everyone if wild is None else everyone[wild[everyone] == replicate]
            for reference in (own, everyone):
                theirs = screen.wild_type[reference]
                chosen, against = matched(ours, theirs, targets)
                if chosen.sum() >= MIN_CELLS:
                    changes.append(change(ours[chosen], theirs[against], targets))
                    break
        if len(changes) >= 2:
            pairs = [agreement_of(np.array([pair])) for pair in combinations(changes, 2)]
            found[name] = float(np.mean(pairs))
    return found
