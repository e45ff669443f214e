"""What a data set holds, as digests, and how it is loaded without a network."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

from kobench.cells import Knockouts
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.plugins.chosen import Chosen
from kobench.plugins.load import resolve
from kobench.worker.checks.kit import Wrong

#: Events whose truth is looked at.
TRUTHS = 40


def load_plainly(chosen: Chosen) -> Dataset:
    """What a data set's function gives; Wrong where that is no Dataset."""
    found = resolve(chosen.entry)(**chosen.params)
    if not isinstance(found, Dataset):
        raise Wrong(f"it gave a {type(found).__name__}; expected a kobench.api.Dataset")
    return found


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Whoever asks for a host while this lasts is refused; gives what was asked for."""
    asked: list[str] = []

    def refuse(*given: Any, **_: Any) -> Any:
        named = next((one for one in given if not isinstance(one, socket.socket)), "")
        asked.append(str(named)[:100])
        raise OSError("kobench check allows no network while a data set is loaded")

    with ExitStack() as patched:
        for name in ("getaddrinfo", "create_connection", "gethostbyname"):
            patched.enter_context(mock.patch.object(socket, name, refuse))
        patched.enter_context(mock.patch.object(socket.socket, "connect", refuse))
        yield asked


def content_of(dataset: Dataset) -> dict[str, str]:
    """Digests of all that a data set holds: its cells, the perturbed ones, and the truth of some
    knockouts.
    """
    found = {"cells": digest(dataset.cells)}
    if dataset.perturbed is not None:
        found["perturbed cells"] = digest(dataset.perturbed)
    if dataset.truth is not None:
        wild_type, knockout, _ = some_truth(dataset)
        for name, rows in (("wild-type truth", wild_type), ("knockout truth", knockout)):
            found[name] = hashlib.sha256(np.ascontiguousarray(rows, "<f8").tobytes()).hexdigest()
    return found


def some_truth(dataset: Dataset) -> tuple[Any, Any, Knockouts]:
    """Clean wild types and knockouts (at most TRUTHS events, spread over cells and genes) of a
    simulated truth, and the events.
    """
    assert dataset.truth is not None
    events = Knockouts.singles(dataset.cells[: min(50, dataset.cells.n_obs)].assemblages())
    events = (
        events[np.unique(np.linspace(0, max(len(events) - 1, 0), TRUTHS).astype(int))]
        if len(events)
        else events
    )
    assert events.cells is not None
    return dataset.truth.wild_type(events.cells), dataset.truth.knockout(events), events
