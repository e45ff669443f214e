"""Notes of a task, and why nobody is ranked on it."""

from __future__ import annotations

import json

import pytest
from factories import make_board, metric, networks, record, scores
from sections import FLOOR, IMPACT, flat, made, only, row

from kobench.board.render.formats import FORMATS, render


def test_notes_stand_once_and_differences_between_networks_are_said():
    records = [
        made(
            "mlp",
            0.6,
            seed=seed,
            notes=[
                "the same",
                f"{12 - seed} of 23 are detectable",
                *(["only here"] if seed == 1 else []),
            ],
        )
        for seed in range(5)
    ]
    floor = [
        made(
            "own-share", 0.4, "floor", seed, notes=["the same", f"{12 - seed} of 23 are detectable"]
        )
        for seed in range(5)
    ]
    section = only(records + floor)
    assert section.task_notes == (
        "the same",
        "12 of 23 are detectable (first of 5 networks; their numbers differ)",
        "only here (in 1 of 5 networks)",
    )
    for format in FORMATS:
        if format != "csv":
            assert (
                render(make_board(records + floor), format).count("12 of 23 are detectable") == 1
            ), format


def unranked(note, primary=("spearman",), metrics=None):
    """Everybody has a raw score, nobody a rank."""
    cells = metrics or {
        "spearman": metric(None, missing="not answered"),
        "spearman[confounded]": metric(0.6),
    }
    rows = (("mlp", "predictor"), ("linear", "predictor"), ("own-share", "floor"))
    where = {"kind": "real", "seed": None, "dataset": "trem2"}
    return [
        record(name, scores(cells, primary=primary, notes=[note]), role=role, **where)
        for name, role in rows
    ]


@pytest.mark.parametrize(
    "note",
    [
        "confounded: no skill, no rank (genotype and library are one)",
        "12 perturbations: fewer than 20, so not ranked",
        "a single perturbation: nothing to compare it with, no skill, no rank",
    ],
)
def test_nobody_is_ranked_where_the_truth_allows_none(note):
    sentence = f"{note[0].upper()}{note[1:]}."
    for records in (
        unranked(note),
        unranked(note, primary=()),
        unranked(note, metrics={"spearman": metric(0.6)}),
    ):
        board = make_board(records)
        (section,) = board.sections
        assert (
            section.sentence
            == f"{sentence} Scored all the same, without skill or rank: linear and mlp."
        )
        assert (section.ranked, section.primary, section.unranked) == ((), (), ())
        assert [one.name for one in section.unrankable] == ["linear", "mlp"]
        assert section.task_notes == ()  # it stands in the sentence
        shown = row(section, "mlp").scores[section.leading[0].name]
        assert (shown.value, shown.skill, shown.skill_reason, shown.verdict, shown.difference) == (
            0.6,
            None,
            "not ranked",
            "",
            None,
        )
        assert board.answer == ()
        for format in ("terminal", "markdown", "html", "latex"):
            text = flat(render(board, format))
            assert "0.600" in text, format
            assert "not ranked" in text, format
        rows = [
            one for one in json.loads(render(board, "json"))["rows"] if one["predictor"] == "mlp"
        ]
        assert {(one["skill"], one["verdict"], one["rank_low"]) for one in rows} == {
            (None, None, None)
        }


def test_a_constant_answer_without_random_is_said_once():
    flat_answers = [made("flat", None, seed=seed, more={"missing": "none"}) for seed in range(5)]
    section = only(
        [*flat_answers, *networks("own-share", FLOOR, role="floor"), *networks("mlp", [0.6] * 5)]
    )
    assert row(section, "flat").remarks == (
        "a constant answer gives no ranking by spearman; ranked last, as random was not scored",
    )


def test_where_nobody_is_ranked_the_tasks_own_metric_comes_first():
    cells = {
        "auprc[single]": metric(0.2),
        "spearman[single]": metric(0.6),
        "spearman": metric(None, missing="not answered"),
    }
    section = only(unranked("a single perturbation: no skill, no rank", metrics=cells))
    assert [column.name for column in section.leading] == ["spearman[single]", "auprc[single]"]
    nothing = only(
        unranked(
            "a single perturbation: no skill, no rank",
            metrics={"spearman": metric(None, missing="not answered")},
        )
    )
    assert nothing.sentence == "A single perturbation: no skill, no rank."
    assert nothing.leading == ()


def test_the_answer_counts_what_nobody_is_ranked_on():
    board = make_board(
        networks("mlp", [0.6] * 5)
        + networks("own-share", FLOOR, role="floor")
        + unranked("confounded: no skill, no rank")
    )
    assert board.answer == (
        (
            f"{IMPACT}mlp (skill 0.33) beats the best floor on grn. On trem2 nobody can"
            " be ranked; its section says why."
        ),
    )
    assert not board.matrices


def test_a_metric_without_a_value_for_anyone_says_why_first():
    cells = {
        "spearman": metric(None, missing="no perturbation changes anything"),
        "mae": metric(0.1, direction="lower", best=0.0),
    }
    section = only(
        [
            record(name, scores(cells), role=role)
            for name, role in (("mlp", "predictor"), ("own-share", "floor"))
        ]
    )
    assert section.sentence.startswith("No value by spearman: no perturbation changes anything.")
    assert [column.name for column in section.leading] == ["mae"]


def test_a_ranking_that_follows_abundance_is_told():
    def sized(name, own, raw, role="predictor"):
        values = {"spearman": 0.2, "with-abundance": own, "with-abundance[raw]": raw}
        return record(name, scores(values), role=role)

    section = only(
        [
            sized("mlp", -0.05, 0.957),
            sized("careful", 0.79, 0.8),
            sized("own-share", 1.0, 1.0, "floor"),
        ]
    )
    assert row(section, "mlp").remarks == (
        "its raw impacts follow the abundance of the genes (Spearman 0.96)",
    )
    assert row(section, "careful").remarks == (
        "its raw impacts follow the abundance of the genes (Spearman 0.80)",
    )
    assert row(section, "own-share").remarks == ()
