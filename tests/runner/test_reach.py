"""What lies where predictors may read: datasets, results and caches are hidden, or refused.

A predictor reads all that it can find, in the sandbox and without it.
"""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import json
import lzma
import os
import shutil
import site as site_module
import sys
from pathlib import Path

import numpy as np
import pytest
from command import kobench
from pretend_plugins import Site
from tiny import PLUGIN, TINY

from kobench.checks.predictors import Setting, worker_for
from kobench.errors import UserError
from kobench.plugins.chosen import choose
from kobench.plugins.hidden import files_of_card, known_files
from kobench.plugins.load import Registry, load_registry
from kobench.results.records import read_records
from kobench.results.suite_seed import SuiteSeed
from kobench.runner.keys import Trial
from kobench.runner.plan import make_plan
from kobench.runner.reach import hidden_from, refuse_written
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.runner.search import search
from kobench.sandbox import uncovered
from kobench.sandbox.finding import layers_here
from kobench.sandbox.hiding import lies_in
from kobench.sandbox.places import Interpreter
from kobench.supervisor import room

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox's layers are Linux's")

#: A number in the truth that stands nowhere else.
MARKER = "7.1234509876"

#: It prints the names of the files with the marker, packed ones too, of which it is told to look.
SEEKER = """
import gzip, json, os
from kobench.api import PredictorSpec, hookimpl

FOLDERS = {folders!r}

def found():
    names = []
    for folder in FOLDERS:
        for inner, _, files in os.walk(folder):
            for file in files:
                try:
                    content = open(os.path.join(inner, file), "rb").read()
                    content = gzip.decompress(content) if content[:2] == b"\\x1f\\x8b" else content
                except OSError:
                    continue
                if {marker!r}.encode() in content:
                    names.append(os.path.relpath(os.path.join(inner, file), folder))
    return sorted(names)

class Seeker:
    def fit(self, cells, context):
        print("FOUND", json.dumps(found()))
    def predict_expression(self, assemblages):
        return assemblages / assemblages.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("seeker", Seeker, summary=json.dumps(found()))
"""


def write_seeker(path: Path, *folders: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SEEKER.format(folders=list(map(str, folders)), marker=MARKER))
    return path


def write_cells(path: Path) -> Path:
    """A table of 6 genes x 30 cells with the marker in it."""
    rows = np.random.default_rng(0).integers(1, 9, (6, 30)).astype(str)
    rows[2, 29] = MARKER
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(",".join(row) for row in rows) + "\n")
    return path


def seek(
    seeker: Path | None,
    dataset: str,
    out: Path,
    mode: str = "auto",
    readable: tuple[Path, ...] = (),
) -> list[str]:
    """What the seeker finds in a run; None for one that is installed."""
    registry = load_registry(plugin_files=[seeker] if seeker else [])
    request = Request(
        [dataset],
        ["seeker"],
        tasks=["profile"],
        sandbox=mode,
        readable=tuple(map(str, readable)),
    )
    Run(out).run(make_plan(registry, request))
    (record,) = [one for one in read_records(out) if one.role == "predictor"]
    assert record.result.status == "ok", record.result.message
    found: list[str] = json.loads((record.run.output or "").partition("FOUND ")[2])
    return found


@pytest.fixture
def shared(tmp_path: Path, described: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that predictors may read, with weights, and everything that must not be in it."""
    shared = tmp_path / "shared"
    shutil.copytree(described, shared / "cache")
    cells = write_cells(shared / "cells.csv")
    content = cells.read_bytes()
    (shared / "weights.txt").write_text(f"not the truth, but as good a number: {MARKER}")
    (shared / "copy.bin").write_bytes(content)
    (shared / "deeper").mkdir()
    (shared / "deeper" / "packed.csv.gz").write_bytes(gzip.compress(content))
    # as bgzip writes it, which ends with an empty member, and under any name
    (shared / "deeper" / "members").write_bytes(gzip.compress(content) + gzip.compress(b""))
    (shared / "link.csv").symlink_to(cells)
    os.link(cells, shared / "second-name")
    for name in (
        f"old/records/{'a' * 24}.json",
        f"old/answers/{'b' * 64}.npz",
        "board/records.jsonl.gz",
        "other/answers.zip",
        "other/what-pack-writes-next",
        "data/mine/another.csv",
        "cache/plugins/description.json",
    ):
        (shared / name).parent.mkdir(parents=True, exist_ok=True)
        (shared / name).write_text(MARKER)
    monkeypatch.setenv("KOBENCH_DATA", str(shared / "data"))
    monkeypatch.setenv("KOBENCH_CACHE", str(shared / "cache"))
    return shared


def require_all() -> None:
    if uncovered(layers_here()) or layers_here()["mounts"] is not True:
        pytest.skip(f"this machine has not every layer: {layers_here()}")


def test_nothing_of_datasets_results_and_caches_is_read_in_a_readable_folder(
    shared: Path, tmp_path: Path
) -> None:
    require_all()
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", shared)
    cells = f"table:path={shared / 'cells.csv'}"
    found = seek(seeker, cells, tmp_path / "out", "require", readable=(shared,))
    assert found == ["weights.txt"]


def test_nor_where_landlock_alone_covers_files(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if layers_here()["landlock-files"] is not True:
        pytest.skip(f"this machine has no Landlock: {layers_here()['landlock-files']}")
    monkeypatch.setattr(room, "LAYERS", ("landlock-files", "environment"))
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", shared)
    cells = f"table:path={shared / 'cells.csv'}"
    assert seek(seeker, cells, tmp_path / "out", readable=(shared,)) == ["weights.txt"]


def test_the_same_predictor_finds_all_of_it_without_the_sandbox(
    shared: Path, tmp_path: Path
) -> None:
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", shared)
    cells = f"table:path={shared / 'cells.csv'}"
    found = seek(seeker, cells, tmp_path / "out", "off", readable=(shared,))
    assert len(found) == 14, found


def test_the_data_of_an_installed_dataset_are_hidden_from_other_plugins(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of packages is read as a whole, with the data of a dataset's plugin."""
    require_all()
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    site = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(str(site.folder))
    loader = (
        "from pathlib import Path\nimport numpy as np\nfrom kobench.api import *\n"
        "def load():\n"
        "    lines = Path(__file__).with_name('cells.csv').read_text().splitlines()\n"
        "    X = np.array([line.split(',') for line in lines], np.float32).T\n"
        "    cells = Cells(X, np.array([f'g{i}' for i in range(6)]))\n"
        "    return Dataset(cells, scale='linear', kind='real')\n"
        "@hookimpl\n"
        "def kobench_datasets():\n    yield DatasetSpec('brought', load)\n"
    )
    site.install("data-dist", {"their_data/__init__.py": loader})
    write_cells(site.folder / "their_data" / "cells.csv")
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", site.folder)
    readable = (site.folder,)
    assert seek(seeker, "brought", tmp_path / "off", "off", readable) == ["their_data/cells.csv"]
    assert seek(seeker, "brought", tmp_path / "out", "require", readable) == []


@pytest.mark.parametrize("layers", [None, ("landlock-files", "environment")])
def test_what_looks_compiled_and_counts_in_no_key_is_not_read(
    layers: tuple[str, ...] | None,
    described: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be weights by such a name: two predictors would have one key."""
    require_all()
    if layers:
        monkeypatch.setattr(room, "LAYERS", layers)
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    site, given = Site(tmp_path / "site"), tmp_path / "given"
    monkeypatch.syspath_prepend(str(site.folder))
    code = SEEKER.format(folders=[str(site.folder / "spy"), str(given)], marker=MARKER)
    names = ["__pycache__/__init__.cpython-39.pyc", "deep/__pycache__/m.f-1.py39.nbc"]
    modules = {"spy/__init__.py": code, "spy/deep/m.py": ""}
    site.install("spy-dist", {**modules, **{f"spy/{name}": MARKER for name in names}})
    (given / "__pycache__").mkdir(parents=True)
    (given / "net.py").touch()
    (given / "__pycache__" / "net.cpython-39.pyc").write_text(MARKER)
    found = seek(None, "grn:genes=15,cells=60", tmp_path / "off", "off", (given,))
    assert found == sorted(["__pycache__/net.cpython-39.pyc", "__init__.py", *names])
    found = seek(None, "grn:genes=15,cells=60", tmp_path / "out", "auto", (given,))
    assert found == ["__init__.py"]
    described_as = load_registry().find("predictors", "seeker").spec.summary
    assert json.loads(described_as) == ["__init__.py"]


def test_a_copy_in_any_interpreters_packages_is_known(tmp_path: Path) -> None:
    """The card of blood cells names a file in scanpy, which each environment may have, too."""
    packages = tmp_path / "other" / "lib" / "python3.12" / "site-packages"
    file = packages / "scanpy" / "datasets" / "10x_pbmc68k_reduced.h5ad"
    file.parent.mkdir(parents=True)
    file.write_text("")
    other = Interpreter(tmp_path / "other/bin/python", (tmp_path / "other",), "other")
    assert file in known_files(other)


def test_cards_that_can_not_be_read_keep_no_other_from_being_hidden(tmp_path: Path) -> None:
    (tmp_path / "deep.toml").write_text("x = " + "[" * 100_000)
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "cells.h5ad").write_text("")
    path = str(tmp_path / "cells.h5ad")
    (tmp_path / "mine.toml").write_text(f'[file]\nname = "cells.h5ad"\npath = "{path}"\n')
    assert Path(path) in known_files(None, [tmp_path])


def test_files_of_ones_own_cards_are_hidden_in_checks_too(tmp_path: Path) -> None:
    (tmp_path / "cells.h5ad").write_text("")
    path = str(tmp_path / "cells.h5ad")
    (tmp_path / "mine.toml").write_text(f'[file]\nname = "cells.h5ad"\npath = "{path}"\n')
    chosen = choose(load_registry(), "predictors", "uniform")
    hidden = [
        worker_for(chosen, tmp_path, Setting(cards=cards), 1).settings.hidden
        for cards in ((), (tmp_path,))
    ]
    assert [Path(path) in each for each in hidden] == [False, True]


@pytest.mark.skipif(importlib.util.find_spec("scanpy") is None, reason="scanpy is not installed")
@pytest.mark.parametrize("mode", ["require", "off"])
def test_the_cells_in_scanpy_are_read_without_the_sandbox_alone(
    mode: str, tmp_path: Path, described: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card's file lies in this interpreter's packages, which every predictor reads."""
    if mode == "require":
        require_all()
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    plugin = tmp_path / "reader.py"
    plugin.write_text(
        SEEKER.replace(
            "def found():\n", "def found():\n    return [os.path.getsize(FILE), len(read())]\n"
        ).format(folders=[], marker="")
        + "\nimport importlib.util\n"
        "FILE = importlib.util.find_spec('scanpy').submodule_search_locations[0]"
        " + '/datasets/10x_pbmc68k_reduced.h5ad'\n"
        "def read():\n    try:\n        return open(FILE, 'rb').read()\n"
        "    except OSError:\n        return b''\n"
    )
    plugin.write_text(plugin.read_text().replace(", summary=json.dumps(found())", ""))
    size, read = seek(plugin, "pbmc68k", tmp_path / "out", mode)
    assert read == (0 if mode == "require" else size)
    assert mode == "require" or size > 1_000_000


def installs_into(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have this interpreter install packages into a folder, too, which plugins may then read."""
    monkeypatch.syspath_prepend(str(folder))
    own = site_module.getsitepackages()
    monkeypatch.setattr(site_module, "getsitepackages", lambda: [*own, str(folder)])


def test_nothing_is_read_while_a_plugin_is_described(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a description says is handed on to trials, so it must not have read anything either."""
    require_all()
    site = Site(tmp_path / "site-packages")
    installs_into(monkeypatch, site.folder)
    data = site.folder / "scanpy_like"
    write_cells(data / "cells.csv")
    write_cells(data / "open.csv")
    cards = tmp_path / "cards"
    cards.mkdir()
    (cards / "mine.toml").write_text(
        f'name = "mine"\nversion = 1\nsummary = "x"\nloader = "table"\nscale = "linear"\n'
        f'[file]\nname = "cells.csv"\npath = "{data / "cells.csv"}"\nsha256 = "{"0" * 64}"\n'
    )
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", data)
    before = load_registry(plugin_files=[seeker])
    assert "cells.csv" in before.find("predictors", "seeker").spec.summary
    # what was described before the card was known counts no longer
    registry = load_registry(plugin_files=[seeker], dataset_folders=[cards])
    assert json.loads(registry.find("predictors", "seeker").spec.summary) == ["open.csv"]
    monkeypatch.setenv("KOBENCH_DATASETS", str(cards))
    again = load_registry(plugin_files=[seeker], fresh=True)
    assert json.loads(again.find("predictors", "seeker").spec.summary) == ["open.csv"]


def test_what_a_description_read_does_not_reach_a_trial(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made before anybody knows that these data will be asked."""
    require_all()
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    site = Site(tmp_path / "site-packages")
    installs_into(monkeypatch, site.folder)
    cells = write_cells(tmp_path / "mine" / "cells.csv")
    write_cells(site.folder / "theirs" / "copy.csv")
    request = Request([f"table:path={cells}"], ["seeker"], tasks=["profile"])
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", site.folder / "theirs")
    registry = load_registry(plugin_files=[seeker])
    assert "copy.csv" in registry.find("predictors", "seeker").spec.summary
    told = Run(tmp_path / "out", sources=registry.sources)
    with pytest.raises(UserError, match="seeker is described otherwise where it can't read"):
        told.run(make_plan(registry, request))
    assert not list((tmp_path / "out").glob("records/*"))
    write_seeker(seeker, tmp_path / "nowhere")
    registry = load_registry(plugin_files=[seeker])
    honest = Run(tmp_path / "out", sources=registry.sources)
    assert not honest.run(make_plan(registry, request)).failed


def refused(tmp_path: Path, out: Path, *flags: str) -> str:
    """What `kobench run` says, which must have begun nothing."""
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", tmp_path / "nowhere")
    arguments = ["run", "-d", "grn:genes=8,cells=20", "-p", "seeker", "--plugin", str(seeker)]
    done = kobench(*arguments, "--out", out, *flags, code=2)
    assert not (out / "records").exists()
    said = " ".join(done.stderr.split())
    assert str(out) in said
    return said


def test_results_are_not_written_where_predictors_read(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    shared = tmp_path / "shared"
    shared.mkdir()
    (tmp_path / "link").symlink_to(shared)
    for out in (shared, shared / "out", tmp_path / "link" / "out"):
        said = refused(tmp_path, out.resolve(), "--readable", str(shared))
        assert f"lies in {shared}" in said
        assert "--readable" in said
        assert "--out" in said
    inside = tmp_path / "out" / "answers"
    inside.mkdir(parents=True)
    assert str(inside) in refused(tmp_path, tmp_path / "out", "--readable", str(inside))
    lib = Path(sys.prefix) / "lib"
    assert f"lies in {lib.resolve()}" in refused(tmp_path, lib.resolve() / "kobench-results")
    assert not (lib / "kobench-results").exists()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(shared))
    assert "LD_LIBRARY_PATH" in refused(tmp_path, shared / "out")


def plan_of(registry: Registry, dataset: str, *readable: Path) -> list[Trial]:
    """The trials of one predictor on a dataset."""
    request = Request([dataset], ["seeker"], tasks=["profile"], readable=tuple(map(str, readable)))
    (group,) = make_plan(registry, request)
    return [*group.basis, *group.trials]


def test_nothing_that_a_run_writes_may_be_read_at_any_depth(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", tmp_path / "nowhere")
    registry, out = load_registry(plugin_files=[seeker]), tmp_path / "out"
    for name in ("records", "answers", ".work"):
        inside = out / name / "deep" / "er"
        inside.mkdir(parents=True)
        trials = plan_of(registry, "grn:genes=8,cells=20", inside)
        with pytest.raises(UserError, match=r"er \(--readable names it\), which lies in --out"):
            refuse_written(trials, out, "--out")
    (out / "weights").mkdir()
    refuse_written(plan_of(registry, "grn:genes=8,cells=20", out / "weights"), out, "--out")


def test_a_folder_that_a_dataset_is_made_of_is_hidden(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    dataset = tmp_path / "data" / "dataset.py"
    dataset.parent.mkdir()
    dataset.write_text(
        "from kobench.api import *\ndef load(seed, place): ...\n"
        "@hookimpl\ndef kobench_datasets():\n    yield DatasetSpec('parts', load, seeded=True,"
        " params={'seed': Param(0), 'place': Param('')})\n"
    )
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", tmp_path / "nowhere")
    registry = load_registry(plugin_files=[seeker, dataset])
    shared = tmp_path / "shared"
    (shared / "matrix").mkdir(parents=True)
    monkeypatch.chdir(shared)
    hidden = {
        place: hidden_from(plan_of(registry, f"parts:place={place}", shared)).places
        for place in (shared / "matrix", "matrix")
    }
    # one word may be anything, and the name of a folder by chance
    assert [shared / "matrix" in places for places in hidden.values()] == [True, False]


@pytest.mark.parametrize("kind", ["mtx", "zarr"])
def test_folders_of_cells_are_hidden_by_any_name_and_so_are_copies_of_what_is_in_them(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    shared = tmp_path / "shared"
    inner = shared / "screen" / ("X/c/0" if kind == "zarr" else ".")
    inner.mkdir(parents=True)
    (shared / "screen" / ("zarr.json" if kind == "zarr" else "matrix.mtx")).write_text("{}" * 500)
    (inner / "0").write_bytes(os.urandom(5000))
    (shared / "screen" / "small").write_text("{}")
    shutil.copytree(shared / "screen", shared / "copied")
    shutil.copy(inner / "0", shared / "chunk.bin")
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", tmp_path / "nowhere")
    registry = load_registry(plugin_files=[seeker])
    monkeypatch.chdir(shared)
    for path in ("screen", "./screen", str(shared / "screen")):
        trials = plan_of(registry, f"h5ad:path={path},perturbation_key=none", shared)
        places = hidden_from(trials).places
        copy = shared / "copied" / inner.relative_to(shared / "screen") / "0"
        assert {shared / "screen", shared / "chunk.bin", copy.resolve()} <= set(places)
        assert shared / "copied" / "small" not in places


def test_a_folder_in_any_interpreters_packages_is_known(tmp_path: Path) -> None:
    cells = tmp_path / "other/lib/python3.12/site-packages/json/x.zarr"
    (cells / "X").mkdir(parents=True)
    (cells / "zarr.json").write_text("{}")
    (cells / "X" / "0").write_bytes(os.urandom(5000))
    card = {"name": "x", "file": {"name": "x.zarr", "package": "json"}}
    assert {cells, cells / "X" / "0"} <= set(files_of_card(card, [tmp_path / "other"]))


def test_a_file_in_a_predictors_own_package_is_refused(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its description is made with all of the package at hand, before any dataset is named."""
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    site = Site(tmp_path / "site")
    monkeypatch.syspath_prepend(str(site.folder))
    site.install("seeker-dist", {"their_seeker/__init__.py": SEEKER.format(folders=[], marker="")})
    cells = write_cells(site.folder / "their_seeker" / "deep" / "cells.csv")
    # to name the package with --readable, too, makes it no better
    for readable in ((), (site.folder / "their_seeker",)):
        trials = plan_of(load_registry(), f"table:path={cells}", *readable)
        with pytest.raises(UserError, match=r"it is a part of .*whenever they are listed"):
            hidden_from(trials)
    elsewhere = write_cells(tmp_path / "elsewhere" / "cells.csv")
    hidden_from(plan_of(load_registry(), f"table:path={elsewhere}"))


def test_what_can_not_be_hidden_is_refused(
    described: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", tmp_path / "nowhere")
    cells = write_cells(tmp_path / "cells.csv")
    with pytest.raises(UserError, match="kobench keeps datasets in"):
        seek(seeker, f"table:path={cells}", tmp_path / "out", readable=(tmp_path / "data",))
    monkeypatch.setenv("LD_LIBRARY_PATH", str(cells.parent))
    with pytest.raises(UserError, match=r"whenever they are listed.*move the file"):
        seek(seeker, f"table:path={cells}", tmp_path.parent / f"{tmp_path.name}-out")
    monkeypatch.delenv("LD_LIBRARY_PATH")
    dataset = tmp_path / "theirs" / "dataset.py"
    dataset.write_text(
        "from kobench.api import *\ndef load(seed): ...\n"
        "@hookimpl\ndef kobench_datasets():\n    yield DatasetSpec('beside', load, seeded=True,"
        " params={'seed': Param(0)})\n"
    )
    registry = load_registry(plugin_files=[seeker, dataset])
    request = Request(["beside"], ["seeker"], tasks=["profile"], readable=(str(dataset.parent),))
    with pytest.raises(UserError, match="where its data may lie"):
        Run(tmp_path / "out").run(make_plan(registry, request))


def test_predict_and_its_folder_are_held_to_the_same(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_all()
    seeker = write_seeker(tmp_path / "theirs" / "seeker.py", shared)
    cells = f"table:path={shared / 'cells.csv'}"
    arguments = ["predict", cells, "-p", "seeker", "--plugin", str(seeker), "--what", "profile"]
    arguments += ["-o", str(tmp_path / "profile.csv"), "--readable", str(shared)]
    monkeypatch.setattr("tempfile.tempdir", str(shared))
    said = " ".join(kobench(*arguments, code=2).stderr.split())
    assert f"TMPDIR {shared} lies in {shared}" in said


def test_copies_are_found_by_content_and_not_by_size(tmp_path: Path) -> None:
    original = write_cells(tmp_path / "original.csv")
    installed, given = tmp_path / "installed", tmp_path / "given"
    content = original.read_bytes()
    bomb = gzip.compress(b"0" * 10_000_000)
    for folder in (installed, given):
        folder.mkdir()
        (folder / "copy.csv").write_bytes(content)
        (folder / "copy.bin").write_bytes(content)
        (folder / "packed.csv.gz").write_bytes(gzip.compress(content))
        (folder / "packed.bin").write_bytes(gzip.compress(content))
        (folder / "parts.csv.bgz").write_bytes(
            gzip.compress(content[:60]) + gzip.compress(content[60:]) + gzip.compress(b"")
        )
        (folder / "packed.csv.bz2").write_bytes(bz2.compress(content))
        (folder / "packed.csv.xz").write_bytes(lzma.compress(content))
        (folder / "as-long.csv").write_bytes(content[::-1])
        (folder / "bomb.csv.gz").write_bytes(bomb[:-4] + len(content).to_bytes(4, "little"))
        (folder / "empty.csv").write_bytes(b"")
    found = search([original], [str(installed)], [str(given)])
    named = {f"packed.csv.{each}" for each in ("bz2", "gz", "xz")} | {"copy.csv", "parts.csv.bgz"}
    assert set(found) == {
        *(given / name for name in (*named, "copy.bin", "packed.bin")),
        *(installed / name for name in named),
    }
    packed = tmp_path / "original.csv.gz"
    packed.write_bytes(gzip.compress(content, 1))
    assert given / "copy.csv" in search([packed], [], [str(given)])
    assert search([], [str(installed)], []) == []


def test_nothing_that_was_packed_for_publishing_is_read_but_pictures(tmp_path: Path) -> None:
    """Whatever it is called: answers of others lie in it."""
    results, board = tmp_path / "results", tmp_path / "shared" / "board"
    kobench("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--secret", "--out", results)
    kobench("board", results, "--pack", board)
    wrote = {path for path in board.rglob("*") if path.is_file()}
    assert {board / "answers.zip", board / "records.jsonl.gz", board / "secret-seed.txt"} <= wrote
    for readable in (board.parent, board):
        hidden = search([], [], [str(readable)])
        shown = {path for path in wrote if not any(lies_in(str(path), str(h)) for h in hidden)}
        assert {path.parent for path in shown} <= {board / "pictures"}


def test_secret_seeds_are_results_under_any_name(tmp_path: Path) -> None:
    """With that of a run every network can be computed."""
    mine, other = SuiteSeed.draw(), SuiteSeed.draw()
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "secret-seed.txt").write_text(other.digits)
    (tmp_path / "notes.txt").write_text(f"{mine.digits.upper()}\n")
    (tmp_path / "others.txt").write_text(other.digits)
    (tmp_path / "longer.txt").write_text(f"{mine.digits}0")
    (tmp_path / "board.md").write_text(f"| seed | `{mine.digits}` |, as everybody may see\n")
    named = [tmp_path / "backup" / "secret-seed.txt"]
    assert search([], [], [str(tmp_path)]) == named
    told = [*named, tmp_path / "board.md", tmp_path / "notes.txt"]
    assert search([], [], [str(tmp_path)], {mine.commitment}) == told
