"""Transfer between groups of cells: what is trained on, what is asked, how datasets are joined, and
what the task makes of answers.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from kobench.api import Answers, Cells, Dataset, Profiles, TaskView, Transfers
from kobench.builtin.floors.profile import MaskedMeanDepth
from kobench.builtin.metrics import profile as metrics
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.builtin.tasks.transfer import transfer
from kobench.datasets.join import joined
from kobench.datasets.validate import validate
from kobench.errors import InvalidAnswerError, UserError
from kobench.scoring.bootstrap import draws
from kobench.truth.transfer import (
    LEAST,
    ask_transfers,
    asked_rows,
    groups_of,
    training_rows,
    training_size,
)

# groups


def test_groups_need_fifty_cells():
    labels = np.array(["b"] * 50 + ["a"] * 51 + ["c"] * 49 + ["d"])
    assert groups_of(labels) == (("a", "b"), {"c": 49, "d": 1})
    assert groups_of(labels, least=1) == (("a", "b", "c", "d"), {})


def test_one_large_group_is_too_few():
    with pytest.raises(
        UserError,
        match=r"two groups of 50 cells or more, and 1 of 2 is that large \('a' 60, 'b' 3\)",
    ):
        groups_of(["a"] * 60 + ["b"] * 3)
    with pytest.raises(UserError, match=r"none of 8 is that large.*, \.\.\."):
        groups_of(list("abcdefgh"))


@st.composite
def labelled(draw):
    """Labels of 3 to 5 groups in any order, all but one of them large enough, and a split seed."""
    sizes = [
        *draw(st.lists(st.integers(LEAST, 90), min_size=2, max_size=4)),
        draw(st.integers(1, LEAST - 1)),
    ]
    labels = np.repeat([f"type {i}" for i in range(len(sizes))], sizes)
    shuffled = np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)
    return shuffled, draw(st.integers(0, 5))


@settings(deadline=None, max_examples=40)
@given(labelled())
def test_equal_training_sizes_and_nothing_asked_was_trained_on(case):
    labels, seed = case
    groups, left_out = groups_of(labels)
    trained = {group: training_rows(labels, groups, group, seed) for group in groups}
    smallest = min((labels == group).sum() for group in groups)
    assert {len(rows) for rows in trained.values()} == {smallest * 4 // 5}
    for group, rows in trained.items():
        assert set(labels[rows]) == {group}
        assert len(set(rows.tolist())) == len(rows)
    asked = asked_rows(labels, groups, seed)
    everything = np.concatenate(
        [asked, *trained.values(), np.flatnonzero(np.isin(labels, list(left_out)))]
    )
    assert sorted(everything.tolist()) == list(
        range(len(labels))
    )  # every cell once: asked, trained on, or of a group left out
    assert set(labels[asked]) == set(groups)


@settings(deadline=None, max_examples=40)
@given(labelled())
def test_the_draw_of_a_group_knows_its_own_cells_only(case):
    labels, seed = case
    groups, _ = groups_of(labels)
    order = np.argsort(labels, kind="stable")  # moves cells, but keeps each group's in order
    for group in groups:
        own = training_rows(labels, groups, group, seed)
        moved = training_rows(labels[order], groups, group, seed)
        assert sorted(order[moved].tolist()) == own.tolist()
        renamed = np.where(labels == group, group, "type 0 of another name")
        if (labels == group).sum() == min(
            (labels == other).sum() for other in groups
        ):  # so the number stays
            np.testing.assert_array_equal(
                training_rows(renamed, [group, "type 0 of another name"], group, seed), own
            )


def test_the_draw_follows_the_seed():
    labels = np.repeat(["a", "b"], 60)
    one, again, other = (
        training_rows(labels, ("a", "b"), "a", seed).tolist() for seed in (0, 0, 1)
    )
    assert one == again != other
    assert training_rows(labels, ("a", "b"), "b", 0).tolist() != [
        row + 60 for row in one
    ]  # groups are drawn apart
    with pytest.raises(ValueError, match="'c' is not one of the groups a, b"):
        training_rows(labels, ("a", "b"), "c", 0)


# the question


def typed(seed=0, sizes=(70, 60, 55, 7), genes=9) -> tuple[Dataset, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(["a", "b", "c", "few"], sizes))
    X = rng.gamma(2.0, 1.0, (len(labels), genes)) * (rng.random((len(labels), genes)) < 0.7)
    X[:, 0] += 0.1
    cells = Cells(X.astype(np.float32), np.array([f"g{i}" for i in range(genes)]), {"type": labels})
    return Dataset(cells, "linear", "real", cell_type_key="type"), labels


def test_every_model_is_asked_for_the_same_cells():
    dataset, labels = typed()
    groups, _ = groups_of(labels)
    asked = {group: ask_transfers(dataset, labels, groups, group, 3) for group in groups}
    first = asked["a"]
    for group, question in asked.items():
        assert (question.trained, question.training_cells, question.left_out) == (
            group,
            44,
            {"few": 7},
        )
        np.testing.assert_array_equal(question.rows, first.rows)
        np.testing.assert_array_equal(question.groups, labels[question.rows])
        np.testing.assert_array_equal(question.true, dataset.cells.profiles()[question.rows])
        np.testing.assert_array_equal(question.assemblages, dataset.cells.X[question.rows] > 0)
    assert {group: int((first.groups == group).sum()) for group in groups} == {
        "a": 70 - 44,
        "b": 60 - 44,
        "c": 55 - 44,
    }
    assert training_size(labels, groups) == 44  # 0.8 * 55


# the task

#: Four cells of three types; the last expresses nothing.
TRUE = np.array(
    [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 0.0], [0.0, 0.6, 0.4]]
)
QUESTION = Transfers(
    TRUE > 0,
    TRUE,
    np.array([4, 7, 8, 9, 12]),
    np.array(["rod", "cone", "cone", "cone", "glia"]),
    "rod",
    40,
    {"rare": 3},
)


def values(units):
    return {name: metrics.bray_curtis(one).value for name, one in units.variants.items()}


def test_units_by_hand():
    predicted = np.array(
        [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3] * 3, [0.0, 1.0, 0.0]]
    )
    units = transfer(TaskView(QUESTION, Answers(profile=predicted)))
    assert list(units.variants) == ["", "cone", "glia", "rod"]
    # distances: 0 | 0, 0.5, (left out) | 0.4; the pooled variant is of the cells that are no rods
    found = values(units)
    assert found == pytest.approx({"": 0.3, "cone": 0.25, "glia": 0.4, "rod": 0.0})
    assert (units.asked, units.answered, units.left_out) == (3, 3, {"cells without expression": 1})
    assert units.variants[""].cells.tolist() == [7, 8, 12]
    assert units.notes == (
        "each of the 3 groups trains with 40 cells, those of the smallest",
        "groups left out, as they have too few cells: rare (3)",
    )


def test_skill_by_bray_curtis_is_the_explained_share():
    rng = np.random.default_rng(0)
    answer, floor = (rng.dirichlet(np.ones(3), 5) for _ in range(2))
    score, base = (
        values(transfer(TaskView(QUESTION, Answers(profile=one)))) for one in (answer, floor)
    )
    other = [1, 2, 4]

    def total(rows):
        return np.abs(rows - TRUE)[other].sum() / 2

    assert (base[""] - score[""]) / (base[""] - 0.0) == pytest.approx(
        1 - total(answer) / total(floor)
    )
    assert values(transfer(TaskView(QUESTION, Answers(profile=TRUE)))) == {
        "": 0.0,
        "cone": 0.0,
        "glia": 0.0,
        "rod": 0.0,
    }


def test_permuting_cells_changes_no_value_and_no_draw():
    dataset, labels = typed()
    question = ask_transfers(dataset, labels, groups_of(labels)[0], "b", 0)
    rng = np.random.default_rng(1)
    answer, order = (
        rng.dirichlet(np.ones(9), len(question.rows)),
        rng.permutation(len(question.rows)),
    )
    parts = {
        name: getattr(question, name)[order] for name in ("assemblages", "true", "rows", "groups")
    }
    moved = dataclasses.replace(question, **parts)
    one, other = (
        transfer(TaskView(q, Answers(profile=p))).variants
        for q, p in ((question, answer), (moved, answer[order]))
    )
    for variant in one:
        for metric in (metrics.bray_curtis, metrics.jensen_shannon, metrics.rmse, metrics.spearman):
            assert metric(one[variant]).value == pytest.approx(metric(other[variant]).value)
        again = [
            draws(metrics.bray_curtis, units[variant], "cell", 20, 5) for units in (one, other)
        ]
        np.testing.assert_allclose(*again)


def test_no_answer_and_broken_answers():
    units = transfer(TaskView(QUESTION, Answers()))
    assert (units.variants, units.asked, units.answered) == ({}, 3, 0)
    assert units.notes  # they say the same whatever was answered
    with pytest.raises(InvalidAnswerError, match="1 of 15"):
        transfer(
            TaskView(
                QUESTION, Answers(profile=np.where(np.arange(15).reshape(5, 3) == 4, np.nan, TRUE))
            )
        )
    with pytest.raises(TypeError, match="needs the transfer question, not Profiles"):
        transfer(TaskView(Profiles(TRUE > 0, TRUE, np.arange(5)), Answers(profile=TRUE)))


def test_the_tasks_record():
    spec = next(spec for spec in task_specs() if spec.name == "transfer")
    assert (spec.label, spec.asks, spec.floors, spec.primary) == (
        "transfer@2",
        "transfer",
        ("masked-mean-depth", "masked-median-depth"),
        ("bray-curtis",),
    )
    applied = {
        metric.name
        for metric in metric_specs()
        if metric.of == spec.of and (metric.tasks is None or spec.name in metric.tasks)
    }
    assert "bray-curtis" in applied
    assert not applied & {"coexpression", "explained-change"}


# datasets as groups


def source(
    names, seed=0, n=30, scale="linear", kind="simulated", sparse=False, counts=False, empty=()
):
    rng = np.random.default_rng(seed)
    X = rng.integers(1, 9, (n, len(names))).astype(np.float32)
    X[list(empty), :20] = 0  # the cells express the genes of this data set alone
    layers = {"counts": X.copy()} if counts else {}
    return Dataset(
        Cells(
            scipy.sparse.csr_matrix(X) if sparse else X,
            np.array(names),
            {"batch": np.zeros(n)},
            layers,
        ),
        scale,
        kind,
    )


SHARED = [f"g{i:02d}" for i in range(20)]


def test_joined_matches_genes_by_name():
    one = source([*SHARED, "only here"], 1, n=30, empty=[2, 5], kind="real")
    two = source([*SHARED[::-1], "only there"], 2, n=25, sparse=True)
    both = joined({"one": one, "two": two})
    assert both.cells.var_names.tolist() == SHARED
    assert both.cells.obs["dataset"].tolist() == ["one"] * 28 + ["two"] * 25
    assert list(both.cells.obs) == ["dataset"]
    kept = np.setdiff1d(np.arange(30), [2, 5])
    np.testing.assert_array_equal(both.cells.dense()[:28], one.cells.X[kept][:, :20])
    np.testing.assert_array_equal(both.cells.dense()[28:], two.cells.dense()[:, :20][:, ::-1])
    assert (
        both.notes[0]
        == "one: 20 of 21 genes are in all of the data sets; 2 of 30 cells express none of them and"
        " are left out"
    )
    assert both.notes[1] == "two: 20 of 21 genes are in all of the data sets"
    assert (both.kind, both.scale, both.truth, both.perturbed, both.batch_key) == (
        "real",
        "linear",
        None,
        None,
        None,
    )
    validate(both, "one + two")
    assert groups_of(both.cells.obs["dataset"], least=20)[0] == ("one", "two")


def test_joined_keeps_counts_and_sparse_rows_where_all_have_them():
    both = joined(
        {
            "one": source(SHARED, 1, sparse=True, counts=True),
            "two": source(SHARED, 2, sparse=True, counts=True),
        }
    )
    assert scipy.sparse.issparse(both.cells.X)
    np.testing.assert_array_equal(both.cells.layers["counts"], both.cells.dense())
    assert both.kind == "simulated"
    assert not joined(
        {"one": source(SHARED, 1, counts=True), "two": source(SHARED, 2)}
    ).cells.layers


def test_the_order_of_datasets_changes_no_draw():
    one, two = source(SHARED, 1, n=60), source(SHARED, 2, n=70)
    chosen = []
    for both in (joined({"one": one, "two": two}), joined({"two": two, "one": one})):
        labels = both.cells.obs["dataset"]
        question = ask_transfers(both, labels, groups_of(labels)[0], "one", 0)
        chosen.append({tuple(row) for row in both.cells.X[question.rows].tolist()})
    assert chosen[0] == chosen[1]


def test_what_cannot_be_joined():
    with pytest.raises(UserError, match="one is 'linear' and two is 'log1p'"):
        joined({"one": source(SHARED), "two": source(SHARED, scale="log1p")})
    with pytest.raises(
        UserError, match=r"19 gene names in common \(one 20, two 19\), and 20 are needed; check"
    ):
        joined({"one": source(SHARED), "two": source(SHARED[1:])})
    with pytest.raises(UserError, match="20 are the same but for capital letters"):
        joined({"one": source(SHARED), "two": source([name.upper() for name in SHARED])})
    with pytest.raises(UserError, match="two datasets or more, not 1"):
        joined({"one": source(SHARED)})


# real cells


def test_retina_by_type(real_data):
    from kobench.api import Context
    from kobench.builtin.datasets import h5ad

    path = real_data("retina-nuclei")
    dataset = h5ad.load(str(path), cell_type_key="cell_type", totals_key="n_counts_all", genes=400)
    labels = dataset.cells.obs["cell_type"]
    groups, left_out = groups_of(labels)
    assert (len(groups), training_size(labels, groups)) == (
        7,
        52,
    )  # 65 horizontal cells are the fewest
    assert left_out == {
        "OFF-bipolar cell": 48,
        "ON-bipolar cell": 26,
        "astrocyte": 27,
        "microglial cell": 5,
    }
    matrix = np.empty((7, 7))
    for a, trained in enumerate(groups):
        floor = MaskedMeanDepth()
        floor.fit(dataset.cells[training_rows(labels, groups, trained, 0)], Context())
        question = ask_transfers(dataset, labels, groups, trained, 0)
        found = values(
            transfer(
                TaskView(question, Answers(profile=floor.predict_expression(question.assemblages)))
            )
        )
        matrix[a] = [found[group] for group in groups]
    # with as many cells, what was learnt from the asked type itself fits it best
    assert (np.argmin(matrix, axis=0) == np.arange(7)).all()


def test_cells_that_are_kept_back_are_asked_and_never_trained_on():
    labels = np.repeat(["a", "b", "few"], [20, 30, 5])
    back = np.zeros(55, bool)
    back[:5] = back[20:38] = back[50] = True
    groups = ("a", "b")
    assert training_size(labels, groups, back) == 12  # all of the smaller rest
    assert training_size(labels, groups) == 16
    for group, own in (("a", range(5, 20)), ("b", range(38, 50))):
        rows = training_rows(labels, groups, group, 3, back)
        assert len(rows) == 12
        assert set(rows) <= set(own)
        assert rows.tolist() == sorted(rows)
    assert asked_rows(labels, groups, 3, back=back).tolist() == [*range(5), *range(20, 38)]
    # a copy of a cell that is trained on is not asked
    first = np.arange(55)
    first[0] = 38
    assert asked_rows(labels, groups, 3, first, back).tolist() == [*range(1, 5), *range(20, 38)]
    with pytest.raises(ValueError, match="'few' is not one of the groups a, b"):
        training_rows(labels, groups, "few", 3)


def test_a_group_of_fifty_cells_is_large_enough():
    labels = ["a"] * 50 + ["b"] * 60 + ["c"] * 49
    assert groups_of(labels) == (("a", "b"), {"c": 49})
    with pytest.raises(UserError, match="and 1 of 2 is that large"):
        groups_of(["a"] * 50 + ["c"] * 49)
    many = [name for i, name in enumerate("abcdefg") for _ in range(i + 1)]
    with pytest.raises(
        UserError, match=r"none of 7 .*'g' 7, 'f' 6, 'e' 5, 'd' 4, 'c' 3, 'b' 2, \.\.\."
    ):
        groups_of(many)
