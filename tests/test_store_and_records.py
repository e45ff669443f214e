"""What a kill, a newer version or a damaged file does to stored results."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kobench import records
from kobench.cells import Cells
from kobench.errors import UserError
from kobench.store import AnswerStore, hash_of_arrays
from kobench.wire import read_cells, write_cells

TRIAL = {
    "dataset": {"name": "d", "selection": "d:seed=1"},
    "split": {"name": "holdout", "seed": 0},
    "predictor": {"name": "p", "selection": "p", "distribution": "x"},
    "fit_seed": 0, "threads": 1, "device": "cpu",
}  # fmt: skip


def record(**more):
    return {"schema": records.SCHEMA, "role": "predictor", "trial": TRIAL, "result": {}, **more}


def test_a_record_comes_back(tmp_path):
    path = records.write_record(tmp_path, record(run={"host": "a"}))
    assert records.read_record(path) == record(run={"host": "a"})
    assert list(records.read_records(tmp_path)) == [record(run={"host": "a"})]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_identity_tells_trials_apart_and_ignores_versions():
    assert records.identity(TRIAL) == records.identity({**TRIAL, "predictor": {**TRIAL["predictor"], "version": "2", "digest": "new"}})
    others = [
        {**TRIAL, "fit_seed": 1},
        {**TRIAL, "threads": 2},
        {**TRIAL, "device": "cuda"},
        {**TRIAL, "split": {"name": "all", "seed": 0}},
    ]
    assert len({records.identity(trial) for trial in [TRIAL, *others]}) == 5


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    records.write_atomically(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(records.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        records.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "can't be read|cannot be read"), ("[]", "not a JSON object"), ("{}", "not a kobench record"),
     (json.dumps(record(schema=99)), "update kobench"), (json.dumps(record(schema=0)), "no upgrade")],
)  # fmt: skip
def test_damaged_and_newer_records_are_refused(tmp_path, content, message):
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message):
        records.read_record(path)


def test_old_records_are_upgraded_step_by_step(monkeypatch):
    monkeypatch.setattr(records, "SCHEMA", 3)
    monkeypatch.setattr(
        records, "UPGRADES", {1: lambda r: {**r, "schema": 2, "one": 1}, 2: lambda r: {**r, "schema": 3, "two": r["one"] + 1}}
    )
    assert records.upgrade(record(schema=1), "r")["two"] == 2


def test_packed_records_have_equal_bytes_in_any_order(tmp_path):
    several = [record(run={"n": n}) for n in range(5)]
    records.pack_records(several, tmp_path / "a" / "records.jsonl.gz")
    records.pack_records(several[::-1], tmp_path / "b" / "records.jsonl.gz")
    assert (tmp_path / "a/records.jsonl.gz").read_bytes() == (tmp_path / "b/records.jsonl.gz").read_bytes()
    assert sorted(r["run"]["n"] for r in records.read_records(tmp_path / "a")) == list(range(5))


def test_answers_are_found_by_content_and_damage_is_noticed(tmp_path):
    store = AnswerStore(tmp_path)
    arrays = {"raw": np.arange(3.0), "rows": None}
    key = store.save(arrays)
    assert store.save({"raw": np.arange(3.0)}) == key
    assert store.keys() == {key}
    np.testing.assert_array_equal(store.load(key)["raw"], np.arange(3.0))
    other = store.save({"raw": np.arange(4.0)})
    store.path(key).write_bytes(store.path(other).read_bytes())
    with pytest.raises(UserError, match="not what their name says"):
        store.load(key)
    store.path(key).write_bytes(b"PK")
    with pytest.raises(UserError, match="can't be read"):
        store.load(key)
    assert store.keep_only({other}) == 1


def test_the_hash_sees_names_types_and_shapes():
    base = {"a": np.zeros(4)}
    different = [{"b": np.zeros(4)}, {"a": np.zeros(4, np.float32)}, {"a": np.zeros((2, 2))}, {"a": np.array([0, 0, 0, 1.0])}]
    assert len({hash_of_arrays(arrays) for arrays in [base, *different]}) == 5
    assert hash_of_arrays({"a": np.zeros((4, 3)).T}) == hash_of_arrays({"a": np.zeros((3, 4))})


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("wants", ["dense", "sparse", "anndata"])
def test_cells_cross_the_wire(tmp_path, sparse, wants):
    from scipy.sparse import csr_matrix, issparse

    X = np.random.default_rng(0).random((6, 4)).astype(np.float32) * (np.random.default_rng(1).random((6, 4)) > 0.5)
    form = csr_matrix if sparse else np.asarray
    cells = Cells(form(X), np.array(list("abcd")), {"batch": np.array(list("uvwxyz"))}, {"counts": form(X * 2)})
    write_cells(tmp_path, cells)
    back = read_cells(tmp_path, wants)
    assert issparse(back.X) == issparse(back.layers["counts"]) == (wants == "sparse")
    np.testing.assert_array_equal(back.dense(), X)
    np.testing.assert_array_equal(back.obs["batch"], cells.obs["batch"])
    np.testing.assert_array_equal(back.var_names, cells.var_names)
    np.testing.assert_array_equal(back.layers["counts"].toarray() if wants == "sparse" else back.layers["counts"], X * 2)
    adata = back.to_anndata()
    assert adata.shape == (6, 4)
    assert list(adata.obs["batch"]) == list("uvwxyz")
