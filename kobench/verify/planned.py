"""What a run was asked for and left no record of: networks, splits and fits that were dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

from kobench.results.parts import PlannedSeeds, Record
from kobench.results.planned import (
    MOST,
    Place,
    number_of,
    numbers_of,
    place_of,
    places_of,
    trials_planned,
)
from kobench.results.revealed import chosen_networks, listed
from kobench.results.versions import spot_of
from kobench.verify.finding import Finding


def check_planned(
    records: Sequence[Record], of_suite: Mapping[str, int] | None = None
) -> Iterator[Finding]:
    """What of the plan has no record, for everybody or for one row.

    Parameters
    ----------
    records : sequence of Record
        All records of a folder.
    of_suite : mapping of str to int, or None
        Dataset without its seed -> how many networks its suite has; counts for records that do not
        say what was planned.
    """
    believed = []
    for record in records:
        if (said := unbelievable(record)) != "":
            yield Finding(record, str(record.trial.predictor.selection), "", said)
        else:
            believed.append(record)
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in believed:
        groups[record.trial.dataset.group].append(record)
    for group, members in groups.items():
        gone = yield from check_networks(group, members, (of_suite or {}).get(group, 0))
        yield from check_rows(members, gone)


def unbelievable(record: Record) -> str:
    """Why a plan can't be that of its record, "" where it can."""
    planned = record.run.planned
    if planned is None:
        return ""
    for what, seeds, own in (
        ("networks", planned.networks, number_of(record)),
        ("splits", planned.splits, record.trial.split.seed),
        ("fits", PlannedSeeds(first=0, count=planned.fit_seeds), record.trial.fit_seed),
    ):
        if seeds is None:
            if own is not None:
                return f"its run was asked for no {what}, and it is number {own}"
        elif not 0 < seeds.count <= MOST or own is None or own not in numbers_of(seeds):
            return (
                f"its run was asked for {seeds.count} {what} from {seeds.first} on, and it is"
                f" {'of none' if own is None else f'number {own}'}"
            )
    if trials_planned(record) > MOST:
        return f"its run was asked for {trials_planned(record):,} trials of its row"
    return ""


def planned_networks(records: Iterable[Record]) -> set[int]:
    """Every network that the runs of records were asked for."""
    plans = {
        (planned.networks.first, planned.networks.count)
        for record in records
        if (planned := record.run.planned) is not None and planned.networks is not None
    }
    return {number for first, count in plans for number in range(first, first + count)}


def check_networks(
    group: str, records: Sequence[Record], of_suite: int
) -> Generator[Finding, None, set[int]]:
    """Networks that are missing for everybody; returns them.

    One may have chosen those that suit a method.
    """
    there = {number for record in records if (number := number_of(record)) is not None}
    planned, asked = planned_networks(records), "the run was asked for"
    if not planned and there and of_suite:
        planned, asked = set(range(of_suite)), "the suite of this name has"
    gone = planned - there
    if gone:
        reason = (
            f"has networks {listed(there)}, and {asked} {listed(planned)}: without a record is"
            f" {listed(gone)}, so networks may have been chosen"
        )
        yield Finding(None, group, "", reason)
    elif sentences := chosen_networks(records):
        yield from (Finding(None, "all rows", "", one.rstrip(".")) for one in sentences)
    elif len(there) > 1 and there != set(range(min(there), min(there) + len(there))):
        reason = f"has the networks of seeds {listed(there)}, with gaps between them"
        yield Finding(None, group, "", reason)
    return gone


def check_rows(records: Sequence[Record], gone: set[int]) -> Iterator[Finding]:
    """Rows that lack networks, splits or fits which their runs were asked for; `gone` are named."""
    rows: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in records:
        spot = spot_of(record.role, record.trial)
        rows[*spot.row, spot.dataset, spot.version, spot.split, spot.train].append(record)
    for members in rows.values():
        there = {place_of(record) for record in members}
        asked = {place for record in members for place in places_of(record)}
        missing = sorted(
            (place for place in asked - there if place[0] not in gone),
            key=lambda place: tuple(-1 if part is None else part for part in place),
        )
        if missing:
            trial = members[0].trial
            train = f", trained on {trial.split.train}" if trial.split.train else ""
            what = (
                f"{trial.predictor.selection} on {trial.dataset.group}, {trial.split.name}{train}"
            )
            more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
            reason = f"has no record of {in_words(missing[0])}{more}, which its run was asked for"
            yield Finding(None, what, "", reason, lacking=True)


def in_words(place: Place) -> str:
    """A trial of a row as a reader names it."""
    network, split, fit = place
    first = [] if network is None else [f"network {network}"]
    return ", ".join([*first, f"split seed {split}", f"fit seed {fit}"])
