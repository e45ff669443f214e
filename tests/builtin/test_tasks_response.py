"""Population tasks: answers become units, and what the truth does not allow is not scored."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from kobench.api import Answers, Cells, Knockouts, NotComputed, Profiles, Responses, TaskView
from kobench.builtin.metrics.delta import ChosenUnits
from kobench.builtin.metrics.ranking import spearman
from kobench.builtin.metrics.response import (
    pearson_delta,
    pearson_delta_centred,
    pearson_delta_centred_unit,
)
from kobench.builtin.specs.metrics import metric_specs
from kobench.builtin.specs.tasks import task_specs
from kobench.builtin.tasks.response import read_response, response
from kobench.builtin.tasks.response_size import chance_band, chance_note, response_size
from kobench.errors import InvalidAnswerError
from kobench.results.parts import DrawnValue
from kobench.scoring.bootstrap import Redraw, take
from kobench.scoring.metric import score_metric

G = 12


def question_of(
    k=8, detectable=6, noisy=True, targets=None, batches=2, seed=0, **more
) -> Responses:
    """k perturbations, each in `batches` answer rows of unequal weight.

    The first `detectable` of them are detectable.
    """
    rng = np.random.default_rng(seed)
    targets = tuple((row,) for row in range(k)) if targets is None else targets
    change = rng.normal(size=(k, G)) * 1e-3
    halves = change + rng.normal(size=(3, 2, k, G)) * 1e-3
    for row, genes in enumerate(targets):
        change[row, list(genes)] = np.nan
        halves[:, :, row, list(genes)] = np.nan
    weight = rng.random((k, batches)) + 0.1
    order = rng.permutation(k * batches)  # answer rows come in any order
    responds = np.abs(np.nan_to_num(change)) > 3e-4
    fields = {
        "cells": Cells(np.ones((3, G), np.float32), np.array([f"g{j}" for j in range(G)])),
        "names": tuple("+".join(f"g{gene}" for gene in genes) for genes in targets),
        "targets": targets,
        "events": (Knockouts(np.zeros((0, 1), np.int32), np.zeros(0, np.int32)),),
        "rows": (np.zeros(0, np.int64),),
        "row_perturbation": np.repeat(np.arange(k), batches)[order],
        "row_weight": (weight / weight.sum(axis=1, keepdims=True)).ravel()[order],
        "change": change,
        "size": rng.random(k),
        "abundance": rng.random(k),
        "detectable": np.arange(k) < detectable if noisy else np.ones(k, bool),
        "perturbed": np.arange(k) + 30,
        "halves": halves if noisy else None,
        "responds": responds if noisy else None,
        "size_p": np.linspace(0.001, 0.9, k) if noisy else None,
    }
    return Responses(**{**fields, **more})


def answers_of(question: Responses, seed=1, **more) -> Answers:
    rng = np.random.default_rng(seed)
    n = len(question.row_perturbation)
    return Answers(
        **{
            "response": rng.normal(size=(n, G)) * 1e-3,
            "raw": rng.random(n),
            "propagated": rng.random(n),
            **more,
        }
    )


def means_of(question, values):
    """Means over answer rows, one by one."""
    return np.array(
        [
            sum(
                weight * values[row]
                for row, weight in enumerate(question.row_weight)
                if question.row_perturbation[row] == p
            )
            for p in range(len(question.names))
        ]
    )


def expected_changes(question, answers):
    predicted = means_of(question, answers.response)
    for row, genes in enumerate(question.targets):
        predicted[row, list(genes)] = np.nan
    return predicted


# response


def test_units_of_a_measured_truth():
    question = question_of()
    answers = answers_of(question)
    given = response(TaskView(question, answers))
    assert list(given.variants) == ["", "all"]
    assert (given.asked, given.answered) == (8, 8)
    assert given.primary is None  # the task's own two
    assert given.notes == (
        "detectable: 6 of 8 perturbations: g0, g1, g2, g3, g4, g5",
        "5 genes or more respond in 6 of 6 detectable perturbations: pearson-delta-centred-unit is"
        " over these",
    )
    predicted = expected_changes(question, answers)
    for name, rows in (("", np.arange(6)), ("all", np.arange(8))):
        units = given.variants[name]
        np.testing.assert_allclose(units.predicted, predicted[rows], rtol=1e-12)
        np.testing.assert_array_equal(units.true, question.change[rows])
        np.testing.assert_array_equal(units.perturbations, rows)
        np.testing.assert_array_equal(units.halves, question.halves[:, :, rows])
        np.testing.assert_array_equal(units.responds, question.responds[rows])
        assert units.signed
    assert isinstance(
        given.variants[""], ChosenUnits
    )  # its ceiling knows those that they were chosen from
    assert given.variants[""].asked[0] is question.halves
    assert not isinstance(given.variants["all"], ChosenUnits)
    affected = response(TaskView(question, dataclasses.replace(answers, response_kind="affected")))
    assert not affected.variants[""].signed


def test_units_of_an_exact_truth():
    question = question_of(noisy=False)
    given = response(TaskView(question, answers_of(question)))
    assert list(given.variants) == [""]
    assert len(given.variants[""].perturbations) == 8
    assert given.variants[""].halves is None
    assert given.primary is None
    assert given.notes == (
        "5 genes or more respond in 8 of 8 perturbations: pearson-delta-centred-unit is over these",
    )
    perfect = dataclasses.replace(
        answers_of(question), response=np.nan_to_num(question.change)[question.row_perturbation]
    )
    assert pearson_delta_centred(
        response(TaskView(question, perfect)).variants[""]
    ).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("more", "variants", "primary", "note"),
    [
        ({"k": 8, "detectable": 5}, {"": 5, "all": 8}, None, None),
        (
            {"k": 8, "detectable": 4},
            {"": 4, "all": 8},
            ("pearson-delta-centred[all]",),
            "only 4 of 8 perturbations are detectable: no sc",
        ),
        (
            {"k": 8, "detectable": 0},
            {"": 0, "all": 8},
            ("pearson-delta-centred[all]",),
            "only 0 of 8 perturbations are detectable: no sc",
        ),
        (
            {"k": 4, "detectable": 4},
            {"": 4, "all": 4},
            ("pearson-delta[all]",),
            "under 5 perturbations: not gene-specific",
        ),
        (
            {"k": 2, "detectable": 0},
            {"": 0, "all": 2},
            ("pearson-delta[all]",),
            "under 5 perturbations: not gene-specific",
        ),
        (
            {"k": 4, "noisy": False},
            {"": 4},
            ("pearson-delta",),
            "under 5 perturbations: not gene-specific",
        ),
        (
            {"k": 1, "detectable": 1},
            {"single": 1},
            ("pearson-delta-centred",),
            "a single perturbation: nothing to compare it",
        ),
        (
            {"k": 8, "confounded": "one library each"},
            {"confounded": 8},
            ("pearson-delta-centred",),
            "confounded: no skill, no rank (one",
        ),
        (
            {"k": 1, "confounded": "one library each"},
            {"confounded": 1},
            ("pearson-delta-centred",),
            "confounded: no skill, no rank (one",
        ),
    ],
)
def test_what_the_truth_does_not_allow_is_not_scored(more, variants, primary, note):
    question = question_of(**more)
    given = response(TaskView(question, answers_of(question)))
    assert {name: len(units.perturbations) for name, units in given.variants.items()} == variants
    assert next(iter(given.variants)) == next(iter(variants))
    assert given.primary == primary
    assert any(text.startswith(note) for text in given.notes) if note else len(given.notes) == 2
    # it depends on the truth, never on the answer
    for answers in (Answers(), answers_of(question, supported=np.arange(G) > 2)):
        other = response(TaskView(question, answers))
        assert (other.primary, other.notes, other.asked, other.left_out) == (
            given.primary,
            given.notes,
            given.asked,
            given.left_out,
        )


@pytest.mark.parametrize("noisy", [True, False])
def test_the_metric_of_unit_lengths_ranks_only_where_five_genes_respond_in_five(noisy):
    question = question_of(noisy=noisy)
    responds = np.zeros((8, G), bool)
    kind = "6 detectable perturbations" if noisy else "8 perturbations"
    for rows, primary in ((5, None), (4, ("pearson-delta-centred",))):
        responds[:] = False
        responds[8 - rows - 2 : 6, 3:10] = True  # of rows 1 to 5 or 2 to 5, and of two more
        responds[6:] = True
        responds[6:, 4:] = False  # where four genes respond, targets do not help
        change = np.where(np.arange(G) == 3, np.nan, question.change)
        tested = dataclasses.replace(question, change=change, responds=responds)
        given = response(TaskView(tested, answers_of(tested)))
        assert given.primary == primary
        said = next(note for note in given.notes if note.startswith("5 genes or more"))
        assert said.startswith(f"5 genes or more respond in {rows} of {kind}")
        assert ("too few" in said) == (primary is not None)
        if primary is None:
            found = pearson_delta_centred_unit(given.variants[""])
            assert found.ids.tolist() == [1, 2, 3, 4, 5]
        else:
            with pytest.raises(NotComputed, match=r"^4 in which 5 genes or more respond"):
                pearson_delta_centred_unit(given.variants[""])


def test_the_named_primary_metric_has_a_value_exactly_where_a_score_is_allowed():
    scores = {"pearson-delta-centred": pearson_delta_centred, "pearson-delta": pearson_delta}

    def value(question):
        given = response(TaskView(question, answers_of(question)))
        name, _, variant = (
            (given.primary or ("pearson-delta-centred",))[0].rstrip("]").partition("[")
        )
        return scores[name](given.variants[variant]).value if variant in given.variants else None

    for more in (
        {},
        {"detectable": 3},
        {"k": 4},
        {"k": 2},
        {"noisy": False},
        {"k": 3, "noisy": False},
    ):
        assert math.isfinite(value(question_of(**more))), more
    for more in ({"k": 1}, {"confounded": "because"}):
        assert value(question_of(**more)) is None


def test_many_detectable_perturbations_are_not_spelt_out():
    targets = tuple((row % G,) for row in range(40))
    question = question_of(k=40, detectable=31, targets=targets)
    assert read_response(question).notes[0] == "detectable: 31 of 40 perturbations"
    question = question_of(k=40, detectable=0, targets=targets)
    assert read_response(question).notes[-1] == "detectable: 0 of 40 perturbations"


def test_perturbations_without_change_are_counted_and_do_not_help_towards_five():
    question = question_of(k=6, noisy=False)
    change = question.change.copy()
    change[:2] = np.where(np.isnan(change[:2]), np.nan, 9e-10)
    still = dataclasses.replace(question, change=change, left_out={"a reason": 3})
    given = response(TaskView(still, answers_of(still)))
    assert given.left_out == {"a reason": 3, "perturbations in which nothing changes": 2}
    assert given.primary == ("pearson-delta",)
    assert given.asked == given.answered == 6
    assert pearson_delta(given.variants[""]).ids.tolist() == [2, 3, 4, 5]
    np.testing.assert_array_equal(np.nan_to_num(given.variants[""].true[:2]), 0.0)


def test_unsupported_perturbations_are_left_out():
    targets = ((0,), (1,), (2, 3), (4,), (5, 6), (7,), (8,))
    question = question_of(k=7, detectable=5, targets=targets)
    supported = np.ones(G, bool)
    supported[[1, 6]] = False
    answers = answers_of(question, supported=supported)
    values = answers.response.copy()
    values[np.isin(question.row_perturbation, [1, 4])] = (
        np.nan
    )  # as the harness leaves what is not asked
    answers = dataclasses.replace(answers, response=values)
    given = response(TaskView(question, answers))
    assert (given.asked, given.answered) == (7, 5)
    assert given.variants["all"].perturbations.tolist() == [0, 2, 3, 5, 6]
    assert given.variants[""].perturbations.tolist() == [0, 2, 3]
    np.testing.assert_array_equal(given.variants[""].halves, question.halves[:, :, [0, 2, 3]])
    assert given.table["pearson-delta"][1] is None
    assert given.table["pearson-delta"][2] is not None
    alone = response(
        TaskView(
            question,
            dataclasses.replace(
                answers, supported=None, max_order=1, response=np.nan_to_num(values)
            ),
        )
    )
    assert alone.variants["all"].perturbations.tolist() == [0, 1, 3, 5, 6]
    assert (alone.asked, alone.answered) == (7, 5)
    none = response(TaskView(question, dataclasses.replace(answers, supported=np.zeros(G, bool))))
    assert (none.asked, none.answered) == (7, 0)
    with pytest.raises(NotComputed):
        pearson_delta(none.variants["all"])


def test_nothing_answered():
    question = question_of()
    given = response(TaskView(question, Answers()))
    assert given.variants == {}
    assert (given.asked, given.answered) == (8, 0)
    assert "pearson-delta" not in given.table


def test_missing_numbers_are_refused_where_they_were_asked():
    question = question_of()
    answers = answers_of(question)
    row = int(np.flatnonzero(question.row_perturbation == 3)[0])
    values = answers.response.copy()
    values[row, 3] = np.nan  # its own target: nobody looks
    assert response(TaskView(question, dataclasses.replace(answers, response=values))).answered == 8
    values[row, 4] = np.inf
    with pytest.raises(InvalidAnswerError, match="1 of 88 predicted changes"):
        response(TaskView(question, dataclasses.replace(answers, response=values)))


def test_rounding_is_no_change_of_a_profile():
    question = question_of()
    tiny = answers_of(question, response=np.full((16, G), 1e-10))
    predicted = response(TaskView(question, tiny)).variants["all"].predicted
    assert set(predicted[~np.isnan(predicted)]) == {0.0}
    kept = (
        response(TaskView(question, dataclasses.replace(tiny, response_kind="direction")))
        .variants["all"]
        .predicted
    )
    np.testing.assert_allclose(kept[~np.isnan(kept)], 1e-10)  # a direction has no units


def test_the_table_of_responses():
    question = question_of()
    answers = answers_of(question)
    given = response(TaskView(question, answers))
    table = given.table
    assert json.loads(json.dumps(table)) == {name: list(column) for name, column in table.items()}
    assert {len(column) for column in table.values()} == {8}
    assert table["perturbation"] == [f"g{row}" for row in range(8)]
    assert table["cells"] == list(range(30, 38))
    assert table["detectable"] == [True] * 6 + [False] * 2
    assert table["size"] == question.size.tolist()
    assert table["adjusted p"] == question.size_p.tolist()
    assert table["responding genes"] == question.responds.sum(axis=1).tolist()
    assert (
        table["pearson-delta-centred"] == pearson_delta_centred(given.variants["all"]).sums.tolist()
    )
    assert table["pearson-delta"] == pearson_delta(given.variants["all"]).sums.tolist()
    exact = response(TaskView(question_of(k=3, noisy=False), answers_of(question_of(k=3))))
    assert "adjusted p" not in exact.table
    assert "responding genes" not in exact.table
    assert exact.table["pearson-delta-centred"] == [None] * 3


def test_other_questions_are_refused():
    profiles = Profiles(np.ones((1, 2), bool), np.ones((1, 2)) / 2, np.arange(1))
    for task in (response, response_size):
        with pytest.raises(TypeError, match="needs the population question, not Profiles"):
            task(TaskView(profiles, Answers()))


# response-size


def twenty(k=24, **more) -> Responses:
    return question_of(k=k, targets=tuple((row % G,) for row in range(k)), **more)


def test_units_of_sizes():
    question = twenty()
    answers = answers_of(question)
    given = response_size(TaskView(question, answers))
    assert list(given.variants) == ["", "propagated", "raw"]
    assert (given.asked, given.answered, given.primary) == (24, 24, None)
    expected = {
        "": np.sqrt(np.nansum(expected_changes(question, answers) ** 2, axis=1)),
        "propagated": means_of(question, answers.propagated),
        "raw": means_of(question, answers.raw),
    }
    for name, units in given.variants.items():
        np.testing.assert_allclose(units.predicted, expected[name], rtol=1e-6)
        np.testing.assert_array_equal(units.true, question.size)
        np.testing.assert_array_equal(units.abundance, question.abundance)
        np.testing.assert_array_equal(units.genes, np.arange(24))
    assert given.notes == (chance_note(24),)
    assert given.table["predicted"] == given.variants[""].predicted.tolist()
    json.dumps(given.table)


def test_sizes_measured_with_noise_have_no_ceiling():
    """Nobody knows what a perfect answer scores against them; against exact sizes it scores 1."""
    for noisy in (True, False):
        question = twenty(noisy=noisy)
        units = response_size(TaskView(question, answers_of(question))).variants[""]
        spec = next(
            spec for spec in metric_specs() if (spec.of, spec.name) == ("ranking", "spearman")
        )
        entry = score_metric(spec, spearman, units, Redraw("perturbation", 20))
        assert entry.value == pytest.approx(spearmanr(units.predicted, units.true)[0])
        assert entry.ceiling == (DrawnValue(value=None, draws=[]) if noisy else None)
        assert len(entry.draws) == 20
        assert (
            take(units, "perturbation", np.array([3, 3, 5])).predicted.tolist()
            == units.predicted[[3, 3, 5]].tolist()
        )


def test_what_a_size_is_taken_from():
    question = twenty()
    whole = answers_of(question, gene_scores=np.arange(G) - 5.0)
    sizes = {
        "scores": response_size(TaskView(question, whole)),
        "length": response_size(TaskView(question, dataclasses.replace(whole, gene_scores=None))),
        "impact": response_size(
            TaskView(question, dataclasses.replace(whole, gene_scores=None, response=None))
        ),
        "direction": response_size(
            TaskView(
                question, dataclasses.replace(whole, gene_scores=None, response_kind="direction")
            )
        ),
    }
    np.testing.assert_array_equal(sizes["scores"].variants[""].predicted, np.arange(24) % G - 5.0)
    np.testing.assert_allclose(
        sizes["length"].variants[""].predicted,
        np.sqrt(np.nansum(expected_changes(question, whole) ** 2, axis=1)),
        rtol=1e-9,
    )
    for name in ("impact", "direction"):  # the length of a direction means nothing
        np.testing.assert_array_equal(
            sizes[name].variants[""].predicted, sizes[name].variants["propagated"].predicted
        )
    nothing = response_size(
        TaskView(question, Answers(response=whole.response, response_kind="direction"))
    )
    assert (nothing.variants, nothing.answered) == ({}, 0)
    raw_only = response_size(TaskView(question, Answers(raw=whole.raw)))
    assert (list(raw_only.variants), raw_only.answered) == (["raw"], 0)


@pytest.mark.parametrize("given", ["gene_scores", "response", "propagated"])
def test_perturbations_without_an_answer_have_no_size(given):
    """Not one of 0: what is not answered would then be the weakest, and count as answered."""
    question, supported = twenty(), np.arange(G) != 2
    whole = answers_of(question, gene_scores=np.arange(G) + 1.0)
    answers = Answers(supported=supported, **{given: getattr(whole, given)})
    found = response_size(TaskView(question, answers))
    rows = [row for row in range(24) if row % G != 2]
    assert (found.asked, found.answered) == (24, len(rows))
    np.testing.assert_array_equal(found.variants[""].genes, rows)
    assert [row for row in range(24) if found.table["predicted"][row] is not None] == rows


def test_scores_of_genes_say_nothing_about_several():
    targets = (*((row % G,) for row in range(22)), (0, 1), (2, 3))
    question = question_of(k=24, targets=targets)
    scores = np.arange(G, dtype=float)
    with_length = response_size(TaskView(question, answers_of(question, gene_scores=scores)))
    assert (with_length.variants[""].predicted < 1e-2).all()  # one scale for all of them
    alone = response_size(TaskView(question, Answers(gene_scores=scores)))
    np.testing.assert_array_equal(alone.variants[""].genes, np.arange(22))
    np.testing.assert_array_equal(alone.variants[""].predicted, np.arange(22) % G)
    assert (alone.asked, alone.answered) == (24, 22)
    assert alone.table["predicted"][22:] == [None, None]
    floor = response_size(TaskView(question, Answers(gene_scores=scores, max_order=1)))
    assert (floor.asked, floor.answered) == (24, 22)
    all_single = response_size(
        TaskView(question, dataclasses.replace(answers_of(question), max_order=1))
    )
    assert len(all_single.variants["propagated"].genes) == 22


def test_impacts_under_the_tolerance_are_0_and_sizes_of_no_change_are_ties():
    question = twenty()
    values = np.where(np.arange(48) % 2 == 0, 9e-7, 0.5)
    question = dataclasses.replace(
        question, row_perturbation=np.arange(48) // 2, row_weight=np.tile([1.0, 0.0], 24)
    )
    given = response_size(
        TaskView(
            question, Answers(propagated=values, raw=values[::-1], response=np.full((48, G), 1e-10))
        )
    )
    assert set(given.variants["propagated"].predicted) == {0.0}
    assert set(given.variants["raw"].predicted) == {0.5}
    assert set(given.variants[""].predicted) == {0.0}


def test_few_perturbations_are_not_ranked():
    for k, names in (
        (19, ["unranked", "unranked propagated", "unranked raw"]),
        (3, ["unranked", "unranked propagated", "unranked raw"]),
    ):
        question = twenty(k)
        given = response_size(TaskView(question, answers_of(question)))
        assert list(given.variants) == names
        assert given.notes == (f"{k} perturbations: fewer than 20, so not ranked", chance_note(k))
    for k, note in (
        (2, "2 perturbations: fewer than 20, so not ranked"),
        (1, "a single perturbation: nothing to compare it with"),
    ):
        given = response_size(TaskView(twenty(k), answers_of(twenty(k))))
        assert (given.variants, given.asked) == ({}, k)
        assert len(given.notes) == 1
        assert given.notes[0].startswith(note)
    assert next(iter(response_size(TaskView(twenty(20), answers_of(twenty(20)))).variants)) == ""
    fifty = twenty(50)
    assert response_size(TaskView(fifty, answers_of(fifty))).notes == ()
    confounded = twenty(confounded="one library each")
    given = response_size(TaskView(confounded, answers_of(confounded)))
    assert list(given.variants) == ["confounded", "confounded propagated", "confounded raw"]
    assert given.notes[0] == "confounded: no skill, no rank (one library each)"


def test_sizes_of_unsupported_perturbations():
    question = twenty()
    supported = np.arange(G) > 0  # two perturbations remove gene 0
    values = np.where(np.isin(question.row_perturbation, [0, 12]), np.nan, 0.25)
    scores = np.where(supported, 1.0, np.nan)
    for answers in (
        Answers(propagated=values, supported=supported),
        Answers(gene_scores=scores, supported=supported),
    ):
        given = response_size(TaskView(question, answers))
        assert (given.asked, given.answered) == (24, 22)
        assert set(given.variants[""].genes) == set(range(24)) - {0, 12}
    with pytest.raises(InvalidAnswerError, match="2 of 24 impacts"):
        response_size(TaskView(question, Answers(propagated=values)))
    with pytest.raises(InvalidAnswerError, match="2 of 24 gene scores"):
        response_size(TaskView(question, Answers(gene_scores=scores)))


# chance


def test_the_band_of_chance_by_hand():
    # of the 6 orders of three, Spearman is 1, 1/2 (twice), -1/2 (twice) and -1: the 95 % quantile
    # of its size is 1
    assert chance_band(3) == 1.0
    # of the 24 orders of four, sizes are 1 (2), 0.8 (6), ...: 95 % lie at 1 or below, 91.7 % at 0.8
    # or below
    assert chance_band(4) == 1.0
    for k in (5, 6):
        every = np.abs(
            [spearmanr(order, range(k))[0] for order in itertools.permutations(range(k))]
        )
        band = chance_band(k)
        assert np.mean(every <= band + 1e-9) >= 0.95 > np.mean(every < band - 1e-9)


def test_the_band_of_chance_of_many():
    # t of Student with k - 2 degrees of freedom, the usual approximation: 0.413 for 23, 0.444 for
    # 20
    assert chance_band(23) == pytest.approx(0.413, abs=0.01)
    assert chance_band(20) == pytest.approx(0.447, abs=0.01)
    assert chance_band(23) == chance_band(23)
    assert (
        chance_note(4)
        == "by chance alone, spearman over 4 perturbations lies between -1.00 and 1.00 in 95 % of"
        " cases"
    )


# specs


def test_the_population_tasks_name_metrics_that_exist():
    tasks = {task.name: task for task in task_specs() if task.asks == "response"}
    assert sorted(tasks) == ["response", "response-size"]
    names = {spec.name: spec for spec in metric_specs() if spec.of == "response"}
    assert {name.partition("[")[0] for name in tasks["response"].primary} <= set(names)
    variants = {name.partition("[")[2].rstrip("]") for name in tasks["response"].primary}
    assert variants <= set(response(TaskView(question_of(), answers_of(question_of()))).variants)
    of_rankings = {
        spec.name
        for spec in metric_specs()
        if spec.of == "ranking" and (not spec.tasks or "response-size" in spec.tasks)
    }
    assert {*tasks["response-size"].primary, "with-abundance"} <= of_rankings


# a question without any perturbation


@pytest.mark.parametrize("noisy", [True, False])
def test_nothing_to_ask_is_said_and_scores_nothing(noisy):
    question = question_of(
        k=0, noisy=noisy, left_out={"perturbations with under 20 perturbed cells": 2}
    )
    for task in (response, response_size):
        given = task(TaskView(question, answers_of(question)))
        assert (given.asked, given.answered) == (0, 0)
        (note,) = given.notes
        assert note.startswith(
            "no perturbation can be asked, so no score and no rank (perturbations with under 20"
        )
        assert given.table is None
    with pytest.raises(NotComputed):
        pearson_delta_centred(response(TaskView(question, answers_of(question))).variants[""])
