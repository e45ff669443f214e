"""The page docs/calibration.md, and the study that makes it."""

from __future__ import annotations

import re
import sys

import numpy as np
import pytest
from command import kobench
from places import REPOSITORY

from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.runner.load import load
from tests.studies import calibration
from tests.studies.calibration import RESPONSE, TABLES, Setting, settings, with_share

PAGE = REPOSITORY / "docs" / "calibration.md"
SMALL = "planted:genes=30,cells=120,perturbations=10,perturbed_cells=60"


def published(title: str) -> dict[str, list[str]]:
    """First cell -> the other cells of a table of the page."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}


def test_every_metric_of_responses_stands_on_the_page_for_every_setting():
    specs = {
        entry.spec.name
        for entries in load_registry().metrics.values()
        for entry in entries
        if entry.trusted and entry.spec.of == "response" and not entry.spec.descriptive
    }
    assert specs == set(RESPONSE)
    for setting in settings(1, 1):
        assert set(published(f"What is told apart: {setting.title}")) == set(RESPONSE)


def test_the_page_has_what_one_split_gives(real_data):
    real_data("k562-crispri")
    setting = next(one for one in settings(1, 1) if "k562" in one.title)
    lines = calibration.table(load_registry(), setting)
    cells = next(line for line in lines if "`pearson-delta-centred`" in line).split("|")
    page = published(f"What is told apart: {setting.title}")["pearson-delta-centred"]
    assert float(cells[3]) == pytest.approx(float(page[1]), abs=0.06)
    assert cells[-2].strip() == page[-1]


def test_tables_of_a_small_screen():
    registry = load_registry()
    setting = Setting("small", (SMALL,), variant="all")
    lines = calibration.table(registry, setting)
    assert len(lines) == 2 + len(RESPONSE)
    assert {line.count("|") for line in lines} == {11}
    page = calibration.page(f"# Said\n\n{TABLES}\n\n## old\n", {"small": lines})
    assert page.startswith(f"# Said\n\n{TABLES}\n\n## small\n")
    assert "## old" not in page


def test_a_share_of_the_cells_of_each_perturbation():
    dataset = load(choose(load_registry(), "datasets", SMALL))
    quarter = with_share(dataset, 0.25)
    assert with_share(dataset, 1.0) is dataset
    counts = [
        np.unique(np.asarray(one.perturbed.obs["perturbation"]), return_counts=True)
        for one in (dataset, quarter)
    ]
    assert counts[0][0].tolist() == counts[1][0].tolist()
    assert counts[1][1].tolist() == [round(number / 4) for number in counts[0][1]]


def test_the_commands_of_the_page(tmp_path, monkeypatch):
    (block,) = re.findall(r"```console\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    check, study = block.splitlines()
    assert study == f"python -m {calibration.__name__}"
    shown = kobench(*check.split()[1:])
    assert "the other half of the cells" in shown.stdout
    assert "tells-controls-apart" in shown.stdout
    before = PAGE.read_bytes()
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["calibration"])
    with pytest.raises(SystemExit, match=r"the real data are not at .*nowhere"):
        calibration.main()
    assert PAGE.read_bytes() == before


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("spearman", "--of", "ranking", "-d", SMALL), "only metrics of responses are calibrated"),
        (("pearson-delta", "-d", "grn:genes=20,cells=60[none]"), "no none perturbations"),
        ((SMALL, "-d", SMALL), "-d is for metrics of responses"),
        (("pearson-delta", "-d", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_calibrated_is_said_in_a_sentence(flags, said):
    shown = kobench("check", *flags, code=None)
    assert said in " ".join(shown.stderr.split())
    assert shown.returncode
