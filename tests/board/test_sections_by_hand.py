"""What sections decide of their rows and datasets, part by part: at the edges, and by hand."""

from __future__ import annotations

import math
from dataclasses import astuple, replace
from types import SimpleNamespace

import pytest
from factories import TASK, metric, read, record, scores

from kobench.board.contests import Contest, contests_of, gain_of, transfer_contest
from kobench.board.explained import read_explained
from kobench.board.glance import (
    FEW,
    MANY,
    group_title,
    groups_of,
    in_order,
    layout_of,
    order_of,
    shown,
    tally,
)
from kobench.board.growth import (
    LEAST,
    Grown,
    best_floor,
    exponent,
    group_key,
    grown,
    growths_of,
    has_size,
)
from kobench.board.numbers.intervals import Interval
from kobench.board.numbers.series import Numbers
from kobench.board.overall import overall
from kobench.board.row import Column, Cost, Permuted, Score
from kobench.board.sections.basis import missing_basis, own_name
from kobench.board.sections.comparison import members_of, status_of
from kobench.board.sections.counted import Count, count, left_out
from kobench.board.sections.row_remarks import fits_apart, follows_abundance
from kobench.board.sections.rows import cost_of, mean_of, nothing_row, position, problems_of
from kobench.board.sections.sampled import remarks_on_draws, with_equal_events
from kobench.board.sections.seeds import network_of, seeds_of
from kobench.board.sections.units import (
    aligned_to,
    first_with,
    name_column,
    points_of,
    same_for_all,
)
from kobench.board.table import Section
from kobench.errors import UserError

# how many


def test_units_are_added_over_networks_and_said_as_a_range_over_splits():
    found = count({("a", "0"): 10, ("a", "1"): 11, ("b", "0"): 5})
    assert (found, str(found), found.each) == (Count(15, 16, 2), "15 to 16", " in each of 2 splits")
    assert count({}) == Count(0, 0, 1)
    one = count({("a", "0"): 1500})
    assert (str(one), one.each) == ("1,500", "")


def test_what_was_left_out_is_counted_in_every_slot():
    def fits(*several):
        return [SimpleNamespace(left_out=one) for one in several]

    found = left_out({("a", "0"): fits({"y": 2}, {"x": 1}), ("a", "1"): fits({}), ("b", "0"): []})
    assert list(found.items()) == [("x", Count(0, 1, 2)), ("y", Count(0, 2, 2))]
    assert left_out({}) == {}


# the basis


def test_what_is_lacking_is_named_by_role_and_in_alphabetical_order():
    rows = [
        record("mlp", 0.5, seed=0, floors=["dist/b", "a"]),
        record("b", 0.1, seed=0, role="floor"),
        record("truth", 0.9, seed=0, role="line"),
        record("mlp", 0.5, seed=1, floors=["dist/b", "a"]),
    ]
    said = missing_basis(read(rows), TASK)
    order = [said.index(word) for word in (" a, b", "gene-oracle, truth")]
    assert order == sorted(order)
    rows += [record(name, 0.1, seed=1, role="floor") for name in "ab"]
    rows += [record(name, 0.9, seed=1, role="line") for name in ("truth", "gene-oracle")]
    said = missing_basis(read(rows), TASK)
    assert " a and " in said
    assert "gene-oracle of" in said
    rows += [record("gene-oracle", None, seed=0, role="line")]
    failed = record("a", None, seed=0, role="floor", status="failed")
    assert "the floor a of" in missing_basis(read([*rows, failed]), TASK)
    rows += [record("a", 0.1, seed=0, role="floor")]
    assert missing_basis(read(rows), TASK) == ""
    assert missing_basis(read(rows[:1]), "another-task@1") == ""
    assert (own_name("dist/b"), own_name("b")) == ("b", "b")


# seeds


def seeded(seed=None, secret=None, index=0):
    hidden = None if secret is None else SimpleNamespace(commitment=secret, index=index)
    dataset = SimpleNamespace(seed=seed, secret=hidden, group="grn")
    return SimpleNamespace(trial=SimpleNamespace(dataset=dataset))


def test_seeds_of_one_source_are_said_and_of_two_refused():
    assert seeds_of([]) == seeds_of([seeded()]) == ""
    assert "(0 to 2)" in seeds_of([seeded(2), seeded(0), seeded(1), seeded(1)])
    said = seeds_of([seeded(secret="abc"), seeded(secret="abc", index=1), seeded()])
    assert "sha256=abc." in said
    assert "chosen" not in said
    assert "number 1 " in seeds_of([seeded(secret="abc", index=1)])
    for mixed in ([seeded(0), seeded(secret="x")], [seeded(secret="y"), seeded(secret="x")]):
        with pytest.raises(UserError) as refused:
            seeds_of(mixed)
        assert ("public" in str(refused.value)) == (mixed[0].trial.dataset.seed == 0)
        if "sha256=y" in str(refused.value):
            assert str(refused.value).index("sha256=x") < str(refused.value).index("sha256=y")
    names = [network_of(one.trial.dataset) for one in (seeded(7), seeded(secret="x", index=3))]
    assert (*names, network_of(seeded().trial.dataset)) == ("seed 7", "secret seed 3", "")


# drawn knockouts


def drawn(name, asked, role="predictor", seed=0, error=None):
    cell = metric(0.5) | ({} if error is None else {"sampling_error": error})
    events = None if asked is None else {"asked": asked, "of": 100}
    return record(name, scores({"spearman": cell}, events=events), role=role, seed=seed)


def test_rows_are_compared_that_were_asked_what_the_first_floor_was():
    records = read(
        [
            drawn("mlp", 5),
            drawn("one", 10, "floor"),
            drawn("two", 7, "floor"),
            drawn("linear", 10),
            drawn("all", None),
            drawn("mlp", 5, seed=1),
            record("failed", None, status="failed"),
        ]
    )
    kept, odd = with_equal_events(records, TASK)
    assert [one.trial.predictor.name for one in kept] == ["one", "linear", "mlp", "failed"]
    assert kept[2].trial.dataset.seed == 1
    assert odd == ["all", "mlp", "two"]
    kept, odd = with_equal_events(records[:1] + records[3:4], TASK)
    assert [one.trial.predictor.name for one in kept] == ["mlp"]
    assert odd == ["linear"]


def test_the_largest_error_of_a_draw_is_said_of_each_metric_that_ranks():
    numbers = Numbers(read([drawn("a", 20, error=0.01), drawn("b", 20, error=0.25)]), TASK)
    columns = [
        Column(name, 1, "higher", 1.0, None, None, True) for name in ("spearman", "unheard of")
    ]
    first, second = remarks_on_draws(numbers, columns)
    assert first.startswith("20 of 100 ")
    assert "±0.25" in second
    assert remarks_on_draws(Numbers(read([drawn("a", None)]), TASK), columns) == []


# rows


def shown_row(name, role="predictor", rank=None, status="ok", value=None):
    one = {} if value is None else {"m": Score(value)}
    return SimpleNamespace(name=name, role=role, rank=rank, status=status, scores=one)


@pytest.mark.parametrize(
    ("direction", "floors"), [("higher", ["f3", "f1", "f2"]), ("lower", ["f1", "f2", "f3"])]
)
def test_ranked_rows_come_first_then_floors_lines_and_what_failed(direction, floors):
    rows = [
        shown_row("second", rank=(2, 2)),
        shown_row("first", rank=(1, 1)),
        shown_row("f3", "floor", value=0.9),
        shown_row("f1", "floor", value=-0.2 if direction == "lower" else 0.2),
        shown_row("f2", "floor", value=0.1),
        shown_row("f0", "floor"),
        shown_row("line", "line", value=5.0),
        shown_row("z", status="failed"),
        shown_row("a", status="failed"),
        shown_row("b", "floor", status="failed"),
        shown_row("x", status="unsupported"),
        shown_row("late", status="unheard of"),
    ]
    column = SimpleNamespace(name="m", sign=1.0 if direction == "higher" else -1.0)
    order = {"first": 0, "second": 1}
    found = [row.name for row in sorted(rows, key=lambda row: position(row, order, column))]
    assert found == ["first", "second", *floors, "f0", "line", "x", "b", "a", "z", "late"]
    without = [row.name for row in sorted(rows, key=lambda row: position(row, order, None))]
    assert without[2:6] == ["f0", "f1", "f2", "f3"]


def test_what_a_row_costs_is_a_mean_of_what_is_known_and_the_most_memory():
    runs = [(1.0, None, 100.0), (3.0, 5.0, None), (None, 6.0, 300.0)]
    fits = read(
        record(
            "a", 0.5, run=dict(zip(("fit_seconds", "predict_seconds", "peak_mb"), one, strict=True))
        )
        for one in runs
    )
    assert cost_of(fits) == Cost(2.0, 5.5, 300.0)
    assert cost_of(fits[:1]) == Cost(1.0, None, 100.0)
    assert cost_of(fits[1:2]).peak_mb is None
    assert (mean_of([]), mean_of([None, 0.0])) == (None, 0.0)


def failed(seed=None, fit=0, split=0, message="why", status="failed"):
    where = {"kind": "real"} if seed is None else {}
    return record(
        "a",
        None,
        seed=seed,
        fit_seed=fit,
        split=("holdout", split),
        status=status,
        stage="fit",
        message=message,
        **where,
    )


def test_failures_of_a_kind_are_put_together_and_say_where():
    def where(*records):
        return [astuple(one)[:3] + astuple(one)[4:] for one in problems_of(read(records))]

    assert where(failed(10), failed(2), failed(1), failed(3, status="ok")) == [
        ("failed", "fit", "why", ("seed 1", "seed 2", "seed 10"))
    ]
    assert where(failed()) == [("failed", "fit", "why", ("fit seed 0",))]
    assert where(failed(split=1), failed(split=0)) == [
        ("failed", "fit", "why", ("split seed 0", "split seed 1"))
    ]
    assert where(failed(1, fit=1), failed(1, status="ok")) == [
        ("failed", "fit", "why", ("seed 1, fit seed 1",))
    ]
    assert where(failed(1, fit=1)) == [("failed", "fit", "why", ("seed 1",))]
    apart = where(failed(1), failed(2, message="else"), failed(3, status="timeout"))
    assert apart == [
        ("failed", "fit", "else", ("seed 2",)),
        ("failed", "fit", "why", ("seed 1",)),
        ("timeout", "fit", "why", ("seed 3",)),
    ]
    assert where(failed(1, status="ok")) == []


def test_doing_nothing_has_a_row_where_it_is_a_floor():
    def with_column(name, floor, reason=""):
        return Column(name, 1, "higher", 1.0, -1.0, 1.0, True, 0.0, floor=floor, reason=reason)

    columns = {
        "a": with_column("a", "doing nothing"),
        "b": with_column("b", "doing nothing", "no headroom"),
        "c": with_column("c", "own"),
    }
    (row,) = nothing_row(SimpleNamespace(columns=columns), 5, 2)
    assert (row.name, row.role, row.blocks_done, row.splits) == ("doing nothing", "floor", 5, 2)
    assert row.best_floor == ("a", "b")
    assert [(one.value, one.skill, one.skill_reason) for one in row.scores.values()] == [
        (0.0, 0.0, ""),
        (0.0, None, "no headroom"),
    ]
    assert nothing_row(SimpleNamespace(columns={"c": columns["c"]}), 5, 2) == []


@pytest.mark.parametrize(
    ("errors", "direction", "best", "far"),
    [
        ((0.1, 1.01), "lower", 0.0, True),
        ((1.01, 0.1), "lower", 0.0, True),
        ((0.1, 1.0), "lower", 0.0, False),
        ((0.1, 1.01), "higher", 0.0, False),
        ((0.1, 1.01), "lower", 1.0, False),
        ((0.1,), "lower", 0.0, False),
    ],
)
def test_fits_are_far_apart_from_more_than_tenfold_errors_on(errors, direction, best, far):
    numbers = Numbers(
        read(
            record(
                "a", scores({"spearman": metric(one, direction=direction, best=best)}), fit_seed=i
            )
            for i, one in enumerate(errors)
        ),
        TASK,
    )
    (key,) = numbers.records
    assert bool([*fits_apart(numbers, key)]) == far


@pytest.mark.parametrize(("value", "follows"), [(0.8, True), (0.79, False), (-0.9, False)])
def test_a_ranking_follows_abundance_from_a_correlation_of_08_on(value, follows):
    cells = {"spearman": 0.5, "with-abundance[raw]": value}
    numbers = Numbers(read([record("a", scores(cells))]), TASK)
    (key,) = numbers.records
    found = [*follows_abundance(numbers, key)]
    assert len(found) == follows
    assert all(f"{value:.2f}" in one and "raw" in one for one in found)


# contests


def winner(verdict="better", skill=None, difference=None, knows=True, **more):
    permuted = None if knows is None else Permuted(0.0, 0.01 if knows else 0.5, among=None)
    return Score(
        0.5, verdict=verdict, skill=skill, difference=difference, permuted=permuted, **more
    )


def test_better_is_who_is_so_by_every_metric_and_has_a_rank():
    section = SimpleNamespace(primary=[SimpleNamespace(name="a"), SimpleNamespace(name="b")])

    def row(rank=(1, 1), **found):
        return SimpleNamespace(role="predictor", rank=rank, scores=found)

    def better(section, row):
        return overall(section, row) == "better"

    assert better(section, row(a=winner(), b=winner()))
    assert better(section, row(a=winner(knows=None), b=winner()))
    assert not better(section, row(a=winner(), b=winner("same")))
    assert not better(section, row(a=winner("worse"), b=winner()))
    assert not better(section, row(a=winner(), b=winner(knows=False)))
    assert not better(section, row(a=winner()))
    assert not better(section, row(None, a=winner(), b=winner()))


def test_how_much_better_is_said_as_skill_else_as_a_difference():
    assert gain_of(winner(skill=0.254, difference=Interval(0.1))) == "skill 0.25"
    assert gain_of(winner(difference=Interval(0.1))) == "by 0.100"
    assert gain_of(winner(difference=Interval(0.000123))) == "by 0.00012"
    assert gain_of(winner()) == ""


def test_contests_are_of_sections_that_rank_above_a_floor():
    def section(task, floor="own", ranked=1, train="", primary=1, verdict="better"):
        row = SimpleNamespace(
            **{"name": "mlp", "role": "predictor", "rank": (1, 1), "suspect": False, "prior": ""},
            scores={"m": winner(verdict)},
        )
        return SimpleNamespace(
            task=task,
            ranked=[row] * ranked,
            rows=[row],
            train=train,
            place=task,
            control=False,
            primary=[SimpleNamespace(name="m", floor=floor)] * primary,
            kind="simulated",
            with_prior=[],
            of_knockouts=True,
            few=False,
        )

    clear = Interval(0.2, 0.1, 0.3)

    def matrix(predictor="mlp", other=clear, prior="", task="t"):
        return SimpleNamespace(
            task=task,
            dataset="grn:genes=5",
            split="s",
            predictor=predictor,
            other=other,
            kind="real",
            prior=prior,
            few=False,
        )

    sections = [
        section("a"),
        section("b", floor=None),
        section("c", ranked=0),
        section("d", primary=0),
        section("e", train="x"),
        section("f", verdict="same"),
    ]
    found = contests_of(sections)
    assert [one.task for one in found] == ["a", "e", "f"]
    assert [one.winners for one in found] == [["mlp"], ["mlp"], []]
    found = contests_of(sections, [matrix(), matrix("other", None), matrix("best", prior="it")])
    assert [one.task for one in found] == ["a", "f", "t"]
    last = found[-1]
    assert (last.won, last.place, last.simulated) == ({"mlp": True, "best": True}, "grn", False)
    assert (last.prior, last.skills) == ({"best"}, {"mlp": 0.2, "best": 0.2})
    assert last.among(True).won == {"best": True}
    assert last.among(False).won == {"mlp": True}
    sections[0].rows[0].suspect = True
    assert contests_of(sections, [matrix(task="a")])[-1].task == "f"
    # a tiny win counts nowhere: from 0.01 of what can be explained on
    few = [matrix("a", Interval(0.0099, 0.001, 0.02)), matrix("b", Interval(0.01, 0.001, 0.02))]
    assert transfer_contest([*few, matrix("c", Interval(0.2, -0.1, 0.5))]).winners == ["b"]
    assert Contest("t", {"z": True, "b": True, "c": False}).winners == ["b", "z"]


# at a glance


def seen(rank=None, verdict="", skill=None, hollow=False):
    return SimpleNamespace(
        **{"role": "predictor", "rank": rank, "hollow": hollow, "prior": ""},
        scores={"m": Score(0.5, verdict=verdict, skill=skill)},
    )


def of_dataset(**more):
    known = {"dataset_name": "grn", "params": {}, "train": "", **more}
    return SimpleNamespace(primary=[SimpleNamespace(name="m")], **known)


def test_predictors_are_ordered_by_wins_then_skill_then_rank_then_name():
    two = [of_dataset(), of_dataset()]

    def ordered(*rows):
        return in_order(two, rows)

    win, hollow = seen((2, 2), "better", 0.1), seen((1, 1), "better", 0.9, hollow=True)
    assert ordered({"a": hollow, "b": win}, {"a": hollow, "b": win}) == ("b", "a")
    # failing does not raise a mean: it counts as the worst skill there, 0.1
    good, fair, low = seen((1, 1), skill=0.5), seen((2, 2), skill=0.4), seen((3, 3), skill=0.1)
    assert ordered({"a": good, "b": fair, "c": low}, {"a": seen(), "b": fair, "c": low}) == (
        "b",
        "a",
        "c",
    )
    assert ordered({"a": good, "b": fair, "c": low}, {"b": fair, "c": low}) == ("b", "a", "c")
    # without any skill by the mean of the ends of ranks; no rank is the last
    assert ordered({"b": seen((1, 4)), "a": seen((3, 3))}, {}) == ("b", "a")
    assert ordered({"b": seen((1, 6)), "a": seen((3, 3))}, {}) == ("a", "b")
    assert ordered({"b": seen((1, 2)), "a": seen()}, {}) == ("b", "a")
    assert ordered({"b": seen((1, 2)), "a": seen((1, 2))}, {}) == ("a", "b")


def test_a_tally_counts_verdicts_of_ranked_rows():
    row = [
        seen((1, 1), "better", 0.5, hollow=True),
        seen((2, 2), "same", 0.1, hollow=True),
        seen((1, 2), "worse"),
        seen(None, "better", 0.9),
        None,
    ]
    matrix = SimpleNamespace(datasets=[of_dataset()] * 5, cells=[row])
    found = tally(matrix, 0, range(5))
    assert (found.better, found.same, found.worse, found.rest) == (1, 1, 1, 2)
    assert (found.skill, found.skills, found.hollow) == (pytest.approx(0.3), 2, False)
    assert tally(matrix, 0, [0, 1, 4]).hollow
    assert tally(matrix, 0, [3, 4]).skill is None


def test_how_many_datasets_are_shown_in_which_way():
    def layout(number, told_apart=True):
        sections = [of_dataset(params={"sigma": i % 2 if told_apart else 0}) for i in range(number)]
        return layout_of(SimpleNamespace(datasets=sections))

    assert (FEW, MANY) == (8, 40)
    assert [layout(number) for number in (8, 9, 40, 41)] == ["across", "down", "down", "grouped"]
    assert layout(41, told_apart=False) == "down"


def test_datasets_are_grouped_by_what_has_a_few_values():
    def groups(*params):
        return groups_of(SimpleNamespace(datasets=[of_dataset(params=one) for one in params]))

    assert groups({"s": 10.0, "n": 1}, {"s": 2.0, "n": 1}, {"s": 10.0, "n": 1}) == [
        ("all 3 datasets", [0, 1, 2]),
        ("s=2", [1]),
        ("s=10", [0, 2]),
    ]
    assert groups({"n": 1}, {"n": 1}) == []
    many = [{"n": i} for i in range(21)]
    assert len(groups(*many[:20])) == 21
    assert groups(*many) == []
    assert sorted(["b", "10", "9", "a"], key=order_of) == ["9", "10", "a", "b"]
    assert (shown(3.0), shown(0.25), shown(3)) == ("3", "0.25", "3")
    titles = [group_title(key, "v") for key in ("dataset", "trained on", "sigma")]
    assert titles == ["v", "trained on v", "sigma=v"]


# growth


def test_an_exponent_takes_three_sizes_with_times_that_say_something():
    sizes = [100, 200, 400, 800]
    assert exponent(sizes, [LEAST / 2, 4.0, 16.0, 64.0]) == pytest.approx(2.0)
    assert exponent(sizes, [LEAST / 2, None, 16.0, 64.0]) is None
    assert exponent(sizes, [LEAST, 2 * LEAST, 4 * LEAST, None]) == pytest.approx(1.0)
    assert exponent([100, 100, 200, 200], [1.0, 1.0, 2.0, 2.0]) is None


def test_a_size_is_a_whole_number_above_0():
    for value, known in (
        (1, True),
        (0, False),
        (-1, False),
        (True, False),
        (2.0, False),
        ("3", False),
    ):
        assert has_size(of_dataset(params={"genes": value}), "genes") == known
    assert not has_size(of_dataset(), "genes")


def test_what_grows_is_told_apart_by_everything_but_its_size():
    def section(genes, order=1, dataset="grn", noise=0.1, split="s", train="", primary=1):
        row = SimpleNamespace(
            scores={"m": Score(genes / 10)}, cost=Cost(float(genes), None, None), hollow=False
        )
        column = SimpleNamespace(name="m", floor="own")
        floor = SimpleNamespace(name="own", scores={"m": Score(0.5)})
        return SimpleNamespace(
            order=order,
            dataset_name=dataset,
            params={"genes": genes, "noise": noise},
            split=split,
            train=train,
            primary=[column] * primary,
            predictors={"mlp": row},
            task="t",
            floors=[floor],
            dataset=dataset,
        )

    three = [section(30), section(10), section(20)]
    (found,) = growths_of(three)
    assert (found.sizes, found.size, found.predictors) == ((10, 20, 30), "genes", ("mlp",))
    assert [cell.seconds for cell in found.cells[0]] == [10.0, 20.0, 30.0]
    assert found.floors == (("own", 0.5),) * 3
    assert found.exponents == (1.0,)
    for other in (
        section(30, order=2),
        section(30, dataset="x"),
        section(30, noise=0.2),
        section(30, split="z"),
        section(30, train="y"),
        section(30, primary=0),
        section(0),
    ):
        assert growths_of([*three[1:], other]) == ()
    assert group_key(three[0], "genes")[4] == "genes"
    three[0].primary[0].floor = None
    assert best_floor(three[0]) == ("none", None)
    assert (grown(None, "m"), Grown(None, None).seconds) == (Grown(None, None), None)
    assert Grown(None, Cost(None, 2.0, None)).seconds == 2.0
    assert Grown(None, Cost(1.0, 2.0, None)).seconds == 3.0
    assert Grown(None, Cost(None, None, 5.0)).seconds is None
    assert not math.isnan(found.cells[0][0].score.value)


# explained


def test_explanations_are_sentences_for_rows(tmp_path):
    assert read_explained(tmp_path) == {}
    path = tmp_path / "explained.toml"
    path.write_text('a = " it\\n was  given "\nb = "told"\n')
    assert read_explained(tmp_path) == {"a": "it was given", "b": "told"}
    for content, named in (('a = "  "', "a is"), ("a = 3", "a is 3"), ("a = ", "TOML")):
        path.write_text(content)
        with pytest.raises(UserError, match=named):
            read_explained(tmp_path)


# single units


def test_units_are_aligned_by_name_and_lacking_ones_are_none():
    places = {"a": 0, "b": 1, "3": 2}
    table = {"gene": ["b", 3], "x": [0.1, 0.2], "short": [7]}
    assert aligned_to(places, "gene", table) == {
        "gene": (None, "b", 3),
        "x": (None, 0.1, 0.2),
        "short": (None, 7, None),
    }


def test_a_column_is_a_fact_where_all_who_know_it_say_the_same():
    one, two = {"x": (1, None, 3), "y": (1, 2, 3)}, {"x": (None, None, 3)}
    assert same_for_all("x", [one, two]) == (1, None, 3)
    assert same_for_all("x", [one, {"x": (1, 2, 4)}]) is None
    assert same_for_all("y", [one, two]) == (1, 2, 3)  # one does not have the column
    same = {"predicted change": (1, 1), "score x": (2, 2)}
    assert same_for_all("predicted change", [same, same]) is None
    assert same_for_all("score x", [same, same]) is None


def test_the_column_of_names_is_a_known_one_or_else_of_text():
    table = {"a": [1, 2], "b": ["x", "y"], "gene": ["g", "h"], "mixed": ["x", 1], "none": []}
    assert name_column(["a", "b", "gene"], table) == "gene"
    assert name_column(["a", "mixed", "none", "b"], table) == "b"
    assert name_column(["a", "mixed", "none"], table) is None


def test_units_are_of_the_first_slot_that_has_some():
    def made(name, seed, fit, points):
        return record(name, 0.5, seed=seed, fit_seed=fit, points=points)

    def sample(what):
        return {"what": what, "true": [1.0], "predicted": [2.0]}

    numbers = Numbers(
        read(
            [
                made("a", 0, 0, None),
                made("a", 1, 0, None),
                made("a", 1, 1, sample("later")),
                made("b", 1, 0, sample("b")),
                made("b", 2, 0, sample("last")),
            ]
        ),
        TASK,
    )
    keys = sorted(numbers.records)
    slot, found = first_with(numbers, keys, lambda scores: scores.points)
    assert slot[0].endswith("seed=1")
    assert {key[1]: one.what for key, one in found.items()} == {"a": "later", "b": "b"}
    assert first_with(numbers, keys, lambda scores: scores.table) is None
    shown = points_of(numbers, {key: key[1].upper() for key in keys}, keys, True)
    assert [(one.predictor, one.what, one.true, one.predicted) for one in shown] == [
        ("A", "later", (1.0,), (2.0,)),
        ("B", "b", (1.0,), (2.0,)),
    ]
    assert shown[0].of == "network seed 1, one of 3"
    assert points_of(numbers, {}, [], True) == ()


# sections and who is in them


def listed(**more):
    def row(name, role="predictor", rank=None, status="ok", prior=""):
        return SimpleNamespace(name=name, role=role, rank=rank, status=status, prior=prior)

    rows = (
        row("b", rank=(1, 1)),
        row("k", rank=(1, 1), prior="knows"),
        row("f", "floor"),
        row("f2", "floor", status="failed"),
        row("l", "line"),
        row("x", status="failed"),
        row("y"),
        row("l2", "line", status="unsupported"),
    )
    known = {
        "dataset": "d",
        "dataset_name": "d",
        "dataset_version": "1",
        "short": "d",
        "split": "s",
        "task": "t",
        "columns": (),
        "rows": rows,
        "blocks": 1,
        "label": "",
        "kind": "simulated",
    }
    return Section(**{**known, **more})


def names(rows):
    return [row.name for row in rows]


def test_rows_of_a_section_by_what_became_of_them():
    section = listed()
    assert names(section.ranked) == ["b", "k"]
    assert (names(section.from_cells), names(section.with_prior)) == (["b"], ["k"])
    assert (names(section.floors), names(section.lines)) == (["f"], ["l"])
    assert [*section.predictors] == ["b", "k", "x", "y"]
    assert (names(section.unrankable), names(section.unranked)) == ([], ["f2", "x", "y", "l2"])
    nobody = listed(unranked_reason="why")
    assert names(nobody.unrankable) == ["b", "k", "y"]
    assert names(nobody.unranked) == ["f2", "x", "l2"]


def test_what_a_section_says_of_itself():
    columns = tuple(
        Column(name, 1, "higher", 1.0, None, None, name in ("b", "c")) for name in "abcdef"
    )
    assert [one.name for one in listed(columns=columns).leading] == ["b", "c"]
    other = tuple(replace(one, primary=False) for one in columns)
    leading = [one.name for one in listed(columns=other).leading]
    assert leading == [*"abcdef"][: len(leading)] != []
    assert (listed().few, listed(blocks=2).few, listed(kind="real").few) == (True, False, False)
    assert (listed().place, listed(train="A").place) == ("d", "d, trained on A")
    control = listed(near_null="why")
    assert control.control
    assert not replace(control, of_knockouts=False).control
    assert not listed().control
    assert (listed().words, listed(says="what").words) == ("t", "what")
    assert sorted([(listed(demand=1.0).order), (listed(demand=5.0).order)])[0][0] == -5.0


@pytest.mark.parametrize(
    ("role", "name", "status", "asks", "member"),
    [
        ("predictor", "p", "ok", {"singles": "q"}, True),
        ("predictor", "p", "ok", {"profile": "q"}, False),
        ("predictor", "p", "ok", {}, True),
        ("predictor", "p", "failed", {"profile": "q"}, True),
        ("floor", "own", "failed", {}, True),
        ("floor", "other", "failed", {}, False),
        ("floor", "own", "ok", {}, False),
        ("line", "truth", "failed", {}, True),
        ("line", "own", "failed", {}, False),
        ("line", "truth", "ok", {}, False),
    ],
)
def test_who_has_a_row_where_others_have_scores(role, name, status, asks, member):
    document = record(name, None, role=role, status=status)
    document["keys"]["questions"] = asks
    example = record("mlp", 0.5, floors=["own"])
    one, scored = read([document, example])
    assert (one in members_of([one, scored], TASK)) == member
    assert members_of([one], TASK) == [one]  # nobody has scores
    assert scored in members_of([one, scored], TASK)


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([(0, 0.5, "ok"), (1, 0.5, "ok")], "ok"),
        ([(0, 0.5, "ok"), (1, None, "failed")], "failed"),
        ([(0, None, "timeout"), (1, None, "failed")], "failed"),
        ([(0, None, "timeout"), (1, None, "timeout"), (2, None, "failed")], "timeout"),
        ([(0, 0.5, "ok")], "incomplete"),
        ([(0, 0.5, "ok"), (1, None, "ok")], "incomplete"),
        ([(0, None, "ok"), (1, None, "ok")], "not answered"),
    ],
)
def test_what_became_of_a_row(rows, status):
    other = [record("other", 0.1, seed=seed) for seed in (0, 1)]
    numbers = Numbers(
        read([*other, *(record("mlp", value, seed=s, status=one) for s, value, one in rows)]), TASK
    )
    (key,) = [key for key in numbers.records if key[1] == "mlp"]
    values = {"spearman": numbers.measure(key, "spearman")}
    assert status_of(numbers, key, values) == status


@pytest.mark.parametrize(
    ("missing", "status"),
    [("the metric failed", "incomplete"), ("none", "ok")],
)
def test_a_row_without_a_value_on_one_network_is_incomplete(missing, status):
    cell = metric(None, missing=missing, nothing=0.0)
    rows = [record("other", 0.1, seed=seed) for seed in (0, 1)]
    rows += [record("mlp", 0.5, seed=0), record("mlp", scores({"spearman": cell}), seed=1)]
    numbers = Numbers(read(rows), TASK)
    (key,) = [key for key in numbers.records if key[1] == "mlp"]
    assert status_of(numbers, key, {"spearman": numbers.measure(key, "spearman")}) == status
