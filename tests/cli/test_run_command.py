"""`kobench run`: the board it prints, exit codes, suites, datasets of the user's own."""

from __future__ import annotations

import json

from command import kobench
from tiny import PLUGIN, TINY, results_of_a_run

from kobench.cli.suites import FOLDER, built_in, read_suite


def test_run_prints_a_board_and_goes_on_where_it_was(tmp_path):
    first = kobench(
        "run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", cwd=tmp_path
    )
    assert "▲ better than the best floor" in " ".join(first.stdout.split())
    assert "\ngood " in first.stdout
    again = kobench(
        "run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", cwd=tmp_path
    )
    assert "everything is up to date" in again.stderr
    assert again.stdout == first.stdout


def test_a_failed_predictor_gives_exit_code_1_and_its_reason(tmp_path):
    done = kobench(
        "run",
        "-d",
        TINY,
        "-p",
        "good",
        "-p",
        "raises-in-fit",
        "--plugin",
        PLUGIN,
        "-t",
        "profile",
        "--json",
        "--out",
        tmp_path,
        code=1,
    )
    assert (
        "raises-in-fit on grn:cells=40,genes=12: failed in fit: RuntimeError: no luck today"
        in done.stderr
    )
    assert json.loads(done.stdout)


def test_only_the_tasks_asked_for_are_printed(tmp_path):
    out = results_of_a_run(tmp_path)
    both = json.loads(kobench("board", out, "--format", "json").stdout)
    first = json.loads(
        kobench(
            "run",
            "-d",
            TINY,
            "-p",
            "good",
            "--plugin",
            PLUGIN,
            "-t",
            "profile",
            "--out",
            out,
            "--json",
        ).stdout
    )
    assert (
        {section["task"] for section in both["sections"]}
        > {section["task"] for section in first["sections"]}
        == {"profile@2"}
    )


def test_suites_are_flags(tmp_path):
    suite = tmp_path / "mine.toml"
    suite.write_text(
        f'dataset = ["{TINY}"]\ntask = ["profile"]\nplugin = ["{PLUGIN}"]\njobs = 2\nnetworks ='
        ' 2\nsummary = "mine"\n'
    )
    done = kobench("run", suite, "-p", "good", "--networks", 1, "--json", "--out", tmp_path / "out")
    rows = json.loads(done.stdout)
    assert "good" in json.dumps(rows)
    assert not (tmp_path / "out" / "work").exists()
    for text, message in [
        ("networkss = 2", "did you mean 'networks'"),
        ("networks = 0", "networks = 0"),
        ('split = "thirds"', "split"),
        ("networks = [1]", "networks = [1]; expected a whole number"),
        ("dataset = [", "can't be read"),
        ("networks = 2.7", "networks = 2.7; expected a whole number"),
        ("networks = true", "networks = true; expected a whole number"),
        ('networks = "2"', "networks = '2'; expected a whole number"),
        ("fresh = 1", "fresh = 1; expected true or false"),
        ("dataset = [3]", "dataset = [3]; expected text or a list of texts"),
        ("dataset = 3", "dataset = 3; expected text or a list of texts"),
        ("dataset = {a = 3}", "expected text or a list of texts"),
        ("timeout = nan", "not a number of seconds"),
        ("timeout = true", "timeout = true; expected a number"),
        ("split = 1", "split = 1; expected text"),
        ("summary = 1", "summary = 1; expected text"),
        ('datasets = ["grn"]', "did you mean `dataset`? `datasets` is a folder of cards"),
        ('datasets = "grn"', "did you mean `dataset`? `datasets` is a folder of cards"),
    ]:
        suite.write_text(text)
        assert message in kobench("run", suite, cwd=tmp_path, code=2).stderr


def test_built_in_suites_can_be_planned():
    from kobench.cli.run import run_command
    from kobench.plugins.load import load_registry
    from kobench.runner.plan import make_plan
    from kobench.runner.request import Request

    registry = load_registry()
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(built_in())
    for path in built_in().values():
        values = read_suite(path, run_command)
        assert make_plan(
            registry, Request(values["datasets"], [], networks=values.get("networks", 1))
        )


def test_a_sound_file_becomes_a_dataset(broken_h5ad, tmp_path):
    path, _ = broken_h5ad("sound")
    kobench(
        "datasets",
        "add",
        path,
        "--name",
        "mine",
        "--perturbation-key",
        "perturbation",
        "--batch-key",
        "batch",
        "--to",
        tmp_path / "cards",
    )
    found = json.loads(
        kobench("datasets", "files", "--datasets", tmp_path / "cards", "--json").stdout
    )
    (mine,) = [row for row in found if row["dataset"] == "mine"]
    assert (mine["found"], mine["problem"], mine["opened"]) == (str(path.resolve()), None, True)
    done = kobench(
        "run",
        "-d",
        "mine",
        "--datasets",
        tmp_path / "cards",
        "-p",
        "good",
        "--plugin",
        PLUGIN,
        "--out",
        tmp_path / "out",
    )
    assert "good" in done.stdout


def test_what_is_not_scored_is_said(broken_h5ad, tmp_path):
    path, _ = broken_h5ad("sound")
    done = kobench(
        "run",
        "-d",
        f"h5ad:path={path}",
        "-d",
        TINY,
        "-t",
        "profile",
        "-t",
        "keystone",
        "--out",
        tmp_path / "out",
    )
    assert f"path={path} is not asked for keystone@1" in done.stderr
    assert "did you mean" in kobench("board", tmp_path, code=2).stderr
