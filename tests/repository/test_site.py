"""The documentation site: it is built without warnings or a network, every page has a place in it,
and the commands of its tutorials and guides run.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys

import pytest
from command import kobench
from places import REPOSITORY
from shown import commands, parse

DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

#: Seconds after which a build that hangs is ended.
LIMIT = 600


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it, where every address but this machine is dead."""
    wanted = ("sphinx", "myst_parser", "sphinx_book_theme", "sphinx_click")
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed (the extra `docs` brings it)")
    out = tmp_path_factory.mktemp("site")
    (line,) = re.findall(r"python (-m sphinx .*)", (REPOSITORY / "Makefile").read_text())
    places = {"build/doctrees": f"{out}/trees", "build/docs": f"{out}/html"}
    words = [places.get(word, word) for word in shlex.split(line)]
    dead = "http://127.0.0.1:9"
    done = subprocess.run(
        [sys.executable, *words],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin:/bin", "HOME": str(out), "http_proxy": dead, "https_proxy": dead},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "WARNING" not in done.stderr
    return out / "html"


def test_every_page_is_built(site):
    for page in PAGES:
        assert (site / page.relative_to(DOCS).with_suffix(".html")).exists(), page


def test_pages_load_nothing_from_elsewhere(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]* src=\"([^\"]+)", text)
        loaded += re.findall(r"<link[^>]* rel=\"(?:stylesheet|preload)\"[^>]*", text)
        assert loaded
        assert not [one for one in loaded if "//" in one], page


def test_the_reference_has_every_command_and_all_of_the_api(site):
    import kobench.api
    from kobench.cli.commands import COMMANDS

    text = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f'id="kobench-{name}"' in text, name
    plain = re.sub(r"<[^>]+>", "", text)
    assert "kobench run -d grn -p linear --networks 3\n" in plain  # to be copied as it is
    text = (site / "reference" / "api.html").read_text(encoding="utf-8")
    for name in kobench.api.__all__:
        if getattr(getattr(kobench.api, name), "__module__", "").startswith("kobench"):
            assert f'id="kobench.api.{name}"' in text, name


def test_links_between_pages_lead_to_headings(site):
    """Anchors are those of GitHub: what test_docs.py holds in the files holds in the site."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r'<a class="reference internal" href="([^"]+)"', text):
            file, _, place = target.partition("#")
            there = (page.parent / file) if file else page
            assert there.exists(), f"{page.name}: {target}"
            if place:
                assert f'id="{place}"' in there.read_text(encoding="utf-8"), (
                    f"{page.name}: {target}"
                )


def test_every_page_has_a_place_in_the_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    trees = re.findall(r"```{toctree}\n(.*?)```", index, re.DOTALL)
    named = [line for tree in trees for line in tree.splitlines() if line and line[0] != ":"]
    there = [str(page.relative_to(DOCS).with_suffix("")) for page in PAGES]
    assert sorted(named) == sorted(set(there) - {"index"})


# ------------------------------------------------------------------ commands

SHOWN = [(page, words) for page in PAGES for words in commands(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    ("page", "words"), SHOWN, ids=[f"{p.stem}: {' '.join(w)}" for p, w in SHOWN]
)
def test_commands_parse(page, words, monkeypatch):
    parse(words, monkeypatch)


#: Fewer networks, tasks and splits for the tests: the commands are what is tried.
SMALLER = {
    "--networks 3": "--networks 1 -t keystone -t profile",
    "kobench run -d mine": "kobench run --splits 1 -d mine",
}

#: What a page shows and a test does not run: it installs, it needs files from elsewhere or a
#: history, or it takes long. That these parse is tested above.
LEFT_OUT = (
    *("make ", ". .venv", "kobench datasets get", "kobench run crispr", "kobench run grn"),
    *("kobench compare mine.py@", "kobench compare mine@kobench-results additive@"),
    "kobench tune -p 'mine:penalty=log",
)


def follow(page, folder):
    """Do what a page says: save its Python files, and run its commands in their order."""
    text = page.read_text(encoding="utf-8")
    for key, value in SMALLER.items():
        text = text.replace(key, value)
    said = []
    fence = re.compile(r"^```(python|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
    for found in fence.finditer(text):
        if found[1] == "python":
            name = re.findall(r"Save this as `(.+?)`", text[: found.start()])[-1]
            (folder / name).write_text(found[2])
            continue
        for line in found[2].splitlines():
            words = shlex.split(line, comments=True)
            if not words or line.startswith(LEFT_OUT):
                continue
            if words[0] == "python":
                subprocess.run([sys.executable, *words[1:]], cwd=folder, check=True)
            else:
                assert words[0] == "kobench", line
                said.append(kobench(*words[1:], cwd=folder).stdout)
    return said


def test_the_first_board(tmp_path):
    said = follow(DOCS / "tutorials" / "first-board.md", tmp_path)
    assert sum("nearest-cells" in one for one in said) >= 3
    assert (tmp_path / "board.html").exists()


def test_own_data(tmp_path):
    pytest.importorskip("anndata")
    said = follow(DOCS / "tutorials" / "own-data.md", tmp_path)
    assert any("GENE0" in one or "6 perturbations" in one for one in said)
    assert (tmp_path / "audit.html").exists()
    assert (tmp_path / "keystones.csv").read_text().count("GENE") > 10


def test_own_predictor_and_what_follows(tmp_path):
    follow(DOCS / "tutorials" / "own-predictor.md", tmp_path)
    assert (tmp_path / "published" / "records.jsonl.gz").exists()
    (tmp_path / "leaderboards").symlink_to(REPOSITORY / "leaderboards")
    follow(DOCS / "how-to" / "debug.md", tmp_path)
    assert any("penalty=1" in one for one in follow(DOCS / "how-to" / "compare.md", tmp_path))
    (tuned,) = follow(DOCS / "how-to" / "tune.md", tmp_path)
    assert "On fresh data" in tuned
    follow(DOCS / "how-to" / "paper-table.md", tmp_path)
    assert "booktabs" in (tmp_path / "table.tex").read_text()
    kobench("verify", "published", "--rescore", cwd=tmp_path)
    kobench("board", "published", "--check", "published/board.csv", cwd=tmp_path)
