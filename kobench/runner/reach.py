"""What must be out of a predictor's reach in a run: hidden from it, or refused before it starts.

A predictor reads its interpreter, the system's libraries, its own modules and what `--readable`
names. Files of datasets, results and caches may lie in there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kobench.datasets.fetch import is_there
from kobench.errors import UserError
from kobench.plugins.chosen import Chosen
from kobench.plugins.entry import Entry
from kobench.plugins.hidden import files_in, files_of_card, known_files, own_folders
from kobench.plugins.load import links_of
from kobench.results.versions import OLDER
from kobench.runner.keys import Trial
from kobench.runner.readable import caches_in
from kobench.runner.request import device_kind
from kobench.runner.search import CODE, search
from kobench.sandbox.hiding import lies_in
from kobench.sandbox.places import library_path, readable_by, this_interpreter

#: What a run writes into a results folder.
RESULTS = ("records", "answers", "shown", OLDER, ".work")


@dataclass(frozen=True)
class Hidden:
    """What is hidden from predictors.

    Attributes
    ----------
    places : tuple of Path
        From every predictor.
    brought : mapping
        By the home of a dataset's plugin (`Entry.home`) the data in its packages. They are hidden
        from the predictors of all other plugins; the board says where both come from one.
    """

    places: tuple[Path, ...] = ()
    brought: Mapping[tuple[str, str], tuple[Path, ...]] = field(default_factory=dict)

    def of(self, predictor: Entry) -> tuple[Path, ...]:
        """What is hidden from a predictor, what looks compiled in its own packages too."""
        others = [places for home, places in self.brought.items() if home != predictor.home]
        places = [place for places in others for place in places]
        return (*self.places, *places, *predictor.caches)


@dataclass(frozen=True)
class Read:
    """A place that predictors may read.

    Attributes
    ----------
    place : str
        Its real path.
    why : str
        Why they may.
    given : bool
        Whether the user or a plugin brought it; the others belong to an interpreter or the system.
    readable : bool
        Whether nothing but `--readable` names it, so that it is read in trials alone.
    """

    place: str
    why: str
    given: bool = False
    readable: bool = False


def hidden_from(trials: Sequence[Trial], folders: Iterable[str | os.PathLike[str]] = ()) -> Hidden:
    """What is hidden from the predictors of trials.

    Parameters
    ----------
    trials : sequence of Trial
        Those whose predictors are about to be started. With `--sandbox off` nothing is hidden.
    folders : iterable of path
        Folders of dataset cards beside the usual ones.

    Raises
    ------
    UserError
        Something that can't be hidden lies where a predictor may read.
    """
    trials = shut_in(trials)
    if not trials:
        return Hidden()
    reads = places_read(trials)
    datasets = list(
        {part.selection: part for trial in trials for part in trial.dataset.each}.values()
    )
    for dataset in datasets:
        refuse_beside(dataset, reads)
    interpreters = dict.fromkeys(trial.predictor.entry.interpreter for trial in trials)
    known = [file for one in interpreters for file in known_files(one, folders)]
    files = [file for dataset in datasets for file in files_of(dataset)]
    refuse_shown(files, own_folders(), reads)
    refuse_described(datasets, reads)
    real = any(not dataset.entry.spec.seeded for dataset in datasets)
    copies = search(
        [*files, *known] if real else (),
        [read.place for read in reads if not read.given],
        [read.place for read in reads if read.given],
        {one.secret.commitment for each in datasets for one in each.each if one.secret},
    )
    readable = {folder for trial in trials for folder in trial.request.readable}
    caches = [place for folder in sorted(readable) for place in caches_in(folder)]
    return Hidden(
        within([*own_folders(), *known, *files, *copies, *caches], reads),
        {
            dataset.entry.home: within(data_of(dataset.entry), reads)
            for dataset in datasets
            if not dataset.entry.trusted
        },
    )


def shut_in(trials: Sequence[Trial]) -> list[Trial]:
    """Those trials whose predictors are shut in; all others may read everything."""
    return [trial for trial in trials if trial.request.sandbox != "off"]


def places_read(trials: Sequence[Trial]) -> list[Read]:
    """What the predictors of trials may read, each place once."""
    reads: dict[str, Read] = {}

    def add(place: str | Path, why: str, given: bool = False, readable: bool = False) -> None:
        real = os.path.realpath(place)
        before = reads.get(real)
        if before is None:
            reads[real] = Read(real, why, given, readable)
        elif before.readable and not readable:  # it is read while plugins are described, too
            reads[real] = Read(real, why, before.given)

    for trial in trials:
        for folder in trial.request.readable:
            add(folder, "--readable names it", given=True, readable=True)
    for folder in library_path():
        if folder.startswith("/"):
            add(folder, "LD_LIBRARY_PATH names it")
    cuda = any(device_kind(trial.request.device) == "cuda" for trial in trials)
    entries = {trial.predictor.entry.full_name: trial.predictor.entry for trial in trials}
    for entry in entries.values():
        for place in (*links_of(entry).values(), *entry.roots.values()):
            add(place, f"it is a part of {entry.full_name}", given=True)
    for interpreter in dict.fromkeys(entry.interpreter for entry in entries.values()):
        runs = interpreter or this_interpreter()
        for real in readable_by(runs, cuda=cuda):
            add(real, f"{runs.python} needs it")
    return list(reads.values())


def files_of(dataset: Chosen) -> Iterator[Path]:
    """The files that a dataset is known to be made of: that of its card, and those that parameters
    name.
    """
    yield from files_of_card(dataset.entry.spec.card, ())
    yield from named_by(dataset)


def named_by(dataset: Chosen) -> Iterator[Path]:
    """The files and folders that a dataset's parameters name."""
    for value in dataset.params.values():
        if isinstance(value, str) and value:
            path = Path(value).expanduser()
            # a short word may be the name of a folder that happens to be here
            if path.is_file() or is_there(path) or (os.sep in value and path.is_dir()):
                yield from files_in(path)


def data_of(dataset: Entry) -> Iterator[Path]:
    """What lies in the packages of a dataset's plugin and is no code."""
    for root in dataset.roots.values():
        for folder, _, names in os.walk(root):
            yield from (Path(folder, name) for name in names if not name.endswith(CODE))


def within(places: Iterable[Path], reads: Sequence[Read]) -> tuple[Path, ...]:
    """The real paths of those places that lie in what may be read."""
    reals = dict.fromkeys(os.path.realpath(place) for place in places)
    return tuple(Path(real) for real in reals if any(lies_in(real, read.place) for read in reads))


def refuse_written(trials: Sequence[Trial], folder: Path, flag: str) -> None:
    """Refuse to write where the predictors of trials may read.

    Parameters
    ----------
    trials : sequence of Trial
        Whose predictors.
    folder : Path
        The folder in which results, or questions and answers, are to be written.
    flag : str
        What says which folder that is.

    Raises
    ------
    UserError
        They may read it, or something in it.
    """
    writes = os.path.realpath(folder)
    for read in places_read(shut_in(trials)):
        if lies_in(writes, read.place):
            raise UserError(
                f"{flag} {writes} lies in {read.place}, which predictors may read ({read.why}), so"
                f" they would see results; name a folder elsewhere with {flag}"
            )
        for name in RESULTS:
            if lies_in(read.place, os.path.join(writes, name)):
                raise UserError(
                    f"predictors may read {read.place} ({read.why}), which lies in {flag} {writes},"
                    f" so they would see results; name a folder elsewhere with {flag}"
                )


def refuse_beside(dataset: Chosen, reads: Sequence[Read]) -> None:
    """Raise UserError where predictors may read the folder of a file that is a dataset's plugin.

    What it reads beside itself is not known.
    """
    file = dataset.entry.plugin_file
    if file is None:
        return
    folder = os.path.dirname(os.path.realpath(file))
    for read in reads:
        if lies_in(folder, read.place):
            raise UserError(
                f"dataset {dataset.entry.full_name} is {file}, and predictors may read"
                f" {read.place} ({read.why}), where its data may lie; move the file out of it"
            )


def refuse_described(datasets: Sequence[Chosen], reads: Sequence[Read]) -> None:
    """Raise UserError where a plugin's description may hold a file that a parameter names.

    Plugins are described before it is known, and with what their interpreter may read.
    """
    for dataset in datasets:
        for file in named_by(dataset):
            real = os.path.realpath(file)
            for read in reads:
                if not read.readable and lies_in(real, read.place):
                    raise UserError(
                        f"dataset {dataset.selection} is made of {file}, which lies in"
                        f" {read.place}: plugins may read that ({read.why}) whenever they are"
                        " listed, and may have it by now; move the file elsewhere"
                    )


def refuse_shown(files: Sequence[Path], folders: Sequence[Path], reads: Sequence[Read]) -> None:
    """Raise UserError where what is to be hidden is just what predictors must be able to read.

    Parameters
    ----------
    files : sequence of Path
        Of datasets: files, or folders of which nothing may be read.
    folders : sequence of Path
        kobench's own, in which a folder may be readable.
    reads : sequence of Read
        What may be read.
    """
    for place in (*files, *folders):
        real = os.path.realpath(place)
        for read in reads:
            inside = place in files and lies_in(read.place, real)
            if read.place == real or inside:
                what = "a dataset is made of" if place in files else "kobench keeps datasets in"
                raise UserError(
                    f"predictors may read {read.place} ({read.why}), and {what} {place}; move one"
                    " of them, so that this can be hidden"
                )
