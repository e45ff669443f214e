"""Results of older versions in a results folder: kept aside, brought back, and forgotten.

A row of a board is of one version, so all records of a row on one dataset and split move together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kobench.results.answer_store import KEY, AnswerStore
from kobench.results.left_out import UnreadableError
from kobench.results.parts import Record
from kobench.results.records import read_record, record_path
from kobench.results.versions import (
    OLDER,
    Spot,
    code_of,
    older_files,
    older_path,
    read_older,
    spot_of,
    version_key,
)
from kobench.runner.keys import Trial
from kobench.runner.shown import keep_shown
from kobench.util.bounded import read_bounded

#: How many older versions of a row are kept on one dataset and split.
KEPT = 5

#: What a version is, see `kobench.results.versions.version_key`.
Version = tuple[str, ...]


@dataclass
class Older:
    """What a run does with results of other versions of what it runs.

    Attributes
    ----------
    folder : Path
        The results folder; it must be locked.
    there : dict of Spot to list of Path
        The records of the rows that the run writes, by row, dataset and split.
    moved : dict of Path to Record
        Records of older versions that were kept aside, by the file that each had.
    """

    folder: Path
    there: dict[Spot, list[Path]] = field(default_factory=dict)
    moved: dict[Path, Record] = field(default_factory=dict)

    def bring_back(self, trials: Iterable[Trial]) -> None:
        """Put the records of these trials back that were kept aside and answer them still.

        The other networks and splits of such a row come back with it, and what is there of another
        version is kept aside in turn.
        """
        names = {path.name: path for path in older_files(self.folder)}
        exact: dict[Path, Path] = {}
        wanted: dict[Spot, Version] = {}
        for trial in trials if names else ():
            told = trial.describe()
            place = record_path(self.folder, told)
            path = names.get(f"{place.stem}-{trial.keys.fit[:8]}.json")
            if path is not None and fit_of(place) != trial.keys.fit == fit_of(path):
                exact[place] = path
                wanted[spot_of(trial.role, told)] = version_key(told.predictor)
        if not exact:
            return
        self.look(wanted)
        for spot, version in wanted.items():
            self.keep_others(spot, version)
        for place, path in exact.items():
            if (earlier := readable(place)) is not None:
                self.keep(place, earlier)
            place.parent.mkdir(exist_ok=True)
            path.rename(place)
        others = [
            (path, record)
            for path, record in read_older(self.folder)
            if wanted.get(spot_of(record.role, record.trial)) == version_key(record.trial.predictor)
        ]
        for path, record in sorted(others, key=lambda one: one[1].run.started or "", reverse=True):
            if not (place := record_path(self.folder, record.trial)).exists():
                path.rename(place)

    def look(self, spots: Iterable[Spot], known: Mapping[Path, Record] | None = None) -> None:
        """Find the records of rows, so that they can be kept aside together.

        Parameters
        ----------
        spots : iterable of Spot
            The rows, each with its dataset and split.
        known : mapping of Path to Record
            Records that were read already.
        """
        known = known or {}
        self.there = {spot: [] for spot in spots}
        for path in sorted((self.folder / "records").glob("*.json")) if self.there else ():
            if (record := known.get(path) or readable(path)) is not None:
                self.there.get(spot_of(record.role, record.trial), []).append(path)

    def before(self, record: Record, tasks: Sequence[str], anew: bool) -> None:
        """A record is about to be written: keep those aside that are not of its version.

        Parameters
        ----------
        record : Record
            What is to be written.
        tasks : sequence of str
            Labels of the tasks that its trial is scored on.
        anew : bool
            Whether nothing of the record in its place is kept in it.
        """
        spot, version = spot_of(record.role, record.trial), version_key(record.trial.predictor)
        place = record_path(self.folder, record.trial)
        self.keep_others(spot, version)
        earlier = readable(place) if anew else None
        if earlier is not None and (
            earlier.keys.fit != record.keys.fit or set(earlier.result.scores) - set(tasks)
        ):
            self.keep(place, earlier)
        self.there.setdefault(spot, [])
        if place not in self.there[spot]:
            self.there[spot].append(place)

    def keep_others(self, spot: Spot, version: Version) -> None:
        """Keep aside what there is of a row that is not of a version."""
        for place in list(self.there.get(spot, ())):
            record = readable(place)
            if record is not None and version_key(record.trial.predictor) != version:
                self.keep(place, record)
                self.there[spot].remove(place)

    def keep(self, place: Path, record: Record) -> None:
        """Keep one record aside; of what has no scores nothing is kept."""
        if not record.result.scores:
            keep_shown(self.folder, [record])
            place.unlink()
            return
        path = older_path(self.folder, record)
        path.parent.mkdir(parents=True, exist_ok=True)
        place.replace(path)
        self.moved[place] = record

    def sentences(self, records: Iterable[Record]) -> list[str]:
        """Which of the trials that ended so had a good result by older code, and how it comes back.

        Parameters
        ----------
        records : iterable of Record
            The records of the run's trials.
        """
        said = []
        for record in records:
            earlier = self.moved.get(record_path(self.folder, record.trial))
            if earlier is None or record.result.status == earlier.result.status:
                continue
            predictor = earlier.trial.predictor
            said.append(
                f"{predictor.selection} on {earlier.trial.dataset.selection}: it had a good result"
                f" before (version {predictor.version}, code {code_of(predictor)}), which is kept;"
                " put that code back and run again to have it back"
            )
        return said

    def end(self) -> list[str]:
        """Forget all but the newest older versions of what was kept aside; says of which."""
        spots = {spot_of(one.role, one.trial) for one in self.moved.values()}
        if not spots:
            return []
        kept: dict[Spot, dict[Version, list[tuple[Path, Record]]]] = defaultdict(dict)
        for path, record in read_older(self.folder):
            spot = spot_of(record.role, record.trial)
            if spot in spots:
                of_one = kept[spot].setdefault(version_key(record.trial.predictor), [])
                of_one.append((path, record))
        said = []
        for spot, versions in kept.items():
            ordered = sorted(versions.values(), key=last_begun, reverse=True)
            gone = [one for version in ordered[KEPT:] for one in version]
            if gone:
                forget(self.folder, gone)
                codes = ", ".join(sorted({code_of(one.trial.predictor) for _, one in gone}))
                said.append(
                    f"{spot.row[1]} on {spot.dataset}: {KEPT} older versions are kept, so"
                    f" {len(gone)} records of the oldest were removed (code {codes})"
                )
        return said


def readable(path: Path) -> Record | None:
    """The record of a file; None where there is none that can be read."""
    try:
        return read_record(path) if path.is_file() else None
    except UnreadableError:
        return None


def fit_of(path: Path) -> str:
    """The key of the fit of a file's record; "" where there is none that can be read."""
    record = readable(path)
    return "" if record is None else record.keys.fit


def last_begun(version: Sequence[tuple[Path, Record]]) -> str:
    """When the last trial of a version was begun."""
    return max(record.run.started or "" for _, record in version)


def forget(folder: Path, found: Sequence[tuple[Path, Record]]) -> None:
    """Remove records of older versions, and their answers that no other record names.

    What they were shown is remembered.

    Parameters
    ----------
    folder : Path
        The results folder; it must be locked.
    found : sequence of (Path, Record)
        The files, and what is in them.
    """
    keep_shown(folder, [record for _, record in found])
    for path, _ in found:
        path.unlink(missing_ok=True)
        if path.parent != folder / OLDER and not any(path.parent.iterdir()):
            path.parent.rmdir()
    if (folder / OLDER).is_dir() and not any((folder / OLDER).iterdir()):
        (folder / OLDER).rmdir()
    answers = {key for _, record in found for key in record.result.answers.values()}
    answers -= named_in(folder) if answers else set()
    for key in answers:
        AnswerStore(folder).discard(key)


#: Bytes of a file of a record that is searched for names of answers.
MOST = 64 << 20


def named_in(folder: Path) -> set[str]:
    """All that could be names of answers in the files of records, also in those set aside.

    They are looked for in their text: a record of a newer kobench names its answers, too.

    Raises
    ------
    OSError, ValueError
        Where one of the files can't be read: its answers are not known.
    """
    files = [*(folder / "records").glob("*.json*"), *older_files(folder)]
    return {
        key
        for file in files
        if file.is_file()
        for key in KEY.findall(read_bounded(file, MOST).decode("utf-8", "replace"))
    }
