"""Boards of cells that belong together: how many groups are drawn, and what so few are worth."""

from __future__ import annotations

import numpy as np
import pytest
from command import kobench
from factories import metric, record, scores, transfer_matrices
from sections import only, row

DRAWS = [float(one) for one in np.random.default_rng(0).normal(0.4, 0.05, 300)]


def tissue(groups=6, worth=6.0, split=0, name="mlp", draws=DRAWS, **entry):
    """A record of a dataset of donors; the best floor has 0.2."""
    whole = {
        "asks": "profile",
        "kind": "profile",
        "block": "group",
        "blocks": groups,
        "groups": {"column": "donor", "worth": worth},
    }
    found = record(
        name,
        scores({"spearman": metric(0.4, draws=draws)}, **{**whole, **entry}),
        dataset="tissue",
        seed=None,
        kind="real",
        split=("holdout", split),
    )
    return found


def interval(records):
    score = row(only(records), "mlp").scores["spearman"]
    return None if score.low is None else score.high - score.low


def test_a_section_says_how_many_groups_are_drawn():
    section = only([tissue()])
    assert section.label == "6 groups of cells (donor)"
    said = [one for one in section.remarks if "donor" in one]
    assert said == [
        "intervals draw 6 groups of cells (donor), and cells inside them; so few say little:"
        " intervals are 1.3 times as wide as they would be if the spread between groups were known"
    ]
    many = [one for one in only([tissue(30, 28.0)]).remarks if "donor" in one]
    assert many == [
        "intervals draw 30 groups of cells (donor), and cells inside them; they differ in size and"
        " are worth 28.0 of one size"
    ]


def test_fewer_groups_have_wider_intervals_and_one_has_none():
    widths = [interval([tissue(groups, float(groups))]) for groups in (2, 3, 5, 10, 30)]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 5 * widths[-1]
    # ten groups of which one has nearly all cells are not ten
    assert interval([tissue(10, 2.0)]) == pytest.approx(widths[0])
    assert interval([tissue(1, None, draws=())]) is None
    (said,) = [one for one in only([tissue(1, None, draws=())]).remarks if "donor" in one]
    assert said.startswith("all asked cells are of one group (donor), which says nothing of other")
    (said,) = [one for one in only([tissue(9, None, draws=())]).remarks if "donor" in one]
    assert said.endswith("most cells are of one group, so there is no interval")


def test_more_splits_of_the_same_donors_make_no_interval_narrower():
    one = interval([tissue(2, 2.0)])
    rng = np.random.default_rng(1)
    several = []
    for split in range(9):
        draws = [float(each) for each in rng.normal(0.4, 0.05, 300)]
        several.append(tissue(2, 2.0, split=split, draws=draws))
    assert interval(several) == pytest.approx(one, rel=0.15)
    assert any(
        "2 groups of cells (donor) in each of 9 splits" in one for one in only(several).remarks
    )


def test_draws_of_perturbations_say_that_they_are_of_these_donors_alone():
    found = tissue(11, None, block="perturbation", asks="response")
    del found["result"]["scores"]["knockout-impact@1"]["groups"]
    found["schema"] = 2
    found["about"] = {
        "dataset": {"near_null": "", "params": [], "groups": {"column": "donor", "count": 4}},
        "tasks": {},
    }
    (said,) = [one for one in only([found]).remarks if "donor" in one]
    assert said == (
        "groups of cells (donor) are on one side of the split each; intervals are over"
        " perturbations in these 4 groups, and say nothing of others"
    )


def transfers(worth):
    """The matrix of a model on two cell types, drawn by cells (None) or by groups worth so many."""
    rng = np.random.default_rng(2)
    records = []
    for predictor, role, level in (("mlp", "predictor", 0.3), ("masked-mean", "floor", 0.5)):
        for train in ("cone", "rod"):
            side = {"direction": "lower", "best": 0.0, "low": 0.0, "high": 1.0}
            entries = {"bray-curtis": metric(level, [], **side)}
            for ask in ("cone", "rod"):
                drawn = [float(one) for one in rng.normal(level, 0.01, 300)]
                entries[f"bray-curtis[{ask}]"] = metric(level, drawn, **side)
            given = scores(
                entries,
                task="transfer@1",
                primary=("bray-curtis",),
                floors=("masked-mean",),
                kind="profile",
                asks="transfer",
                block="cell" if worth is None else "group",
                **({} if worth is None else {"groups": {"column": "donor", "worth": worth}}),
            )
            made = record(
                predictor, given, role=role, dataset="tissue", seed=None, kind="real",
                split=("cell-type", 0),
            )  # fmt: skip
            made["trial"]["split"]["train"] = train
            records.append(made)
    (matrix,) = transfer_matrices(records)
    return matrix


def test_transfers_between_cell_types_have_the_intervals_of_their_donors():
    def widths(matrix):
        return [cell.explained.high - cell.explained.low for row in matrix.cells for cell in row]

    by_cells, of_two, of_many = (widths(transfers(worth)) for worth in (None, 2.0, 500.0))
    assert of_many == pytest.approx(by_cells, rel=0.02)
    assert min(two / one for two, one in zip(of_two, by_cells, strict=True)) > 5
    assert transfers(2.0).label == "the cells (by donor) of these 2 cell types"
    assert transfers(None).label == "the cells of these 2 cell types"
    none = [cell.explained.low for row in transfers(1.0).cells for cell in row]
    assert none == [None] * 4


@pytest.fixture
def donors(make_adata, tmp_path):
    """A card of 200 wild-type cells of ten donors, in two batches."""
    adata = make_adata(n=200, genes=25)
    adata.obs["donor"] = [f"d{i % 10}" for i in range(200)]
    adata.write_h5ad(tmp_path / "tissue.h5ad")
    kobench(
        *("datasets", "add", tmp_path / "tissue.h5ad", "--name", "tissue"),
        *("--perturbation-key", "none", "--batch-key", "batch", "--group-key", "donor"),
        *("--to", tmp_path / "cards"),
    )
    return tmp_path / "cards"


def test_from_the_command_to_the_board(donors, tmp_path):
    out = tmp_path / "out"
    kobench("run", "-d", "tissue", "-t", "profile", "--datasets", donors, "--out", out)
    board = kobench("board", out, "--format", "markdown").stdout
    assert "2 groups of cells (donor)" in board
    from kobench.results.records import read_records

    records = read_records(out)
    floor = next(one for one in records if one.role == "floor")
    scored = next(iter(floor.result.scores.values()))
    assert (scored.block, scored.blocks, scored.groups.worth) == ("group", 2, 2.0)
    about = floor.about.dataset
    assert (about.groups.column, about.groups.count, about.replicate_key) == ("donor", 10, None)
