"""The page docs/datasets.md: its command runs, and its table says what the audit says."""

from __future__ import annotations

import re

import pytest
from command import kobench
from places import REPOSITORY

from kobench.audit.audit import audit
from kobench.audit.confounding import confounding
from kobench.audit.floors import floor_values
from kobench.audit.material import Material
from kobench.audit.power import Power
from kobench.audit.statistics import smallest_uneven, spread_of_uneven, units_needed
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.runner.load import load

PAGE = (REPOSITORY / "docs" / "datasets.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Audit a data set")[2]


def cells_of(name: str) -> list[str]:
    """The row of a data set in the table."""
    line = re.search(rf"^\| {name} \|.*$", SECTION, flags=re.MULTILINE)
    assert line is not None
    return [cell.strip() for cell in line[0].strip("|").split("|")]


def test_the_command_of_the_page_runs(tmp_path):
    (command,) = re.findall(r"^kobench datasets audit .*$", SECTION, flags=re.MULTILINE)
    kobench(*command.split()[1:], cwd=tmp_path)
    assert "<h1>" in (tmp_path / "report.html").read_text()


def test_the_parts_of_the_page_are_those_of_an_audit():
    registry = load_registry()
    planted = choose(registry, "datasets", "planted:genes=30,cells=200,perturbations=6")
    keys = {each.key for each in audit(load(planted), "x", registry).parts}
    table = SECTION.partition("| part |")[2].partition("\n\n")[0]
    named = {
        name.replace("-", "_") for name in re.findall(r"^\| ([a-z-]+) \|", table, re.MULTILINE)
    }
    assert named == keys | {"depth"}


def test_the_figures_of_hipsc_ko_are_what_is_measured(real_data):
    real_data("hipsc-ko")
    registry = load_registry()
    material = Material.of(load(choose(registry, "datasets", "hipsc-ko")))
    question = material.question
    found = Power.of(floor_values(material, question, registry))
    row = cells_of("hipsc-ko")
    assert row[1] == f"{int(question.detectable.sum())} of {len(question.names)}"
    assert row[3:6] == [f"{value:.2f}" for value in (found.even, found.uneven, found.room)]
    assert row[7] == f"{confounding(material).facts['cramers_v']:.2f}"
    assert found.uneven == smallest_uneven(found.spread, found.room, found.perturbations)
    uneven = spread_of_uneven(0.1, found.spread, found.room)
    assert "this formula gives 0.30 for a gain of 0.10" in SECTION
    assert uneven == pytest.approx(0.30, abs=0.005)
    assert f"needs {units_needed(0.1, uneven)} of them" in SECTION


def test_the_data_set_of_which_nothing_can_be_asked_is_that(real_data):
    real_data("nkx2-1-lung")
    registry = load_registry()
    found = audit(load(choose(registry, "datasets", "nkx2-1-lung")), "x", registry)
    assert cells_of("nkx2-1-lung")[1] == "none can be asked"
    assert {each.key: each.verdict for each in found.parts}["power"] == "bad"
