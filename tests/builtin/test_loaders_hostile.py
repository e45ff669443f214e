"""Files made to do harm, held by another process, or without room: one true sentence, no harm."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kobench.builtin.datasets import h5ad
from kobench.builtin.datasets.formats import bounds
from kobench.datasets.digest import digest
from kobench.errors import UserError

Maker = Callable[..., Any]
h5py = pytest.importorskip("h5py")


@pytest.fixture
def path(make_adata: Maker, tmp_path: Path) -> Path:
    """A sound file."""
    make_adata().write_h5ad(tmp_path / "mine.h5ad")
    return tmp_path / "mine.h5ad"


def refused(path: Path, **parameters: Any) -> str:
    """The one sentence by which a file is refused."""
    with pytest.raises(UserError) as caught:
        h5ad.load(str(path), **parameters)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert len(said) < 700
    return said


def replaced(path: Path, name: str, link: Any) -> None:
    """Put something else in the place of a part of a file."""
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = link


@pytest.mark.parametrize("name", ["X", "obs", "var", "obs/perturbation", "X/data", "obs/_index"])
@pytest.mark.parametrize("kind", ["external", "soft"])
def test_links_are_never_followed(
    path: Path, make_adata: Maker, tmp_path: Path, name: str, kind: str
) -> None:
    """The secret next door is well-formed: without the refusal it would be read."""
    secret = tmp_path / "secret.h5ad"
    make_adata(seed=1).write_h5ad(secret)
    with h5py.File(path, "r+") as file:
        file["kept"] = file[name]
    link = h5py.ExternalLink(str(secret), name) if kind == "external" else h5py.SoftLink("/kept")
    replaced(path, name, link)
    assert f"{name} is a link to another place, and kobench follows none" in refused(path)


def test_a_pipe_behind_a_link_is_not_waited_for(path: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    replaced(path, "X", h5py.ExternalLink(str(tmp_path / "pipe"), "/X"))
    assert "X is a link to another place" in refused(path)
    assert "is no plain file" in refused(tmp_path / "pipe")


def test_arrays_of_other_files(path: Path, tmp_path: Path) -> None:
    with h5py.File(path) as file:
        length = file["X/data"].shape[0]
    secret = tmp_path / "secret"
    secret.write_bytes(np.ones(length, np.float32).tobytes())
    with h5py.File(path, "r+") as file:
        del file["X/data"]
        outside = [(str(secret), 0, h5py.h5f.UNLIMITED)]
        file["X"].create_dataset("data", (length,), "f4", external=outside)
    assert "X/data is made of other files or arrays" in refused(path)
    layout = h5py.VirtualLayout((length,), "f4")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "data", (length,), "f4")
    with h5py.File(path, "r+") as file:
        del file["X/data"]
        file["X"].create_virtual_dataset("data", layout)
    assert "X/data is made of other files or arrays" in refused(path)


def test_arrays_that_claim_more_than_is_stored(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["X"]
        file.create_dataset("X", (10**9, 10**9), "f4", chunks=(1024, 1024))
    assert "X claims 1,000,000,000 x 1,000,000,000 values" in refused(path)
    with h5py.File(path, "r+") as file:
        del file["X"], file["obs/_index"]
        file["X"] = np.ones((2, 2))
        file["obs"].create_dataset("_index", (10**9,), "S8", chunks=(10**6,))
    assert "obs/_index claims 1,000,000,000" in refused(path)
    with h5py.File(path, "r+") as file:
        del file["obs/_index"]
        file["obs"].create_dataset("_index", (10**6,), "S1", chunks=(10**6,))
    assert "claims 1,000,000 names, which a file of" in refused(path)


def test_a_matrix_larger_than_memory_is_refused_before_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "available_mb", lambda: 0)
    monkeypatch.setattr(bounds, "HARMLESS", 100)
    assert "of memory, and there are 0 MB for this process" in refused(path)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("X/indptr", np.arange(41)[::-1], "indptr does not count up"),
        ("X/indptr", np.zeros(3, int), "indptr has 3 entries and not 41"),
        ("X/indptr", np.full(41, 10**15), "indptr does not count up"),
        ("X/indices", np.full(320, 10**6), "an index lies outside the matrix"),
        ("X/indices", np.full(320, -1), "an index lies outside the matrix"),
        ("X/data", np.array(["x"] * 320, dtype="S1"), "holds values of type |S1, not numbers"),
        ("X/data", np.zeros((2, 2)), "it has no data"),
        ("obs/_index", np.array(["x" * 2000] * 40, dtype="S2000"), "a text of 2,000 characters"),
        ("obs/_index", np.zeros((40, 2)), "obs has no names"),
        ("obs/perturbation/codes", np.full(40, 100, np.int8), "numbers 101 categories and has 3"),
        ("obs/perturbation/codes", np.zeros(3, np.int8), "has 3 values for 40 rows"),
        ("obs/perturbation/codes", np.zeros((40, 2), np.int8), "is no column"),
    ],
)
def test_parts_that_do_not_fit_together(
    path: Path, name: str, values: np.ndarray, said: str
) -> None:
    replaced(path, name, values)
    assert said in refused(path)


def test_text_that_is_none(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        texts = np.array([b"\xff"] * 40, dtype=object)
        file["obs"].create_dataset("bad", data=texts, dtype=h5py.string_dtype())
        order = file["obs"].attrs["column-order"].tolist()
        file["obs"].attrs["column-order"] = np.array([*order, "bad"], dtype=object)
    assert "obs/bad holds text that is not UTF-8" in refused(path, batch_key="bad")


def test_deep_groups_and_many_names_cost_nothing(path: Path) -> None:
    sound = digest(h5ad.load(str(path)).cells)
    with h5py.File(path, "r+") as file:
        group = file.create_group("uns/deep")
        for _ in range(500):
            group = group.create_group("x")
        group["again"] = file["/"]  # a circle
    assert digest(h5ad.load(str(path)).cells) == sound
    assert "there is no layer '../X'" in refused(path, layer="../X")


HOLDER = (
    "import h5py, sys; file = h5py.File(sys.argv[1], 'r+'); print('here', flush=True);"
    " sys.stdin.read()"
)


def test_a_file_that_another_process_writes_is_named_as_that(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "HDF5_USE_FILE_LOCKING": "TRUE"},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"here\n"
        said = refused(path)
        holder.communicate(b"")
    assert "is open in another process that writes it; close it there, or wait" in said
    assert h5ad.load(str(path)).cells.n_obs == 24


def test_file_systems_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound, opened = digest(h5ad.load(str(path)).cells), h5py.File

    def without_locks(*given: Any, **more: Any) -> Any:
        if more.get("locking") is not False:
            raise OSError(
                "Unable to synchronously open file (unable to lock file, errno ="
                f" {errno.ENOLCK}, error message = 'No locks available')"
            )
        return opened(*given, **more)

    monkeypatch.setattr(h5py, "File", without_locks)
    assert digest(h5ad.load(str(path)).cells) == sound


def test_filters_that_are_not_there_are_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(path, "r+") as file:
        values = file["X/data"][:]
        del file["X/data"]
        file["X"].create_dataset("data", data=values, compression="lzf", chunks=True)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda code: code != h5py.h5z.FILTER_LZF)
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    assert "is compressed by the filter 'lzf', which h5py alone can't read" in refused(path)


def test_a_file_that_may_not_be_read(path: Path) -> None:
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert "may not be read by you" in refused(path)


@pytest.fixture
def store(make_adata: Maker, tmp_path: Path) -> Path:
    """A sound zarr folder of version 2."""
    anndata = pytest.importorskip("anndata")
    pytest.importorskip("zarr", minversion="3")
    adata = make_adata()
    adata.X = adata.X.toarray()
    with anndata.settings.override(zarr_write_format=2):
        adata.write_zarr(tmp_path / "store.zarr")
    return tmp_path / "store.zarr"


class Harm:
    """What pickle would run."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.place),)


def test_pickles_in_a_zarr_folder_are_not_opened(store: Path, tmp_path: Path) -> None:
    import pickle

    said = json.loads((store / "obs" / "_index" / ".zarray").read_text())
    said |= {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 5}], "compressor": None}
    (store / "obs" / "_index" / ".zarray").write_text(json.dumps(said))
    (store / "obs" / "_index" / "0").write_bytes(pickle.dumps(Harm(tmp_path / "harm")))
    assert "obs/_index is packed by 'pickle', which kobench does not read" in refused(store)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "said",
    [
        {"codecs": [{"name": "numcodecs.pickle", "configuration": {}}]},
        {
            "codecs": [
                {"name": "sharding_indexed", "configuration": {"codecs": [{"name": "pickle"}]}}
            ]
        },
        {"filters": [{"id": "json2"}], "compressor": None},
    ],
)
def test_other_ways_to_pack_harm(store: Path, said: dict[str, Any]) -> None:
    (store / "X" / "zarr.json").write_text(json.dumps(said))
    assert "X is packed by" in refused(store)


@pytest.mark.parametrize("place", ["X/0.0", "obs", "uns/link"])
def test_links_in_a_zarr_folder(store: Path, tmp_path: Path, place: str) -> None:
    target = store / place
    if target.is_dir():
        target.rename(tmp_path / "elsewhere")
        target.symlink_to(tmp_path / "elsewhere")
    else:
        target.unlink(missing_ok=True)
        target.symlink_to("/etc/passwd")
    assert f"{place} is a link, and kobench follows none" in refused(store)


def test_pipes_in_a_zarr_folder(store: Path) -> None:
    (store / "X" / "0.0").unlink()
    os.mkfifo(store / "X" / "0.0")
    assert "X/0.0 is no plain file" in refused(store)


def test_zarr_arrays_that_claim_more_than_is_stored(store: Path) -> None:
    said = json.loads((store / "X" / ".zarray").read_text())
    (store / "X" / ".zarray").write_text(json.dumps({**said, "shape": [10**9, 10**9]}))
    assert "X claims 1,000,000,000 x 1,000,000,000 values" in refused(store)
    (store / "X" / ".zarray").write_text("[" * 100_000)
    assert "is incomplete or damaged" in refused(store)


def test_links_in_a_folder_with_text(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "barcodes.tsv").symlink_to("/etc/passwd")
    (folder / "features.tsv").write_text("a\ta\n")
    (folder / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n1 1 0\n")
    assert "barcodes.tsv is a link, and kobench follows none" in refused(folder)
    (folder / "barcodes.tsv").unlink()
    (folder / "barcodes.tsv").write_text("x" * 10_000)
    assert "line 1 is too long" in refused(folder)
