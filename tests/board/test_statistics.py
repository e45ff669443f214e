"""What a board says of truths that have noise, that allow no rank, or that were asked of other
cells; and its first lines.
"""

from __future__ import annotations

import csv
import io
import json
from math import sqrt

import pytest
from factories import fault, genes_table, make_board, metric, networks, permuted, record, scores
from places import REPOSITORY
from scipy.stats import norm

from kobench.board.glance import FEW, MANY, groups_of, layout_of, tally
from kobench.board.render.formats import FORMATS, render
from kobench.board.render.text.matrix import glance_text
from kobench.errors import UserError
from kobench.results.records import read_records

FLOOR = [0.40, 0.42, 0.38, 0.41, 0.39]
LEADERBOARDS = REPOSITORY / "leaderboards"


def only(records, **options):
    (section,) = make_board(records, **options).sections
    return section


def row(section, name):
    (found,) = [row for row in section.rows if row.name == name]
    return found


def flat(text):
    return " ".join(text.split())


def made(name, value, role="predictor", seed=0, primary=("spearman",), more=None, **entry):
    """A record by one metric of that name, with parts of a score entry; `more` are parts of the
    metric's own.
    """
    return record(
        name,
        scores({primary[0]: {**metric(value), **(more or {})}}, primary=primary, **entry),
        role=role,
        seed=seed,
    )


def five(name, values, role="predictor", **parts):
    return [made(name, value, role, seed, **parts) for seed, value in enumerate(values)]


# Permuted answers


def with_permuted(name, values, ps, means=(0.0,) * 5, sd=0.1):
    return [
        made(name, value, seed=seed, more={"permuted": permuted(means[seed], ps[seed], sd)})
        for seed, value in enumerate(values)
    ]


def test_one_network_has_the_p_of_its_record():
    section = only(
        [*with_permuted("mlp", [0.6], [0.004], means=[0.02]), made("own-share", 0.4, "floor")]
    )
    found = row(section, "mlp").scores["spearman"].permuted
    assert (found.mean, found.p, found.networks, found.knows) == (0.02, 0.004, 1, True)
    assert (found.low, found.high) == pytest.approx((-0.18, 0.22))


def test_several_networks_are_combined_by_hand():
    values, means = [0.3, 0.1, 0.2, 0.25, 0.15], (0.01, -0.02, 0.0, 0.03, 0.03)
    section = only(
        with_permuted("mlp", values, [0.5] * 5, means, sd=0.2)
        + networks("own-share", FLOOR, role="floor")
    )
    found = row(section, "mlp").scores["spearman"].permuted
    z = (0.2 - 0.01) / (sqrt(5 * 0.2**2) / 5)
    assert (found.mean, found.networks) == (pytest.approx(0.01), 5)
    assert found.p == pytest.approx(norm.sf(z))


def test_fits_of_one_network_are_averaged_before():
    fits = with_permuted("mlp", [0.3], [0.1], sd=0.2)
    again = with_permuted("mlp", [0.5], [0.1], sd=0.4)[0]
    again["trial"]["fit_seed"] = 1
    section = only([*fits, again, made("own-share", 0.4, "floor")])
    assert row(section, "mlp").scores["spearman"].permuted.p == pytest.approx(norm.sf(0.4 / 0.3))


def test_where_lower_is_better_a_low_score_knows():
    def error(value, seed):
        cell = {
            **metric(value, direction="lower", best=0.0, low=0.0, high=None),
            "permuted": permuted(0.5, 0.5),
        }
        return record("mlp", scores({"rmse": cell}, primary=("rmse",)), seed=seed)

    section = only([error(0.4, 0), error(0.4, 1)])
    assert row(section, "mlp").scores["rmse"].permuted.p == pytest.approx(
        norm.sf(0.1 / (sqrt(0.02) / 2))
    )


def test_permutations_without_spread_say_yes_or_no():
    section = only(
        with_permuted("up", [0.3] * 5, [0.1] * 5, sd=0.0)
        + with_permuted("level", [0.0] * 5, [1.0] * 5, sd=0.0)
    )
    assert (
        row(section, "up").scores["spearman"].permuted.p,
        row(section, "level").scores["spearman"].permuted.p,
    ) == (0.0, 1.0)


def test_permuted_answers_of_some_networks_only_are_none():
    records = with_permuted("mlp", [0.6] * 5, [0.01] * 5)
    del records[2]["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"]["permuted"]
    assert row(only(records), "mlp").scores["spearman"].permuted is None


#: How a line of the answer begins.
IMPACT = "How much a knockout changes each cell (knockout-impact): "


def lucky():
    """`sure` knows the gene; `lucky` is above the floor, too, but its permuted answers do as
    well.
    """
    records = with_permuted("sure", [0.70, 0.71, 0.72, 0.70, 0.69], [0.001] * 5)
    return (
        records
        + with_permuted("lucky", [0.6] * 5, [0.4] * 5, means=(0.59,) * 5)
        + five("own-share", FLOOR, "floor")
    )


def test_better_but_not_by_knowing_the_gene_is_plain_everywhere():
    board = make_board(lucky())
    (section,) = board.sections
    assert {name: row(section, name).scores["spearman"].verdict for name in ("sure", "lucky")} == {
        "sure": "better",
        "lucky": "better",
    }
    p = norm.sf(0.01 / (sqrt(5 * 0.01) / 5))  # 0.41
    assert row(section, "sure").remarks == ()
    assert row(section, "lucky").remarks == (
        (
            "above the floor by spearman, yet its answers score as well when permuted among the"
            f" perturbations (p = {p:.2f}), so nothing shows that it knows which gene was removed"
        ),
    )
    assert "which does not mean better than the floor: sure (p < 0.001)." in section.sentence
    assert section.sentence.endswith(
        "Nothing shows that it knows which gene was removed: lucky (p = 0.41)."
    )
    assert board.answer == (f"{IMPACT}sure (skill 0.51) beats the best trivial predictor on grn.",)
    for format in ("terminal", "markdown", "html"):
        text = flat(render(board, format, **({"width": 160} if format == "terminal" else {})))
        assert "▲?" in text, format
        assert "knows which gene?" in text or "knows which gene?" in text.replace("- ", "-"), format
        assert "not above permuted: p = 0.41 (mean 0.590)" in text, format
        assert "above permuted: p < 0.001" in text.replace("&lt;", "<"), format
    rows = {
        one["predictor"]: one
        for one in csv.DictReader(io.StringIO(render(board, "csv")))
        if one["metric"] == "spearman"
    }
    assert (rows["lucky"]["permuted"], rows["own-share"]["permuted_p"]) == ("0.59", "")
    assert float(rows["lucky"]["permuted_p"]) == pytest.approx(p, rel=1e-5)


# Notes, and why nobody is ranked


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
            f"{IMPACT}mlp (skill 0.33) beats the best trivial predictor on grn. On trem2 nobody can"
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


# Variants as primary metrics


def variants(name, linked, other, role="predictor", primary=("auprc[linked]", "auprc[random]")):
    return [
        record(
            name,
            scores({primary[0]: linked, primary[1]: other}, primary=primary),
            role=role,
            seed=seed,
        )
        for seed in range(5)
    ]


def test_sentences_say_what_a_variant_is_over():
    section = only(variants("mlp", 0.7, 0.3) + variants("own-share", 0.4, 0.4, "floor"))
    assert (
        section.sentence
        == "Over linked sets of genes: mlp is above the best floor, own-share, by 0.300 [0.300,"
        " 0.300]. Over random sets of genes, above its best floor, own-share: nobody."
    )
    nobody = only(variants("mlp", 0.3, 0.5) + variants("own-share", 0.4, 0.4, "floor"))
    assert nobody.sentence.startswith(
        "Over linked sets of genes: no predictor is above the best floor, own-share. Below the"
        " floor: mlp."
    )


def test_beside_all_perturbations_no_variant_means_the_detectable_ones():
    primary = ("pearson-delta-centred", "pearson-delta-centred[all]")
    section = only(
        variants("mlp", 0.7, 0.5, primary=primary)
        + variants("own-share", 0.4, 0.4, "floor", primary=primary)
    )
    assert section.sentence.startswith("Over the detectable perturbations: mlp is above")
    assert section.sentence.endswith(
        "Over all perturbations, above its best floor, own-share: mlp."
    )
    two = ("a", "b[all]")
    section = only(
        variants("mlp", 0.7, 0.5, primary=two)
        + variants("own-share", 0.4, 0.4, "floor", primary=two)
    )
    assert section.sentence.startswith("mlp is above the best floor")
    assert section.sentence.endswith(
        "By b over all perturbations, above its best floor, own-share: mlp."
    )


def test_what_is_not_gene_specific_says_so_in_the_sentence():
    notes = ["under 5 perturbations: not gene-specific"]
    section = only(
        five("mlp", [0.6] * 5, notes=notes) + five("own-share", FLOOR, "floor", notes=notes)
    )
    assert section.sentence.endswith("Under 5 perturbations: not gene-specific.")


# Training groups


def trained(name, value, train, role="predictor", asked="bray"):
    made = scores(
        {"spearman": value, "spearman[rod]": value},
        task="transfer@1",
        asks="transfer",
        floors=("own-share",),
        notes=["n"],
    )
    found = record(
        name, made, role=role, kind="real", seed=None, dataset="retina", split=("cell-type", 0)
    )
    found["trial"]["split"]["train"] = train
    return found


def test_training_groups_have_sections_of_their_own():
    records = [trained("mlp", 0.6, "rod"), trained("mlp", 0.3, "cone")]
    records += [trained("own-share", 0.4, group, "floor") for group in ("rod", "cone")]
    board = make_board(records)
    assert [
        (section.train, row(section, "mlp").scores["spearman"].value) for section in board.sections
    ] == [("cone", 0.3), ("rod", 0.6)]
    assert [section.sentence.split(".")[0] for section in board.sections] == [
        "Trained on cone",
        "Trained on rod",
    ]
    assert [section.place for section in board.matrices[0].datasets] == [
        "retina, trained on cone",
        "retina, trained on rod",
    ]
    for format in FORMATS:
        text = flat(render(board, format))
        assert "rod" in text, format
        if format not in ("csv", "json"):
            assert "trained on rod" in text, format
    assert {one["train"] for one in csv.DictReader(io.StringIO(render(board, "csv")))} == {
        "rod",
        "cone",
    }


# Single units


def tabled():
    records = []
    for name, first, second in (("mlp", 0.3, 0.6), ("linear", 0.9, 0.05)):
        table = {
            **genes_table({"A": (0.1, first), "B": (0.4, second)}),
            "spearman": [first - 0.1, None],
        }
        records += [
            made(name, 0.6, seed=seed, table=table if seed == 0 else None) for seed in range(5)
        ]
    return records + five("own-share", FLOOR, "floor")


def test_single_units_have_a_table_of_facts_and_a_column_a_predictor():
    units = only(tabled()).units
    assert (units.unit, units.of, units.names) == ("gene", "network seed 0, one of 5", ("A", "B"))
    assert list(units.facts) == ["cells", "true", "true_low", "true_high"]
    assert {name: list(own) for name, own in units.answers.items()} == {
        key: ["predicted", "spearman"] for key in ("linear", "mlp")
    }
    assert units.answers["linear"]["predicted"] == (0.9, 0.05)


@pytest.mark.parametrize("format", ["terminal", "markdown", "html"])
def test_the_table_shows_scores_by_the_first_metric(format):
    text = flat(render(make_board(tabled()), format))
    assert "each gene, spearman (network seed 0, one of 5)" in text.replace("Each", "each")
    assert text.count("0.800") == 1  # linear on A
    if format == "markdown":
        assert "| gene | cells | true | true\\_low | true\\_high | linear | mlp |" in text
        assert "| A | 20 | 0.100 | 0.0500 | 0.150 | 0.800 | 0.200 |" in text
        assert "| B | 20 | 0.400 | 0.350 | 0.450 | - | - |" in text


def test_the_terminal_shows_single_units_of_one_data_set_only():
    other = networks("mlp", [0.6] * 5, dataset="grn:genes=50")
    assert "each gene" in render(make_board(tabled()), "terminal")
    assert "each gene" not in render(make_board(tabled() + other), "terminal")
    narrow = render(make_board(tabled()), "terminal", width=50)
    assert max(map(len, narrow.splitlines())) <= 50
    assert "not shown at this width: mlp" in flat(narrow)


def test_single_units_are_long_rows_of_csv_and_json():
    rows = list(csv.DictReader(io.StringIO(render(make_board(tabled()), "csv"))))
    units = [one for one in rows if one["unit"]]
    assert len(units) == 2 * (4 + 2 + 2)
    assert [
        one["value"]
        for one in units
        if (one["unit"], one["metric"], one["role"]) == ("B", "true", "unit")
    ] == ["0.4"]
    assert [
        one["value"]
        for one in units
        if (one["unit"], one["metric"], one["predictor"]) == ("A", "predicted", "mlp")
    ] == ["0.3"]
    assert len(json.loads(render(make_board(tabled()), "json"))["rows"]) == len(rows)


def test_units_are_matched_by_name_and_not_by_place():
    first, second = (
        genes_table({"A": (0.1, 0.3), "B": (0.4, 0.6)}),
        genes_table({"C": (0.7, 0.8), "B": (0.4, 0.2)}),
    )
    section = only(
        [
            made("mlp", 0.6, table=first),
            made("linear", 0.5, table=second),
            made("own-share", 0.4, "floor"),
        ]
    )
    assert section.units.names == ("C", "B", "A") or section.units.names == ("A", "B", "C")
    found = dict(
        zip(section.units.names, section.units.answers["linear"]["predicted"], strict=True)
    )
    assert found == {"A": None, "B": 0.2, "C": 0.8}
    assert dict(zip(section.units.names, section.units.facts["true"], strict=True)) == {
        "A": 0.1,
        "B": 0.4,
        "C": 0.7,
    }


# At a glance


def many(count, wins):
    """So many datasets; mlp is above the floor on the first few, level with it on the others."""
    records = []
    for i in range(count):
        dataset = f"grn:degree={3 + i // 8},sigma={0.05 * (1 + i % 8):.2f}"
        value = 0.7 if i < wins else 0.4
        records += networks("mlp", [value + x - 0.4 for x in FLOOR], dataset=dataset)
        records += networks("own-share", FLOOR, role="floor", dataset=dataset)
    return make_board(records)


def test_few_datasets_stand_side_by_side_more_below_each_other():
    for count, layout in (
        (FEW, "across"),
        (FEW + 1, "down"),
        (MANY, "down"),
        (MANY + 8, "grouped"),
    ):
        (matrix,) = many(count, 2).matrices
        assert layout_of(matrix) == layout
    text = render(many(FEW + 1, 2), "markdown")
    assert "| dataset | mlp | best floor |" in text
    assert "| grn degree=3 sigma=0.05 | ▲ 0.50 | own-share |" in text
    assert '<td class="soft">own-share</td>' in render(many(FEW + 1, 2), "html")


def test_many_datasets_are_summed_up_by_what_tells_them_apart():
    board = many(48, 8)
    (matrix,) = board.matrices
    groups = dict(groups_of(matrix))
    assert list(groups)[:4] == ["all 48 datasets", "degree=3", "degree=4", "degree=5"]
    assert len(groups) == 1 + 6 + 8
    assert [len(groups[name]) for name in ("all 48 datasets", "degree=3", "sigma=0.05")] == [
        48,
        8,
        6,
    ]
    found = tally(matrix, 0, groups["degree=3"])
    assert (found.better, found.same, found.worse, found.skill) == (8, 0, 0, pytest.approx(0.5))
    assert tally(matrix, 0, groups["sigma=0.4"]).better == 1
    assert "| degree=3 | ▲ 8 of 8; mean skill 0.50 |" in render(board, "markdown")
    assert "| all 48 datasets | ▲ 8, ≈ 40 of 48; mean skill 0.08 |" in render(board, "markdown")
    for format in ("terminal", "html"):
        assert "▲ 8, ≈ 40 of 48; mean skill" in render(board, format)
    assert board.answer == (
        (
            f"{IMPACT}mlp beats the best trivial predictor on 8 of 48 simulated datasets (mean"
            " skill 0.08)."
        ),
    )


def test_the_answer_stands_right_below_the_title():
    records = (
        networks("mlp", [0.7] * 5)
        + networks("linear", [0.3] * 5)
        + networks("own-share", FLOOR, role="floor")
    )
    for name, value, role in (
        ("mlp", 0.2, "predictor"),
        ("linear", 0.3, "predictor"),
        ("own-share", 0.4, "floor"),
    ):
        records += [
            record(name, scores({"spearman": value}, task="keystone@1"), role=role, seed=seed)
            for seed in range(5)
        ]
    merged = {}
    for one in records:
        trial = json.dumps(one["trial"], sort_keys=True) + one["role"]
        merged.setdefault(trial, one)["result"]["scores"].update(one["result"]["scores"])
    board = make_board(merged.values())
    assert board.answer == (
        (
            "Which genes matter most when removed (keystone): nobody beats the best trivial"
            " predictor on grn."
        ),
        f"{IMPACT}mlp (skill 0.50) beats the best trivial predictor on grn.",
    )
    lines = [line for line in render(board, "markdown").splitlines() if line]
    assert lines[1:5] == [
        (
            "Can a method predict what removing a gene does, from unperturbed cells alone? All data"
            " here are simulated (grn)."
        ),
        (
            "**▲ better than every trivial predictor, ≈ no better, ▼ worse, · not ranked or no"
            " interval to judge by**"
        ),
        (
            "- **Which genes matter most when removed (keystone):** nobody beats the best trivial"
            " predictor on grn."
        ),
        f"- **{IMPACT.strip()}** mlp (skill 0.50) beats the best trivial predictor on grn.",
    ]
    assert render(board, "terminal", width=160).splitlines()[-2:] == list(board.answer)
    page = render(board, "html")
    assert (
        page.index("</h1>")
        < page.index("better than every trivial predictor")
        < page.index("(keystone):</b> nobody")
        < page.index("Each predictor")
    )
    assert json.loads(render(board, "json"))["answer"] == list(board.answer)


def test_nobody_better_is_said():
    board = make_board(networks("mlp", [0.3] * 5) + networks("own-share", FLOOR, role="floor"))
    assert board.answer == (f"{IMPACT}nobody beats the best trivial predictor on grn.",)


def test_a_question_is_won_by_all_of_its_metrics():
    def both(name, a, b, role="predictor"):
        return [
            record(
                name,
                scores({"a": a, "b": b}, primary=("a", "b")),
                role=role,
                seed=seed,
                dataset=dataset,
            )
            for seed in range(5)
            for dataset in ("grn:genes=50", "grn:genes=60")
        ]

    board = make_board(
        both("all", 0.7, 0.7) + both("half", 0.7, 0.1) + both("own-share", 0.4, 0.4, "floor")
    )
    assert board.answer == (
        (
            f"{IMPACT}all (skill 0.50) beats the best trivial predictor on grn genes=50 by both"
            " metrics; all (skill 0.50) beats the best trivial predictor on grn genes=60 by both"
            " metrics."
        ),
    )


@pytest.mark.parametrize("value", [0.3, 0.7])
def test_a_near_null_control_is_set_apart_and_comes_last(value):
    note = "near-null: hardly any effect beyond the target"
    records = networks("mlp", [value] * 5, dataset="a") + networks(
        "own-share", FLOOR, role="floor", dataset="a"
    )
    for one in records:
        one["trial"]["dataset"]["notes"] = [note]
    board = make_board(
        [
            *records,
            *networks("mlp", [0.3] * 5, dataset="b"),
            *networks("own-share", FLOOR, role="floor", dataset="b"),
        ]
    )
    assert [section.title for section in board.sections] == ["b", "a (near-null control)"]
    who = "nobody" if value < 0.4 else "mlp, which makes it suspect"
    assert board.answer == (
        f"{IMPACT}nobody beats the best trivial predictor on b. On the near-null control a: {who}.",
    )
    assert [
        section.sentence.startswith("Near-null control: hardly any effect")
        for section in board.sections
    ] == [False, True]
    assert "| skill | b | a (near-null control) |" in render(board, "markdown")


def test_tasks_in_words_the_most_demanding_first():
    labels = ["profile@1", "mine@2", "keystone@1", "response-size@1", "response@1"]
    entries = [scores({"spearman": metric(0.5)}, label) for label in labels]
    board = make_board([record("mlp", {name: one[name] for one in entries for name in one})])
    assert [section.task for section in board.sections] == [
        "response@1",
        "response-size@1",
        "keystone@1",
        "profile@1",
        "mine@2",
    ]
    assert board.sections[-1].words == "mine@2"
    assert board.sections[2].words == "Which genes matter most when removed"


def test_no_number_stands_with_a_verdict_that_says_no_better():
    records = [
        *networks("level", [0.3, 0.5, 0.35, 0.45, 0.4]),
        *networks("good", [0.7] * 5),
        *networks("own-share", [0.4] * 5, role="floor"),
    ]
    section = only(records)
    assert glance_text(section, row(section, "level")) == "≈"
    assert glance_text(section, row(section, "good")) == "▲ 0.50"


# Records


@pytest.mark.parametrize("name", ["quick", "paper-grn"])
def test_records_without_the_newer_parts_still_make_boards(name):
    records = list(read_records(LEADERBOARDS / name))[:400]
    board = make_board(records)
    for format in FORMATS:
        assert len(render(board, format)) > 1000


def test_the_newer_parts_of_records_are_read_and_checked():
    table = {"gene": ["A"], "true": [0.1], "detectable": [True], "p": [None]}
    parts = {
        "notes": ["a"],
        "table": table,
        "points": {"what": "impact", "true": [0.1], "predicted": [1]},
    }
    good = made(
        "mlp",
        0.6,
        more={"permuted": permuted(0.0, 0.1), "ceiling": {"value": None, "draws": []}},
        **parts,
    )
    good["trial"]["split"]["train"] = "rod"
    assert fault(good) == ""
    for part, value, said in (
        (
            "table",
            {"gene": "A"},
            'result.scores.knockout-impact@1.table.gene is "A", expected a list',
        ),
        (
            "points",
            {"what": "impact", "true": ["x"], "predicted": []},
            'points.true holds "x", expected a number',
        ),
        ("notes", "no", 'notes is "no", expected a list'),
    ):
        assert said in fault(made("mlp", 0.6, **{part: value}))
    assert "permuted.p is missing" in fault(
        made("mlp", 0.6, more={"permuted": {"mean": 0.1, "sd": 0.1, "low": 0.0, "high": 0.1}})
    )
    assert (
        fault(made("mlp", 0.6, more={"permuted": None, "ceiling": None}, table=None, points=None))
        == ""
    )


def test_an_unknown_task_is_still_an_error():
    with pytest.raises(UserError, match="no record has the task"):
        make_board(tabled(), tasks=["profile"])


# What a ranking follows


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
