"""The digest of the content: the same for every container of the same cells, and for no others."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from contents import content_of

from kobench.datasets import content, right
from kobench.datasets.content import content_of_file
from kobench.datasets.fetch import find_file
from kobench.errors import UserError
from kobench.util import hashes


def cells(**changes: Any) -> anndata.AnnData:
    """Three cells with two genes, with `changes`."""
    X = changes.get("X", scipy.sparse.csr_matrix(np.array([[1, 0], [0, 2.5], [3, 4]], np.float32)))
    obs = {
        "label": pd.Categorical(["a", "b", "a"]),
        "total": np.array([1, 2, 3]),
        "share": np.array([0.5, np.nan, 0.25], np.float32),
        "good": [True, False, True],
    }
    obs |= changes.get("obs", {})
    order = changes.get("order", list(obs))
    index = changes.get("cells", ["x", "y", "z"])
    made = anndata.AnnData(
        X,
        obs=pd.DataFrame({name: obs[name] for name in order}, index=index),
        var=pd.DataFrame({"id": ["G1", "G2"]}, index=changes.get("genes", ["A", "B"])),
    )
    for name, layer in changes.get("layers", {}).items():
        made.layers[name] = layer
    return made


def unsorted() -> Any:
    """The matrix with its columns in another order, a stored 0 and an entry in two parts."""
    rows = scipy.sparse.csr_matrix((3, 2), dtype=np.float64)
    rows.data = np.array([0.0, 1.0, 1.5, 1.0, 4.0, 3.0])
    rows.indices, rows.indptr = np.array([1, 0, 1, 1, 1, 0]), np.array([0, 2, 4, 6])
    return rows


SAME: dict[str, Callable[[], anndata.AnnData]] = {
    "dense": lambda: cells(X=cells().X.toarray()),
    "by column": lambda: cells(X=scipy.sparse.csc_matrix(cells().X)),
    "float64": lambda: cells(X=cells().X.astype(np.float64)),
    "not canonical": lambda: cells(X=unsorted()),
    "order of columns": lambda: cells(order=["share", "good", "total", "label"]),
    "labels as text": lambda: cells(obs={"label": ["a", "b", "a"]}),
    "unused category": lambda: cells(obs={"label": pd.Categorical(list("aba"), list("cba"))}),
    "type of numbers": lambda: cells(obs={"total": np.array([1.0, 2.0, 3.0], np.float32)}),
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_cells_have_the_same_digest(name: str, tmp_path: Path) -> None:
    again = SAME[name]()
    assert content_of(again) == content_of(cells())
    again.write_h5ad(tmp_path / "a.h5ad", compression="gzip")
    assert content_of_file(tmp_path / "a.h5ad") == content_of(cells())


OTHER: dict[str, Callable[[], anndata.AnnData]] = {
    "a value": lambda: cells(X=np.array([[1, 0], [0, 2.5], [3, 5]])),
    "a row further on": lambda: cells(X=np.array([[1, 2.5], [0, 0], [3, 4]])),
    "order of cells": lambda: cells()[[1, 0, 2]].copy(),
    "a cell's name": lambda: cells(cells=["x", "y", "w"]),
    "a gene's name": lambda: cells(genes=["A", "C"]),
    "order of genes": lambda: cells()[:, [1, 0]].copy(),
    "a label": lambda: cells(obs={"label": ["a", "b", "b"]}),
    "a number": lambda: cells(obs={"total": [1, 2, 4]}),
    "a number as text": lambda: cells(obs={"total": ["1", "2", "3"]}),
    "a value that is missing": lambda: cells(obs={"label": ["a", "b", None]}),
    "another column": lambda: cells(obs={"day": [1, 1, 1]}),
    "a column's name": lambda: cells(order=["label", "total", "share"]),
    "a layer": lambda: cells(layers={"counts": np.ones((3, 2))}),
}


@pytest.mark.parametrize("name", OTHER)
def test_other_cells_have_another_digest(name: str) -> None:
    assert content_of(OTHER[name]()) != content_of(cells())


def test_all_digests_of_others_differ() -> None:
    assert len({content_of(make()) for make in OTHER.values()}) == len(OTHER)


def test_raw_and_layers_count() -> None:
    plain, with_raw, other_raw = cells(), cells(), cells()
    with_raw.raw = cells()
    other_raw.raw = cells(genes=["A", "C"])
    layers = [cells(layers={name: np.ones((3, 2))}) for name in ("a", "b")]
    assert len({content_of(each) for each in (plain, with_raw, other_raw, *layers)}) == 5


def test_what_raw_says_of_its_genes_counts() -> None:
    """Names of genes may be read from there."""
    one, other = cells(), cells()
    one.raw = cells()
    named = cells()
    named.var["id"] = ["G2", "G1"]
    other.raw = named
    assert content_of(one) != content_of(other)


def test_whole_numbers_that_are_no_floats_count() -> None:
    digests = {content_of(cells(obs={"total": [2**60 + more, 2, 3]})) for more in (0, 1)}
    assert len(digests) == 2


def test_labels_are_those_that_a_loader_reads(tmp_path: Path) -> None:
    """AnnData 0.7 kept categories apart: a column may point elsewhere than where they should be."""
    honest, other = tmp_path / "honest.h5ad", tmp_path / "other.h5ad"
    for path, order in ((honest, [b"a", b"b"]), (other, [b"b", b"a"])):
        cells().write_h5ad(path)
        with h5py.File(path, "r+") as file:
            obs = file["obs"]
            del obs["label"]
            obs["label"] = np.array([0, 1, 0], np.int8)
            kept = obs.create_group("__categories")
            kept["label"], kept["honest"] = np.array(order), np.array([b"a", b"b"])
            obs["label"].attrs["categories"] = kept["honest"].ref
            obs.attrs["encoding-version"] = "0.1.0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the old layout
        assert list(anndata.read_h5ad(other).obs["label"]) == ["a", "b", "a"]
    assert content_of_file(honest) == content_of(cells())
    assert content_of_file(other) != content_of(cells())


def test_the_digest_is_the_documented_one() -> None:
    """Worked out from the definition, by other means."""
    import hashlib

    made = anndata.AnnData(
        np.array([[0.0, 2.0]]),
        obs=pd.DataFrame({"n": [2]}, index=["c"]),
        var=pd.DataFrame(index=["A", "B"]),
    )
    head = {
        "cells": ["c"],
        "content": 2,
        "genes": ["A", "B"],
        "matrices": ["X"],
        "obs": {"n": [2.0]},
        "raw": None,
        "var": {},
    }
    values = b"\1\0\0\0\0\0\0\0" + b"\1\0\0\0\0\0\0\0" + b"\0\0\0\0\0\0\0\x40"
    expected = hashlib.sha256(json.dumps(head).encode() + values).hexdigest()
    assert content_of(made) == f"sha256:{expected}"


def test_what_is_no_anndata_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.h5ad"
    path.write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"a.h5ad cannot be read as a file of cells \(.*; bring"):
        content_of_file(path)
    with h5py.File(path, "w") as file:
        file["X"] = 3
    with pytest.raises(UserError, match=r"cannot be read as a file of cells .* not AnnData"):
        content_of_file(path)


def test_a_file_that_another_process_holds_is_not_the_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "a.h5ad"
    with h5py.File(path, "w") as file:
        file["X"] = 3
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(UserError, match=r"close it there, or wait, and try again$"):
            content_of_file(path)
        other.communicate(b"\n")


def test_a_file_that_may_not_be_read_is_not_the_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> str:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(right, "sha256_of_content", closed)
    card = {"name": "mine", "file": {"name": "a.h5ad", "sha256": "0" * 64}}
    with pytest.raises(UserError, match=r"\(Permission denied\); see to it that you may read it$"):
        right.check_file_is_right(card, tmp_path / "a.h5ad", "the file", "bring the right file")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.mark.parametrize("sha256", [{}, {"sha256": "0" * 64}])
def test_a_file_is_right_by_its_content(
    data: Path, sha256: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = cells()
    card = {
        "name": "mine",
        "recipe": "nkx2_1_lung",
        "file": {"name": "a.h5ad", "content": content_of(made), **sha256},
    }
    made.write_h5ad(data / "a.h5ad")
    assert find_file(card) == data / "a.h5ad"
    made.write_h5ad(data / "a.h5ad", compression="gzip")
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    assert find_file(card) == data / "a.h5ad"
    with monkeypatch.context() as patch:  # what is known of the same bytes is not read again
        patch.setattr("kobench.datasets.content.content_of_file", lambda path: "read again")
        assert find_file(card) == data / "a.h5ad"
    memory = data.parent / "cache" / "kobench" / "contents.json"
    # a digest that is remembered wrongly is worked out anew
    memory.write_text(memory.read_text().replace(card["file"]["content"], "sha256:0"))
    assert find_file(card) == data / "a.h5ad"
    memory.write_text('{"x": 3')
    assert find_file(card) == data / "a.h5ad"
    cells(obs={"label": ["a", "b", "b"]}).write_h5ad(data / "a.h5ad")
    with pytest.raises(UserError, match=r"'mine', .*a.h5ad, does not hold what its card says: .* "):
        find_file(card)


def test_a_file_is_right_by_its_md5(data: Path) -> None:
    import hashlib

    (data / "a.h5ad").write_bytes(b"content")
    source = {"name": "a.h5ad", "urls": ["https://example.org/a"]}
    right = hashlib.md5(b"content", usedforsecurity=False).hexdigest()
    card = {"name": "mine", "file": {"name": "a.h5ad"}, "sources": [{**source, "md5": right}]}
    assert find_file(card) == data / "a.h5ad"
    card["sources"] = [{**source, "md5": "0" * 32}]
    with pytest.raises(UserError, match=f"has md5 {right} but 0{{32}} is expected; move it away"):
        find_file(card)


class Listed(list[Any]):
    """A list of which can be told whether it is still held."""


def test_one_column_at_a_time_is_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may have very many columns."""
    made: list[weakref.ref[Listed]] = []
    values = content._values

    def watched(table: Any, name: str) -> list[Any]:
        assert all(each() is None for each in made)
        found = Listed(values(table, name))
        made.append(weakref.ref(found))
        return found

    cells().write_h5ad(tmp_path / "mine.h5ad")
    digest = content_of_file(tmp_path / "mine.h5ad")
    monkeypatch.setattr(content, "_values", watched)
    assert content_of_file(tmp_path / "mine.h5ad") == digest
    assert len(made) == 5
