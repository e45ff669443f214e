"""The report as a file: escaped, deterministic, without network, and nothing overflows."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from audited import screen, with_columns, with_gene
from command import kobench

from kobench.audit import render
from kobench.audit.audit import audit
from kobench.audit.report import ROWS
from kobench.audit.written import write
from kobench.cells import Cells
from kobench.plugins.load import load_registry

#: Names that would break out of a page, a table, a picture or a line.
HOSTILE = (
    "</svg></td><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a|b\n# c [d](http://e) `f` $\\frac{g$",
    "\u202eevil\x1b[31m\u200b",
    "&lt;b&gt;]]><!--",
    "x" * 3000,
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="module")
def registry():
    return load_registry()


@pytest.fixture(scope="module")
def hostile(registry):
    """The audit of a screen in which everything that has a name has a hostile one."""
    base = screen(n=80, k=len(HOSTILE), effect=1.0, left=0.3)
    genes = base.cells.var_names.astype("U3000")
    genes[: len(HOSTILE)] = [name.replace("+", "") for name in HOSTILE]
    labels = np.repeat(genes[: len(HOSTILE)], 40)
    lane = HOSTILE[0] + "lane"

    def renamed(cells, **more):
        lanes = np.where(cells.obs["lane"] == "a", HOSTILE[0], HOSTILE[3])
        return Cells(cells.X, genes, {lane: lanes, **more})

    dataset = replace(
        base,
        cells=renamed(base.cells),
        perturbed=renamed(base.perturbed, perturbation=labels),
        batch_key=lane,
        notes=HOSTILE,
        near_null=HOSTILE[0],
    )
    guide = np.where(np.arange(len(labels)) < 40, 5, 0)
    dataset = with_gene(dataset, HOSTILE[1] + "guide", np.zeros(80), guide)
    return audit(dataset, HOSTILE[0], registry)


@pytest.fixture(scope="module")
def page(hostile):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    return html_of(hostile)


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attributes]


def html_of(report) -> str:
    return render.html(report, render.drawings(report))


def test_names_break_nothing(hostile, page):
    assert len(hostile.parts) == 9
    text = page
    seen = Tags(text)
    assert not {"script", "img", "b", "iframe", "object"} & set(seen.tags)
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert "alert(1)" in text  # shown as text
    for hidden in ("\u202e", "\x1b", "\u200b", "\x00"):
        assert hidden not in text
    assert "http" not in re.sub(r"http://www.w3.org/\S+|http://e\)|http-equiv", "", text)
    document = render.markdown(hostile, {})
    for line in document.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) >= 3
        assert not line.startswith("# c")
    tables = re.findall(r"(?:^\|.*\n)+", document, flags=re.MULTILINE)
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert "<script" not in document
    assert "\x1b" not in render.terminal(hostile)
    assert json.loads(json.dumps(hostile.to_json()))["dataset"] == HOSTILE[0]


def test_a_page_loads_nothing_and_runs_nothing(page):
    assert "default-src 'none'" in unescape(page)
    assert "<link" not in page
    assert "url(http" not in page
    assert "prefers-color-scheme: dark" in page


def test_every_part_has_a_sentence_that_ends_and_a_verdict(hostile, registry):
    for report in (hostile, audit(screen(k=2), "x", registry)):
        for part in report.parts:
            assert part.sentence.endswith("."), part.sentence
            assert part.title.endswith("?")
            for table in part.tables:
                assert len({len(row) for row in table.rows} | {len(table.heads)}) == 1


def test_the_same_seed_gives_the_same_bytes(registry, tmp_path):
    dataset = screen(n=80, k=5, effect=1.0)
    texts = []
    for again in range(2):
        report = audit(dataset, "x", registry)
        folder = tmp_path / str(again)
        paths = [*write(report, folder / "a.md"), *write(report, folder / "a.json")]
        texts.append({str(path.relative_to(folder)): path.read_bytes() for path in paths})
    assert texts[0] == texts[1]
    other = audit(dataset, "x", registry, seed=1)
    assert other.to_json() != audit(dataset, "x", registry).to_json()


def test_without_matplotlib_the_page_says_how_to_get_pictures(monkeypatch, registry):
    monkeypatch.setattr(render, "available", lambda: False)
    text = html_of(audit(screen(k=2), "x", registry))
    assert "<svg" not in text
    assert "pip install" in text


def test_long_tables_are_cut_and_say_where_the_rest_is(registry):
    base = screen(n=40, k=2)
    labels = np.array([f"none{i}" for i in range(80)])
    report = audit(with_columns(base, None, {"perturbation": labels}), "x", registry)
    text = html_of(report)
    assert f"{80 + 1 - ROWS:,} more rows are in the JSON." in text
    assert len(report.to_json()["parts"]["effects"]["not_askable"]) == 80


def test_the_command_writes_what_the_ending_says(tmp_path):
    pytest.importorskip("matplotlib", reason="pictures need matplotlib")
    words = ("datasets", "audit", "planted:genes=30,cells=200,perturbations=6,batches=2")
    said = kobench(*words, "-o", tmp_path / "a.html").stdout
    assert said == f"Wrote {tmp_path / 'a.html'}.\n"
    assert "<svg" in (tmp_path / "a.html").read_text()
    kobench(*words, "-o", tmp_path / "a.md")
    document = (tmp_path / "a.md").read_text()
    for name in re.findall(r"\]\((a-pictures/\S+)\)", document):
        assert (tmp_path / name).is_file()
    assert document.count("](a-pictures/") == len(list((tmp_path / "a-pictures").iterdir())) > 4
    found = json.loads(kobench(*words, "--json").stdout)
    assert found["parts"]["power"]["metric"].startswith("pearson-delta-centred")
    text = kobench(*words).stdout
    assert text.startswith("planted:")
    assert max(map(len, text.splitlines())) <= 80
    done = kobench(*words, "-o", tmp_path / "a.pdf", code=2)
    assert "choose one of .html, .md, .json" in done.stderr
    assert "there is no dataset 'nobody'" in kobench("datasets", "audit", "nobody", code=2).stderr


MEASURE = """<!DOCTYPE html><html><body><iframe id="f" src="report.html"
 style="width:{width}px;height:900px;border:0"></iframe>
<script>
document.getElementById("f").onload = function () {{
  const page = this.contentDocument, wide = [];
  for (const each of page.querySelectorAll("body *")) {{
    if (each.closest(".scroll") || each.closest("svg")) continue;
    const box = each.getBoundingClientRect();
    if (box.right > {width} + 1 || box.left < -1) wide.push(each.tagName + "." + each.className);
  }}
  for (const each of page.querySelectorAll("svg")) {{
    if (each.getBoundingClientRect().right > {width} + 1) wide.push("svg");
  }}
  document.body.innerHTML = "<pre>" + JSON.stringify({{
    scroll: page.documentElement.scrollWidth, wide: wide, scripts: page.scripts.length,
    parts: page.querySelectorAll("section.card").length,
    pictures: page.querySelectorAll("svg").length
  }}) + "</pre>";
}};
</script></body></html>"""


@pytest.mark.parametrize("width", [1400, 400])
def test_nothing_overflows_in_a_browser(page, tmp_path, width):
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip(f"no browser is here: none of {', '.join(BROWSERS)} is on the path")
    (tmp_path / "report.html").write_text(page)
    (tmp_path / "measure.html").write_text(MEASURE.format(width=width))
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--allow-file-access-from-files", "--virtual-time-budget=20000"),
            *(f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width + 60},1000"),
            (tmp_path / "measure.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    found = re.search(r"<pre>(\{.*\})</pre>", done.stdout)
    if found is None and done.returncode != 0:
        pytest.skip(f"the browser does not run here: {done.stderr[-200:]}")
    assert found is not None, done.stdout[-500:]
    seen = json.loads(found[1])
    assert seen["scripts"] == 0
    assert seen["parts"] == 10
    assert seen["pictures"] >= 7
    assert seen["wide"] == []
    assert seen["scroll"] <= width
