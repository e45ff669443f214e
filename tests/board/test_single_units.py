"""Training groups have sections of their own, single units a table."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from factories import genes_table, make_board, networks, record, scores
from places import REPOSITORY
from sections import flat, made, only, row, tabled

from kobench.board.render.formats import FORMATS, render
from kobench.results.records import read_records


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
    if format == "html":  # of which the page makes a table when it is opened
        (data,) = re.findall(r'<script type="application/json" id="u-s1">(.*?)</script>', text)
        heads, *columns = json.loads(data)
        assert heads == ["gene", "cells", "true", "true_low", "true_high", "linear", "mlp"]
        assert columns[:3] == [[0, "A", "B"], [1, 20, 20], [2, 0.1, 0.4]]
        assert columns[5:] == [[2, 0.8, None], [2, 0.2, None]]
        return
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


def test_values_over_all_perturbations_are_called_so_and_have_the_mean_of_that_column():
    """The primary score is over the detectable ones, whose own mean is taken out of them."""
    records = [  # of several splits the table shows the first
        record
        for record in read_records(REPOSITORY / "leaderboards" / "crispr")
        if record.trial.split.seed == 0
    ]
    section = next(one for one in make_board(records).sections if one.task.startswith("response@"))
    name = "pearson-delta-centred"
    assert [column.name for column in section.columns][:2] == [name, f"{name}-unit"]
    shown = 0
    for shown_row in section.rows:
        own = section.units.answers.get(shown_row.name, {})
        assert name not in own
        values = [value for value in own.get(f"{name}[all]", ()) if value is not None]
        if len(values) == len(section.units.names):
            assert np.mean(values) == pytest.approx(
                shown_row.scores[f"{name}[all]"].value, abs=1e-6
            )
            shown += 1
    assert shown > 3
    text = render(make_board(records), "markdown")
    assert r"each perturbation, pearson-delta-centred\[all\]" in text
    assert "each perturbation, pearson-delta-centred<" not in text
