"""What predictors have been shown in a results folder, written down before they are shown it.

A trial that is under way when its run ends has no record, and one that is done anew loses the
record that it had. What it was shown is known all the same: there is a file for all cells that were
shown, which is written first and never removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen
from kobench.question import SETS
from kobench.results.parts import Record
from kobench.runner.folder import SHOWN
from kobench.runner.origins import origins_of
from kobench.util.bounded import read_bounded
from kobench.util.files import canonical_json, hash_of, parse_json, write_atomically

#: What such a file is called, by what it says.
NAME = re.compile(r"[0-9a-f]{24}\.json")

#: Bytes of such a file that are read; one has a name and a few lines.
MOST = 1 << 20

#: Stands for all real data: one file may have several names.
REAL = "real"


@dataclass(frozen=True)
class Showing:
    """Cells whose expression some predictor has been shown, or is about to be.

    Attributes
    ----------
    name : str
        Of their simulator, `REAL` where they are real.
    origins : tuple of str, or None
        What they come from, see `kobench.runner.origins.origins_of`; None where an older record
        does not say so.
    """

    name: str
    origins: tuple[str, ...] | None

    @classmethod
    def of_dataset(cls, dataset: Chosen) -> Showing:
        """The cells of a dataset."""
        return cls(name_of(dataset), tuple(sorted(origins_of(dataset))))

    @classmethod
    def of_record(cls, record: Record) -> Showing | None:
        """What a trial was shown by its record; None where it was shown nothing, or is no
        predictor's.
        """
        asked = [*record.result.answers, record.result.stage or ""]
        seen = any(name in SETS and not SETS[name].by_assemblage for name in asked)
        # what came late has taken the place of another record
        if record.role != "predictor" or not (seen or record.run.asked_late):
            return None
        dataset, origins = record.trial.dataset, record.about.dataset.origins
        name = dataset.name if dataset.kind == "simulated" else REAL
        return cls(name, None if origins is None else tuple(sorted(origins)))

    def write(self, folder: Path) -> None:
        """Write it down in a results folder; raises OSError where that can't be done."""
        said = {"name": self.name, "origins": None if self.origins is None else [*self.origins]}
        path = folder / SHOWN / f"{hash_of(said)[:24]}.json"
        if not path.exists():
            write_atomically(path, f"{canonical_json(said)}\n".encode())


def name_of(dataset: Chosen) -> str:
    """The name of a dataset's simulator, `REAL` where its cells are real."""
    return dataset.entry.shown_name if dataset.entry.spec.seeded else REAL


def written_before(dataset: Chosen, folder: Path) -> Callable[[str], None]:
    """What is to be called with each question set before a predictor is handed its question."""

    def asks(name: str) -> None:
        if not SETS[name].by_assemblage:
            Showing.of_dataset(dataset).write(folder)

    return asks


def keep_shown(folder: Path, records: Iterable[Record]) -> None:
    """Write down what some records know to have been shown: others are to take their place."""
    for showing in {Showing.of_record(record) for record in records}:
        if showing is not None:
            showing.write(folder)


def written_in(folder: Path) -> Iterator[Showing]:
    """All that is written down in a results folder; UserError where it can't be read."""
    for path in sorted((folder / SHOWN).glob("*.json")):
        if not NAME.fullmatch(path.name):
            continue  # the user's own
        try:
            yield parse(read_bounded(path, MOST))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{path} can't be read ({error}): it says which cells predictors have been shown"
                " in this folder. Put it back as it was, or run into a new folder (--out), with new"
                " secret seeds"
            ) from error


def parse(content: bytes) -> Showing:
    """What such a file says; ValueError where it says nothing of the kind."""
    said = parse_json(content.decode())
    if not isinstance(said, dict):
        raise ValueError("it is no JSON object")
    name, origins = said.get("name"), said.get("origins")
    if not isinstance(name, str) or "origins" not in said:
        raise ValueError("it has no name and origins")
    if origins is None:
        return Showing(name, None)
    if not isinstance(origins, list) or not all(isinstance(each, str) for each in origins):
        raise ValueError("its origins are no list of text")
    return Showing(name, tuple(origins))
