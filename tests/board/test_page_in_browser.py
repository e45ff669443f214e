"""The page of a board in a real browser, at the width of a desk and of a phone, light and dark."""

from __future__ import annotations

import csv

import pytest
from browser import axe_core, chromium
from factories import genes_table, networks, points, read, record, scores, told
from places import REPOSITORY

from kobench.board.render.text.units import unit_text
from kobench.cli.published import pack_board

WIDTHS = (1400, 400)
PUBLISHED = sorted((REPOSITORY / "leaderboards").glob("*/board.html"))

#: All that a reader can open is open, and nothing waits until it is seen.
OPENED = """
document.head.append(Object.assign(document.createElement("style"),
  {textContent: "main > section { content-visibility: visible !important; }"}));
for (const one of document.querySelectorAll("details")) one.open = true;
"""

#: What lies outside the window, and tables that are wider than their box.
WIDE = """(() => {
  const width = document.documentElement.clientWidth, found = [];
  if (document.documentElement.scrollWidth > width) found.push("the page");
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest(".scroll, pre, svg") && !one.matches(".scroll, pre")) continue;
    const box = one.getBoundingClientRect();
    if (box.width && (box.right > width + 1 || box.left < -1))
      found.push(`${one.tagName}.${one.className} ${one.textContent.slice(0, 60)}`);
  }
  const cut = [...document.querySelectorAll(".scroll")].filter(
    (box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.ariaLabel);
  return [found, cut];
})()"""

#: Names that are not seen when their table is scrolled to its right end.
HIDDEN_NAMES = """(() => {
  const found = [];
  for (const box of document.querySelectorAll(".scroll")) {
    box.scrollLeft = box.scrollWidth;
    const ends = box.getBoundingClientRect();
    for (const name of box.querySelectorAll("tbody th[scope=row]")) {
      const at = name.getBoundingClientRect();
      const most = innerWidth < 600 ? 220 : 400;
      if (at.width && (at.left < ends.left - 1 || at.left > ends.left + 40 || at.width > most))
        found.push(`${box.ariaLabel}: ${name.textContent}`);
    }
    box.scrollLeft = 0;
  }
  return found;
})()"""

AXE = """axe.run({resultTypes: ["violations"]}).then((found) => found.violations.map(
  (one) => `${one.id}: ${one.nodes.length} such as ${one.nodes[0].html.slice(0, 200)}`))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page of a browser."""
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser.page()


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A packed board with names of all lengths, single units, prior knowledge and a failure."""
    folder = tmp_path_factory.mktemp("board")
    table = genes_table({f"gene{i}": (i / 7, (20 - i) / 13) for i in range(20)})
    metrics = {"spearman": 0.7, "pearson": 0.6, "rmse": 0.1, "a-metric-of-a-long-name": 0.3}
    drawn = points([0.1, 0.2, 0.3], [0.2, 0.1, 0.4], "impact")
    records = []
    for dataset in ("grn:genes=100", "grn:genes=500"):
        whole = scores(metrics, table=table, points=drawn, primary=("spearman", "pearson"))
        records += [record("first", whole, dataset=dataset, seed=seed) for seed in range(3)]
        for name, value in (("second", 0.3), ("a-predictor-of-a-very-long-name", 0.5)):
            records += [
                record(
                    name,
                    scores({"spearman": value + seed / 90, "pearson": 0.2}, primary=("spearman",)),
                    dataset=dataset,
                    seed=seed,
                )
                for seed in range(3)
            ]
        records += networks("own-share", [0.40, 0.42, 0.38], "floor", dataset=dataset)
        records += networks("gene-oracle", [0.9] * 3, "line", dataset=dataset)
        records.append(
            record(
                "<i>failed</i>",
                dataset=dataset,
                status="failed",
                stage="fit",
                message="it says why in more words than a column of a table could ever hold",
                traceback="Traceback\n  a line\n" + "x" * 300,
            )
        )
    # not by the command, which shows no score of records that no run could have left
    pack_board(folder, told(read(records)), folder / "packed", cost=True)
    return folder / "packed" / "board.html"


def opened(page, path, width=1400, scheme="light"):
    """Show a page with everything open."""
    page.size(width)
    page.like(scheme)
    page.show(path)
    page.run(OPENED)
    return page


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.parent.name)
def test_published_pages_are_whole_at_any_width(page, path, width):
    opened(page, path, width)
    outside, cut = page.run(WIDE)
    assert outside == []
    if width == 1400:
        assert cut == []
    assert page.run(HIDDEN_NAMES) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_names_of_any_length_stay_and_nothing_is_cut(page, packed, width):
    outside, cut = opened(page, packed, width).run(WIDE)
    assert outside == []
    assert (cut == []) == (width == 1400)
    assert page.run(HIDDEN_NAMES) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["packed", "crispr", "transfer-datasets"])
def test_axe_finds_nothing(page, packed, name, width, scheme):
    path = packed if name == "packed" else REPOSITORY / "leaderboards" / name / "board.html"
    script = axe_core()
    opened(page, path, width, scheme)
    page.run("for (const one of document.querySelectorAll('button.more')) one.click()")
    page.run(f"{script}\n;0")
    assert page.run(AXE) == []


def test_contents_lead_to_every_part(page, packed):
    opened(page, packed)
    parts = page.run("[...document.querySelectorAll('main section')].map((one) => one.id)")
    links = page.run("[...document.querySelectorAll('nav a')].map((one) => one.hash.slice(1))")
    assert sorted(links) == sorted(parts)
    assert len(links) == len(set(links)) > 4
    for anchor in links:
        page.run(f"document.querySelector('nav a[href=\"#{anchor}\"]').click()")
        top = page.run(f"document.getElementById('{anchor}').getBoundingClientRect().top")
        end = page.run("innerHeight + scrollY >= document.documentElement.scrollHeight - 2")
        assert -1 <= top <= 20 or (end and top < 900), (anchor, top)
        assert page.run("location.hash") == f"#{anchor}"


def test_downloads_are_there_and_pictures_load(page, packed):
    opened(page, packed)
    names = page.run(
        "[...document.querySelectorAll('a[download]')].map((one) => one.getAttribute('href'))"
    )
    assert names == ["board.csv", "board.json.gz", "board.md", "board.tex", "records.jsonl.gz"]
    for name in names:
        assert (packed.parent / name).stat().st_size > 100
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    sizes = page.run("""Promise.all([...document.images].map((one) => {
      one.loading = "eager";
      return one.decode().then(() => one.naturalWidth, () => 0);
    }))""")
    assert len(sizes) > 2
    assert min(sizes) > 100


def test_rows_are_sorted_by_a_key_and_by_a_click(page, packed):
    opened(page, packed)
    column = """[...document.querySelector("table.scores").tBodies[0].rows].map(
      (row) => row.cells[2].textContent)"""
    head = "document.querySelector('table.scores thead').rows[0].cells[2]"
    before = [float(text.partition("[")[0]) for text in page.run(column)]
    assert before == sorted(before, reverse=True)
    page.run(f"{head}.querySelector('button').focus()")
    page.press("Enter", 13)
    assert page.run(f"{head}.ariaSort") == "descending"
    page.press("Enter", 13)
    assert page.run(f"{head}.ariaSort") == "ascending"
    assert [float(text.partition("[")[0]) for text in page.run(column)] == sorted(before)
    page.run("document.querySelector('table.scores thead button').click()")
    names = page.run("""[...document.querySelector("table.scores").tBodies[0].rows].map(
      (row) => row.dataset.predictor)""")
    assert names == sorted(names)
    assert page.run(f"{head}.ariaSort") is None


def test_filters_leave_what_they_name(page, packed):
    opened(page, packed)
    page.run("""(() => {
      const one = document.getElementById("dataset");
      one.value = "grn:genes=500";
      one.dispatchEvent(new Event("input"));
      const other = document.getElementById("predictor");
      other.value = "LONG";
      other.dispatchEvent(new Event("input"));
    })()""")
    seen = page.run("""[...document.querySelectorAll("table.scores tr[data-predictor]")].filter(
      (one) => one.offsetParent).map(
        (one) => [one.closest("section").dataset.dataset, one.dataset.predictor])""")
    assert seen == [["grn:genes=500", "a-predictor-of-a-very-long-name"]]
    links = page.run(
        "[...document.querySelectorAll('nav a')].filter((one) => one.offsetParent)"
        ".map((one) => one.textContent)"
    )
    assert "grn genes=500" in links
    assert "grn genes=100" not in links


def test_single_units_are_a_table_with_the_numbers_of_the_csv(page, packed):
    opened(page, packed)
    table = page.run("""[...document.querySelector("details.units table").rows].map(
      (row) => [...row.cells].map((one) => one.textContent))""")
    with (packed.parent / "board.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == "grn:genes=100"]
    true = {row["unit"]: float(row["value"]) for row in rows if row["metric"] == "true"}
    heads, *lines = table
    assert heads[0] == "gene"
    place = heads.index("true")
    assert {line[0]: line[place] for line in lines} == {
        name: unit_text(value) for name, value in true.items()
    }
    assert len(lines) == 20


def test_further_columns_come_when_they_are_asked_for(page, packed):
    opened(page, packed)
    count = """(() => { const table = document.querySelector("table.scores");
      const seen = (one) => Boolean(one.offsetParent);
      return [...table.rows].filter((row) => !row.matches(".part")).map(
        (row) => [...row.cells].filter(seen).reduce((sum, one) => sum + one.colSpan, 0)); })()"""
    before = page.run(count)
    assert len(set(before)) == 1
    button = "document.querySelector('button.more')"
    assert page.run(f"{button}.ariaExpanded") == "false"
    page.run(f"{button}.click()")
    after = page.run(count)
    assert len(set(after)) == 1
    said = page.run(f"{button}.dataset.more")
    assert said == f"Show {after[0] - before[0]} more columns"
    shown = page.run("document.querySelector('table.scores').textContent")
    assert "rmse" in shown
    assert page.run(f"{button}.ariaExpanded") == "true"
    page.run(f"{button}.click()")
    assert page.run(count) == before


def test_it_prints_on_paper_without_what_only_a_screen_can_use(page, packed):
    crispr = REPOSITORY / "leaderboards" / "crispr" / "board.html"
    for path in (packed, crispr):
        opened(page, path, 1030)
        page.like(media="print")
        outside, cut = page.run(WIDE)
        assert outside == []
        assert cut == []
        hidden = page.run("""["nav", ".filters", "button.more"].map(
          (one) => getComputedStyle(document.querySelector(one)).display)""")
        assert hidden == ["none"] * 3
    page.like()


def test_a_name_in_a_record_runs_nothing(page, packed):
    opened(page, packed)
    assert page.run("document.querySelectorAll('main i:not(.bar)').length") == 0
    assert "<i>failed</i>" in page.run("document.body.textContent")
