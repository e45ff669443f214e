"""What the harness and a worker say to each other. numpy only.

A request is one line of JSON that names what to do: "fit", "check", or a question. Its data lies in
a folder: a `Payload` there, and the arrays that answer it in another one.
"""

from __future__ import annotations

from pathlib import Path

from kobench.question import Payload
from kobench.worker.wire import read_cells, read_every_array, write_arrays, write_cells

#: Number of this protocol; a worker of another one refuses to start.
PROTOCOL = 3

#: What to do where the two ends speak different ones.
RENEW = "renew its environment: `kobench env create NAME --replace ...`"


class ProtocolError(Exception):
    """The harness and a worker speak different protocols."""


#: The folder of the asked cells, within that of a question.
CELLS = "asked"


def write_payload(folder: Path, payload: Payload) -> None:
    """Write what a predictor is handed for one question into its folder."""
    write_arrays(folder, payload.arrays)
    if payload.cells is not None:
        write_cells(folder / CELLS, payload.cells)


def read_payload(folder: Path, wants: str = "dense") -> Payload:
    """Read what `write_payload` wrote.

    Parameters
    ----------
    folder : Path
        The folder of one question.
    wants : str
        The form in which the predictor wants cells, see `PredictorSpec.wants`.
    """
    place = folder / CELLS
    return Payload(read_every_array(folder), read_cells(place, wants) if place.is_dir() else None)
