"""A worker in the middle of an answer, whose predictor runs any code, such as swapping folders."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kobench.cells import Cells
from kobench.supervisor.limits import Limits
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings
from kobench.worker.wire import write_cells

#: Lays folders and links to somewhere else in `here`, then swaps them for each other without end,
#: and fills the folders again.
SWAP = """
import ctypes, os
def lay(here, target, count=40):
    for i in range(count):
        os.makedirs(f"{here}/a{i}/victim")
        for k in range(40):
            open(f"{here}/a{i}/victim/f{k}", "w").close()
        os.symlink(target, f"{here}/s{i}")
    at = os.open(here, os.O_RDONLY)
    return at, [os.open(f"a{i}/victim", os.O_RDONLY, dir_fd=at) for i in range(count)]
def swap(at, inner, go_on, began=lambda: None):
    swapped = made = 0
    libc = ctypes.CDLL(None)
    while go_on():
        for i, one in enumerate(inner):
            swapped += libc.renameat2(at, b"a%d" % i, at, b"s%d" % i, 2) == 0
            if swapped == 1:
                began()
            try:
                os.close(os.open(f"z{swapped}", os.O_CREAT | os.O_WRONLY, dir_fd=one))
                made += 1
            except OSError:
                pass
    return swapped, made
"""


#: A predictor that runs code when it is fitted and when it is asked.
PREDICTOR = """
import os, time
{swap}
class Predictor:
    def fit(self, cells, context):
        self.scratch = context.scratch
        {fit}
    def predict_expression(self, assemblages):
        {predict}
        return assemblages / assemblages.sum(1, keepdims=True)
"""


@contextlib.contextmanager
def asked(
    folder: Path, fit: str = "pass", predict: str = "pass", **more: Any
) -> Iterator[WorkerProcess]:
    """A worker whose predictor runs this code, asked for its profile, which is yet to be taken."""
    path = folder / "plugin.py"
    path.write_text(PREDICTOR.format(swap=SWAP, fit=fit, predict=predict))
    more.setdefault("limits", Limits(seconds=60))
    settings = WorkerSettings(links={"plugin.py": path}, **more)
    with WorkerProcess(folder / "work", settings) as worker:
        fit_on_three_genes(worker, path)
        ask_profile(worker)
        yield worker


def fit_on_three_genes(worker: WorkerProcess, path: Path) -> None:
    """Fit the class `Predictor` of a file on four cells of three genes."""
    write_cells(worker.stage("fit"), Cells(np.ones((4, 3), np.float32), np.array(["a", "b", "c"])))
    worker.ask(
        "fit",
        make=":Predictor",
        plugin_file=str(path),
        params={},
        answers=["expression"],
        wants="dense",
        max_order=None,
        context={"seed": 0},
    )
    worker.answers("fit", ("supported",))


def ask_profile(worker: WorkerProcess) -> None:
    """Ask for the profiles of three assemblages; the answer is yet to be taken."""
    np.save(worker.stage("profile") / "assemblages.npy", np.eye(3, dtype=bool))
    worker.ask("profile")
