"""Which trial of its row a record is of, and which ones its run was asked for."""

from __future__ import annotations

from itertools import product

from kobench.results.parts import PlannedSeeds, Record

#: More than anybody runs; a record that says more was written by hand.
MOST = 100_000

#: The network, the split and the fit of a trial.
Place = tuple[int | None, int, int]


def number_of(record: Record) -> int | None:
    """Which network a record is of: its seed, or its number where seeds are secret."""
    dataset = record.trial.dataset
    return dataset.seed if dataset.secret is None else dataset.secret.index


def numbers_of(seeds: PlannedSeeds) -> range:
    """The seeds that a plan has."""
    return range(seeds.first, seeds.first + seeds.count)


def place_of(record: Record) -> Place:
    """Which trial of its row a record is of."""
    return number_of(record), record.trial.split.seed, record.trial.fit_seed


def trials_planned(record: Record) -> int:
    """How many trials of its row the run of a record was asked for, as it says; 0 for none."""
    planned = record.run.planned
    if planned is None:
        return 0
    networks = 1 if planned.networks is None else planned.networks.count
    return networks * planned.splits.count * planned.fit_seeds


def places_of(record: Record) -> set[Place]:
    """Every trial of its row that the run of a record was asked for; none of more than `MOST`."""
    planned = record.run.planned
    if planned is None or not 0 < trials_planned(record) <= MOST:
        return set()
    networks = [None] if planned.networks is None else numbers_of(planned.networks)
    return set(product(networks, numbers_of(planned.splits), range(planned.fit_seeds)))
