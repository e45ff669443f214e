"""What a board says of how it was made: by which kobench, when, where, and by which command."""

from __future__ import annotations

import shlex

import pytest
from factories import make_board, networks, read, record
from places import REPOSITORY

from kobench.board.made import made_of
from kobench.board.render.formats import render
from kobench.cli.run import run_command
from kobench.cli.suites import built_in, read_suite
from kobench.results.records import read_records
from kobench.util.grammar import parse


def run(day, host):
    """The run of a record, on a day and a machine."""
    return {"started": f"2026-11-{day}T10:00:00+00:00", "host": host, "kobench": "0.1.0"}


def test_a_board_knows_versions_days_and_machines():
    records = [
        record("mlp", 0.7, seed=0, run=run(28, "a")),
        record("mlp", 0.7, seed=1, run=run(29, "b")),
        record("own-share", 0.4, role="floor", seed=0, run=run(28, "a")),
    ]
    made = make_board(records).made
    assert (made.versions, made.first, made.last) == (("0.1.0",), "2026-11-28", "2026-11-29")
    assert (made.hosts, made.records, made.environments) == (2, 3, ())
    page = render(make_board(records), "html")
    said = "kobench 0.1.0 · run 2026-11-28 to 2026-11-29 · 2 machines · 3 trials"
    assert page.count(said) == 2  # above all, and below how to make the board
    assert "kobench run -d grn:genes=100 -p mlp -t knockout-impact --networks 2" in page


def test_what_differs_between_equal_runs_is_left_out_with_the_cost():
    first, second = (
        make_board([record("mlp", 0.7, run=run(day, host))], cost=False)
        for day, host in ((28, "a"), (29, "b"))
    )
    assert first.made == second.made
    assert render(first, "html") == render(second, "html")


def test_the_command_names_splits_fits_and_threads_that_are_not_the_default():
    halves = [
        record("mlp", 0.7, seed=None, kind="real", dataset="x", split=("halves", seed))
        for seed in range(3)
    ]
    fits = [record("mlp", 0.7, seed=None, kind="real", dataset="x", fit_seed=1)]
    made = made_of(read([*halves, *fits]), cost=True)
    assert made.command[-2:] == ("--fit-seeds 2", "--splits 3")
    groups = [record("mlp", 0.7, seed=None, kind="real", dataset="a + b", split=("dataset", 2))]
    made = made_of(read(groups), cost=True)
    assert made.command[:2] == ("-d a", "-d b")
    assert made.command[-2:] == ("--split-seed 2", "--split dataset")


def test_names_are_quoted_for_a_shell():
    made = make_board(networks("my method;rm", [0.5] * 2)).made
    assert shlex.split(" ".join(made.command))[2:4] == ["-p", "my method;rm"]


@pytest.mark.parametrize("suite", ["crispr", "quick", "planted", "scale", "transfer-datasets"])
def test_the_command_of_a_published_board_is_what_its_suite_asks_for(suite):
    made = made_of(list(read_records(REPOSITORY / "leaderboards" / suite)), cost=True)
    words = shlex.split(" ".join(made.command))
    found = run_command.make_context("run", words).params
    asked = read_suite(built_in()[suite], run_command)
    for name in ("datasets", "predictors", "tasks"):
        wanted = {str(parse(text)) for text in asked.get(name, ())}
        assert wanted <= {str(parse(text)) for text in found[name]}, name
    for name in ("networks", "events", "split"):
        assert found[name] == asked.get(name, found[name]), name
