"""How `kobench verify --rerun` gets the code of a method, and fits it again."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.options import load
from kobench.cli.output import say

if TYPE_CHECKING:
    from kobench.results.parts import Record
    from kobench.runner.recorded import Source
    from kobench.verify.rerun import Method, Rerun


def run_again(
    records: Sequence[Record],
    source: Source,
    folder: Path,
    code: str | None,
    networks: Sequence[int],
    files: tuple[str, ...],
    cards: tuple[str, ...],
    sandbox: str,
) -> Rerun:
    """Fit the methods of records again, and compare their answers.

    Parameters
    ----------
    records : sequence of Record
        The records.
    source : Source
        Where datasets, tasks and recorded answers are found.
    folder : Path
        Where the records lie, which may be a submission.
    code : str or None
        Where the code can be had, as the user says; None for what a submission says, else for what
        is installed.
    networks : sequence of int
        Only these; [] for all.
    files, cards : tuple of str
        The user's plugin files and folders of cards.
    sandbox : str
        One of `kobench.sandbox.MODES`.
    """
    from kobench.verify.rerun import Rerun, of_networks, rerun

    chosen = of_networks([one for one in records if one.role == "predictor"], networks)
    if not chosen:
        return Rerun()
    with (
        tempfile.TemporaryDirectory(prefix="kobench-rerun-") as scratch,
        brought(folder, code, files, cards, sandbox, Path(scratch) / "code") as method,
    ):
        return rerun(
            chosen, source, method, Path(scratch) / "results", lambda text: say(text, err=True)
        )


@contextlib.contextmanager
def brought(
    folder: Path,
    said: str | None,
    files: tuple[str, ...],
    cards: tuple[str, ...],
    sandbox: str,
    place: Path,
) -> Iterator[Method]:
    """Where the methods are, for as long as they are there."""
    from kobench.environments.create import remove
    from kobench.verify.checkout import environment_of, fetch, named, of_submission
    from kobench.verify.rerun import Method

    code = of_submission(folder) if said is None else named(said)
    if code is None:
        yield Method(load(files, cards, sandbox), sandbox=sandbox)
        return
    where = str(fetch(code, place)) if code.commit else code.address
    if where.endswith(".py"):
        where = str(Path(where).resolve())
        yield Method(load((*files, where), cards, sandbox), plugin_file=where, sandbox=sandbox)
        return
    name = environment_of(where, code.lock, lambda text: say(f"{text} ...", err=True))
    try:
        yield Method(load(files, cards, sandbox), environment=name, sandbox=sandbox)
    finally:
        remove(name)
