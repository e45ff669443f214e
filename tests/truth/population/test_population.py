"""The population question with a truth from other cells: what is asked and what is left out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.split import split
from kobench.errors import UserError
from kobench.question import Responses
from kobench.truth.population import ask_responses, measured, why_unasked
from kobench.truth.population.labels import parts_of, perturbations
from kobench.truth.population.measure import SPLITS, agreement
from kobench.units import MIN_CELLS

GENES = np.array([f"g{i}" for i in range(8)])


def planted(
    seed: int = 0,
    sparse: bool = False,
    effect: float = 6.0,
    wild_type: int = 120,
    each: int = 40,
    **more: Any,
) -> Dataset:
    """Two batches of eight genes; g0 drives g1, g2 drives g3, g4 nothing.

    Each of these three, and "g2+g0", is removed in `each` cells.
    """
    rng = np.random.default_rng(seed)
    labels = np.repeat(["g0", "g2", "g4", "g2+g0"], each)
    n = wild_type + len(labels)
    batch = rng.integers(0, 2, n)
    X = rng.gamma(3.0, 1.0, (n, 8)) * (1 + batch[:, None] * np.arange(8) / 8)
    X[rng.random((n, 8)) < 0.1] = 0
    X[:, 7] += 0.5
    for row, label in zip(range(wild_type, n), labels, strict=True):
        for gene in label.split("+"):
            target = int(gene[1:])
            X[row, target] = 0
            if target < 4:
                X[row, target + 1] += effect
    X = X.astype(np.float32)
    matrix = scipy.sparse.csr_matrix(X) if sparse else X
    names = np.array(["one", "two"])[batch]
    cells = Cells(matrix[:wild_type], GENES, {"batch": names[:wild_type]})
    perturbed = Cells(
        matrix[wild_type:], GENES, {"batch": names[wild_type:], "perturbation": labels}
    )
    return Dataset(cells, "linear", "real", batch_key="batch", perturbed=perturbed, **more)


def ask(dataset: Dataset, seed: int = 0) -> Responses:
    key = dataset.batch_key
    return ask_responses(
        dataset,
        *split(dataset.cells.n_obs, "halves", seed, dataset.cells.obs[key] if key else None),
    )


def relabelled(dataset: Dataset, labels: object) -> Dataset:
    assert dataset.perturbed is not None
    obs = {**dataset.perturbed.obs, "perturbation": np.asarray(labels)}
    return dataclasses.replace(dataset, perturbed=dataclasses.replace(dataset.perturbed, obs=obs))


def plain_change(
    dataset: Dataset, reference: np.ndarray, rows: np.ndarray, targets: tuple[int, ...]
) -> np.ndarray:
    """The definition in words: per batch, mean of the perturbed minus mean of the reference.

    Averaged by the perturbed cells' mix of batches.
    """
    assert dataset.perturbed is not None
    X, Y = (
        dataset.perturbed.dense()[rows].astype(float),
        dataset.cells.dense()[reference].astype(float),
    )
    X[:, targets], Y[:, targets] = 0, 0
    X, Y = X / X.sum(axis=1, keepdims=True), Y / Y.sum(axis=1, keepdims=True)
    here, there = dataset.perturbed.obs["batch"][rows], dataset.cells.obs["batch"][reference]
    change = sum(
        (here == b).mean() * (X[here == b].mean(axis=0) - Y[there == b].mean(axis=0))
        for b in np.unique(here)
    )
    change[list(targets)] = np.nan
    return np.asarray(change)


def test_p_values_of_sizes_are_adjusted_over_the_perturbations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By Benjamini and Hochberg, by hand: p times n over rank, from the largest down."""
    seen: list[float] = []
    measure = measured.Screen.measure

    def made_up(screen: Any, rows: Any, genes: Any) -> Any:
        seen.append([0.02, 0.03, 0.001, 0.5][len(seen)])
        return dataclasses.replace(measure(screen, rows, genes), size_p=seen[-1])

    monkeypatch.setattr(measured.Screen, "measure", made_up)
    found = ask(planted())
    # ranks 2, 3, 1, 4: 0.02 * 4/2 = 0.04 and 0.03 * 4/3 = 0.04; 0.001 * 4; 0.5
    assert found.size_p is not None
    np.testing.assert_allclose(found.size_p, [0.04, 0.04, 0.004, 0.5])
    assert len(seen) == 4


def screen_of(dataset: Dataset, seed: int) -> measured.Screen:
    halves = split(dataset.cells.n_obs, "halves", seed, dataset.cells.obs["batch"])
    assert dataset.perturbed is not None
    return measured.Screen.of(dataset, dataset.perturbed, *halves)


def test_whether_a_change_can_be_measured_does_not_depend_on_the_split() -> None:
    """All wild-type cells are cut for it; the truth itself is measured against the reference."""
    dataset = planted(effect=1.0)
    assert dataset.perturbed is not None
    rows = np.flatnonzero(dataset.perturbed.obs["perturbation"] == "g0")
    first, second = (screen_of(dataset, seed).measure(rows, (0,)) for seed in (0, 1))
    assert first.agreement == second.agreement
    assert not np.array_equal(first.change, second.change, equal_nan=True)
    assert not np.array_equal(first.halves, second.halves, equal_nan=True)
    screen = screen_of(dataset, 0)
    against_all = dataclasses.replace(screen, reference=np.arange(dataset.cells.n_obs))
    assert first.agreement == agreement(against_all.measure(rows, (0,)).halves)


def test_perturbed_and_wild_type_cells_are_cut_apart() -> None:
    """By random keys of their own: else the nth cells of both would always share a half."""
    dataset = planted(wild_type=160, each=40)
    screen = screen_of(dataset, 0)
    keys, wild_type_keys = screen.halves.keys, screen.wild_type_halves.keys
    assert keys.shape == wild_type_keys.shape == (SPLITS, 160)
    assert abs(np.corrcoef(keys.ravel(), wild_type_keys.ravel())[0, 1]) < 0.1
    assert len(np.unique(keys)) == keys.size


def test_names_targets_and_truth() -> None:
    dataset = planted()
    training, reference = split(120, "halves", 0, dataset.cells.obs["batch"])
    found = ask(dataset)
    assert found.names == ("g0", "g0+g2", "g2", "g4")
    assert found.targets == ((0,), (0, 2), (2,), (4,))
    assert found.perturbed.tolist() == [40, 40, 40, 40]
    assert found.left_out == {}
    assert found.noisy
    for name, targets, change in zip(found.names, found.targets, found.change, strict=True):
        rows = np.flatnonzero(
            dataset.perturbed.obs["perturbation"] == {"g0+g2": "g2+g0"}.get(name, name)
        )
        np.testing.assert_allclose(
            change, plain_change(dataset, reference, rows, targets), rtol=1e-6, atol=1e-9
        )
    np.testing.assert_array_equal(found.cells.X, dataset.cells.X[training])
    assert found.halves.shape == (SPLITS, 2, 4, 8)
    for array in (found.halves[3, 1], found.change):
        assert np.array_equal(
            np.isnan(array), [[j in targets for j in range(8)] for targets in found.targets]
        )
    # what was planted is found, and nothing where nothing was
    assert found.responds[0, 1]
    assert found.responds[2, 3]
    assert found.responds[1, [1, 3]].all()
    assert not found.responds[3].any()
    assert found.detectable.tolist() == [True, True, True, False]
    assert (found.size_p[:3] < 0.01).all()
    assert found.size_p[3] > 0.05
    assert found.size[1] > found.size[0] > 5 * abs(found.size[3])


def test_events_and_answer_rows() -> None:
    dataset = planted(1)
    found = ask(dataset)
    on, batch = found.cells.assemblages(), found.cells.obs["batch"]
    assert [events.order for events in found.events] == [1, 2]
    seen = set()
    for events, rows in zip(found.events, found.rows, strict=True):
        assert len(events) == len(rows)
        assert np.all(np.diff(events.cells) >= 0)  # grouped by cell
        for genes, cell, row in zip(
            events.genes.tolist(), events.cells.tolist(), rows.tolist(), strict=True
        ):
            assert tuple(genes) == found.targets[found.row_perturbation[row]]
            seen.add((found.row_perturbation[row], cell))
            assert on[cell, genes].all()
    assert seen == {
        (k, cell)
        for k, genes in enumerate(found.targets)
        for cell in np.flatnonzero(on[:, genes].all(axis=1))
    }
    # a row is one batch of one perturbation, weighted by the perturbed cells' mix
    assert found.row_perturbation.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    for events, rows in zip(found.events, found.rows, strict=True):
        for row in np.unique(rows):
            (in_batch,) = set(batch[events.cells[rows == row]])
            label = {"g0+g2": "g2+g0"}.get(
                found.names[found.row_perturbation[row]], found.names[found.row_perturbation[row]]
            )
            mix = (
                dataset.perturbed.obs["batch"][dataset.perturbed.obs["perturbation"] == label]
                == in_batch
            ).mean()
            assert found.row_weight[row] == pytest.approx(mix)
    np.testing.assert_allclose(found.of_perturbations(np.ones(8)), 1)
    profiles = found.cells.profiles()
    np.testing.assert_allclose(
        found.abundance,
        [profiles[:, list(genes)].sum(axis=1).mean() for genes in found.targets],
        rtol=1e-6,
    )


def assert_same(a: Responses, b: Responses, rtol: float = 1e-6) -> None:
    assert a.names == b.names
    for field in ("change", "halves", "size", "abundance", "row_weight"):
        np.testing.assert_allclose(
            getattr(a, field), getattr(b, field), rtol=rtol, atol=1e-9, err_msg=field
        )
    for field in ("responds", "detectable", "perturbed", "row_perturbation", "size_p"):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field), err_msg=field)


def test_sparse_is_dense() -> None:
    dense, sparse = ask(planted()), ask(planted(sparse=True))
    assert_same(dense, sparse)
    assert_same(
        dense, ask(dataclasses.replace(planted(), perturbed=planted(sparse=True).perturbed))
    )
    for ours, theirs in zip(dense.events, sparse.events, strict=True):
        np.testing.assert_array_equal(ours.genes, theirs.genes)
        np.testing.assert_array_equal(ours.cells, theirs.cells)


def test_same_cells_same_bytes() -> None:
    a, b = ask(planted()), ask(planted())
    for field in ("change", "halves", "size", "size_p", "responds"):
        assert getattr(a, field).tobytes() == getattr(b, field).tobytes()


def test_order_of_genes_changes_nothing_but_the_order() -> None:
    dataset = planted(2)
    order = np.random.default_rng(0).permutation(8)
    assert dataset.perturbed is not None
    shuffled = dataclasses.replace(
        dataset,
        cells=Cells(dataset.cells.X[:, order], GENES[order], dataset.cells.obs),
        perturbed=Cells(dataset.perturbed.X[:, order], GENES[order], dataset.perturbed.obs),
    )
    a, b = ask(dataset), ask(shuffled)
    back = np.argsort(order)
    assert [tuple(sorted(order[list(genes)])) for genes in b.targets] == list(a.targets)
    assert_same(
        a,
        dataclasses.replace(
            b, change=b.change[:, back], halves=b.halves[..., back], responds=b.responds[:, back]
        ),
    )


def test_order_of_cells_changes_nothing_that_is_not_drawn() -> None:
    dataset = planted(3)
    assert dataset.perturbed is not None
    training, reference = split(120, "halves", 0, dataset.cells.obs["batch"])
    rng = np.random.default_rng(1)
    order, others = rng.permutation(120), rng.permutation(dataset.perturbed.n_obs)
    place = np.argsort(order)
    shuffled = dataclasses.replace(
        dataset, cells=dataset.cells[order], perturbed=dataset.perturbed[others]
    )
    a, b = (
        ask_responses(dataset, training, reference),
        ask_responses(shuffled, np.sort(place[training]), np.sort(place[reference])),
    )
    for field in ("change", "size", "abundance", "row_weight"):
        np.testing.assert_allclose(
            getattr(a, field), getattr(b, field), rtol=1e-6, atol=1e-9, err_msg=field
        )
    np.testing.assert_array_equal(a.responds, b.responds)
    # halves are drawn by place, so they agree on average only
    agreements = [[agreement(one.halves[:, :, k]) for k in range(4)] for one in (a, b)]
    np.testing.assert_allclose(*agreements, atol=0.2)


def test_names_and_company_of_a_perturbation_change_nothing() -> None:
    """A perturbation measured alone, or last instead of first, has the same truth.

    Only the correction of p knows how many there are.
    """
    dataset = planted()
    assert dataset.perturbed is not None
    whole = ask(dataset)
    alone = ask(
        dataclasses.replace(
            dataset, perturbed=dataset.perturbed[dataset.perturbed.obs["perturbation"] == "g2"]
        )
    )
    assert alone.names == ("g2",)
    assert alone.row_perturbation.tolist() == [0, 0]
    for field in ("change", "size", "abundance", "responds"):
        np.testing.assert_allclose(
            getattr(alone, field)[0], getattr(whole, field)[2], rtol=1e-9, atol=1e-15
        )
    renamed = np.array(["z" + name for name in GENES])
    renamed[0] = "z9"  # now it comes last
    swap = {"g0": "z9", "g2": "zg2", "g4": "zg4", "g2+g0": "zg2+z9"}
    labels = np.array([swap[label] for label in dataset.perturbed.obs["perturbation"]])
    other = relabelled(
        dataclasses.replace(
            dataset,
            cells=dataclasses.replace(dataset.cells, var_names=renamed),
            perturbed=dataclasses.replace(dataset.perturbed, var_names=renamed),
        ),
        labels,
    )
    again = ask(other)
    assert again.names == ("z9", "z9+zg2", "zg2", "zg4")
    assert_same(whole, dataclasses.replace(again, names=whole.names))


def test_the_order_within_a_label_is_no_difference() -> None:
    dataset = planted()
    assert dataset.perturbed is not None
    labels = dataset.perturbed.obs["perturbation"].astype("U20")
    doubles = np.flatnonzero(labels == "g2+g0")
    labels[doubles[::3]] = "g0+g2"
    labels[doubles[1::3]] = " g0 + g2+control"
    labels[labels == "g4"] = "g4+ctrl"
    assert_same(ask(dataset), ask(relabelled(dataset, labels)), rtol=1e-12)


def test_labels() -> None:
    assert parts_of("A+B", ["A", "B"]) == parts_of("B + A+control", ["A", "B"]) == ("A", "B")
    assert parts_of("control", ["control"]) == ("control",)  # a gene of that name
    assert parts_of("A+A", ["A"]) == ("A",)
    labels = np.array(["B", "A+B", "X", "A+X", "X+A", "control", "B+A"])
    targets, number, left_out = perturbations(labels, np.array(["B", "A"]))
    assert targets == {"A+B": (0, 1), "B": (0,)}
    assert number.tolist() == [1, 0, -1, -1, -1, -1, 0]
    assert left_out == {
        "X": "perturbations whose target is not among the genes",
        "A+X": "perturbations whose target is not among the genes",
        "control": "labels that name no target",
    }


def test_what_is_left_out_is_counted() -> None:
    dataset = planted(each=30)
    assert dataset.perturbed is not None
    labels = dataset.perturbed.obs["perturbation"].astype("U20")
    labels[labels == "g2"] = np.repeat(["g2", "g3", "missing"], [19, 10, 1])
    X = dataset.cells.X.copy()
    training, _ = split(120, "halves", 0, dataset.cells.obs["batch"])
    X[training[9:], 4] = 0  # nine training cells are left that may express g4
    dataset = relabelled(
        dataclasses.replace(dataset, cells=dataclasses.replace(dataset.cells, X=X)), labels
    )
    found = ask(dataset)
    assert found.names == ("g0", "g0+g2")
    assert found.left_out == {
        "perturbations whose target is not among the genes": 1,
        "perturbations with under 20 perturbed cells": 2,
        "perturbations whose targets are expressed together in under 10 asked cells": 1,
    }
    assert found.unasked == {
        "missing": "perturbations whose target is not among the genes",
        "g2": "perturbations with under 20 perturbed cells",
        "g3": "perturbations with under 20 perturbed cells",
        "g4": "perturbations whose targets are expressed together in under 10 asked cells",
    }
    training, reference = split(120, "halves", 0, dataset.cells.obs["batch"])
    assert why_unasked(dataset, training, reference) == found.unasked
    assert not ask(dataclasses.replace(dataset, kind="simulated")).unasked


@pytest.mark.parametrize(
    ("asked", "perturbed", "names"),
    [
        (MIN_CELLS, measured.MIN_PERTURBED, {"g0", "g0+g2", "g2", "g4"}),
        (MIN_CELLS - 1, measured.MIN_PERTURBED, {"g0", "g0+g2", "g2"}),
        (MIN_CELLS, measured.MIN_PERTURBED - 1, {"g0", "g0+g2", "g4"}),
    ],
)
def test_just_enough_cells_are_enough(asked: int, perturbed: int, names: set[str]) -> None:
    dataset = planted(each=30)
    assert dataset.perturbed is not None
    labels = dataset.perturbed.obs["perturbation"].astype("U20")
    labels[np.flatnonzero(labels == "g2")[perturbed:]] = "control"
    training, _ = split(120, "halves", 0, dataset.cells.obs["batch"])
    X = dataset.cells.X.copy()
    X[training, 4] = 0
    X[training[:asked], 4] = 1
    found = ask(
        relabelled(
            dataclasses.replace(dataset, cells=dataclasses.replace(dataset.cells, X=X)), labels
        )
    )
    assert set(found.names) == names


@pytest.mark.parametrize("kind", ["overexpression", "near-null"])
def test_what_takes_no_gene_away_is_not_asked(kind: str) -> None:
    dataset = planted()
    found = ask(dataclasses.replace(dataset, perturbation=kind))
    assert (found.names, found.asks_nothing) == ((), True)
    assert found.left_out == {f"perturbations of kind {kind}, which takes no gene away": 4}
    assert set(found.unasked) == {"g0", "g2", "g4", "g0+g2"}
    assert_same(ask(dataclasses.replace(dataset, perturbation="knockdown")), ask(dataset))


def test_a_batch_without_perturbed_cells_lacks_no_reference() -> None:
    dataset = planted()
    wild_type = dataset.cells.obs["batch"].astype("U8")
    wild_type[np.flatnonzero(wild_type == "one")[:8]] = "three"  # nobody was perturbed there
    found = ask(
        dataclasses.replace(
            dataset, cells=dataclasses.replace(dataset.cells, obs={"batch": wild_type})
        )
    )
    assert found.names == ask(dataset).names
    assert found.left_out == {}


def test_a_batch_without_reference_is_left_out() -> None:
    dataset = planted()
    assert dataset.perturbed is not None
    batch = dataset.perturbed.obs["batch"].astype("U8")
    g0 = np.flatnonzero(dataset.perturbed.obs["perturbation"] == "g0")
    g2 = np.flatnonzero(dataset.perturbed.obs["perturbation"] == "g2")
    batch[g0[:15]], batch[g2[:21]] = "three", "four"
    wild_type = dataset.cells.obs["batch"].astype("U8")
    wild_type[np.flatnonzero(wild_type == "one")[:18]] = "three"  # nine of them in either half
    moved = dataclasses.replace(
        dataset,
        cells=dataclasses.replace(dataset.cells, obs={"batch": wild_type}),
        perturbed=dataclasses.replace(
            dataset.perturbed, obs={**dataset.perturbed.obs, "batch": batch}
        ),
    )
    found = ask(moved)
    assert found.names == ("g0", "g0+g2", "g4")  # 19 cells of g2 are left
    assert found.perturbed.tolist() == [25, 40, 40]
    assert found.left_out == {
        "perturbations whose cells lie in batches with under 10 reference cells": 1,
        "batches with under 10 reference cells": 2,
    }
    _, reference = split(120, "halves", 0, wild_type)
    np.testing.assert_allclose(
        found.change[0], plain_change(moved, reference, g0[15:], (0,)), rtol=1e-6, atol=1e-9
    )
    asked = found.cells.obs["batch"]
    assert all("three" not in asked[events.cells] for events in found.events)
    np.testing.assert_allclose(found.of_perturbations(np.ones(len(found.row_weight))), 1)


def test_weights_are_renormalised_over_batches_with_asked_cells() -> None:
    dataset = planted()
    X = dataset.cells.X.copy()
    X[dataset.cells.obs["batch"] == "one", 0] = 0  # nobody in batch one can lose g0
    found = ask(dataclasses.replace(dataset, cells=dataclasses.replace(dataset.cells, X=X)))
    assert found.row_perturbation.tolist() == [0, 1, 2, 2, 3, 3]
    assert found.row_weight[:2].tolist() == [1, 1]


def test_without_batches_all_cells_are_one() -> None:
    dataset = dataclasses.replace(planted(), batch_key=None)
    found = ask(dataset)
    assert found.row_perturbation.tolist() == [0, 1, 2, 3]
    assert found.row_weight.tolist() == [1, 1, 1, 1]
    assert dataset.perturbed is not None
    everyone = dataclasses.replace(
        dataset,
        batch_key="batch",
        cells=dataclasses.replace(dataset.cells, obs={"batch": np.repeat("x", 120)}),
        perturbed=dataclasses.replace(
            dataset.perturbed, obs={**dataset.perturbed.obs, "batch": np.repeat("x", 160)}
        ),
    )
    assert_same(found, ask(everyone), rtol=1e-12)


def test_halves_measure_the_truths_cells_and_detectable_does_not_know_the_split() -> None:
    dataset = planted(effect=0.8, each=60)
    several = [ask(dataset, seed) for seed in range(4)]
    assert len({tuple(one.detectable) for one in several}) == 1
    assert len({one.change.tobytes() for one in several}) == 4
    # the mean of two halves is near the change, which other reference cells would not be
    for one in several:
        for k in range(4):
            other = several[1 if one is several[0] else 0]
            off = [
                np.nanmean((one.halves[:, :, k].mean(axis=(0, 1)) - truth.change[k]) ** 2)
                for truth in (one, other)
            ]
            assert off[0] < 0.2 * off[1]


def test_labels_shuffled_within_batch_have_no_size_and_no_change() -> None:
    rng = np.random.default_rng(9)
    sizes, changes, significant = [], [], 0
    for repeat in range(25):
        dataset = planted(repeat, effect=0.0, wild_type=100, each=25)
        assert dataset.perturbed is not None
        X = np.concatenate([dataset.cells.X, dataset.perturbed.X])
        batch = np.concatenate([dataset.cells.obs["batch"], dataset.perturbed.obs["batch"]])
        order = np.arange(200)
        for name in ("one", "two"):
            order[batch == name] = rng.permutation(order[batch == name])
        X = X[order] * np.where(batch == "one", [[1], [3]][0], 1)[:, None]
        shuffled = dataclasses.replace(
            dataset,
            cells=dataclasses.replace(dataset.cells, X=X[:100]),
            perturbed=dataclasses.replace(dataset.perturbed, X=X[100:]),
        )
        found = ask(shuffled, repeat)
        sizes.append(found.size.mean())
        changes.append(np.nanmean(found.change, axis=0))
        significant += int(found.responds.any()) + int((found.size_p <= 0.05).any())
    assert abs(np.mean(sizes)) < 4.5 * np.std(sizes) / 5
    assert np.all(np.abs(np.mean(changes, axis=0)) < 4.5 * np.std(changes, axis=0) / 5)
    assert significant <= 15  # of 50, about one in twenty each with wide margins


def test_confounded_is_passed_on() -> None:
    assert ask(planted(confounded="one library each")).confounded == "one library each"
    assert ask(planted()).confounded == ""


def why_nothing_is_asked(dataset: Dataset) -> str:
    """The one reason, of a question that has no perturbation and shapes that fit."""
    question = ask(dataset)
    assert question.names == () == question.events
    assert question.change.shape == (0, dataset.cells.n_vars)
    assert question.halves is not None
    assert question.halves.shape[2:] == question.change.shape
    (reason,) = question.left_out
    return reason


def test_what_cannot_be_asked() -> None:
    dataset = planted()
    with pytest.raises(UserError, match="no perturbed cells"):
        ask(dataclasses.replace(dataset, perturbed=None))
    assert why_nothing_is_asked(relabelled(dataset, ["nothing known"] * 160)).startswith(
        "perturbations whose target is not among"
    )
    silent = dataset.cells.X.copy()
    silent[4:, 0] = 0
    rare = relabelled(
        dataclasses.replace(dataset, cells=dataclasses.replace(dataset.cells, X=silent)),
        ["g0"] * 160,
    )
    assert re.search(r"in under 10 asked cells: g0 in [0-4]$", why_nothing_is_asked(rare))
    assert dataset.perturbed is not None
    bare = dataclasses.replace(
        dataset.perturbed, obs={"perturbation": dataset.perturbed.obs["perturbation"]}
    )
    with pytest.raises(UserError, match="no batch column 'batch'"):
        ask(dataclasses.replace(dataset, perturbed=bare))
    with pytest.raises(ValueError, match="both trained on and in the reference"):
        ask_responses(dataset, np.arange(60), np.arange(59, 120))


def test_a_perturbed_cell_a_batch_has_no_size() -> None:
    dataset = planted(wild_type=1200)
    assert dataset.perturbed is not None
    kept = dataset.perturbed[np.arange(40)]
    obs = {"perturbation": kept.obs["perturbation"], "batch": np.arange(40).astype(str)}
    cells = dataclasses.replace(dataset.cells, obs={"batch": (np.arange(1200) % 40).astype(str)})
    alone = dataclasses.replace(dataset, cells=cells, perturbed=dataclasses.replace(kept, obs=obs))
    assert "with one cell in each batch: g0 in 40" in why_nothing_is_asked(alone)


@pytest.mark.parametrize("name", ["hipsc-ko", "k562-crispri"])
def test_real_data(name: str, real_data: Callable[[str], Path]) -> None:
    from kobench.datasets.cards import builtin_folder, read_card

    real_data(name)
    make: Any = read_card(builtin_folder() / f"{name}.toml").load
    dataset: Dataset = make()
    assert dataset.perturbed is not None
    assert dataset.batch_key is not None
    found = ask(dataset)
    labels = dataset.perturbed.obs["perturbation"]
    assert found.left_out == {}
    assert found.names == tuple(np.unique(labels))
    if name == "hipsc-ko":
        # the knockouts with the largest differences by the data's own description come out as
        # strong, the others near the noise
        strong = np.isin(found.names, ["POU5F1", "PRDM14", "RUNX1T1", "SOX2"])
        assert found.detectable[strong].all()
        assert found.size[strong].min() > 2 * found.size[~strong].max()
        assert found.detectable.sum() == 15
    else:
        assert found.detectable.sum() == 1
    k = found.names.index("RPL6" if name == "k562-crispri" else "SOX2")
    _, reference = split(dataset.cells.n_obs, "halves", 0, dataset.cells.obs[dataset.batch_key])
    renamed = dataclasses.replace(
        dataset,
        cells=dataclasses.replace(
            dataset.cells, obs={"batch": dataset.cells.obs[dataset.batch_key]}
        ),
        perturbed=dataclasses.replace(
            dataset.perturbed, obs={"batch": dataset.perturbed.obs[dataset.batch_key]}
        ),
    )
    expected = plain_change(
        renamed, reference, np.flatnonzero(labels == found.names[k]), found.targets[k]
    )
    np.testing.assert_allclose(found.change[k], expected, rtol=1e-6, atol=1e-12)


def test_the_fewest_perturbed_cells() -> None:
    assert measured.MIN_PERTURBED == 20


def test_two_cells_in_each_batch_are_enough_to_measure() -> None:
    dataset = planted(wild_type=600)
    assert dataset.perturbed is not None
    kept = dataset.perturbed[np.arange(40)]
    obs = {
        "perturbation": kept.obs["perturbation"],
        "batch": (np.arange(40) % 20).astype(str),
    }
    cells = dataclasses.replace(dataset.cells, obs={"batch": (np.arange(600) % 20).astype(str)})
    pairs = dataclasses.replace(dataset, cells=cells, perturbed=dataclasses.replace(kept, obs=obs))
    found = ask(pairs)
    assert (found.names, found.perturbed.tolist()) == (("g0",), [40])
    assert np.isfinite(found.size).all()


@pytest.mark.parametrize(("ours", "theirs"), [("a", "z"), ("z", "a"), ("both", "a"), ("a", "both")])
def test_batches_may_be_of_one_kind_of_cells_alone(ours: str, theirs: str) -> None:
    """Whichever comes last by name: each kind has a batch that the other lacks."""
    dataset = planted(wild_type=200)
    assert dataset.perturbed is not None
    n, m = dataset.perturbed.n_obs, dataset.cells.n_obs
    own = {
        kind: np.array(["m", "m", "m", "m"] if name == "both" else ["m", name, "m", f"{name}2"])[
            np.arange(size) % 4
        ]
        for kind, size, name in (("perturbed", n, ours), ("cells", m, theirs))
    }
    moved = dataclasses.replace(
        dataset,
        cells=dataclasses.replace(dataset.cells, obs={"batch": own["cells"]}),
        perturbed=dataclasses.replace(
            dataset.perturbed, obs={**dataset.perturbed.obs, "batch": own["perturbed"]}
        ),
    )
    found = ask(moved)
    assert found.names == ("g0", "g0+g2", "g2", "g4")
    assert found.perturbed.tolist() == [40 if ours == "both" else 20] * 4
    few = found.left_out.get("batches with under 10 reference cells", 0)
    assert few == (0 if ours == "both" else 2)
    (singles, doubles) = found.events
    asked = found.cells.obs["batch"]
    for events in (singles, doubles):
        assert events.cells is not None
        assert set(asked[events.cells]) == {"m"}


def test_labels_of_another_kind_are_not_asked_for_that_whatever_they_name() -> None:
    dataset = planted()
    assert dataset.perturbed is not None
    labels = dataset.perturbed.obs["perturbation"].astype("U8")
    labels[labels == "g4"] = "other"
    found = ask(dataclasses.replace(relabelled(dataset, labels), kinds={"other": "near-null"}))
    assert found.unasked == {"other": "perturbations of kind near-null, which takes no gene away"}
    found = ask(dataclasses.replace(relabelled(dataset, labels), kinds={"g0": "near-null"}))
    assert found.unasked == {
        "g0": "perturbations of kind near-null, which takes no gene away",
        "other": "perturbations whose target is not among the genes",
    }
    assert found.names == ("g0+g2", "g2")


def test_what_is_said_where_nothing_is_left_counts_the_cells_that_could_be_measured() -> None:
    dataset = planted(each=30)
    assert dataset.perturbed is not None
    batch = np.where(np.arange(120) % 30 < 15, "one", "new")
    moved = dataclasses.replace(
        dataset,
        cells=dataclasses.replace(dataset.cells, obs={"batch": np.full(120, "one")}),
        perturbed=dataclasses.replace(
            dataset.perturbed, obs={**dataset.perturbed.obs, "batch": batch}
        ),
    )
    (said,) = [why for why in ask(moved).left_out if why.startswith("perturbations")]
    assert "under 10 reference cells: g0 in 15, g0+g2 in 15, g2 in 15, ..." in said


@pytest.mark.parametrize("lacks", ["perturbed", "cells", ""])
def test_counts_are_there_where_both_kinds_of_cells_have_them(lacks: str) -> None:
    dataset = planted()
    kinds = {
        name: dataclasses.replace(cells, layers={} if name == lacks else {"counts": cells.X})
        for name in ("perturbed", "cells")
        if (cells := getattr(dataset, name)) is not None
    }
    counted = ask(dataclasses.replace(dataset, **kinds)).counted
    assert (counted is None) == bool(lacks)
    if counted is not None:
        assert np.bincount(counted.group).tolist() == [40] * 4
