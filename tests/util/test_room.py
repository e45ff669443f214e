"""Large arrays lie in a file without a name; they are arrays like others."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from kobench.util import room


def test_large_arrays_are_kept_in_a_file_that_nobody_sees(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert type(room.room_for((3, 4))) is np.ndarray
    monkeypatch.setattr(room, "LARGE", 8 * 12)
    if not hasattr(os, "posix_fallocate"):
        pytest.skip("this system can't reserve room in a file")
    found = room.room_for((3, 4))
    assert isinstance(found, np.memmap)
    assert not list(tmp_path.iterdir())
    assert not found.any()
    found[1] = np.arange(4.0)
    assert found[:, [1, 3]].tolist() == [[0, 0], [1, 3], [0, 0]]
    assert type(room.room_for((11,))) is np.ndarray


def test_a_full_disk_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "LARGE", 1)
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    found = room.room_for((2, 3))
    assert type(found) is np.ndarray
    assert found.shape == (2, 3)
