"""`kobench datasets get`: what it says before, meanwhile and at its end."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
import tomli_w
from command import COMMAND, kobench
from file_server import FileServer, serving
from places import DATA

from kobench.cli.get import bring_all, show_end
from kobench.datasets.cards import builtin_folder, read_card
from kobench.datasets.content import content_of_file
from kobench.datasets.digest import digest
from kobench.datasets.get import wanted
from kobench.datasets.sources import WebFile, read_sources
from kobench.util import hashes
from kobench.util.resolve import resolve_reference


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("KOBENCH_MIRROR", raising=False)
    return tmp_path / "data"


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A small file of cells."""
    made = anndata.AnnData(
        np.random.default_rng(0).poisson(3.0, (40, 6)).astype(np.float32) + 1,
        obs=pd.DataFrame({"perturbation": ["control"] * 30 + ["A"] * 10}).set_axis(
            [f"c{i}" for i in range(40)]
        ),
        var=pd.DataFrame(index=list("ABCDEF")),
    )
    made.write_h5ad(tmp_path / "made.h5ad")
    return (tmp_path / "made.h5ad").read_bytes()


@pytest.fixture
def server(content: bytes, data: Path) -> Iterator[FileServer]:
    with serving({"/a.org/x": content, "/b.org/y": content}) as running:
        yield running


def write_card(folder: Path, name: str, content: bytes, *urls: str, **source: Any) -> None:
    folder.mkdir(exist_ok=True)
    sha256 = hashlib.sha256(content).hexdigest()
    card = {
        "name": name,
        "version": 1,
        "summary": "cells",
        "loader": "h5ad",
        "scale": "counts",
        "truth": "population",
        "licence": "CC BY 4.0",
        "sources": [{"name": "x.h5ad", "urls": list(urls), "sha256": sha256, **source}],
        "file": {"name": f"{name}.h5ad"},
    }
    (folder / f"{name}.toml").write_text(tomli_w.dumps(card))


@pytest.fixture
def cards(tmp_path: Path, content: bytes) -> Path:
    folder = tmp_path / "cards"
    write_card(folder, "good", content, "https://gone.org/x", "https://a.org/x", bytes=len(content))
    write_card(folder, "unsized", content, "https://b.org/y")
    write_card(folder, "gone", content, "https://gone.org/x")
    return folder


def test_it_says_what_it_will_get_and_gets_nothing_when_dry(
    cards: Path, data: Path, content: bytes
) -> None:
    done = kobench("datasets", "get", "good", "unsized", "grn", "--dry-run", "--datasets", cards)
    size = f"{max(len(content) / 1e6, 0.1):.1f} MB"
    said = [re.split("  +", line) for line in done.stdout.splitlines()]
    assert said[:4] == [
        ["dataset", "to get", "from", "licence"],
        ["good", size, "the web (gone.org)", "CC BY 4.0"],
        ["unsized", "unknown", "the web (b.org)", "CC BY 4.0"],
        ["grn", "nothing", "it is simulated, or its plugin brings it", "not said"],
    ]
    assert said[4:] == [
        [f"To get: 2 of 3 datasets, at least {size}; the size of unsized is not known."],
        ["These need the web: good, unsized."],
    ]
    assert not data.exists()


def test_it_ends_with_what_is_here_and_why_the_rest_is_not(
    cards: Path, data: Path, server: FileServer
) -> None:
    words = ("datasets", "get", "good", "gone", "unsized", "--datasets", cards)
    done = kobench(*words, "--mirror", server.url, code=1)
    end = [re.split("  +", line) for line in done.stdout.split("\n\n")[-1].splitlines()]
    assert end.pop(2)[:2] == ["gone", "no"]
    assert end == [
        ["dataset", "here", "where, or why not"],
        ["good", "yes", str(data / "good.h5ad")],
        ["unsized", "yes", str(data / "unsized.h5ad")],
    ]
    why = (
        f"  no    {server.url}/gone.org/x cannot be downloaded (404 Not Found); try again later, or"
    )
    assert (
        f"{why} put a copy of the file there and call this again: {data}/.getting/" in done.stdout
    )
    assert done.stderr.splitlines()[-3:] == [
        "gone: not got",
        "Getting x.h5ad (0.1 MB)",
        "unsized: got",
    ]
    assert f"in its place is asked {server.url}." in done.stdout
    asked = len(server.asked)
    again = kobench(*words[:3], *words[5:], "--mirror", server.url)
    assert len(server.asked) == asked  # what is here is not got again
    assert "it is here" in again.stdout


def test_the_mirror_may_stand_in_the_environment(
    cards: Path, data: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOBENCH_MIRROR", server.url)
    kobench("datasets", "get", "unsized", "--datasets", cards)
    assert (data / "unsized.h5ad").is_file()
    monkeypatch.setenv("KOBENCH_MIRROR", "file:///srv")
    wrong = kobench("datasets", "get", "unsized", "--datasets", cards, code=2)
    assert "is 'file:///srv', which is not an http(s) address" in wrong.stderr


def test_a_run_with_its_file_missing_says_how_to_get_it(cards: Path, data: Path) -> None:
    words = ("run", "-d", "good", "-p", "linear", "--datasets", cards, "--out", data / "out")
    done = kobench(*words, code=None)
    assert done.returncode
    assert "`kobench datasets get good` gets it" in done.stdout + done.stderr


def test_a_suite_stands_for_its_datasets(cards: Path, data: Path, tmp_path: Path) -> None:
    done = kobench("datasets", "get", "crispr", "--dry-run")
    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names[:3] == ["dataset", "hipsc-ko", "k562-crispri"]
    assert "pip's index (renge 0.0.5)" in done.stdout
    assert "These need the web: k562-crispri." in done.stdout
    suite = tmp_path / "own.toml"
    suite.write_text('dataset = ["good:genes=3", "grn"]\npredictor = "linear"\n')
    done = kobench("datasets", "get", suite, "good", "--dry-run", "--datasets", cards)
    assert [line.split()[0] for line in done.stdout.splitlines()][1:3] == ["good", "grn"]


def test_a_suite_may_name_what_is_not_here(data: Path, tmp_path: Path) -> None:
    suite = tmp_path / "own.toml"
    suite.write_text('dataset = ["grn", "nobody:genes=3"]\npredictor = "linear"\n')
    done = kobench("datasets", "get", suite, code=1)
    assert [re.split("  +", line) for line in done.stdout.splitlines()[-2:]] == [
        ["grn", "-", "it needs no file"],
        ["nobody", "no", "no dataset is called 'nobody' here"],
    ]


def test_all_files_that_could_not_be_got_are_listed_with_their_addresses(
    cards: Path, data: Path, server: FileServer, content: bytes
) -> None:
    write_card(cards, "two", content, "https://gone.org/x")
    path = cards / "two.toml"
    card = tomllib.loads(path.read_text())
    (first,) = card["sources"]
    card["sources"].append({**first, "name": "z.h5ad", "urls": ["https://gone.org/z"]})
    card["file"]["content"] = f"sha256:{0:064}"
    path.write_text(tomli_w.dumps({"recipe": "retina_nuclei", **card}))
    said = kobench("datasets", "get", "two", "--datasets", cards, "--mirror", server.url, code=1)
    listed = said.stdout.partition("two needs these, from a mirror (--mirror URL) or")[2]
    for name in "xz":
        assert re.search(rf"^  \S+/{name}\.h5ad from https://gone\.org/{name}$", listed, re.M)
    dry = kobench("datasets", "get", "good", "--datasets", cards, "--mirror", server.url)
    assert "needs these" not in dry.stdout


def test_what_was_got_is_not_read_once_more(
    cards: Path, data: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    real: Callable[[Path], str] = hashes.sha256_of
    monkeypatch.setattr(hashes, "sha256_of", lambda path: (read.append(path), real(path))[1])
    want = wanted("good", read_card(cards / "good.toml").card)
    found, problems = bring_all([want], server.url)
    show_end([want], found, problems)
    assert (found, problems) == ({"good": data / "good.h5ad"}, {})
    assert [path.name for path in read] == ["x.h5ad"]  # before it was moved to its place


def test_a_dataset_without_its_table_is_not_here(cards: Path, data: Path, content: bytes) -> None:
    data.mkdir()
    (data / "whole.h5ad").write_bytes(content)
    table = data / "calls.csv"
    table.write_text("cell,lane\nc0,a\n")
    write_card(cards, "whole", content, "https://gone.org/x")
    sha256 = hashlib.sha256(table.read_bytes()).hexdigest()
    with (cards / "whole.toml").open("a") as card:
        card.write(f'\n[obs_file]\nname = "calls.csv"\nsha256 = "{sha256}"\n')
    words = ("datasets", "get", "whole", "--datasets", cards)
    files = ("datasets", "files", "--json", "--datasets", cards)

    def found() -> object:
        rows = json.loads(kobench(*files).stdout)
        return next(row["found"] for row in rows if row["dataset"] == "whole")

    info = ("info", "whole", "--datasets", cards)
    assert "it is here" in kobench(*words).stdout
    assert "can't be read" not in kobench(*info).stdout
    assert found() == str(data / "whole.h5ad")
    for change in (lambda: table.write_text("cell,lane\nc0,b\n"), table.unlink):
        change()
        said = kobench(*words, code=1).stdout
        assert "it is here" not in said
        assert "calls.csv" in said
        assert found() is None
        assert "can't be read: " in kobench(*info).stdout


def test_what_works_without_a_missing_file_is_said(
    cards: Path, data: Path, content: bytes, tmp_path: Path
) -> None:
    data.mkdir()
    (data / "good.h5ad").write_bytes(content)
    words = ("run", "-d", "good:genes=3", "-d", "gone", "-p", "linear", "--datasets", cards)
    said = kobench(*words, "--out", tmp_path / "out", code=2).stderr
    assert "`kobench datasets get gone` gets it" in said
    assert "works without it: `kobench run -d good:genes=3 ...`" in said
    (data / "good.h5ad").unlink()
    assert "works without" not in kobench(*words, "--out", tmp_path / "out", code=2).stderr


def test_wrong_calls(data: Path, cards: Path) -> None:
    assert "say which datasets" in kobench("datasets", "get", code=2).stderr
    both = kobench("datasets", "get", "hipsc-ko", "--all", code=2)
    assert "say which datasets" in both.stderr
    unknown = kobench("datasets", "get", "hipsc-k", code=2).stderr
    assert "no dataset or suite is called 'hipsc-k'; did you mean 'hipsc-ko'" in unknown
    nothing = kobench("datasets", "get", "nosuch", code=2).stderr
    assert "no dataset or suite is called 'nosuch'; known: adamson2016-pilot" in nothing
    assert " h5ad" not in nothing  # it has no file
    nowhere = kobench("datasets", "get", "own.toml", code=2).stderr
    assert "there is no suite file own.toml" in nowhere


def test_texts_of_a_card_do_no_harm(data: Path, tmp_path: Path, server: FileServer) -> None:
    folder = tmp_path / "cards"
    write_card(folder, "odd", b"x", "https://a.org/x")
    text = (folder / "odd.toml").read_text()
    odd = text.replace("CC BY 4.0", "free\\u001b[2J [bold red]x\\nhipsc-ko  yes  /evil")
    (folder / "odd.toml").write_text(odd)
    done = kobench("datasets", "get", "odd", "--datasets", folder, "--mirror", server.url, code=1)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\nhipsc-ko" not in done.stdout
    assert "[bold red]" in done.stdout


def test_a_terminal_shows_bars(cards: Path, data: Path, server: FileServer) -> None:
    shown, theirs = pty.openpty()
    words = ["datasets", "get", "good", "--datasets", str(cards), "--mirror", server.url]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=theirs, env=environment, check=True
    )
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(shown, 65536):
            seen += piece
    except OSError:  # the end of a terminal
        pass
    os.close(shown)
    assert b"x.h5ad" in seen
    assert "━".encode() in seen
    assert b"yes" in done.stdout


#: The names under which shared/data/sources has files that are called otherwise where they lie.
CALLED = {
    "trem2-microglia": {"WT.RData": "trem2_WT.RData", "KO.RData": "trem2_KO.RData"},
    "nkx2-1-lung": {"WTdata.csv": "nkx2_WTdata.csv", "KOdata.csv": "nkx2_KOdata.csv"},
    "k562-crispri": {"gene_position_data_frame_grch38.rda": "gene_position.rda"},
    "dko-demo": {"Ptrain.csv": "../dko_demo/Ptrain.csv"},
}


def test_all_of_the_web_is_got_from_a_mirror_and_equal(data: Path) -> None:
    if not (DATA / "sources").is_dir():
        pytest.skip("no folder above the repository has shared/data/sources")
    pytest.importorskip("rdata", reason="rdata is not installed: pip install 'kobench[rdata]'")
    read = {path.stem: read_card(path) for path in builtin_folder().glob("*.toml")}
    specs = {name: read[name] for name in CALLED}
    served = {}
    for name, spec in specs.items():
        for source in read_sources(spec.card, name):
            assert isinstance(source, WebFile)
            path = source.urls[0].removeprefix("https:/")
            there = DATA / "sources" / CALLED[name].get(source.name, source.name)
            served[path] = there.read_bytes()
    with serving(served) as server:
        kobench("datasets", "get", *specs, "--mirror", server.url)
    for spec in specs.values():
        file = spec.card["file"]
        converted, made = (folder / file["folder"] / file["name"] for folder in (DATA, data))
        if "content" in file:
            assert content_of_file(converted) == content_of_file(made) == file["content"]
            load = resolve_reference("kobench.builtin.datasets.h5ad:load")
            parameters = {"path": str(made), **spec.card["parameters"]}
            ours = load(**parameters)
            theirs = load(**{**parameters, "path": str(converted)})
            assert digest(ours.cells) == digest(theirs.cells)
            assert digest(ours.perturbed) == digest(theirs.perturbed)
        else:
            assert converted.read_bytes() == made.read_bytes()
