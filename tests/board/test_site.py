"""The site of several boards: every link leads somewhere, and it stays small and honest."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import PurePosixPath
from posixpath import normpath

import pytest
from browser import axe_core, chromium
from command import kobench
from factories import genes_table, make_board, networks, points, record, scores
from places import REPOSITORY

from kobench.board.site import pages_of
from kobench.board.site.places import places_of, slug
from kobench.board.site.summary import count_of, once

NASTY = '<script>alert("1")</script>'


def two_boards():
    """A board of simulated and one of real data, with all that a page may have."""
    table = genes_table({"A": (0.1, 0.3), "B": (0.4, 0.35)})
    drawn = points([0.1, 0.2], [0.2, 0.3], "impact")
    whole = scores({"spearman": 0.7, "pearson": 0.6}, table=table, points=drawn)
    simulated = [record("mlp", whole, seed=seed) for seed in range(3)]
    for dataset in ("grn:genes=100", "grn:genes=500", "grn:genes=900"):
        start = 0 if dataset.endswith("100") else None
        simulated += networks("mlp", [0.7, 0.6, 0.8], dataset=dataset) if start is None else []
        simulated += networks(NASTY, [0.2, 0.3, 0.1], dataset=dataset)
        simulated += networks("own-share", [0.4, 0.41, 0.39], "floor", dataset=dataset)
    real = [
        record("mlp", 0.7, dataset="cells", seed=None, kind="real", notes=["A note."]),
        record("own-share", 0.4, dataset="cells", seed=None, kind="real", role="floor"),
        record("crash", dataset="cells", seed=None, kind="real", status="failed", message="why"),
    ]
    return {"simulated": make_board(simulated), "Real Data": make_board(real)}


@pytest.fixture(scope="module")
def pages():
    """The pages of these boards."""
    return dict(pages_of(two_boards(), {}, {"simulated": ["board.csv"]}))


class Links(HTMLParser):
    """What a page leads to and loads, its anchors, and whether its tags nest."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.open = [], set(), []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.links += [found[name] for name in ("href", "src") if name in found]
        self.anchors |= {found["id"]} if "id" in found else set()
        if tag not in ("meta", "input", "img", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_link_leads_to_a_page_and_an_anchor_that_is_there(pages):
    read = {path: Links(text) for path, text in pages.items() if path.endswith(".html")}
    there = {*pages, "board/simulated/board.csv"}
    reached = {"index.html"}
    for path, page in read.items():
        assert "index.html" in {
            normpath(str(PurePosixPath(path).parent / one)) for one in page.links
        }
        for link in page.links:
            target, _, anchor = link.partition("#")
            where = normpath(str(PurePosixPath(path).parent / target)) if target else path
            assert where in there, (path, link)
            reached.add(where)
            if anchor:
                assert anchor in read[where].anchors, (path, link)
    assert set(read) <= reached


def test_there_is_a_page_for_everything(pages):
    kinds = {path.partition("/")[0] for path in pages if "/" in path}
    assert kinds == {"board", "dataset", "floor", "method", "metric", "task"}
    for path in ("method/mlp.html", "floor/own-share.html", "metric/spearman.html"):
        assert path in pages
    assert pages["index.html"].index("Real knockouts") < pages["index.html"].index("Simulated")
    assert "kobench run -d grn:genes=100" in pages["method/mlp.html"]
    assert "failed" in pages["method/crash.html"]


def test_names_are_escaped_and_nothing_is_loaded_from_elsewhere(pages):
    for path, text in pages.items():
        assert NASTY not in text
        assert not re.search(r"https?:", text), path
    assert "&lt;script&gt;" in pages[f"method/{slug(NASTY)}.html"]


def test_addresses_follow_from_names_alone():
    assert slug("mlp") == "mlp"
    names = ["grn:a=1", "grn:a.1", "GRN:a=1", "grn-a-1", "..", "index", "x" * 300, "é"]
    found = [slug(name) for name in names]
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(r"[a-z0-9._-]+", one) and len(one) < 100 for one in found)
    assert not {"..", "index", ""} & set(found)
    first, second = (dict(pages_of(boards, {}, {})) for boards in (two_boards(), two_boards()))
    assert first == second


def test_better_is_who_is_so_by_every_metric_that_ranks():
    def by_both(name, first, second, role="predictor"):
        entry = scores({"a": first, "b": second}, primary=("a", "b"))
        made = [record(name, entry, role=role, seed=seed) for seed in range(5)]
        for seed, one in enumerate(made):  # so that there are intervals
            for metric in one["result"]["scores"]["knockout-impact@1"]["metrics"].values():
                metric["value"] += 0.001 * ((seed * len(name)) % 3)
        return made

    board = make_board(
        [
            *by_both("both", 0.8, 0.8),
            *by_both("first", 0.8, 0.4),
            *by_both("low", 0.8, 0.1),
            *by_both("own-share", 0.4, 0.4, "floor"),
        ]
    )
    places = once(places_of({"x": board, "y": board}))
    assert len(places) == 1  # the same question of the same data counts once
    marks = {name: count_of(name, places).marks for name in ("both", "first", "low")}
    assert marks == {"both": "▲ 1", "first": "≈ 1", "low": "▼ 1"}


def test_pages_stay_small_with_two_hundred_methods_and_thirty_datasets():
    board = two_boards()["simulated"]
    section = board.sections[0]
    row = section.ranked[0]
    rows = tuple(
        replace(row, name=f"a-method-of-some-name-{i}", rank=(i + 1, i + 1)) for i in range(200)
    )
    sections = tuple(
        replace(section, dataset=f"data:of={i}", short=f"data {i}", task=f"{task}@1", rows=rows)
        for i in range(30)
        for task in ("response", "keystone")
    )
    large = replace(board, sections=sections, matrices=(), growths=())
    pages = dict(pages_of({"large": large}, {}, {}))
    assert len(pages) > 290
    sizes = {path: len(text.encode()) for path, text in pages.items()}
    assert max(sizes.values()) < 1_000_000, max(sizes, key=sizes.get)


@pytest.fixture(scope="module")
def site(tmp_path_factory, pages):
    """The site in a folder."""
    folder = tmp_path_factory.mktemp("site")
    for path, text in pages.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of a browser."""
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.page()


def shown_pages(site):
    """One page of each kind."""
    kinds = ("board/simulated", "method", "dataset", "task", "metric", "floor")
    return [site / "index.html", *(sorted((site / kind).glob("*.html"))[0] for kind in kinds)]


@pytest.mark.parametrize(("width", "scheme"), [(1400, "light"), (400, "dark")])
def test_pages_fit_any_width_and_axe_finds_nothing(page, site, width, scheme):
    script = axe_core()
    for path in shown_pages(site):
        page.size(width)
        page.like(scheme)
        page.show(path)
        assert page.run("document.documentElement.scrollWidth") <= width, path
        assert page.run("getComputedStyle(document.body).margin") == "0px"  # the sheet is there
        page.run(f"{script}\n;0")
        found = page.run("axe.run().then((found) => found.violations.map((one) => one.id))")
        assert found == [], path


def test_search_leaves_what_has_all_words(page, site):
    page.size(1400)
    page.show(site / "index.html")
    assert page.run("document.getElementById('pages-count').textContent") == "13 of 13"
    page.run("""(() => {
      const field = document.querySelector('input[data-for=pages]');
      field.value = "GENES=500 dataset";
      field.dispatchEvent(new Event("input"));
    })()""")
    seen = page.run("""[...document.querySelectorAll("#pages li")].filter(
      (one) => one.offsetParent).map((one) => one.textContent.trim())""")
    assert seen == ["dataset grn:genes=500"]


def test_a_table_is_sorted_by_a_key(page, site):
    page.size(1400)
    page.show(site / "method" / "mlp.html")
    head = "document.querySelector('#rows1 thead').rows[0].cells[2]"
    page.run(f"{head}.querySelector('button').focus()")
    page.press("Enter", 13)
    values = page.run("""[...document.querySelector("#rows1").tBodies[0].rows].map(
      (row) => parseFloat(row.cells[2].textContent.match(/[0-9.]+/)[0]))""")
    assert values == sorted(values, reverse=True)
    assert page.run(f"{head}.ariaSort") == "descending"


def test_the_command_writes_a_site_of_published_boards(tmp_path):
    folder = REPOSITORY / "leaderboards" / "transfer-datasets"
    said = kobench("site", folder, "-o", tmp_path / "site").stdout
    assert re.search(r"Wrote \d+ pages to .*; open .*index\.html", said)
    index = (tmp_path / "site" / "index.html").read_text()
    assert "transfer-datasets" in index
    packed = tmp_path / "site" / "board" / "transfer-datasets"
    assert {"board.csv", "board.tex", "index.html", "records.jsonl.gz"} <= {
        path.name for path in packed.iterdir()
    }
    twice = kobench("site", folder, folder, "-o", tmp_path / "site", code=2)
    assert "two folders are called transfer-datasets" in twice.stderr
    assert "Traceback" not in json.dumps(twice.stderr)
