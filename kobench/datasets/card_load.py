"""The dataset of a card: what its loader gives, and what the card adds to that."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobench.datasets.opened import NOT_OPENED, is_opened
from kobench.specs import Reference
from kobench.util.resolve import resolve_reference

if TYPE_CHECKING:
    from kobench.dataset import Dataset

#: What a task says in place of a score, where a card is flagged as confounded.
CONFOUNDED = "perturbed and wild-type cells differ in more than the gene"

#: Flag of a card -> the sentence that it puts beside every board.
CAVEATS = {
    "confounded": (
        "confounded: perturbed and wild-type cells differ in more than the gene, so population"
        " scores give no skill and no rank"
    ),
    "near_null": (
        "near-null: hardly any effect beyond the target, so a predictor that scores significantly"
        " on its perturbations is suspect"
    ),
}

#: What a card's `kind` puts beside every board.
KINDS = {
    "knockdown": (
        "perturbations are knockdowns: part of the target's transcripts is left, so effects are"
        " smaller than a knockout's"
    ),
    "overexpression": "perturbations are overexpression, which takes no gene away: none is asked",
    "near-null": "perturbations are near-null by design (as of control guides): none is asked",
}


def load_card(card: Mapping[str, Any], load: Reference, /, **params: Any) -> Dataset:
    """Load the dataset of a card.

    Its file is found and checked, and the card's notes stand before the loader's.

    Parameters
    ----------
    card : mapping
        `DatasetSpec.card` as `read_card` made it: the card's keys, `card` (its path) and `digest`
        (of what decides the cells).
    load : Reference
        The loader's `load`.
    **params
        Values of the open parameters.
    """
    arguments = {**card["parameters"], **params}
    if "path" in card["loader_parameters"]:
        from kobench.datasets.fetch import find_table, obtain

        arguments["path"] = str(obtain(card))
        if table := find_table(card):
            arguments["obs"] = str(table)
    dataset: Dataset = (resolve_reference(load) if isinstance(load, str) else load)(**arguments)
    caveats = [] if is_opened(card) else _on_unopened(card, dataset, arguments)
    caveats += [text for flag, text in CAVEATS.items() if card.get(flag)]
    caveats += [KINDS[card["kind"]]] if card.get("kind") in KINDS else []
    facts = {
        **dataset.facts,
        **{flag.replace("_", "-"): True for flag in CAVEATS if card.get(flag)},
    }
    confounded = CONFOUNDED if card.get("confounded") else dataset.confounded
    return dataclasses.replace(
        dataset,
        notes=(*card.get("notes", ()), *caveats, *dataset.notes),
        facts=facts,
        perturbation=card.get("kind", dataset.perturbation),
        confounded=confounded,
        near_null=CAVEATS["near_null"] if card.get("near_null") else dataset.near_null,
    )


def _on_unopened(
    card: Mapping[str, Any], dataset: Dataset, arguments: Mapping[str, Any]
) -> list[str]:
    """What a reader is told of a file that is opened for the first time: what is wrong first."""
    from kobench.datasets.differences import disagreements

    size = Path(arguments["path"]).stat().st_size if "path" in arguments else 0
    declared = dataclasses.replace(dataset, perturbation=card.get("kind", dataset.perturbation))
    found = disagreements(card, declared, size, whole=not arguments.get("cell_type"))
    return [*(f"the file differs from its card: {each}" for each in found), NOT_OPENED]
