"""The datasets of a run: one for each data seed, or several joined as one for a transfer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, choose, version_of
from kobench.plugins.load import Registry
from kobench.runner.request import Request
from kobench.runner.seeds import with_secret_seed
from kobench.util.files import hash_of


def datasets_of(registry: Registry, request: Request) -> list[Chosen]:
    """The datasets asked for, one for each data seed.

    For a transfer between datasets it is one that joins them all. Raises UserError where there are
    not two to join.
    """
    by_text = [seeds_of(registry, text, request) for text in dict.fromkeys(request.datasets)]
    if request.split != "dataset":
        return [dataset for seeds in by_text for dataset in seeds]
    if len(by_text) < 2:
        raise UserError("split=dataset needs two datasets or more; name another one with -d")
    longest = max(len(seeds) for seeds in by_text)
    return [
        join([seeds[min(step, len(seeds) - 1)] for seeds in by_text], step == 0)
        for step in range(longest)
    ]


def join(parts: Sequence[Chosen], first: bool) -> Chosen:
    """Several datasets as one, in which each is a group of cells."""
    seeded = next((part for part in parts if part.entry.spec.seeded), parts[0])
    spec = replace(seeded.entry.spec, truth="none")
    return Chosen(
        replace(seeded.entry, spec=spec),
        seeded.params,
        " + ".join(part.selection for part in parts),
        " + ".join(part.group for part in parts),
        hash_of([[part.selection, version_of(part.entry), part.source] for part in parts]),
        first,
        seeded.planned,
        tuple(parts),
        seeded.secret,
    )


def seeds_of(registry: Registry, text: str, request: Request) -> list[Chosen]:
    """One choice for each data seed of a dataset."""
    first = choose(registry, "datasets", text)
    if not first.entry.spec.seeded:
        return [first]
    start = int(first.params["seed"])
    chosen = [
        choose(registry, "datasets", text, {"seed": start + step})
        for step in range(request.networks)
    ]
    if request.suite_seed is not None:
        chosen = [with_secret_seed(dataset, request.suite_seed) for dataset in chosen]
    planned = start, request.networks
    return [
        replace(dataset, first=step == 0, planned=planned) for step, dataset in enumerate(chosen)
    ]
