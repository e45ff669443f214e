"""What the cells of a dataset come from: two of one origin may have cells in common."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobench.datasets.right import expected_of
from kobench.plugins.chosen import Chosen, content_hash


def origins_of(dataset: Chosen) -> frozenset[str]:
    """Names of what the cells of a dataset come from, whatever its parameters make of it.

    Two datasets with a common one may have cells in common. Of a simulation it is the number of the
    network: with other noise, dropout or size it may have the same links, assemblages and cells. Of
    real data it is the dataset, its file and what that holds, and all of these of the datasets that
    it says to have cells of.
    """
    if dataset.parts:
        return frozenset().union(*map(origins_of, dataset.parts))
    spec, name = dataset.entry.spec, dataset.entry.full_name
    if spec.seeded:
        secret = dataset.secret
        number = dataset.params["seed"] if secret is None else f"secret-{secret.index}"
        return frozenset([f"{name} {number}"])
    found = {*spec.same_cells, *contents_of(spec.card)}
    for other in dataset.same_cells:
        found |= {other.full_name, *other.spec.same_cells, *contents_of(other.spec.card)}
    path = dataset.params.get("path")
    if not contents_of(spec.card) and isinstance(path, str) and path:
        # a loader stands for no data of its own, and other labels make no other cells
        return frozenset([*found, content_hash(Path(path).expanduser())])
    return frozenset([*found, name])


def contents_of(card: Mapping[str, Any]) -> list[str]:
    """What stands for a file's content, each by itself: one content may lie in several files."""
    return [
        value if key == "sha256" else f"{key} {value}" for key, value in expected_of(card).items()
    ]
