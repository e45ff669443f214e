"""Transfer matrices worked out by hand from made-up records, and what is written of them."""

from __future__ import annotations

import html
import io
import random
import re

import numpy as np
import pytest
from factories import make_board, metric, record, scores, transfer_matrices
from rich.console import Console
from scipy import stats

from kobench.board.numbers.intervals import Interval
from kobench.board.numbers.transfer import leave_one_out
from kobench.board.render.html.templates import environment, file_text
from kobench.board.render.html.transfer import transfer_cards
from kobench.board.render.markdown.transfer import transfer_lines
from kobench.board.render.terminal.transfer import print_transfers
from kobench.board.transfer import drop_verdict

FLOOR = {"a": {"a": 0.4, "b": 0.5}, "b": {"a": 0.6, "b": 0.2}}
MODEL = {"a": {"a": 0.3, "b": 0.4}, "b": {"a": 0.45, "b": 0.1}}


def trial(
    predictor,
    train,
    values,
    role="predictor",
    draws=None,
    best=0.0,
    split=("cell-type", 0),
    notes=(),
    counting=("masked-mean-depth",),
    **more,
):
    """The record of a model of `train`; `counting` are the task's floors.

    Parameters
    ----------
    values : dict
        Asked group -> its bray-curtis.
    draws : dict
        Asked group -> bootstrap draws of that.
    """
    side = {"direction": "higher" if best else "lower", "best": best, "low": 0.0, "high": 1.0}
    other = [value for ask, value in values.items() if ask != train]
    entries = {"bray-curtis": metric(float(np.mean(other)) if other else None, [], **side)}
    entries |= {
        f"bray-curtis[{ask}]": metric(value, (draws or {}).get(ask, ()), **side)
        for ask, value in values.items()
    }
    given = scores(
        entries,
        task="transfer@1",
        primary=("bray-curtis",),
        floors=counting,
        lines=("truth",),
        kind="profile",
        asks="transfer",
        block="cell",
        notes=list(notes),
    )
    found = record(predictor, given, role=role, split=split, **more)
    found["trial"]["split"]["train"] = train
    return found


def trials(predictor, table, **more):
    return [trial(predictor, train, values, **more) for train, values in table.items()]


def floors(table=FLOOR, **more):
    return trials("masked-mean-depth", table, role="floor", **more)


def one(records, **options):
    (matrix,) = transfer_matrices(records, **options)
    return matrix


def explained(matrix):
    return [
        [None if cell.explained is None else cell.explained.value for cell in row]
        for row in matrix.cells
    ]


def drops(matrix):
    return [
        [None if cell.drop is None else cell.drop.value for cell in row] for row in matrix.cells
    ]


@pytest.mark.parametrize("best", [0.0, 1.0])
def test_of_two_floors_each_pair_has_its_best_one(best):
    both = {"counting": ("masked-mean-depth", "masked-median-depth"), "best": best}

    def turned(table):
        return {
            train: {ask: abs(best - value) for ask, value in row.items()}
            for train, row in table.items()
        }

    # the median is better on b alone, whichever group it was trained on
    median = {"a": {"a": 0.5, "b": 0.42}, "b": {"a": 0.7, "b": 0.16}}
    matrix = one(
        floors(turned(FLOOR), **both)
        + trials("masked-median-depth", turned(median), role="floor", **both)
        + trials("mlp", turned(MODEL), **both)
    )
    assert matrix.floor == "masked-mean-depth or masked-median-depth"
    expected = [abs(best - value) for value in (0.4, 0.42, 0.6, 0.16)]
    assert np.ravel(matrix.floors) == pytest.approx(expected)
    assert np.ravel(explained(matrix)) == pytest.approx(
        [0.1 / 0.4, 0.02 / 0.42, 0.15 / 0.6, 0.06 / 0.16]
    )
    assert drops(matrix)[0][1] == pytest.approx(0.3 / 0.42)
    assert drops(matrix)[1][0] == pytest.approx(0.15 / 0.6)
    # the best floor of the pair against the best of the asked group's own
    assert matrix.floor_drop.value == pytest.approx((0.26 / 0.42 + 0.2 / 0.6) / 2)


def test_by_hand():
    matrix = one(floors() + trials("mlp", MODEL))
    # (0.4 - 0.3) / 0.4, (0.5 - 0.4) / 0.5; (0.6 - 0.45) / 0.6, (0.2 - 0.1) / 0.2
    assert explained(matrix) == [pytest.approx([0.25, 0.2]), pytest.approx([0.25, 0.5])]
    # asked for b, the model of b errs by 0.1 and that of a by 0.4: 0.3 of the floor's 0.5; the
    # other way round 0.15 of 0.6
    assert drops(matrix) == [[None, pytest.approx(0.6)], [pytest.approx(0.25), None]]
    assert (matrix.own.value, matrix.other.value, matrix.drop.value) == pytest.approx(
        (0.375, 0.225, 0.425)
    )
    assert matrix.floor_drop.value == pytest.approx((0.3 / 0.5 + 0.2 / 0.6) / 2)
    assert matrix.floors == ((0.4, 0.5), (0.6, 0.2))
    assert (matrix.groups, matrix.predictor, matrix.floor, matrix.split, matrix.metric) == (
        ("a", "b"),
        "mlp",
        "masked-mean-depth",
        "cell-type",
        "bray-curtis",
    )
    assert matrix.cells[0][1].score == pytest.approx(0.4)
    assert (matrix.own.low, matrix.cells[0][0].explained.low) == (
        None,
        None,
    )  # one network, nothing drawn inside it


def test_a_model_of_another_group_that_errs_more_never_gains():
    # against its own floor, the model of a explains 0.2 of what it is asked of b and that of b only
    # 0.1, yet it errs three times as much
    floor = {"a": {"a": 0.4, "b": 0.5}, "b": {"a": 0.6, "b": 0.15}}
    matrix = one(
        floors(floor) + trials("mlp", {"a": {"a": 0.3, "b": 0.4}, "b": {"a": 0.45, "b": 0.135}})
    )
    assert explained(matrix)[0][1] > explained(matrix)[1][1]
    assert drops(matrix)[0][1] == pytest.approx((0.4 - 0.135) / 0.5)


def test_where_higher_is_better():
    matrix = one(
        floors({"a": {"a": 0.5, "b": 0.4}, "b": {"a": 0.2, "b": 0.6}}, best=1.0)
        + trials("mlp", {"a": {"a": 0.75, "b": 0.55}, "b": {"a": 0.6, "b": 0.8}}, best=1.0)
    )
    assert explained(matrix) == [pytest.approx([0.5, 0.25]), pytest.approx([0.5, 0.5])]
    assert drops(matrix) == [[None, pytest.approx(0.25 / 0.6)], [pytest.approx(0.15 / 0.8), None]]


def over_networks(n=5, seed=0):
    """Records of n networks whose floor never changes, and the model's scores (n, 2, 2)."""
    values = np.array([[MODEL[a][b] for b in "ab"] for a in "ab"]) + np.random.default_rng(
        seed
    ).normal(0, 0.03, (n, 2, 2))
    records = [found for seed in range(n) for found in floors(seed=seed)]
    for seed, table in enumerate(values):
        records += trials(
            "mlp",
            {a: {b: table[i, j] for j, b in enumerate("ab")} for i, a in enumerate("ab")},
            seed=seed,
        )
    return records, values


def t_ends(values):
    return pytest.approx(
        stats.t.interval(0.95, len(values) - 1, np.mean(values), stats.sem(values))
    )


def ends(interval):
    return interval.low, interval.high


def test_intervals_over_networks_are_paired_and_students():
    records, values = over_networks()
    matrix = one(records)
    floor = np.array([[FLOOR[a][b] for b in "ab"] for a in "ab"])
    share = 1 - values / floor  # a constant floor, so the ratio's interval is that of a mean
    own_of_asked = values[:, [0, 1], [0, 1]][:, None, :]
    lost = (values - own_of_asked) / floor
    for a in range(2):
        for b in range(2):
            assert ends(matrix.cells[a][b].explained) == t_ends(share[:, a, b])
    assert ends(matrix.cells[0][1].drop) == t_ends(lost[:, 0, 1])
    assert ends(matrix.own) == t_ends(share[:, [0, 1], [0, 1]].mean(axis=1))
    assert ends(matrix.other) == t_ends(share[:, [0, 1], [1, 0]].mean(axis=1))
    assert ends(matrix.drop) == t_ends(lost[:, [0, 1], [1, 0]].mean(axis=1))
    assert (matrix.label, matrix.blocks, matrix.few) == ("5 networks", 5, False)
    assert {cell.done for row in matrix.cells for cell in row} == {5}


def test_a_network_that_lacks_a_trial_is_left_out_of_its_pairs():
    records, values = over_networks()
    gone = [
        found
        for found in records
        if not (
            found["role"] == "predictor"
            and found["trial"]["dataset"]["seed"] == 2
            and found["trial"]["split"]["train"] == "b"
        )
    ]
    matrix = one(gone)
    kept = [0, 1, 3, 4]
    assert [[cell.done for cell in row] for row in matrix.cells] == [[5, 5], [4, 4]]
    assert matrix.cells[1][0].explained.value == pytest.approx(1 - values[kept, 1, 0].mean() / 0.6)
    # the drop of (a, b) needs the model of b, so it rests on four networks for all that the share
    # rests on five
    assert matrix.cells[0][1].drop.value == pytest.approx(
        (values[kept, 0, 1] - values[kept, 1, 1]).mean() / 0.5
    )
    # the means are those of the matrix, their intervals over the networks that have every pair
    assert matrix.own.value == pytest.approx(np.mean([explained(matrix)[i][i] for i in range(2)]))
    share = (1 - values[kept] / np.array([[FLOOR[a][b] for b in "ab"] for a in "ab"]))[
        :, [0, 1], [0, 1]
    ].mean(axis=1)
    half = stats.t.ppf(0.975, 3) * stats.sem(share)
    assert ends(matrix.own) == pytest.approx((matrix.own.value - half, matrix.own.value + half))
    assert "2 pairs were not scored on every network" in " ".join(terminal([matrix]).split())


def test_fits_are_averaged_first():
    records = (
        floors() + trials("mlp", MODEL) + [trial("mlp", "a", {"a": 0.1, "b": 0.2}, fit_seed=1)]
    )
    assert explained(one(records))[0] == pytest.approx([1 - 0.2 / 0.4, 1 - 0.3 / 0.5])


def real(draws=None, groups="abc"):
    """Records of one real data set with three cell types, and the model's scores."""
    rng = np.random.default_rng(3)
    floor, model = rng.uniform(0.3, 0.6, (3, 3)), rng.uniform(0.1, 0.4, (3, 3))
    place = {group: i for i, group in enumerate(groups)}
    more = {"dataset": "pbmc", "seed": None, "kind": "real"}

    def table(values):
        return {a: {b: values[place[a], place[b]] for b in groups} for a in groups}

    given = {b: draws for b in groups} if draws else None
    return (
        floors(table(floor), draws=given, **more)
        + trials("mlp", table(model), draws=given, **more),
        floor,
        model,
    )


def test_means_over_real_groups_leave_one_group_out():
    records, floor, model = real()
    matrix = one(records)
    share = 1 - model / floor
    assert matrix.label == "3 cell types, left out one at a time"
    assert ends(matrix.own) == t_ends(np.diag(share))
    rest = ~np.eye(3, dtype=bool)
    assert matrix.other.value == pytest.approx(share[rest].mean())
    without = [
        share[np.ix_(keep, keep)][~np.eye(2, dtype=bool)].mean()
        for keep in ([1, 2], [0, 2], [0, 1])
    ]
    half = stats.t.ppf(0.975, 2) * np.sqrt(2 / 3 * ((without - np.mean(without)) ** 2).sum())
    assert ends(matrix.other) == pytest.approx(
        (share[rest].mean() - half, share[rest].mean() + half)
    )


def test_leave_one_out_by_hand():
    pairs = {(0, 1): 1.0, (1, 0): 1.0, (0, 2): 2.0, (2, 0): 2.0, (1, 2): 3.0, (2, 1): 3.0}
    # without 0, 1, 2 the means are 3, 2, 1, so s^2 = 2/3 * 2
    found = leave_one_out(pairs)
    assert ends(found) == pytest.approx(
        (2 - 4.302653 * (4 / 3) ** 0.5, 2 + 4.302653 * (4 / 3) ** 0.5)
    )
    assert leave_one_out({(0, 1): 1.0, (1, 0): 2.0}) == Interval(
        1.5
    )  # without either nothing is left
    assert ends(leave_one_out({(i, i): 0.5 for i in range(4)})) == (0.5, 0.5)


def test_leave_one_out_covers_where_groups_matter():
    """Rows and columns have effects of their own.

    A t interval over the pairs, as if they were independent, covers far less.
    """
    rng = np.random.default_rng(0)
    rest = ~np.eye(5, dtype=bool)
    jackknife, naive = 0, 0
    for _ in range(400):
        values = rng.normal(size=(5, 1)) + rng.normal(size=(1, 5))
        found = leave_one_out(
            {(i, j): values[i, j] for i, j in zip(*np.nonzero(rest), strict=True)}
        )
        jackknife += found.low <= 0 <= found.high
        low, high = stats.t.interval(0.95, 19, values[rest].mean(), stats.sem(values[rest]))
        naive += low <= 0 <= high
    assert naive < 340 < 368 <= jackknife <= 396


def test_single_pairs_of_real_data_have_the_draws_inside():
    rng = np.random.default_rng(0)
    around = rng.normal(0.3, 0.02, 200).tolist()
    cell = one(real(around)[0]).cells[0][1]
    assert cell.explained.low < cell.explained.value < cell.explained.high
    assert one(real()[0]).cells[0][1].explained.low is None


def test_it_is_the_skill_of_the_sections():
    """With two groups, all other groups together are the other group."""
    records, _ = over_networks()
    matrix = one(records)
    skills = {
        section.rows[0].scores["bray-curtis"].skill for section in make_board(records).sections
    }
    assert len(skills) == 2
    assert sorted(skills) == pytest.approx(
        sorted([matrix.cells[0][1].explained.value, matrix.cells[1][0].explained.value])
    )


def test_a_transfer_counts_once_a_dataset_in_the_boards_first_line():
    records, _ = over_networks()
    assert one(records).other.above
    assert make_board(records).answer == (
        (
            "Expression of cells of other types than trained on (transfer): mlp (skill 0.23)"
            " beats the best floor on grn."
        ),
    )
    records = [
        found for seed in range(3) for found in floors(seed=seed) + trials("mlp", FLOOR, seed=seed)
    ]
    assert make_board(records).answer == (
        (
            "Expression of cells of other types than trained on (transfer): nobody beats the best"
            " floor on grn."
        ),
    )


def test_who_scores_above_what_is_possible_wins_no_transfer():
    """An answer that is the truth but for a thousandth of the floor's error is a leak."""
    records, floor, model = real()
    mean = (1 - model / floor)[~np.eye(3, dtype=bool)].mean()
    more = {"dataset": "pbmc", "seed": None, "kind": "real"}
    truth = {a: {b: 1e-5 * (1 + i) for i, b in enumerate("abc")} for a in "abc"}
    records += trials("leak", truth, **more)
    board = make_board(records)
    assert [one.predictor for one in board.transfers if one.other.above] == ["leak", "mlp"]
    first, second = board.answer
    assert first.startswith("Above what is possible, so not ranked until somebody says why: leak")
    assert f": mlp (skill {mean:.2f}) beats the best floor on pbmc." in second
    (line,) = make_board(records, explained={"leak": "it is given the truth"}).answer
    assert "leak (skill 1.00) and mlp" in line


@pytest.mark.parametrize("failed", ["no value on b", "timeout"])
def test_a_fit_without_a_score_is_not_left_out_of_its_mean(failed):
    """Else a predictor could better its mean by failing where it errs most."""
    if failed == "timeout":
        other = record("mlp", status=failed, split=("cell-type", 0), fit_seed=1)
        other["trial"]["split"]["train"] = "a"
    else:
        other = trial("mlp", "a", {"a": 0.1, "b": 0.2}, fit_seed=1)
        on_b = other["result"]["scores"]["transfer@1"]["metrics"]["bray-curtis[b]"]
        on_b.update(value=None, missing=failed)
    matrix = one([*floors(), *trials("mlp", MODEL), other])
    own = None if failed == "timeout" else pytest.approx(1 - 0.2 / 0.4)
    assert explained(matrix) == [[own, None], pytest.approx([0.25, 0.5])]
    assert matrix.cells[0][1].missing


def test_what_has_no_number_says_why():
    broken = record("mlp", role="predictor", status="timeout", split=("cell-type", 0))
    broken["trial"]["split"]["train"] = "b"
    matrix = one([*floors(), trial("mlp", "a", MODEL["a"]), broken])
    assert [cell.missing for cell in matrix.cells[1]] == ["timeout", "timeout"]
    assert explained(matrix)[0] == pytest.approx([0.25, 0.2])
    assert drops(matrix) == [[None, None], [None, None]]  # there is no model of b to compare with
    assert matrix.drop is None
    assert one([*floors()[:1], *trials("mlp", MODEL)]).cells[1][0].missing == "no floor"
    assert one(floors() + trials("mlp", MODEL)[:1]).cells[1][0].missing == "not run"
    exact = {"a": {"a": 0.0, "b": 0.5}, "b": FLOOR["b"]}
    assert one(floors(exact) + trials("mlp", MODEL)).cells[0][0].missing == "floor = truth"
    silent = trial("mlp", "b", {"b": 0.1})
    assert (
        one([*floors(), trial("mlp", "a", MODEL["a"]), silent]).cells[1][0].missing
        == "not answered"
    )


def test_the_order_of_records_changes_nothing():
    records, _ = over_networks()
    records += trials("linear", FLOOR, seed=0)
    first = transfer_matrices(records)
    random.Random(0).shuffle(records)
    assert transfer_matrices(records) == first
    assert [matrix.predictor for matrix in first] == [
        "mlp",
        "linear",
    ]  # what explains most of other groups comes first


def test_which_records_belong_together():
    records = floors() + trials("mlp", MODEL)
    records += floors(dataset="pbmc", seed=None, kind="real") + trials(
        "mlp", MODEL, dataset="pbmc", seed=None, kind="real"
    )
    records += floors(split=("dataset", 0)) + trials("mlp", MODEL, split=("dataset", 0))
    plain = [record("mlp", 0.5), record("own-share", 0.4, role="floor")]
    found = transfer_matrices([*records, *plain])
    assert [(matrix.dataset, matrix.split) for matrix in found] == [
        ("grn:genes=100", "cell-type"),
        ("grn:genes=100", "dataset"),
        ("pbmc", "cell-type"),
    ]
    assert transfer_matrices(plain) == ()
    key = ("predictor", "mlp", "kobench-baselines", "1", "cpu")
    assert one(floors() + trials("mlp", MODEL), names={key: "mine"}).predictor == "mine"


def test_drop_verdicts():
    intervals = (
        None,
        Interval(0.1),
        Interval(0.1, 0.05, 0.2),
        Interval(0.1, -0.1, 0.3),
        Interval(-0.1, -0.2, -0.05),
    )
    assert [drop_verdict(interval) for interval in intervals] == ["", "", "loses", "same", "gains"]


# renderings


def terminal(matrices, width=80):
    file = io.StringIO()
    print_transfers(matrices, Console(file=file, width=width, _environ={}))
    return file.getvalue()


def wide(n=8, name="a rather long cell type, number {}"):
    rng = np.random.default_rng(0)
    groups = [name.format(i) for i in range(n)]
    floor = {a: {b: 0.5 for b in groups} for a in groups}
    model = {a: {b: rng.uniform(0.0, 1.4) for b in groups} for a in groups}
    records = [
        found
        for seed in range(5)
        for found in floors(floor, seed=seed) + trials("mlp", model, seed=seed)
    ]
    return transfer_matrices(records)


def test_eight_groups_fit_80_columns():
    (matrix,) = wide()
    text = terminal([matrix])
    assert max(map(len, text.splitlines())) <= 80
    heads = [line for line in text.splitlines() if line.split() == list("ABCDEFGH")]
    assert len(heads) == 2  # the model's grid and the floor's, each in one piece
    rows = re.findall(r"^([A-H]) .*", text, flags=re.MULTILINE)
    assert rows[:8] == list("ABCDEFGH")
    for row in matrix.cells:
        for cell in row:
            assert f"{cell.explained.value:.2f}" in text
    assert " H  a rather long cell type, number 7" in text  # names in full below


def test_more_groups_than_fit_come_in_parts():
    (matrix,) = wide(12, "type {}")
    text = terminal([matrix])
    assert max(map(len, text.splitlines())) <= 80
    grid = text[text.index("columns asked") : text.index("the floor: bray-curtis")]
    heads = [
        line.split()
        for line in grid.splitlines()
        if set(line.split()) <= set("ABCDEFGHIJKL") and line.strip()
    ]
    assert len(heads) == 2
    assert [*heads[0], *heads[1]] == list("ABCDEFGHIJKL")
    assert text.count("\n") > terminal([matrix], 200).count("\n")


def test_the_diagonal_and_the_verdicts_show_without_colour():
    records, _ = over_networks()
    text = terminal([one(records)])
    grid = text[text.index("rows trained on, columns asked") :]
    assert "▲[0." in grid
    assert "↓ 0." in grid
    assert "masked-mean-depth, the floor: bray-curtis ↓ itself" in text
    said = " ".join(text.split())
    sentence = "Trained on one cell type and asked about another: mlp (skill 0."
    assert sentence in said
    assert "is better than the best floor." in said
    assert "A model trained on the asked cell type itself has this much more skill: 0." in said
    assert "Skill: 0 is the best floor (masked-mean-depth, made of the same training" in said
    assert (
        "Intervals (95 %): of means over 5 networks, of single pairs over 5 networks"
        in " ".join(text.split())
    )


def test_one_network_is_marked_hollow():
    text = terminal(
        [
            one(
                floors(draws={"a": [0.4] * 9, "b": [0.5] * 9})
                + trials("mlp", MODEL, draws={"a": [0.3, 0.31] * 9})
            )
        ]
    )
    assert "△" in text


def test_pairs_without_an_interval_say_so():
    text = " ".join(terminal([one(real()[0])]).split())
    assert "· No interval, so no verdict." in text
    assert "over 3 cell types, left out one at a time, single pairs have none" in text
    bare = " ".join(terminal([one(floors() + trials("mlp", MODEL))]).split())
    assert "mlp (skill 0.22) can't be judged, for want of an interval." in bare
    assert "Intervals (95 %): means have none, single pairs have none" in bare
    drawn = " ".join(terminal([one(real(np.linspace(0.2, 0.3, 20).tolist())[0])]).split())
    assert "No interval" not in drawn
    assert (
        "of single pairs over the asked cells (they say nothing of other training cells)" in drawn
    )


def test_notes_of_the_task_are_shown():
    said = "each of the 2 groups trains with 40 cells, those of the smallest"
    assert said in " ".join(terminal([one(floors() + trials("mlp", MODEL, notes=[said]))]).split())


def test_markdown():
    records, _ = over_networks()
    matrix = one(records)
    lines = transfer_lines([matrix])
    tables = [line for line in lines if line.startswith("|")]
    assert {line.count(" | ") for line in tables} == {2, 3}
    text = "\n".join(lines)
    cell = matrix.cells[0][1]
    low, high = (f"{end:.2f}" for end in ends(cell.explained))
    assert f"▲ {cell.explained.value:.2f} \\[{low}, {high}\\], loss ↓ {cell.drop.value:.2f}" in text
    assert "| trained on \\\\ asked | a | b |" in text


def cards_of(matrices):
    """The matrices as the page has them."""
    parts = environment().get_template("parts.html").module
    template = environment().get_template("transfer.html")
    return "".join(template.render(card=card, parts=parts) for card in transfer_cards(matrices))


def test_names_are_escaped():
    table = {"<b>|x": {"<b>|x": 0.3, "[y]": 0.4}, "[y]": {"<b>|x": 0.2, "[y]": 0.1}}
    floor = {a: {b: 0.5 for b in table} for a in table}
    matrices = transfer_matrices(
        floors(floor, dataset="<i>", seed=None, kind="real")
        + trials("<u>", table, dataset="<i>", seed=None, kind="real")
    )
    page = cards_of(matrices)
    assert matrices[0].groups == ("<b>|x", "[y]")
    assert explained(matrices[0])[0] == pytest.approx([0.4, 0.2])
    for raw in ("<b>", "<i>", "<u>"):
        assert raw not in page
        assert html.escape(raw) in page
        assert raw not in "\n".join(transfer_lines(matrices))


def test_the_page_carries_numbers_and_marks_beside_colours():
    (matrix,) = wide()
    page = cards_of([matrix])
    plain = html.unescape(re.sub(r"<[^>]+>", " ", page))
    for a, row in enumerate(matrix.cells):
        for b, cell in enumerate(row):
            shown = f"{cell.explained.value:.2f}".replace("-", "\u2212")
            share = cell.explained.value
            mark = "≈" if abs(share) < 0.01 else "▲" if share > 0 else "▼"
            assert (f"{mark}[{shown}]" if a == b else f"{mark} {shown}") in plain
    assert len(re.findall(r'<td class="own (up|down)" style="--t:\d+"', page)) == 8
    assert len(re.findall(r'<td class="(up|down)" style="--t:\d+"', page)) == 56
    assert "table.transfer" in file_text("page.css")
