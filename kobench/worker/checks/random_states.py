"""Watches the global random states of `random`, numpy and torch, which no plugin may touch."""

from __future__ import annotations

import random
import sys
from typing import Any

import numpy as np


class RandomStates:
    """Watches the global random states while a `with` block runs.

    Each state is set to a known one before the block and put back after it. Every block starts
    from other states, so an answer that depends on them differs from block to block. torch is
    watched only if something has imported it.

    Attributes
    ----------
    changed : list of str
        After the block, the names of the states that were changed.
    """

    calls = 0

    def __enter__(self) -> RandomStates:
        RandomStates.calls += 1
        self.torch = sys.modules.get("torch")
        self.before = self._states()
        random.seed(RandomStates.calls)
        own = np.random.RandomState(RandomStates.calls)
        np.random.set_state(own.get_state())  # noqa: NPY002 - it is watched, not used
        if self.torch is not None:
            self.torch.set_rng_state(
                self.torch.Generator().manual_seed(RandomStates.calls).get_state()
            )
        self.given = self._states()
        self.changed: list[str] = []
        return self

    def _states(self) -> dict[str, Any]:
        """The present states by their names."""
        states = {
            "random": random.getstate(),
            "numpy.random": np.random.get_state(),  # noqa: NPY002
        }
        if self.torch is not None:
            states["torch"] = self.torch.get_rng_state()
        return states

    def __exit__(self, *_: object) -> None:
        now = self._states()
        for name, given in self.given.items():
            if not _equal(given, now[name]):
                self.changed.append(name)
        random.setstate(self.before["random"])
        np.random.set_state(self.before["numpy.random"])  # noqa: NPY002
        if self.torch is not None:
            self.torch.set_rng_state(self.before["torch"])


def _equal(given: Any, now: Any) -> bool:
    """Whether two states are equal; numpy's is a tuple with an array in it, torch's a tensor."""
    parts = zip(given, now) if isinstance(given, tuple) else [(given, now)]  # noqa: B905 - Python 3.9
    return all(
        np.array_equal(np.asarray(one, dtype=object), np.asarray(other, dtype=object))
        for one, other in parts
    )
