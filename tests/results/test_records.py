"""What a kill, a newer version or a damaged file does to stored results."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import factories
import numpy as np
import pytest

from kobench.cells import Cells
from kobench.errors import STATUSES, UserError
from kobench.results import records
from kobench.results.answer_store import AnswerStore, hash_of_arrays
from kobench.results.parts import Record, TrialInfo
from kobench.util import files
from kobench.util.files import hash_of
from kobench.worker.wire import read_cells, write_cells


def record(**more):
    metric = factories.metric(0.5, [0.25, None], floors={"random": {"value": 0.1, "draws": [0.1]}})
    keys = {"fit": "f", "questions": {"singles": "q"}, "scores": {factories.TASK: "s"}}
    return {
        **factories.record("p", factories.scores({"spearman": metric})),
        "schema": records.SCHEMA,
        "about": {
            "dataset": {"near_null": "", "params": [{"name": "genes", "value": 100, "says": ""}]},
            "tasks": {},
        },
        "keys": keys,
        **more,
    }


TRIAL = factories.record("p")["trial"]


def written(folder, document):
    """The file of a record that is written anew."""
    return records.write_record(folder, Record.from_json(document))


def identity(trial):
    """The identity of a trial, given as a document."""
    return records.identity(TrialInfo.from_json(trial))


def test_a_record_comes_back(tmp_path):
    path = written(tmp_path, record(run={"host": "a"}))
    assert records.read_record(path).to_json() == record(run={"host": "a"})
    assert [one.to_json() for one in records.read_records(tmp_path)] == [record(run={"host": "a"})]
    document = json.loads(path.read_text())
    assert document.pop("seal") == hash_of(record(run={"host": "a"}))
    assert document == record(run={"host": "a"})
    assert [file.name for file in path.parent.iterdir()] == [path.name]


RUN = {
    "limits": {"seconds": None, "memory_mb": 400, "processes": 64, "written_mb": 8192},
    "found": None,
    "sandbox": {
        "mode": "auto",
        "layers": {"mounts": True, "landlock-tcp": "needs version 4 of Landlock"},
        "readable": ["/data"],
    },
    "output": None,
    "environment": {"name": "old", "python": "3.9.18", "packages": {"numpy": "1.26.4"}},
}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        (
            {
                "limits": None,
                "sandbox": None,
                "environment": None,
                "output": "last words",
                "found": "it held 401 MB",
            },
            "",
        ),
        ({"limits": {}}, ""),  # a limit that a later version does not have
        ({"limits": {"memory_mb": "400"}}, "run.limits.memory_mb"),
        ({"sandbox": {"mode": "auto", "layers": {}}}, "run.sandbox.readable is missing"),
        (
            {"sandbox": {"mode": "auto", "layers": {"mounts": 1}, "readable": []}},
            "run.sandbox.layers.mounts",
        ),
        ({"sandbox": "auto"}, "run.sandbox"),
        ({"output": ["x"]}, "run.output"),
        (
            {"environment": {"name": "old", "python": "3.9.18", "packages": ["numpy"]}},
            "run.environment.packages",
        ),
    ],
)
def test_what_a_record_says_of_how_it_was_run_has_a_shape(tmp_path, change, fault):
    path = records.record_path(tmp_path, TrialInfo.from_json(TRIAL))
    path.parent.mkdir()
    path.write_text(json.dumps(record(run={**RUN, **change})))
    if not fault:
        assert records.read_record(path).run.to_json() == {**RUN, **change}
        return
    with pytest.raises(UserError, match=fault):
        records.read_record(path)


def test_older_records_without_any_of_it_are_read(tmp_path):
    path = written(tmp_path, record(run={"timeout": 60.0}))
    assert records.read_record(path).run.to_json() == {"timeout": 60.0}


def within(part, **changes):
    """The trial with other values in one of its parts."""
    return {**TRIAL, part: {**TRIAL[part], **changes}}


def test_identity_tells_trials_apart_and_ignores_versions():
    others = [
        {**TRIAL, "fit_seed": 1},
        {**TRIAL, "threads": 2},
        {**TRIAL, "device": "cuda"},
        within("split", name="all"),
        within("split", seed=1),
        within("split", train="rod"),
        within("split", train="cone"),
        within("predictor", name="q"),
        within("predictor", selection="p:width=3"),
        within("predictor", distribution="another"),
        within("predictor", environment="old"),
        within("predictor", environment="new"),
        within("dataset", name="table"),
        within("dataset", selection="grn:genes=100,seed=1"),
    ]
    found = [identity(trial) for trial in [TRIAL, *others]]
    assert len(set(found)) == len(found)
    for same in (
        within("predictor", version="2", digest="new"),
        within("dataset", version=2, digest="new", kind="real", truth="none", notes=["new"]),
    ):
        assert identity(same) == identity(TRIAL)


def test_one_predictor_in_two_environments_has_two_records(tmp_path):
    for environment in ("old", "new", None):
        predictor = dict(TRIAL["predictor"])
        if environment:
            predictor["environment"] = environment
        written(tmp_path, record(trial={**TRIAL, "predictor": predictor}))
    assert sorted(
        one.trial.predictor.environment or "none" for one in records.read_records(tmp_path)
    ) == ["new", "none", "old"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    files.write_atomically(path, b"old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "can't be read|cannot be read"),
        ("[]", "not a JSON object"),
        ("{}", "not a kobench record"),
        ("[" * 100_000, "cannot be read"),
        ('{"schema": NaN}', "NaN is not JSON"),
        ("3", "is 3, not a JSON object"),
        (json.dumps(record(schema=True)), "not a kobench record"),
        ('{"schema": 1, "trial": {}, "result": {}}', "damaged: role is missing"),
        (json.dumps(record(schema=99)), "update kobench"),
        (json.dumps(record(schema=records.SCHEMA + 1)), "this kobench reads up to"),
        (json.dumps(record(schema=0)), "no upgrade"),
    ],
)
def test_damaged_and_newer_records_are_refused(tmp_path, content, message):
    path = tmp_path / "r.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        records.read_record(path)
    assert str(path) in str(error.value)


def changed(place, value):
    """A record with another value at a place such as trial.split; ... takes it out."""
    out = json.loads(json.dumps(record()))
    *parents, last = place.split("/")
    part = out
    for key in parents:
        part = part[key]
    if value is ...:
        del part[last]
    else:
        part[last] = value
    return out


METRIC = f"result/scores/{factories.TASK}/metrics/spearman"


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("keys", ..., "keys is missing"),
        ("run", ..., "run is missing"),
        ("run", [], "run is [], expected an object"),
        ("run/fit_seconds", "1", 'run.fit_seconds is "1", expected a number or null'),
        ("trial/dataset/group", ..., "trial.dataset.group is missing"),
        ("trial/predictor", "p", 'trial.predictor is "p", expected an object'),
        ("trial/fit_seed", True, "trial.fit_seed is true, expected a whole number"),
        ("trial/dataset/notes", [3], "trial.dataset.notes holds 3, expected text"),
        ("keys/scores", "s", 'keys.scores is "s", expected an object'),
        ("result/status", None, "result.status is null, expected text"),
        (f"{METRIC}/value", "0.5", "metrics.spearman.value is"),
        (
            f"{METRIC}/draws",
            [0.1, "x"],
            'metrics.spearman.draws holds "x", expected a number or null',
        ),
        (
            f"{METRIC}/floors/random",
            0.1,
            "metrics.spearman.floors.random is 0.1, expected an object",
        ),
        (f"result/scores/{factories.TASK}/primary", ..., "primary is missing"),
    ],
)
def test_a_record_that_lacks_a_part_is_named_with_what_is_missing(tmp_path, place, value, message):
    path = tmp_path / "records" / "r.json"
    path.parent.mkdir()
    path.write_text(json.dumps(changed(place, value)))
    with pytest.raises(UserError) as error:
        list(records.read_records(tmp_path))
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_older_records_of_this_schema_are_read(tmp_path):
    without = changed("run/fit_seconds", ...)
    del without["result"]["scores"][factories.TASK]["metrics"]["spearman"]["version"]
    assert records.parse_record(without, "r").to_json() == without


def packed(content: bytes) -> bytes:
    """gzip without the time: tests are named by these bytes, and each process that collects them
    must find the same names.
    """
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "Not a gzipped file"),
        (packed(b"x" * 100)[:-9], "Compressed file ended"),
        (packed(b"{}")[:10] + b"\xff" * 20, "from its start"),
        (packed(b"{"), "line 1 cannot be read"),
        (packed(b"\xff\xfe"), "line 1 cannot be read (it is not UTF-8 text)"),
        (packed(b"[]"), "line 1 is [], not a JSON object"),
        (packed(json.dumps(record()).encode() + b"\n{"), "line 2 cannot be read"),
        (packed(b'{"schema": 1, "trial": {}, "result": {}}'), "line 1 is damaged: role is missing"),
    ],
)
def test_damaged_packed_records_are_refused(tmp_path, content, message):
    (tmp_path / "records.jsonl.gz").write_bytes(content)
    with pytest.raises(UserError) as error:
        list(records.read_records(tmp_path))
    assert message in str(error.value)
    assert str(tmp_path / "records.jsonl.gz") in str(error.value)


def test_old_records_are_upgraded_step_by_step(monkeypatch):
    monkeypatch.setattr(records, "SCHEMA", 3)
    monkeypatch.setattr(
        records,
        "UPGRADES",
        {
            1: lambda r: replace(r, schema=2, others={"one": 1}),
            2: lambda r: replace(r, schema=3, others={"two": r.others["one"] + 1}),
        },
    )
    found = records.parse_record(record(schema=1), "r")
    assert (found.schema, found.to_json()["two"]) == (3, 2)


def test_packed_records_have_equal_bytes_in_any_order(tmp_path):
    several = [Record.from_json(record(run={"n": n})) for n in range(5)]
    records.pack_records(several, tmp_path / "a" / "records.jsonl.gz")
    records.pack_records(several[::-1], tmp_path / "b" / "records.jsonl.gz")
    assert (tmp_path / "a/records.jsonl.gz").read_bytes() == (
        tmp_path / "b/records.jsonl.gz"
    ).read_bytes()
    assert sorted(r.run.others["n"] for r in records.read_records(tmp_path / "a")) == list(range(5))


def test_packed_records_have_equal_bytes_whenever_they_are_packed(tmp_path, monkeypatch):
    found = []
    for now in (1e9, 1.7e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        records.pack_records([Record.from_json(record())], tmp_path / "records.jsonl.gz")
        found.append((tmp_path / "records.jsonl.gz").read_bytes())
    assert found[0] == found[1]


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


def test_what_is_no_hash_names_no_answers(tmp_path):
    """Nor does a hash with more behind it, which could lead out of the folder."""
    store = AnswerStore(tmp_path)
    key = store.save({"raw": np.arange(3.0)})
    outside = tmp_path / f"{key}.npz"
    outside.write_bytes(store.path(key).read_bytes())
    (store.folder / key).mkdir()
    (store.folder / f"{key}x.npz").write_bytes(b"mine")
    for name in (f"{key}/../../{key}", f"{key}x", f"x{key}", f"{key}\n", key.upper(), key[1:], ""):
        with pytest.raises(UserError, match="expected a sha256 of 64 hexadecimal digits"):
            store.load(name)
        store.discard(name)
    assert outside.exists()
    assert (store.folder / f"{key}x.npz").exists()
    np.testing.assert_array_equal(store.load(key)["raw"], np.arange(3.0))
    store.discard(key)
    assert not store.path(key).exists()


def test_the_hash_sees_names_types_and_shapes():
    base = {"a": np.zeros(4)}
    different = [
        {"b": np.zeros(4)},
        {"a": np.zeros(4, np.float32)},
        {"a": np.zeros((2, 2))},
        {"a": np.array([0, 0, 0, 1.0])},
    ]
    assert len({hash_of_arrays(arrays) for arrays in [base, *different]}) == 5
    assert hash_of_arrays({"a": np.zeros((4, 3)).T}) == hash_of_arrays({"a": np.zeros((3, 4))})


@pytest.mark.parametrize("sparse", [True, False])
@pytest.mark.parametrize("wants", ["dense", "sparse", "anndata"])
def test_cells_cross_the_wire(tmp_path, sparse, wants):
    from scipy.sparse import csr_matrix, issparse

    X = np.random.default_rng(0).random((6, 4)).astype(np.float32) * (
        np.random.default_rng(1).random((6, 4)) > 0.5
    )
    form = csr_matrix if sparse else np.asarray
    cells = Cells(
        form(X),
        np.array(list("abcd")),
        {"batch": np.array(list("uvwxyz"))},
        {"counts": form(X * 2)},
    )
    write_cells(tmp_path, cells)
    back = read_cells(tmp_path, wants)
    assert issparse(back.X) == issparse(back.layers["counts"]) == (wants == "sparse")
    np.testing.assert_array_equal(back.dense(), X)
    np.testing.assert_array_equal(back.obs["batch"], cells.obs["batch"])
    np.testing.assert_array_equal(back.var_names, cells.var_names)
    np.testing.assert_array_equal(
        back.layers["counts"].toarray() if wants == "sparse" else back.layers["counts"], X * 2
    )
    adata = back.to_anndata()
    assert adata.shape == (6, 4)
    assert list(adata.obs["batch"]) == list("uvwxyz")


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        ("trial/split/seed", -1, "trial.split.seed is -1, expected 0 or more"),
        ("role", "judge", 'role is "judge", expected one of predictor, floor, line'),
        ("result/status", "good", 'result.status is "good", expected one of ok,'),
        ("result/status", "failed", "result.scores has scores of a trial that ended as 'failed'"),
    ],
)
def test_what_no_board_could_be_made_of_is_no_record(place, value, fault):
    document = record()
    *parents, last = place.split("/")
    part = document
    for key in parents:
        part = part[key]
    part[last] = value
    with pytest.raises(UserError) as refused:
        records.parse_record(document, "it")
    assert fault in str(refused.value)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("role", ["predictor", "floor", "line"])
def test_every_role_and_ending_makes_a_record(role, status):
    document = {**record(), "role": role}
    document["result"] = {**document["result"], "status": status, "scores": {}}
    assert records.parse_record(document, "it").result.status == status
