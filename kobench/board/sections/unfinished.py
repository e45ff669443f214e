"""How far a run is that was not finished, as its records say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product

from kobench.results.parts import Record
from kobench.results.versions import spot_of

#: The network, the split and the fit of a trial.
Place = tuple[int | None, int, int]


def trials_of(records: Sequence[Record]) -> tuple[int, int]:
    """How many trials are done, and how many at least there were to be.

    Each predictor that has a record somewhere was asked of each dataset that has one; of one
    without any record nothing is known.
    """
    done: set[tuple[object, Place]] = set()
    asked: set[tuple[object, Place]] = set()
    places: dict[tuple[str, str, str, str], set[Place]] = defaultdict(set)
    rows: dict[tuple[str, str, str, str], set[tuple[str, ...]]] = defaultdict(set)
    predictors: set[tuple[str, ...]] = set()
    for record in records:
        spot = spot_of(record.role, record.trial)
        group = (spot.dataset, spot.version, spot.split, spot.train)
        done.add(((group, spot.row), place_of(record)))
        rows[group].add(spot.row)
        if record.role == "predictor":
            predictors.add(spot.row)
            places[group] |= planned_of(record)
    for group, planned in places.items():
        asked |= set(product([(group, row) for row in rows[group] | predictors], planned))
    return len(done), len(done | asked)


def place_of(record: Record) -> Place:
    """Which trial of its row a record is of."""
    dataset = record.trial.dataset
    network = dataset.seed if dataset.secret is None else dataset.secret.index
    return network, record.trial.split.seed, record.trial.fit_seed


def planned_of(record: Record) -> set[Place]:
    """Every trial of its row that the run of a record was asked for."""
    planned = record.run.planned
    if planned is None:
        return set()
    networks: Sequence[int | None] = [None]
    if planned.networks is not None:
        first = planned.networks.first
        networks = range(first, first + planned.networks.count)
    splits = range(planned.splits.first, planned.splits.first + planned.splits.count)
    return set(product(networks, splits, range(planned.fit_seeds)))


def unfinished_text(records: Sequence[Record]) -> str:
    """How far a run is and what does the rest; "" where all that it was asked for is done."""
    done, asked = trials_of(records)
    if done >= asked:
        return ""
    return (
        f"{done:,} of at least {asked:,} trials are done; the same `kobench run` again, into the"
        " same folder, does the others"
    )
