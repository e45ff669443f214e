"""Good results of earlier runs, kept aside where the same trial has none any more.

A trial has one record. Where its code has changed, or all is done anew, the new record takes the
place of the old one: where that is no good one, the old one is not lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kobench.results.parts import Record
from kobench.results.records import record_path
from kobench.runner.work import Place
from kobench.util.files import set_aside


@dataclass
class Kept:
    """The good records that a run found, as its trials end one by one.

    Attributes
    ----------
    folder : Path
        The results folder.
    good : mapping of Place to Record
        Records of trials that ended well before.
    aside : dict of Place to Path
        Where those lie by now whose trials have not ended well again.
    """

    folder: Path
    good: Mapping[Place, Record]
    aside: dict[Place, Path] = field(default_factory=dict)

    def before(self, place: Place, status: str, is_last: bool) -> None:
        """A record is about to be written: keep the one in its place where it is better.

        Parameters
        ----------
        place : Place
            The trial.
        status : str
            How it ended.
        is_last : bool
            Whether all of it was asked; a part can still be followed by a failure.
        """
        if place in self.good and place not in self.aside and (status != "ok" or not is_last):
            path = record_path(self.folder, self.good[place].trial)
            if path.is_file():  # else somebody has moved it
                self.aside[place] = set_aside(path)

    def after(self, place: Place, status: str, is_last: bool) -> None:
        """A record was written: a good one of all that was asked replaces what was kept."""
        if status == "ok" and is_last and place in self.aside:
            self.aside.pop(place).unlink(missing_ok=True)

    def sentences(self) -> list[str]:
        """What is kept, and how it comes back: a sentence for each trial."""
        said = []
        for place, path in self.aside.items():
            trial = self.good[place].trial
            code = trial.predictor.digest[:12] or "unknown"
            version, name = trial.predictor.version, path.name.rpartition(".aside-")[0]
            said.append(
                f"{trial.predictor.selection} on {trial.dataset.selection}: it had a good result"
                f" before (version {version}, code {code}), which is not on the board any more; its"
                f" record is kept as {path}. To have it back, put that code back and rename the"
                f" file {name}"
            )
        return said
