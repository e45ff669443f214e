"""What was scored on few networks is told apart, and wins nothing."""

from __future__ import annotations

import re

import pytest
from factories import make_board, networks, record
from sections import floors, only, row, score, with_draws

from kobench.board.headline import headline_of


def drawn(name, value, count, role="predictor", dataset="grn:genes=100"):
    """Simulated networks whose genes were drawn again."""
    return [
        with_draws(name, value, role, seed, "simulated", dataset, shared=seed)
        for seed in range(count)
    ]


@pytest.mark.parametrize(("count", "here"), [(1, "on this network"), (2, ""), (5, "")])
def test_the_sentence_says_on_how_few_networks(count, here):
    floor = drawn("own-share", 0.4, count, "floor")
    better, level = only(drawn("mlp", 0.7, count) + floor), only(drawn("own", 0.4, count) + floor)
    assert score(better, "mlp").verdict == "better"
    assert row(better, "mlp").hollow == (count == 1)
    assert better.few == (count == 1)
    assert re.search(rf"by 0\.300 \[[-0-9., ]+\]{here and ' '}{here}\.", better.sentence)
    assert level.sentence.startswith(
        f"No predictor is better than the best floor, own-share{here and ', '}{here}."
    )
    bare = only(drawn("mlp", 0.7, count))
    assert bare.sentence.startswith(f"mlp comes first{here and ' '}{here}.")


@pytest.mark.parametrize(("counts", "said"), [((1, 1), True), ((1, 5), False), ((5, 5), False)])
def test_the_verdict_is_of_one_network_only_where_every_question_is(counts, said):
    records = []
    for place, count in enumerate(counts):
        dataset = f"grn:genes={50 + place}"
        records += drawn("own-share", 0.4, count, "floor", dataset)
        records += drawn("mlp", 0.7, count, dataset=dataset)
    verdict = headline_of(make_board(records).sections).text
    assert "mlp beats" in verdict
    assert ("one network only, which says nothing of others" in verdict) == said


def test_real_cells_and_rows_on_few_of_many_networks():
    assert not row(
        only([with_draws("mlp", 0.55), with_draws("own-share", 0.5, "floor")]), "mlp"
    ).hollow
    section = only(
        floors()
        + networks("mlp", [0.6] * 5)
        + networks("partly", [0.9])
        + networks("half", [0.9] * 2)
    )
    assert [row(section, name).hollow for name in ("mlp", "half", "partly")] == [False, False, True]
    assert not section.few


def test_few_networks_win_nothing_at_a_glance_and_skill_orders_ties():
    values = {  # on one, one and five networks; the floor has 0.4
        "few": (0.9, 0.9, 0.4),  # wins on one network only, which counts for none
        "many": (0.38, 0.38, 0.45),  # one win that counts
        "calm": (0.2, 0.2, 0.2),
        "bold": (0.3, 0.3, -0.9),  # above calm twice, but by its mean skill below
        "even": (0.33, 0.33, 0.33),  # skill -0.07 / 0.6 = -0.117
        "broke": (0.35, None, 0.35),  # -0.083, and calm's -0.333 where it failed: -0.167 in mean
    }
    records = []
    for i, (dataset, count) in enumerate(
        (("grn:genes=50", 1), ("grn:genes=60", 1), ("grn:genes=70", 5))
    ):
        records += drawn("own-share", 0.4, count, "floor", dataset)
        for name, cells in values.items():
            value = cells[i]
            records += drawn(name, value, count, dataset=dataset) if value is not None else []
    records.append(
        record("broke", dataset="grn:genes=60", status="failed", stage="fit", message="x")
    )
    (matrix,) = make_board(records).matrices
    wins = {
        name: [
            one is not None and one.rank is not None and one.scores["spearman"].verdict == "better"
            for one in cells
        ]
        for name, cells in zip(matrix.predictors, matrix.cells, strict=True)
    }
    assert (wins["few"], wins["many"]) == ([True, True, False], [False, False, True])
    assert matrix.predictors == ("many", "few", "even", "broke", "calm", "bold")
