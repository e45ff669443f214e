"""Groups of cells that belong together: on one side of every split, batches shared out evenly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.groups import LEAST_ASKED, MANY, held_out, second_half
from kobench.datasets.join import joined
from kobench.datasets.split import rows_of, split_groups
from kobench.datasets.validate import validate
from kobench.errors import UserError
from kobench.truth.transfer import ask_transfers, groups_of, kept_back, training_rows


def cells_of(groups, *, seed=0, genes=20, **obs):
    """Cells without a copy, one for each label."""
    rng = np.random.default_rng(seed)
    X = rng.gamma(2.0, 1.0, (len(groups), genes)).astype(np.float32)
    X[rng.random(X.shape) < 0.3] = 0.0
    X[:, 0] = 1.0
    names = np.array([f"g{i:02}" for i in range(genes)])
    columns = {key: np.asarray(labels) for key, labels in obs.items()}
    return Cells(X, names, {"donor": np.asarray(groups), **columns})


def dataset_of(groups, **more):
    obs = {key: more.pop(key) for key in ("batch", "cell_type") if key in more}
    return Dataset(cells_of(groups, **obs), "linear", "real", group_key="donor", **more)


GROUPS = st.lists(st.sampled_from("abcdefgh"), min_size=4, max_size=80).filter(
    lambda labels: len(set(labels)) > 1
)


@given(GROUPS, st.integers(0, 50))
def test_every_group_is_on_one_side(groups, seed):
    batch = np.arange(len(groups)) % 3
    for strategy in ("holdout", "halves"):
        train, asked = split_groups(groups, strategy, seed, batch)
        assert np.array_equal(np.sort(np.concatenate([train, asked])), np.arange(len(groups)))
        names = np.array(groups)
        assert not set(names[train]) & set(names[asked])
        assert len(train)
        assert len(asked)
    if len(set(groups)) >= MANY:  # one group has no interval
        assert len(set(names[split_groups(groups, "holdout", seed)[1]])) >= LEAST_ASKED


@given(GROUPS, st.integers(0, 50))
def test_halves_differ_by_no_more_than_the_largest_group(groups, seed):
    second = second_half(groups, np.zeros(len(groups)), np.random.default_rng(seed))
    largest = max(groups.count(name) for name in groups)
    assert abs(int(second.sum()) - int((~second).sum())) <= largest


def test_batches_give_their_share_as_far_as_whole_groups_go():
    # 20 donors of ten cells in each of two batches: nested, so every batch must give two groups
    groups, batch = np.repeat(np.arange(40), 10), np.repeat([0, 1], 200)
    for seed in range(10):
        asked = held_out(groups, batch, np.random.default_rng(seed))
        assert np.bincount(batch[asked]).tolist() == [40, 40]
        second = second_half(groups, batch, np.random.default_rng(seed))
        assert np.bincount(batch[second]).tolist() == [100, 100]


def test_the_seed_decides_and_every_group_has_its_turn():
    groups = np.repeat(np.arange(10), 7)
    asked = [split_groups(groups, "holdout", seed)[1] for seed in range(60)]
    again = split_groups(groups, "holdout", 3)[1]
    assert np.array_equal(asked[3], again)
    times = np.bincount(np.concatenate([np.unique(groups[rows]) for rows in asked]), minlength=10)
    assert times.min() >= 3  # two of ten, sixty times: twelve each
    assert len({tuple(rows) for rows in asked}) > 15


def test_a_group_that_holds_most_cells_is_trained_on():
    groups = np.array(["big"] * 900 + [f"d{i}" for i in range(100)])
    for seed in range(5):
        assert "big" in groups[split_groups(groups, "holdout", seed)[0]]


@pytest.mark.parametrize("strategy", ["holdout", "halves"])
def test_one_group_can_not_be_split_and_the_message_says_what_to_do(strategy):
    dataset = dataset_of(["D1"] * 30)
    with pytest.raises(UserError) as refused:
        rows_of(dataset, strategy, 0)
    said = str(refused.value)
    assert f"split={strategy} keeps each group of cells (column 'donor') on one side" in said
    assert "one group, 'D1' with 30 cells; at least 2 are needed" in said
    # knockouts that are measured in other cells can't be asked with split=all
    assert ("use split=all" in said) == (strategy == "holdout")
    assert [len(rows) for rows in rows_of(dataset, "all", 0)] == [30, 30]


def test_without_groups_nothing_changes():
    plain = replace(dataset_of([f"d{i % 6}" for i in range(60)]), group_key=None)
    train, asked = rows_of(plain, "holdout", 0)
    assert len(asked) == 12
    assert set(plain.cells.obs["donor"][train]) & set(plain.cells.obs["donor"][asked])


def test_copies_across_groups_are_not_asked_and_join_no_groups():
    dataset = dataset_of([f"d{i % 6}" for i in range(60)])
    X = dataset.cells.X.copy()
    X[6:12] = X[0]  # the same cell in six donors
    dataset = replace(dataset, cells=replace(dataset.cells, X=X))
    for strategy in ("holdout", "halves"):
        train, asked = rows_of(dataset, strategy, 0)
        donors = dataset.cells.obs["donor"]
        assert not set(donors[train]) & set(donors[asked])
        shared = {tuple(row) for row in X[train].tolist()} & {
            tuple(row) for row in X[asked].tolist()
        }
        assert not shared
        assert len(train) + len(asked) < 60
    said = " ".join(validate(dataset, "mine").notes)
    assert "those that are equal to a training cell are not asked" in said


def test_cells_of_a_donor_are_never_trained_on_and_asked_in_a_transfer():
    n = 6 * 60
    donors = np.repeat([f"d{i}" for i in range(6)], 60)
    types = np.where(np.arange(n) % 2, "rod", "cone")
    dataset = dataset_of(donors, cell_type=types, cell_type_key="cell_type")
    for seed in range(5):
        back = kept_back(dataset, types, seed)
        groups = groups_of(types)[0]
        trained = [training_rows(types, groups, group, seed, back) for group in groups]
        assert len({len(rows) for rows in trained}) == 1
        asked = ask_transfers(dataset, types, groups, "rod", seed)
        assert asked.training_cells == len(trained[0])
        assert set(asked.groups) == {"rod", "cone"}
        assert not set(donors[np.concatenate(trained)]) & set(donors[asked.rows])


def test_a_type_of_one_donor_can_not_be_transferred():
    donors = np.array(["d0"] * 100 + ["d1"] * 60 + ["d2"] * 60)
    types = np.array(["rod"] * 100 + ["cone"] * 120)
    dataset = dataset_of(donors, cell_type=types, cell_type_key="cell_type")
    with pytest.raises(UserError, match=r"column 'donor'\) on one side, and of 'rod' that leaves"):
        kept_back(dataset, types, 0)


def test_joined_draws_of_one_network_are_of_one_network():
    first, second = (replace(dataset_of(["d0", "d1"] * 15), network=name) for name in "xy")
    assert joined({"a": first, "b": second}).network == "x + y"
    assert joined({"a": first, "b": replace(second, network="")}).network == ""


def test_joined_datasets_keep_their_groups_and_none_is_shared():
    first, second = dataset_of(["d0", "d1"] * 15), dataset_of(["d0", "d2"] * 15)
    plain = replace(second, group_key=None)
    both = joined({"a": first, "b": second})
    assert both.group_key == "group"
    assert set(both.cells.obs["group"]) == {"a: d0", "a: d1", "b: d0", "b: d2"}
    mixed = joined({"a": first, "b": plain})
    assert len(set(mixed.cells.obs["group"])) == 2 + 30  # every cell of b by itself
    assert joined({"a": replace(first, group_key=None), "b": plain}).group_key is None
    assert set(joined({"a": replace(first, group_key=None), "b": plain}).cells.obs) == {"dataset"}


@pytest.mark.parametrize("key", ["group_key", "replicate_key"])
def test_columns_must_be_there_in_both_kinds_of_cells_and_full(key):
    kind = key.partition("_")[0]
    dataset = replace(dataset_of(["a", "b"] * 10), group_key=None)
    with pytest.raises(UserError, match=f"names 'doner' as its {kind} column, but its cells have"):
        validate(replace(dataset, **{key: "doner"}), "mine")
    gap = replace(dataset.cells, obs={"donor": np.array(["a", " "] * 10)})
    with pytest.raises(UserError, match=r"10 of its 20 wild-type cells have no label.*cell 1"):
        validate(replace(dataset, cells=gap, **{key: "donor"}), "mine")
    perturbed = Cells(dataset.cells.X, dataset.cells.var_names, {"perturbation": ["g01"] * 20})
    with pytest.raises(UserError, match="its perturbed cells lack it"):
        validate(replace(dataset, perturbed=perturbed, **{key: "donor"}), "mine")


def test_batches_that_lie_in_one_group_are_said():
    donors, n = np.array(["a", "b", "c", "d"] * 10), 40
    perturbed = cells_of(donors, seed=1, perturbation=["g01"] * n, batch=donors)
    dataset = dataset_of(donors, batch=donors, batch_key="batch", perturbed=perturbed)
    said = [note for note in validate(dataset, "mine").notes if "reference cells" in note]
    assert said == [
        "4 of 4 batches (batch) lie in one group (donor) each: where that group is trained on, the"
        " batch has no reference cells, and its perturbed cells are not measured"
    ]
    crossed = replace(
        dataset.cells, obs={"donor": donors, "batch": np.array(["x"] * 20 + ["y"] * 20)}
    )
    assert not [
        note for note in validate(replace(dataset, cells=crossed), "mine").notes if "refer" in note
    ]
