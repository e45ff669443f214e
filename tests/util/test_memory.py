"""The wall around libraries that allocate: it holds, it is taken down again, and none is raised."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from kobench.util.memory import allocating

if not sys.platform.startswith("linux"):
    pytest.skip("memory is limited so on Linux alone", allow_module_level=True)

import resource


def test_what_asks_for_more_gets_none() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with allocating(64 << 20):
        assert resource.getrlimit(resource.RLIMIT_DATA) != before
        assert len(np.empty(32 << 20, np.uint8)) == 32 << 20
        with pytest.raises(MemoryError):
            np.empty(256 << 20, np.uint8)
        with allocating(1 << 30), pytest.raises(MemoryError):  # none inside is higher
            np.empty(256 << 20, np.uint8)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert len(np.empty(256 << 20, np.uint8)) == 256 << 20


def test_it_is_taken_down_after_an_error() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(KeyError), allocating(64 << 20):
        raise KeyError
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
