"""Files that recipes make of sources that may come from anyone: in bounded memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kobench.builtin.datasets.formats import bounds
from kobench.datasets import made
from kobench.datasets.recipes import common, nkx2_1_lung
from kobench.errors import UserError

Maker = Callable[..., Any]
h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(make_adata: Maker, tmp_path: Path) -> Path:
    """A sound AnnData file."""
    make_adata().write_h5ad(tmp_path / "source.h5ad")
    return tmp_path / "source.h5ad"


def never_written(file: Any) -> None:
    file.create_dataset("obsm/x", (40, 1 << 23), "f8", chunks=(1, 1024))


def packed(file: Any) -> None:
    file.create_dataset("obsm/x", data=np.ones((40, 1 << 15)), compression="gzip")


def many_names(file: Any) -> None:
    """The same array under ten names, each of which anndata would read."""
    file["obsm/x"] = np.ones((40, 1 << 12))
    for number in range(9):
        file[f"obsm/x{number}"] = file["obsm/x"]


def linked(file: Any) -> None:
    file["uns/other"] = h5py.ExternalLink("/nonexistent/private.h5", "/secret")


def circle(file: Any) -> None:
    file.create_group("uns/deep")["again"] = file["/"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (never_written, "obsm/x claims 40 x 8,388,608 values"),
        (linked, "uns/other is a link to another place, and kobench follows none"),
        (circle, "its group uns/deep/again lies in two places"),
    ],
)
def test_sources_that_anndata_would_read_whole(
    path: Path, change: Callable[[Any], None], said: str
) -> None:
    assert common.read_h5ad(path).n_obs == 40
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(UserError) as caught:
        common.read_h5ad(path)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("change", [packed, many_names])
def test_a_source_is_no_larger_than_its_file_can_hold(
    path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], None]
) -> None:
    monkeypatch.setattr(bounds, "KEPT", 1 << 20)
    monkeypatch.setattr(bounds, "MOST_TIMES", 5)
    common.read_h5ad(path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(UserError, match=r"needs .* of memory, and at most .* kept of a file of"):
        common.read_h5ad(path)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited so on Linux")
def test_a_recipe_that_takes_far_more_than_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "WTdata.csv").write_text("x")
    monkeypatch.setattr(made, "MOST_MEMORY", 1 << 30)
    monkeypatch.setattr(nkx2_1_lung, "make", lambda files: np.empty(1 << 28) and None)
    card = {"name": "mine", "recipe": "nkx2_1_lung"}
    with pytest.raises(UserError, match=r"^dataset 'mine': recipe nkx2_1_lung takes more than 1"):
        made.made_of(card, {"WTdata.csv": tmp_path / "WTdata.csv"}, tmp_path)
    assert not list(tmp_path.glob(".made-*"))
