"""Records whose secret seed is revealed, and what anybody can check of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kobench.results.parts import DatasetInfo, Record
from kobench.results.suite_seed import SuiteSeed, written_seed


def with_seeds(records: Iterable[Record], seed: SuiteSeed) -> list[Record]:
    """The records with the seed of every network that was secret."""
    return [with_seed(record, seed) for record in records]


def with_seed(record: Record, seed: SuiteSeed) -> Record:
    """A record with the seed of its network, if that was secret."""
    dataset = record.trial.dataset
    if dataset.secret is None:
        return record
    secret = replace(dataset.secret, seed=seed_of(dataset, seed))
    trial = replace(record.trial, dataset=replace(dataset, secret=secret))
    return replace(record, trial=trial)


def seed_of(dataset: DatasetInfo, seed: SuiteSeed) -> str:
    """The seed that follows for a network, as records have it."""
    assert dataset.secret is not None
    following = seed.network(dataset.name, str(dataset.version), dataset.secret.index)
    return written_seed(following)


def unfounded(records: Iterable[Record], seed: SuiteSeed) -> list[str]:
    """What records say that does not follow from a seed; [] where all of it does.

    Parameters
    ----------
    records : iterable of Record
        The records.
    seed : SuiteSeed
        The seed that was revealed with them.

    Returns
    -------
    list of str
        A sentence for each record: another commitment, or another seed of its network.
    """
    wrong = []
    for record in records:
        dataset, row = record.trial.dataset, record.trial.predictor.selection
        if dataset.secret is None:
            continue
        what = f"{row} on {dataset.selection}"
        if dataset.secret.commitment != seed.commitment:
            wrong.append(
                f"{what}: its commitment is sha256={dataset.secret.commitment}, the revealed seed"
                f" has sha256={seed.commitment}"
            )
        elif dataset.secret.seed not in (None, seed_of(dataset, seed)):
            wrong.append(
                f"{what}: its network has the seed {dataset.secret.seed}, from the revealed one"
                f" follows {seed_of(dataset, seed)}"
            )
    return wrong


def chosen_networks(records: Iterable[Record]) -> list[str]:
    """A sentence for each dataset of which networks of a secret seed are missing before its last.

    One commitment stands for any number of networks. Whoever runs many and publishes some can have
    chosen those on which an answer was lucky.
    """
    numbers: dict[str, set[int]] = {}
    for record in records:
        dataset = record.trial.dataset
        if dataset.secret is not None:
            numbers.setdefault(dataset.group, set()).add(dataset.secret.index)
    return [
        f"Networks may have been chosen: of {group} it has number {listed(there)} of its secret"
        f" seed, and not the first ({listed(set(range(len(there))))})."
        for group, there in sorted(numbers.items())
        if there != set(range(len(there)))
    ]


def listed(seeds: set[int]) -> str:
    """Numbers without a gap by their ends, others one by one, the first three of many.

    >>> listed({2, 0, 1}), listed({7}), listed({3, 5}), listed({1, 3, 5, 9})
    ('0 to 2', '7', '3, 5', '1, 3, 5, ...')
    """
    ordered = sorted(seeds)
    if len(ordered) > 1 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]} to {ordered[-1]}"
    shown = ", ".join(map(str, ordered[:3]))
    return f"{shown}, ..." if len(ordered) > 3 else shown
