"""What the cells of a dataset come from: two of one origin may have cells in common."""

from __future__ import annotations

from kobench.datasets.right import identity
from kobench.plugins.chosen import Chosen


def origins_of(dataset: Chosen) -> frozenset[str]:
    """Names of what the cells of a dataset come from, whatever its parameters make of it.

    Two datasets with a common one may have cells in common. Of a simulation it is the number of the
    network: with other noise, dropout or size it may have the same links, assemblages and cells. Of
    real data it is the dataset, and its file.
    """
    if dataset.parts:
        return frozenset().union(*map(origins_of, dataset.parts))
    name = dataset.entry.full_name
    if dataset.entry.spec.seeded:
        secret = dataset.secret
        number = dataset.params["seed"] if secret is None else f"secret-{secret.index}"
        return frozenset([f"{name} {number}"])
    content = identity(dataset.entry.spec.card)
    path = dataset.params.get("path")
    if not content and isinstance(path, str) and path:
        return frozenset([dataset.source])  # a loader stands for no data of its own
    return frozenset([name, content] if content else [name])
