"""What holds for every built-in metric: the truth is best, noise is worse, order does not matter, the range holds, it has a page."""

from __future__ import annotations

import dataclasses
import importlib
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kobench.api import ImpactUnits, MetricSpec, NotComputed, Parts, ProfileUnits, RankingUnits, Units, normalise_rows
from kobench.builtin.specs import metric_specs, task_specs

#: Metrics of responses are held to the same in test_metrics_response.py; with-abundance looks at no truth.
SPECS = [spec for spec in metric_specs() if spec.of != "response" and spec.name != "with-abundance"]
IDS = [f"{spec.of}-{spec.name}" for spec in SPECS]
DOCS = Path(__file__).parent.parent / "docs"


def resolve(reference):
    module, attribute = reference.split(":")
    return getattr(importlib.import_module(module), attribute)


def value(spec: MetricSpec, units: Units) -> float:
    result = resolve(spec.score)(units)
    return result.value if isinstance(result, Parts) else result


def profile_units(rng, n=60, g=30, knocked_out=True) -> ProfileUnits:
    present = rng.random((n, g)) > 0.3
    present[:, :2] = True
    genes = rng.integers(2, g, n)
    if knocked_out:
        present[np.arange(n), genes] = False
    true, predicted, null = (normalise_rows(present * rng.gamma(2.0, 1.0, (n, g))) for _ in range(3))
    cells = np.repeat(np.arange(n // 2), 2) if knocked_out else np.arange(n)
    extra = {"genes": genes, "null": null} if knocked_out else {}
    return ProfileUnits(predicted, true, present, cells, **extra)


def impact_units(rng, cells=25, g=20) -> ImpactUnits:
    of_cell, of_gene = np.nonzero(rng.random((cells, g)) > 0.2)
    n = len(of_cell)
    true = np.where(rng.random(n) < 0.3, 0.0, rng.random(n).round(2))
    return ImpactUnits(rng.random(n).round(2), true, of_cell, of_gene)


def ranking_units(rng, g=400) -> RankingUnits:
    return RankingUnits(rng.random(g).round(2), rng.random(g).round(2), np.arange(g))


def units_of(spec: MetricSpec, seed=0) -> Units:
    rng = np.random.default_rng(seed)
    if spec.of == "profile":
        return profile_units(rng, knocked_out=spec.tasks != ("profile",))
    return impact_units(rng) if spec.of == "impact" else ranking_units(rng)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_the_truth_scores_exactly_best(spec):
    for seed in range(5):
        units = units_of(spec, seed)
        assert value(spec, dataclasses.replace(units, predicted=units.true)) == spec.best


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_noise_is_worse_and_more_noise_is_worse_still(spec):
    units = units_of(spec)
    rng = np.random.default_rng(1)
    values = []
    for amount in (0.3, 1.0, 10.0):
        noisy = units.true + amount * units.true.mean() * rng.random(units.true.shape)
        if isinstance(units, ProfileUnits):
            noisy = normalise_rows(units.present * noisy)
        values.append(value(spec, dataclasses.replace(units, predicted=noisy)))
    better = [-v for v in values] if spec.direction == "lower" else values
    best = -spec.best if spec.direction == "lower" else spec.best
    assert best > better[0] > better[1] > better[2]


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_values_lie_in_the_range(spec):
    for seed in range(5):
        assert spec.low <= value(spec, units_of(spec, seed)) <= spec.high


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_the_order_of_units_does_not_matter(spec):
    units = units_of(spec)
    order = np.random.default_rng(3).permutation(len(units.true))
    fields = {field.name: getattr(units, field.name) for field in dataclasses.fields(units)}
    shuffled = type(units)(**{name: None if column is None else column[order] for name, column in fields.items()})
    assert value(spec, shuffled) == pytest.approx(value(spec, units), rel=1e-12)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_the_order_of_genes_does_not_matter(spec):
    units = units_of(spec)
    rng = np.random.default_rng(3)
    if isinstance(units, ProfileUnits):
        order = rng.permutation(units.true.shape[1])
        place = np.argsort(order)
        columns = {name: getattr(units, name)[:, order] for name in ("predicted", "true", "present")}
        if units.genes is not None:
            columns |= {"genes": place[units.genes], "null": units.null[:, order]}
        renamed = dataclasses.replace(units, **columns)
    else:
        renamed = dataclasses.replace(units, genes=rng.permutation(1000)[units.genes])
    assert value(spec, renamed) == pytest.approx(value(spec, units), rel=1e-12)


RANKINGS = [spec for spec in SPECS if spec.name not in ("bray-curtis", "jensen-shannon", "rmse", "mae", "explained-change")]


@pytest.mark.parametrize("spec", RANKINGS, ids=[f"{spec.of}-{spec.name}" for spec in RANKINGS])
def test_a_constant_answer_gives_no_ranking(spec):
    units = units_of(spec)
    constant = np.full(units.true.shape, 0.25)
    assert math.isnan(value(spec, dataclasses.replace(units, predicted=constant)))


@pytest.mark.parametrize("spec", RANKINGS, ids=[f"{spec.of}-{spec.name}" for spec in RANKINGS])
def test_a_constant_truth_is_not_computed_and_says_why(spec):
    units = units_of(spec)
    with pytest.raises(NotComputed, match=r"equal|differ|varies|above 0|pairs|share"):
        value(spec, dataclasses.replace(units, true=np.full(units.true.shape, 0.25)))


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_no_units_at_all_is_not_computed(spec):
    units = units_of(spec)
    fields = {field.name: getattr(units, field.name) for field in dataclasses.fields(units)}
    with pytest.raises(NotComputed):
        value(spec, type(units)(**{name: None if column is None else column[:0] for name, column in fields.items()}))


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_single_precision_answers_score_the_same_but_for_rounding(spec):
    units = units_of(spec)
    single = dataclasses.replace(units, predicted=units.predicted.astype(np.float32))
    assert value(spec, single) == pytest.approx(value(spec, units), abs=1e-5)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_scoring_changes_no_unit(spec):
    units = units_of(spec)
    before = {f.name: np.copy(getattr(units, f.name)) for f in dataclasses.fields(units) if getattr(units, f.name) is not None}
    value(spec, units)
    for name, column in before.items():
        np.testing.assert_array_equal(getattr(units, name), column)


def test_names_are_unique_for_each_kind_of_units():
    every = list(metric_specs())
    assert len({(spec.of, spec.name) for spec in every}) == len(every)


def test_every_metric_has_a_page_that_says_what_a_reader_needs():
    pages = (DOCS / "metrics.md").read_text().split("\n### ")[1:]
    sections = {page.splitlines()[0].strip(): page for page in pages}
    assert sorted(sections) == sorted(f"{spec.name} ({spec.of})" for spec in metric_specs())
    for name, page in sections.items():
        for part in ("Formula", "Range", "Blocks", "Accepts", "Source", "To game it"):
            assert f"**{part}.**" in page, f"{name} lacks {part}"


def test_every_task_and_its_floors_are_described():
    page = (DOCS / "tasks.md").read_text()
    for task in task_specs():
        assert f"\n### {task.label}\n" in page
        section = page.split(f"\n### {task.label}\n")[1].split("\n### ")[0]
        for name in (*task.primary, *task.floors, *task.lines):
            assert f"`{name}`" in section, f"{task.label} does not mention {name}"


def test_naming_the_metrics_loads_none_of_them():
    code = (
        "import sys, kobench.builtin.specs as s; list(s.metric_specs()), list(s.task_specs()), list(s.floor_specs()); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "kobench.builtin.specs" in loaded
    for name in (
        "scipy",
        "pandas",
        "anndata",
        "kobench.builtin.metrics.profile",
        "kobench.builtin.tasks",
        "kobench.builtin.floors.profile",
    ):
        assert name not in loaded
