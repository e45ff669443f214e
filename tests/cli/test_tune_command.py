"""`kobench tune`: a table, a winner on fresh networks, and runs that carry what it was tuned on."""

from __future__ import annotations

import json

import pytest
from command import kobench
from places import PREDICTORS
from tiny import TINY

from kobench.cli.request import tuned_settings
from kobench.results.records import read_records


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A folder with a plugin that was tuned, and what the command printed, as JSON and as text."""
    home = tmp_path_factory.mktemp("tune")
    (home / "mine.py").write_text(PREDICTORS.read_text())
    words = ["tune", "--plugin", "mine.py", "-p", "good:strength=[1.5,2.0]", "-d", TINY]
    words += ["-t", "profile", "--networks", 2, "--fit-seeds", 2]
    return home, json.loads(kobench(*words, "--json", cwd=home).stdout), words


def test_the_winner_is_looked_at_where_it_was_not_chosen(tuned):
    home, said, words = tuned
    assert {one["selection"] for one in said["settings"]} == {
        "good:strength=1.5",
        "good:strength=2.0",
    }
    assert said["best"] == said["settings"][0]["selection"]
    assert all(one["spread"] is not None for one in said["settings"])
    assert {one["selection"] for one in said["fresh"]} == {said["best"], "good"}
    networks = {
        one.trial.dataset.seed
        for one in read_records(home / "kobench-tune")
        if one.trial.predictor.selection == said["best"]
    }
    assert len(networks) == 4
    text = " ".join(kobench(*words, cwd=home).stdout.split())
    assert "On fresh data, which did not choose it: profile@" in text
    assert "the best of 2, which flatters" in text
    assert "behind the best" in text
    assert len(text) < 2000


def test_a_run_with_a_tuned_setting_carries_it_and_the_board_warns(tuned):
    home, said, _ = tuned
    (sweep,) = json.loads((home / "mine.tuned.json").read_text())["sweeps"]
    assert sorted(sweep["settings"]) == ["good:strength=1.5", "good:strength=2.0"]
    run = ["run", "--plugin", "mine.py", "-p", said["best"], "-t", "profile", "--json"]
    there = kobench(*run, "-d", sweep["used"][0], "--out", "there", cwd=home)
    assert any(one.startswith("Tuned on") for one in json.loads(there.stdout)["ran"])
    other = kobench(*run, "-p", "good", "-d", TINY, "--out", "other", cwd=home)
    assert not any(one.startswith("Tuned on") for one in json.loads(other.stdout)["ran"])
    found = {
        one.trial.predictor.selection: one.run.tuned_on
        for one in read_records(home / "other")
        if one.role == "predictor"
    }
    assert found == {said["best"]: sweep["used"], "good": None}


def test_a_plugin_files_sweeps_say_nothing_of_others(tmp_path):
    """Else an entrant could have a rival's row marked as tuned on what it is ranked on."""
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "mine.tuned.json").write_text(
        json.dumps(
            {
                "sweeps": [
                    {"predictor": name, "distribution": who, "settings": [name], "used": ["grn"]}
                    for name, who in (("mine", "file:mine.py"), ("rival", "file:rival.py"))
                ]
            }
        )
    )
    found = tuned_settings([str(tmp_path / "mine.py")])
    assert found == {("file:mine.py", "mine"): ("grn",)}


def test_a_damaged_file_stops_a_run_in_a_sentence(tuned, tmp_path):
    (tmp_path / "mine.py").write_text(PREDICTORS.read_text())
    (tmp_path / "mine.tuned.json").write_text('{"sweeps": 3}')
    words = ["run", "--plugin", "mine.py", "-p", "good", "-t", "profile", "-d", TINY]
    done = kobench(*words, cwd=tmp_path, code=2)
    assert "mine.tuned.json is not what tune writes" in " ".join(done.stderr.split())
