"""What a method's rows lack to stand on a board: slots, tasks, versions, data, sandbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from kobench.board.sections.provenance import open_in
from kobench.board.words import base
from kobench.errors import BAD
from kobench.results.merge import Slot, slot_of
from kobench.results.parts import Record, TaskScores
from kobench.util.text import listed

#: A dataset without its seed, and the split with the group that is trained on.
Place = tuple[str, str, str]

#: How many networks or splits a sentence names.
NAMED = 3


def place_of(record: Record) -> Place:
    """Where a row stands: dataset, split, and the group that is trained on."""
    trial = record.trial
    return trial.dataset.group, trial.split.name, trial.split.train or ""


def place_text(place: Place) -> str:
    """The same for a reader."""
    dataset, split, train = place
    return f"{dataset}, {split}{f', trained on {train}' if train else ''}"


def places_of(records: Sequence[Record]) -> list[Place]:
    """Every place of some records, in order."""
    return sorted({place_of(record) for record in records})


def of_board(records: Sequence[Record], board: Sequence[Record]) -> list[Record]:
    """Those records that lie on cells and splits of a board."""
    slots = {slot_of(record) for record in board}
    return [record for record in records if slot_of(record) in slots]


def lacks(
    own: Sequence[Record],
    board: Sequence[Record],
    datasets: Collection[str] = (),
    failed: bool = False,
) -> Iterator[str]:
    """What rows lack to stand on a board, each in a sentence without a full stop.

    Parameters
    ----------
    own : sequence of Record
        The records of one method, on cells and splits of the board.
    board : sequence of Record
        The board's.
    datasets : collection of str
        The datasets of the board that the method is to be on, by name, group or selection; empty
        for all of them.
    failed : bool
        Whether trials that failed may be among them.
    """
    here = {place: [one for one in own if place_of(one) == place] for place in places_of(own)}
    for place in places_of(board):
        there = [record for record in board if place_of(record) == place]
        names = {place[0], *(one.trial.dataset.name for one in there)}
        names |= {one.trial.dataset.selection for one in there}
        if datasets and not names & set(datasets):
            continue
        found = here.get(place, [])
        if not found:
            count = len({slot_of(record) for record in there})
            yield (
                f"{place_text(place)}: no results ({count} network{'s' * (count != 1)} or splits);"
                " run it there, or name the others with -d"
            )
            continue
        yield from slots_lacking(place, found, there)
        yield from of_other_data(place, found, there)
        yield from tasks_lacking(place, found, there)
        yield from failures(place, found, failed)
    yield from openings(own, board)
    yield from untold_seeds(own, board)


def slots_lacking(place: Place, own: Sequence[Record], board: Sequence[Record]) -> Iterator[str]:
    """Networks and splits of a place on which the method was not run; fits that were chosen."""
    wanted = {slot_of(record) for record in board}
    run = {slot_of(record) for record in own}
    by_cells: dict[str, list[Slot]] = defaultdict(list)
    for slot in sorted(wanted):
        by_cells[slot[0]].append(slot)
    few = own[0].trial.dataset.kind == "real" and place[1] == "halves"
    missing = []
    for slots in by_cells.values():
        found = [slot for slot in slots if slot in run]
        # a slow method may have the first few splits of real cells
        if found != slots and not (few and found and found == slots[: len(found)]):
            missing += [slot for slot in slots if slot not in run]
    if missing:
        names = [f"{cells} (split seed {seed})" if seed else cells for cells, _, seed, _ in missing]
        yield (
            f"{place_text(place)}: {len(missing)} of {len(wanted)} networks or splits were not run:"
            f" {listed(names, NAMED)}"
        )
    seeds = {record.trial.fit_seed for record in own}
    fits = {slot: {one.trial.fit_seed for one in own if slot_of(one) == slot} for slot in run}
    if seeds != set(range(len(seeds))) or any(found != seeds for found in fits.values()):
        yield (
            f"{place_text(place)}: fits of the seeds {', '.join(map(str, sorted(seeds)))}, expected"
            " the same on every network, from 0 on"
        )


def usual(board: Sequence[Record]) -> dict[Slot, Record]:
    """A record for each slot that says which cells it has: that of a floor where there is one."""
    found: dict[Slot, Record] = {}
    for record in sorted(board, key=lambda one: one.role != "floor"):
        found.setdefault(slot_of(record), record)
    return found


def of_other_data(place: Place, own: Sequence[Record], board: Sequence[Record]) -> Iterator[str]:
    """Another version of the dataset, or other cells."""
    floors = usual(board)
    for record in own:
        mine, theirs = record.trial.dataset, floors[slot_of(record)].trial.dataset
        if str(mine.version) != str(theirs.version):
            yield (
                f"{place_text(place)}: results on version {mine.version} of the dataset, the board"
                f" has version {theirs.version}"
            )
            return
        if mine.digest != theirs.digest:
            yield (
                f"{place_text(place)}: other cells of {mine.selection} (digest {mine.digest[:12]},"
                f" the board {theirs.digest[:12]}); get the same file, and the same simulator"
            )
            return


def asked(board: Sequence[Record]) -> Mapping[Slot, dict[str, TaskScores]]:
    """The tasks that were scored in each slot of a board, by label."""
    found: dict[Slot, dict[str, TaskScores]] = defaultdict(dict)
    for record in board:
        found[slot_of(record)].update(record.result.scores)
    return found


def tasks_lacking(place: Place, own: Sequence[Record], board: Sequence[Record]) -> Iterator[str]:
    """Tasks that were not asked, or in another version, or scored by another one of a metric."""
    said: dict[str, None] = {}
    wanted = asked(board)
    for record in own:
        if record.result.status != "ok":
            continue
        labels = set(record.keys.scores) | set(record.result.scores)
        for label, scores in wanted[slot_of(record)].items():
            if label not in labels:
                others = sorted(one for one in labels if base(one) == base(label))
                said[
                    f"{label} was asked as {', '.join(others)}; use the kobench of the board"
                    if others
                    else f"{label} was not asked; run the suite of the board"
                ] = None
                continue
            mine = record.result.scores.get(label)
            for name, metric in scores.metrics.items():
                version = mine.metrics[name].version if mine and name in mine.metrics else None
                if mine is not None and version != metric.version and name in scores.primary:
                    said[
                        f"{label} was scored by version {version} of {name}, the board has version"
                        f" {metric.version}"
                    ] = None
    yield from (f"{place_text(place)}: {sentence}" for sentence in said)


def failures(place: Place, own: Sequence[Record], failed: bool) -> Iterator[str]:
    """Trials that failed, where they may not be submitted."""
    bad = [record for record in own if record.result.status in BAD]
    if bad and not failed:
        first = bad[0]
        why = f"{first.result.message or ''}"[:80]
        yield (
            f"{place_text(place)}: {len(bad)} of {len(own)} trials ended without an answer"
            f" ({first.result.status}: {why}); run them again, or submit them so with --failed"
        )


def openings(own: Sequence[Record], board: Sequence[Record]) -> Iterator[str]:
    """Where a predictor could reach more than any row of the board could."""
    rows = [record for record in board if record.role == "predictor"]
    known = {open_in(record) for record in rows}
    for what in sorted({open_in(record) for record in own} - {"", *known}):
        yield f"a sandbox as the board's: its predictor ran with {what}"
    modes = {one.run.sandbox.mode for one in rows if one.run.sandbox}
    mine = {one.run.sandbox.mode for one in own if one.run.sandbox}
    if modes == {"require"} and mine - {"require"}:
        yield (
            "a sandbox as the board's: it was run with --sandbox"
            f" {', '.join(sorted(mine - {'require'}))}, every row there with --sandbox require"
        )
    inside = {file for one in own for file in one.run.code_in_harness or ()}
    if inside and not any(one.run.code_in_harness for one in rows):
        yield (
            f"a sandbox as the board's: code of its distribution ran outside of it"
            f" ({listed(sorted(inside), NAMED)})"
        )


def untold_seeds(own: Sequence[Record], board: Sequence[Record]) -> Iterator[str]:
    """Records on networks whose seed the board has published, which do not say so."""
    revealed = {slot_of(one) for one in board if (s := one.trial.dataset.secret) and s.seed}
    silent = [one for one in own if slot_of(one) in revealed and not one.run.seed_known]
    if silent:
        yield (
            f"{len(silent)} records on networks whose secret seed the board has published do not"
            " say that it was known; run them with --beside BOARD, or --secret-seed"
        )
