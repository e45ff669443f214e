"""The runner of the benchmarks with made-up rows: found, chosen, measured apart, merged, shown; no
times are asserted.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import __main__ as command
from benchmarks import curves_of_harness, growth, limits, machine, results, run, table
from benchmarks.growth import Curve, Work, exponent, fractions
from benchmarks.measure import Finding, Row, ratio, turn_by_turn
from benchmarks.results import Kept, Result
from kobench.api import Knockouts
from kobench.builtin.datasets.grn.dynamics import Solver

FAKE = """
import os
from benchmarks.measure import Finding, Row, Skipped

def skip(runs):
    raise Skipped("no such thing here")

def fail(runs):
    raise ValueError("broken | in two")

ROWS = [
    Row("met", "fast work", "slow work", lambda runs: Finding(
        [4.0, 2.0, 3.0][:runs], 3.0, "x", facts=[f"{runs} runs", "equal to 1e-9"])),
    Row("not-met", "too slow", "slow work", lambda runs: Finding(
        [2.0], 3.0, "x", seconds=[1.0], plain_seconds=[2.0])),
    Row("lower", "start", "", lambda runs: Finding([0.2], 0.3, "s", lower=True)),
    Row("absent", "needs a GPU", "", skip),
    Row("broken", "raises", "", fail),
    Row("dies", "kills its process", "", lambda runs: os._exit(3)),
]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = tmp_path / "rows"
    rows.mkdir()
    (rows / "__init__.py").write_text("")
    (rows / "fake.py").write_text(FAKE)
    (rows / "another.py").write_text("import not_installed_anywhere\nROWS = []\n")
    return rows


@pytest.fixture
def kept_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command uses the made-up rows, no curves, and a folder of its own."""
    real = run.known_rows
    monkeypatch.setattr(run, "known_rows", lambda: real(folder))
    monkeypatch.setattr(growth, "known_curves", list)
    monkeypatch.setattr(command, "KEPT", folder / "results.json")
    monkeypatch.setattr(command, "SHOWN", folder / "RESULTS.md")
    return folder


def measured(
    name: str,
    reached: tuple[float, ...] = (4.0, 2.0, 3.0),
    target: float = 3.0,
    unit: str = "x",
    **more: object,
) -> Result:
    here = {"processor": "P", "cores": "2"}
    about = {"date": "2026-01-01 00:00 UTC", "machine": here, "command": "c", **more}
    return Result(name, "work", "plain", "measured", "", reached, target, unit, **about)  # type: ignore[arg-type]


def test_the_real_rows_can_be_found() -> None:
    known = run.known_rows()
    names = [row.name for _, row in known]
    assert len(names) == len(set(names)), "two rows of one name"
    for file, row in known:
        assert "can't be imported" not in row.work, file.name


def test_rows_are_found_and_a_file_that_cannot_be_imported_is_one_that_fails(folder: Path) -> None:
    known = run.known_rows(folder)
    assert [row.name for _, row in known] == [
        "another",
        "met",
        "not-met",
        "lower",
        "absent",
        "broken",
        "dies",
    ]
    with pytest.raises(ModuleNotFoundError):
        known[0][1].measure(1)


def test_rows_are_chosen_by_their_name_or_their_file(folder: Path) -> None:
    known = run.known_rows(folder)
    assert [row.name for _, row in run.chosen(known, ["lower", "met"])] == ["met", "lower"]
    assert len(run.chosen(known, ["fake"])) == 6
    assert len(run.chosen(known, [])) == 7
    with pytest.raises(ValueError, match="no row is named 'mett'; there are: absent, another"):
        run.chosen(known, ["mett"])


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("met", "measured", ""),
        ("absent", "skipped", "no such thing here"),
        ("broken", "failed", "ValueError: broken | in two"),
        ("dies", "failed", "its process died"),
        ("another", "failed", "ModuleNotFoundError"),
    ],
)
def test_whatever_becomes_of_a_row_there_is_a_result(
    folder: Path, name: str, status: str, reason: str
) -> None:
    (result,) = run.measure_rows(run.chosen(run.known_rows(folder), [name]), 2, "the command")
    assert (result.name, result.status) == (name, status)
    assert result.reason.startswith(reason)
    assert result.command == "the command"
    assert result.machine["cores"] == str(os.cpu_count())
    if status == "measured":
        assert list(result.reached) == [4.0, 2.0]
        assert list(result.facts) == ["2 runs", "equal to 1e-9"]


def test_a_row_runs_in_a_process_of_its_own() -> None:
    assert run.in_a_child(os.getpid) != os.getpid()


@pytest.mark.parametrize(
    ("reached", "target", "lower", "met"),
    [
        ((4.0, 2.0, 3.0), 3.0, False, True),
        ((4.0, 2.0, 2.9), 3.0, False, False),
        ((0.2,), 0.3, True, True),
        ((0.4,), 0.3, True, False),
    ],
)
def test_met_or_not_is_by_the_median(
    reached: tuple[float, ...], target: float, lower: bool, met: bool
) -> None:
    assert Finding(reached, target, "x", lower).met is met
    result = measured("one", reached, target, lower=lower)
    assert result.met is met
    assert table.cells(result)[-1] == ("yes" if met else "no")


def test_what_was_not_measured_is_not_met() -> None:
    assert Result("a", "w", "", "skipped", "why").met is None
    assert math.isnan(Result("a", "w", "", "failed", "why").median)
    assert table.cells(Result("a", "w", "", "skipped", "why"))[4:] == ("skipped", "", "", "")
    assert table.cells(Result("a", "w", "", "failed", "why"))[-1] == "no"


def test_the_line_of_a_row() -> None:
    row = measured("one", (4.0, 2.0, 3.0), 2.5, seconds=(0.5, 0.1, 0.2), plain_seconds=(2.0, 1.0))
    assert table.cells(row) == (
        "work",
        "plain",
        "1.50",
        "0.200",
        "3.00x",
        "2.00-4.00x",
        "at least 2.50x",
        "yes",
    )


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0, "s", "0 s"),
        (123.4, "x", "123x"),
        (9.996, "x", "10.0x"),
        (-1.5, "", "-1.50"),
        (2_000_000, "events/s", "2,000,000 events/s"),
    ],
)
def test_figures_are_short(value: float, unit: str, shown: str) -> None:
    assert table.short(value, unit) == shown


def test_results_survive_the_file(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    kept = Kept(
        {"a": measured("a", facts=("x", "y")), "b": Result("b", "w", "", "skipped", "why")},
        {"curve": {"status": "failed"}},
    )
    results.write(file, kept)
    again = results.read(file)
    assert again.rows["a"].__dict__ | {"load": 0} == kept.rows["a"].__dict__ | {"load": 0}
    assert math.isnan(again.rows["a"].load)
    assert math.isnan(again.rows["b"].target)
    assert again.growth == {"curve": {"status": "failed"}}
    assert table.cells(again.rows["b"]) == table.cells(kept.rows["b"])
    assert results.read(tmp_path / "none.json") == Kept()
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"format": 0}))
    with pytest.raises(ValueError, match="format 0, expected 1; remove it"):
        results.read(tmp_path / "results.json")


def test_one_row_measured_again_leaves_the_others() -> None:
    old = Kept(
        {"b": measured("b", (1.0,)), "gone": measured("gone"), "a": measured("a", (1.0,))},
        {"old": 1},
    )
    new = old.merged(
        [replace(measured("b", (9.0,)), date="later")],
        {"curve": 2},
        ["a", "b", "c"],
        ["curve", "old"],
    )
    assert list(new.rows) == ["a", "b", "gone"]
    assert (new.rows["b"].median, new.rows["b"].date, new.rows["a"].median) == (9.0, "later", 1.0)
    assert list(new.growth) == ["curve", "old"]
    rest = new.without_others(["a", "b", "c"], ["curve"])
    assert (list(rest.rows), list(rest.growth)) == (["a", "b"], ["curve"])


def test_the_page_says_each_row_with_its_date_and_each_machine_once() -> None:
    rows = [
        measured("a", facts=("equal",)),
        measured("b", machine={"processor": "Q"}, command="d", date="2026-02-02 00:00 UTC"),
        replace(measured("c", load=1.5), work="p | q"),
        Result("x", "w", "", "skipped", "no GPU here", machine={"processor": "Q"}, command="d"),
    ]
    text = table.markdown(Kept({row.name: row for row in rows}))
    assert text == table.markdown(Kept({row.name: row for row in rows}))
    assert "**`b`** (2026-02-02 00:00 UTC, 3 runs)" in text
    assert "load average 1.50 at its start" in text
    assert "- no GPU here" in text
    assert "p \\| q" in text
    assert text.count("- processor: ") == 2
    assert "Of `a`, `c`:" in text
    assert "Of `b`, `x`:" in text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(table.COLUMNS) + 2}


def test_the_command_prints_keeps_and_fails_where_a_row_fails(kept_at: Path) -> None:
    done = CliRunner().invoke(
        command.main, ["--only", "met", "--only", "absent", "--runs", "1", "--write"]
    )
    assert done.exit_code == 0, done.output
    assert "met: equal to 1e-9" in done.output
    assert "absent: no such thing here" in done.output
    assert list(results.read(kept_at / "results.json").rows) == ["met", "absent"]
    first = (kept_at / "RESULTS.md").read_text()

    done = CliRunner().invoke(command.main, ["--only", "broken", "--write"])
    assert done.exit_code == 1, done.output
    assert list(results.read(kept_at / "results.json").rows) == ["met", "absent", "broken"]
    assert "ValueError: broken" in (kept_at / "RESULTS.md").read_text()

    done = CliRunner().invoke(command.main, ["--only", "not-met"])
    assert done.exit_code == 0, done.output
    assert "not-met" not in (kept_at / "RESULTS.md").read_text() != first


def test_the_whole_command_runs_every_row_and_forgets_those_that_are_gone(kept_at: Path) -> None:
    results.write(kept_at / "results.json", Kept({"gone": measured("gone")}))
    done = CliRunner().invoke(command.main, ["--write", "--runs", "1"])
    assert done.exit_code == 1, done.output
    kept = results.read(kept_at / "results.json")
    assert {name: row.status for name, row in kept.rows.items()} == {
        "another": "failed",
        "met": "measured",
        "not-met": "measured",
        "lower": "measured",
        "absent": "skipped",
        "broken": "failed",
        "dies": "failed",
    }


def test_unknown_names_are_wrong_usage(kept_at: Path) -> None:
    for arguments in (["--only", "nothing"], ["--curve", "nothing"]):
        done = CliRunner().invoke(command.main, arguments)
        assert done.exit_code == 2
        assert "'nothing'" in done.output


def test_rows_and_curves_are_listed(kept_at: Path) -> None:
    done = CliRunner().invoke(command.main, ["--list"])
    assert done.exit_code == 0
    assert "too slow" in done.output


def test_plain_and_fast_take_turns() -> None:
    calls: list[str] = []
    slow, quick = turn_by_turn(lambda: calls.append("plain"), lambda: calls.append("fast"), 3)
    assert calls == ["plain", "fast"] * 3
    assert (len(slow), len(quick)) == (3, 3)


def test_a_part_of_the_plain_work_counts_as_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "benchmarks.measure.turn_by_turn", lambda plain, fast, runs: ([1.0, 2.0], [0.5, 0.5])
    )
    found = ratio(lambda: None, lambda: None, 2, target=20.0, part=0.1)
    assert list(found.plain_seconds) == [10.0, 20.0]
    assert list(found.reached) == [20.0, 40.0]
    assert found.met


def test_the_exponent_of_a_power_law_is_found() -> None:
    assert exponent(
        [10, 20, 40, 80], [3e-6 * size**1.5 for size in (10, 20, 40, 80)]
    ) == pytest.approx(1.5)
    assert exponent([1, 2], [0.5, 0.5]) == pytest.approx(0)


LIMITS = limits.Limits({2**19: 8e9, 2**22: 4e9, 2**28: 1e9}, 2e9, 1e11, 5e10, 2e11, 1e11, 1e-6, 2)


def test_fractions_are_of_the_limit_that_applies() -> None:
    work = Work(seconds=2.0, operations=1e11, moved=2e9, held=2**20, idle=0.5, kind="float32")
    assert fractions(work, LIMITS) == pytest.approx(
        {"arithmetic": 0.5, "memory": 0.125, "calls": 0.25}
    )
    assert fractions(replace(work, kind="float64", held=0.0), LIMITS) == pytest.approx(
        {"arithmetic": 1.0, "memory": 1.0, "calls": 0.25}
    )
    assert fractions(Work(1.0), LIMITS) == {}


def test_bandwidth_is_that_of_the_cache_which_holds_the_bytes() -> None:
    assert [LIMITS.bandwidth(held) for held in (1, 2**20, 2**20 + 1, 2**23, 2**24, math.inf)] == [
        8e9,
        8e9,
        4e9,
        4e9,
        1e9,
        1e9,
    ]


def test_the_limits_are_measured_whatever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SIDE", 16)
    assert limits.product("float32", 1) > 0
    assert limits.copies(2**10, 2) > 0
    assert limits.numpy_call() > 0


def test_curves_are_measured_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    square = Curve(
        "square",
        "work | play",
        "genes",
        [1, 2, 4],
        2,
        "because",
        lambda size: Work(size**2 * 1.0, operations=4e10, idle=0.5),
    )
    broken = Curve(
        "broken", "work", "cells", [1, 2], 1, "because", lambda size: Work(1 / (size - 1))
    )
    monkeypatch.setattr(growth, "known_curves", lambda: [square, broken])
    found = growth.curve_here("square", LIMITS)
    assert found["exponent"] == pytest.approx(2)
    assert found["fractions"] == pytest.approx({"arithmetic": 0.05, "calls": 0.5 / 16})
    assert growth.curve_here("broken", LIMITS)["reason"] == "ZeroDivisionError: division by zero"
    monkeypatch.setattr(
        growth, "in_a_child", lambda work, *given: work(*given) if given else LIMITS
    )
    grown = json.loads(json.dumps(dict(growth.measure_curves([square, broken], "the command"))))
    text = "\n".join(growth.markdown(grown))
    assert (
        "| `square` | work \\| play | genes | 1, 2, 4 | 1, 4, 16 | 2 | 2.00 | 2.00 | 5% |  | 3% |"
        in text
    )
    assert "failed: ZeroDivisionError" in text
    assert "Limits measured just before:" in text
    assert list(growth.markdown({})) == []


def test_the_machine_is_described() -> None:
    found = machine.machine()
    assert {
        "processor",
        "cores",
        "memory",
        "caches",
        "GPU",
        "system",
        "Python",
        "packages",
        "threads",
    } == set(found)
    assert all(found.values())
    assert "numpy" in found["packages"]
    assert machine.version_of("no-such-distribution-anywhere") == ""


def test_caches_are_read_as_linux_lists_them(tmp_path: Path) -> None:
    for index, (level, kind, size) in enumerate(
        [("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "1280K")]
    ):
        place = tmp_path / f"index{index}"
        place.mkdir()
        for name, value in (("level", level), ("type", kind), ("size", size)):
            (place / name).write_text(value + "\n")
    assert machine.caches(tmp_path) == "L1 48 KiB, L2 1.25 MiB"
    assert machine.caches(tmp_path / "none") == ""


def test_a_row_is_what_the_rows_of_the_folder_are() -> None:
    assert all(isinstance(row, Row) for _, row in run.known_rows())


def test_curves_have_names_of_their_own_and_sizes_that_grow() -> None:
    curves = growth.known_curves()
    assert len({curve.name for curve in curves}) == len(curves)
    for curve in curves:
        assert list(curve.sizes) == sorted(set(curve.sizes)), curve.name
        assert len(curve.sizes) >= (2 if curve.axis == "jobs" else 4), curve.name


def test_each_piece_of_the_harness_is_measured_at_a_small_size() -> None:
    for work in (
        curves_of_harness.simulated(20, 30),
        curves_of_harness.derived(12, 40),
        curves_of_harness.scored(400),
    ):
        assert work.seconds > 0
        assert work.idle > 0


def test_each_method_is_measured_at_a_small_size() -> None:
    pytest.importorskip("kobench_baselines", reason="plugins/kobench-baselines is not installed")
    from benchmarks import curves

    assert (curves.made_cells(30, 12, 5).assemblages().sum(axis=1) == 5).all()
    for work in (
        curves.mlp_step(30, 12),
        curves.closed_form(20, 12, 5),
        curves.gbm_fit(40, 12),
        curves.linear_fit(30, 12),
    ):
        assert work.seconds > 0
        assert fractions(work, LIMITS)


def test_the_steps_of_the_simulator_are_those_in_which_half_of_the_events_settle() -> None:
    dataset = curves_of_harness.network(20, 400)
    events = Knockouts.singles(dataset.cells.assemblages())[:50]
    steps = curves_of_harness.steps(dataset.truth, events)

    def settled(budget: int) -> float:
        truth = replace(dataset.truth, solver=Solver(dataset.truth.network, False, budget=budget))
        return float(np.isfinite(truth.knockout(events)).all(axis=1).mean())

    assert settled(steps) >= 0.5 > settled(steps - 1)
