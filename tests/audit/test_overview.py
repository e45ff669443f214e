"""What a dataset can be asked: counted by hand, bounded on large data, shown in 80 columns."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
from audited import screen

from kobench.audit import drawn as drawing
from kobench.audit.block import WIDTH, block
from kobench.audit.doubled import Doubled, doubled
from kobench.audit.overview import ENOUGH_DETECTABLE, overview
from kobench.builtin.metrics.over_perturbations import MIN_TO_CENTRE
from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.split import rows_of
from kobench.truth.population import Screened, ask_responses, presummed, profiles


def test_as_many_must_be_detectable_as_the_metric_needs():
    assert ENOUGH_DETECTABLE == MIN_TO_CENTRE


def test_it_is_what_the_truth_says():
    dataset = screen(effect=1.0)
    truth = ask_responses(dataset, *rows_of(dataset, "halves", 0))
    seen = overview(dataset)
    assert seen.askable == truth.names == tuple(seen.agreement)
    assert [name in seen.detectable for name in truth.names] == truth.detectable.tolist()
    assert len(seen.detectable) == 6
    assert seen.near_null == "no"
    assert seen.unasked == truth.unasked
    assert not seen.drawn
    assert seen.controls == {"a": 30, "b": 30}


def test_nothing_but_noise_is_near_null_and_says_what_to_do():
    seen = overview(screen(effect=0.0))
    assert seen.near_null == "yes"
    text = " ".join(" ".join(block(seen)).split())
    assert "near-null yes: under 5 perturbations are detectable" in text
    assert "near_null = true on the card" in text


def test_batches_without_controls_are_named_with_what_they_cost():
    dataset = screen(effect=1.0)
    lane = np.array(["a"] * 55 + ["b"] * 5)
    cells = Cells(dataset.cells.X, dataset.cells.var_names, {"lane": lane})
    found = overview(Dataset(**{**vars(dataset), "cells": cells}))
    assert found.uncovered == {"b": 120}
    text = " ".join(" ".join(block(found)).split())
    assert "2 batches (lane): a 55, b 5" in text
    assert "under 10 in b: their 120 perturbed cells are not used" in text


def test_copies_are_counted_by_what_they_are_copies_of():
    values = [[1, 0], [1, 0], [0, 9], [2, 0], [3, 0], [3, 0], [1, 0], [3, 0]]
    X = np.array(values, np.float32)
    names = np.array(["A", "B"])
    perturbed = Cells(X[3:], names, {"perturbation": np.array(["A", "A", "A", "A", "B"])})
    dataset = Dataset(Cells(X[:3], names), "linear", "real", perturbed=perturbed)
    # row 1 repeats row 0; row 5 row 4, both A; row 6 is A and equals row 0; row 7 is B and row 4 A
    assert doubled(dataset) == Doubled(wild_type=1, same=1, across=2)
    assert "2 perturbed cells equal one of another label or a wild-type cell" in " ".join(
        " ".join(block(overview(dataset))).split()
    )


def test_large_data_is_drawn_from_with_a_fixed_seed_and_it_says_so(monkeypatch):
    dataset = screen(n=400, k=12, effect=1.0, batches=4)
    screened = Screened.of(dataset, dataset.perturbed, *rows_of(dataset, "halves", 0))
    limits = drawing.Limits(7 * 140 * 30, 100 * 30)
    monkeypatch.setattr(drawing.draw, "__defaults__", (0, limits))
    found = drawing.draw(screened)
    again = drawing.draw(screened)
    assert [list(one.rows) for one in (found, again)] == [list(found.rows)] * 2
    assert 5 <= len(found.rows) < 12
    kept = found.screened.screen
    assert 100 <= len(kept.everyone) < 150
    per_batch = np.bincount(kept.wild_type.batch[kept.everyone])
    assert per_batch.min() >= drawing.KEPT_IN_BATCH
    assert (kept.everyone == again.screened.screen.everyone).all()
    assert set(drawing.draw(screened, seed=1).rows) != set(found.rows)
    seen = overview(dataset)
    assert len(seen.agreement) == len(found.rows)
    text = " ".join(" ".join(block(seen)).split())
    assert f"{len(found.rows)} of {len(found.rows)} measured" in text
    assert "drawn to be quick, always the same" in text
    assert "of 400 wild-type cells" in text
    assert "of 12 perturbations" in text
    assert seen.to_json()["drawn_to_measure"]["seed"] == 0


def test_few_perturbations_are_measured_however_large_they_are():
    dataset = screen(n=40, k=6)
    screened = Screened.of(dataset, dataset.perturbed, *rows_of(dataset, "halves", 0))
    found = drawing.draw(screened, limits=drawing.Limits(1, 10**9))
    assert len(found.rows) == drawing.FEWEST


def test_wild_type_cells_alone_have_the_rows_that_make_sense():
    dataset = screen()
    seen = overview(Dataset(dataset.cells, "linear", "real"))
    assert [line.split()[0] for line in block(seen) if line[0] != " "] == [
        "cells",
        "controls",
        "presence",
        "duplicates",
    ]
    assert seen.to_json()["near_null"] == {"measured": "unknown", "declared": False}


@pytest.mark.parametrize("name", ["x" * 300, "a\nb\x1b[31mc", "‮evil", "A " * 100])
def test_names_of_any_kind_leave_lines_of_80_columns(name):
    dataset = screen(k=2)
    labels = dataset.perturbed.obs["perturbation"].astype("U400")
    labels[:25], labels[25:30], labels[40:] = name, f"{name}-2", f"{name}-3"
    lane = np.where(dataset.perturbed.obs["lane"] == "a", name, name + "b")
    wild = np.where(dataset.cells.obs["lane"] == "a", name, name + "b")
    perturbed = Cells(
        dataset.perturbed.X, dataset.cells.var_names, {name: lane, "perturbation": labels}
    )
    cells = Cells(dataset.cells.X, dataset.cells.var_names, {name: wild})
    seen = overview(Dataset(cells, "linear", "real", batch_key=name, perturbed=perturbed))
    lines = block(seen)
    assert max(map(len, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)
    assert json.loads(json.dumps(seen.to_json()))["not_askable"]


def test_the_agreement_alone_is_that_of_the_whole_measurement():
    dataset = screen(effect=1.0)
    screened = Screened.of(dataset, dataset.perturbed, *rows_of(dataset, "halves", 0))
    one = screened.names[0]
    assert drawing.draw(screened).agreement(one) == screened.measure(one).agreement


def test_groups_too_few_to_split_are_the_reason_that_nothing_is_asked():
    dataset = screen(k=2)
    donor = np.full(60, "one")
    cells = Cells(dataset.cells.X, dataset.cells.var_names, {**dataset.cells.obs, "donor": donor})
    seen = overview(Dataset(**{**vars(dataset), "cells": cells, "group_key": "donor"}))
    assert not seen.askable
    assert set(seen.unasked) == {"g0", "g1"}
    assert "donor" in seen.unasked["g0"]


@pytest.mark.parametrize(("wild_type", "perturbed"), [(500, 8000), (8000, 500)])
def test_a_glance_makes_no_second_copy_of_the_cells(wild_type, perturbed, monkeypatch):
    """Of large screens; of small ones there are copies, dense and by gene, as that is faster."""
    monkeypatch.setattr(presummed, "MOST_BYTES", 0)
    monkeypatch.setattr(profiles, "MOST_COPIED", 0)
    rng = np.random.default_rng(0)

    def cells(n, **obs):
        X = scipy.sparse.random(n, 2000, 0.25, "csr", np.float32, random_state=1)
        return Cells(X, np.array([f"g{i}" for i in range(2000)]), obs)

    names = np.array([f"g{i}" for i in range(20)])
    dataset = Dataset(
        cells(wild_type),
        "linear",
        "real",
        perturbed=cells(perturbed, perturbation=rng.choice(names, perturbed)),
    )
    size = 8 * (dataset.cells.X.nnz + dataset.perturbed.X.nnz)
    seen = overview(dataset)  # what is imported when it is first needed is no copy
    assert seen.agreement
    assert not seen.drawn
    tracemalloc.start()
    overview(dataset)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.75 * size


def test_targets_that_rise_ask_whether_it_was_overexpression():
    dataset = screen(effect=1.0, left=3.0)
    said = "the target rises in 6 of 6: was this CRISPRa? then --kind overexpression"
    assert overview(dataset).doubted_kind == said
    assert said in " ".join(" ".join(block(overview(dataset))).split())
    assert overview(dataset).to_json()["doubted_kind"] == said
    assert not overview(replace(dataset, perturbation="overexpression")).doubted_kind
    fallen = screen(effect=1.0, left=0.2)
    assert not overview(fallen).doubted_kind
    turned = overview(replace(fallen, perturbation="overexpression")).doubted_kind
    assert turned == "the target falls in 6 of 6: was this a knockdown? then --kind knockdown"
    mixed = replace(dataset, kinds={"g0": "knockdown"})
    assert "in the column of --kind-key" in overview(mixed).doubted_kind
