"""What a data set holds, as digests, and how it is loaded without a network."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import numpy as np

from kobench.cells import FloatArray, Knockouts
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.plugins.chosen import Chosen
from kobench.plugins.load import resolve
from kobench.worker.checks.result import Wrong

#: Number of events whose truth is looked at.
TRUTHS = 40


def load_plainly(chosen: Chosen) -> Dataset:
    """Load a data set by calling its function.

    Raises
    ------
    Wrong
        If the function gives anything but a Dataset.
    """
    found = resolve(chosen.entry)(**chosen.params)
    if not isinstance(found, Dataset):
        raise Wrong(f"it gave a {type(found).__name__}; expected a kobench.api.Dataset")
    return found


@contextmanager
def no_network() -> Iterator[list[str]]:
    """Refuse every request for a host while a `with` block runs.

    Yields
    ------
    list of str
        The hosts that were asked for; it grows while the block runs.
    """
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
    """Digests of all that a data set holds.

    Returns
    -------
    dict
        sha256 of its cells, of its perturbed cells and of the truth of some knockouts, each after
        what it is called.
    """
    found = {"cells": digest(dataset.cells)}
    if dataset.perturbed is not None:
        found["perturbed cells"] = digest(dataset.perturbed)
    if dataset.truth is not None:
        wild_type, knockout, _ = some_truth(dataset)
        for name, rows in (("wild-type truth", wild_type), ("knockout truth", knockout)):
            found[name] = hashlib.sha256(np.ascontiguousarray(rows, "<f8").tobytes()).hexdigest()
    return found


def some_truth(dataset: Dataset) -> tuple[FloatArray, FloatArray, Knockouts]:
    """Some of a simulated truth: at most TRUTHS knockouts, spread over the first cells and genes.

    Parameters
    ----------
    dataset : Dataset
        It has a truth.

    Returns
    -------
    wild_type : (n, G) float
        Expression before each event, without measurement noise.
    knockout : (n, G) float
        Expression after each event; rows of NaN where there is no steady state.
    events : Knockouts
        The n events.
    """
    assert dataset.truth is not None
    events = Knockouts.singles(dataset.cells[: min(50, dataset.cells.n_obs)].assemblages())
    if len(events):
        events = events[np.unique(np.linspace(0, len(events) - 1, TRUTHS).astype(int))]
    assert events.cells is not None
    return dataset.truth.wild_type(events.cells), dataset.truth.knockout(events), events
