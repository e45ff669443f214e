"""How far a run is that was not finished, as its records say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product

from kobench.results.parts import Record
from kobench.results.planned import Place, place_of, places_of
from kobench.results.versions import spot_of


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
            places[group] |= places_of(record)
    for group, planned in places.items():
        asked |= set(product([(group, row) for row in rows[group] | predictors], planned))
    return len(done), len(done | asked)


def unfinished_text(records: Sequence[Record]) -> str:
    """How far a run is and what does the rest; "" where all that it was asked for is done."""
    done, asked = trials_of(records)
    if done >= asked:
        return ""
    return (
        f"{done:,} of at least {asked:,} trials are done; the same `kobench run` again, into the"
        " same folder, does the others"
    )
