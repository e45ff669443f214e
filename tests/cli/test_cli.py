"""The command line: what is printed and written, exit codes, and what is never imported."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas
import pytest
from command import kobench
from places import PREDICTORS

from kobench.cli.main import COMMANDS
from kobench.cli.suites import FOLDER, built_in, read_suite

PLUGIN = PREDICTORS
TINY = "grn:genes=12,cells=40"


def test_help_of_every_command_ends_in_examples():
    text = kobench("--help").stdout
    for name in COMMANDS:
        assert f"\n  {name} " in text
        assert "Examples:" in kobench(name, "--help").stdout
    assert "Examples:" in kobench("datasets", "add", "--help").stdout


def examples() -> list[str]:
    """Every example line of every help text."""
    import importlib

    import click

    lines = []
    for name, module in COMMANDS.items():
        command = getattr(importlib.import_module(module), f"{name}_command")
        children = list(command.commands.values()) if isinstance(command, click.Group) else []
        for one in [command, *children]:
            lines += [
                line.strip()
                for line in (one.epilog or "").splitlines()
                if line.startswith("  kobench ")
            ]
    return lines


@pytest.mark.parametrize("line", examples())
def test_examples_use_options_that_exist(line):
    """Each example parses: its command exists and takes its options and choices.

    What the example needs may not be here.
    """
    import shlex

    import click

    from kobench.cli.main import cli

    words = shlex.split(line.split(">")[0])[1:]
    command: click.Command = cli
    while isinstance(command, click.Group):
        parent = command
        command = parent.get_command(click.Context(parent), words.pop(0))
        assert command is not None, line
    if any(isinstance(param.type, click.Path) and param.type.exists for param in command.params):
        words = [
            (
                word
                if not word.endswith(".py")
                and not word.startswith(("kobench-results", "leaderboards"))
                else str(PLUGIN.parent)
            )
            for word in words
        ]
    try:
        command.make_context("kobench", words, resilient_parsing=False)
    except click.BadParameter as error:
        assert "does not exist" in error.message or "is a directory" in error.message  # noqa: PT017


HEAVY = {"torch", "xgboost", "numba", "sklearn", "pandas", "anndata", "scipy", "numpy"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["list", "predictors", "--json"], ["run", "--help"]]
)
def test_nothing_heavy_is_imported(arguments):
    script = (
        "import sys\nfrom kobench.cli import main\ntry:\n    main()\nexcept SystemExit as end:\n   "
        " assert end.code == 0\n"
    )
    script += f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    kobench(*["list"])  # describe once, so that it is remembered
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_run_prints_a_board_and_goes_on_where_it_was(tmp_path):
    first = kobench(
        "run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "-t", "profile", cwd=tmp_path
    )
    assert "masked-mean-depth" in first.stdout
    assert "good" in first.stdout
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "nothing to do"),
        (["run", "quik"], "did you mean 'quick'"),
        (["run", "none.toml"], "no suite file"),
        (["run", "-d", "grn", "-p", "nobody"], "there is no predictor 'nobody'"),
        (["runn"], "did you mean 'run'"),
        (["run", "-d", "grn", "--network", "3"], "--network"),
        (["info", "grm"], "did you mean 'grn'"),
        (["board", "."], "there are no records in"),
        (
            [
                "predict",
                "grn",
                "-p",
                "good",
                "--what",
                "impact",
                "-o",
                "x.xlsx",
                "--plugin",
                PLUGIN,
            ],
            ".csv",
        ),
        (
            [
                "predict",
                "grn",
                "-p",
                "only-scores",
                "--what",
                "profile",
                "-o",
                "x.csv",
                "--plugin",
                PLUGIN,
            ],
            "can't be derived",
        ),
        (
            [
                "predict",
                TINY,
                "-p",
                "good",
                "--what",
                "impact",
                "--gene",
                "NOPE",
                "-o",
                "x.csv",
                "--plugin",
                PLUGIN,
            ],
            "NOPE",
        ),
        (["run", "-d", "table:path=missing.csv", "-p", "good", "--plugin", PLUGIN], "missing.csv"),
        (
            [
                "predict",
                TINY,
                "-p",
                "half",
                "--what",
                "impact",
                "--gene",
                "G001",
                "-o",
                "x.csv",
                "--plugin",
                PLUGIN,
            ],
            "half does not support removing G001",
        ),
        (
            [
                "predict",
                TINY,
                "-p",
                "good",
                "--what",
                "impact",
                "-o",
                f"{'x' * 300}.csv",
                "--plugin",
                PLUGIN,
            ],
            "File name too long",
        ),
        (
            [
                "predict",
                TINY,
                "-p",
                "good",
                "--what",
                "impact",
                "-o",
                "/proc/x/y.csv",
                "--plugin",
                PLUGIN,
            ],
            "/proc/x/y.csv can't be written",
        ),
        (["check", "nobody"], "nobody"),
        (["run", "-d", TINY, "--timeout", "nan"], "nan is not a number of seconds"),
        (
            ["predict", TINY, "-p", "good", "--what", "impact", "-o", "x.csv", "--timeout", "inf"],
            "inf is not a number of seconds",
        ),
        (["check", "good", "--timeout", "nan"], "nan is not a number of seconds"),
        (["check", "good", "--timeout", "0"], "0"),
        (["board", ".", "--pack", "packed", "-t", "profile"], "--pack takes all records"),
        (["board", ".", "-o", "b.xyz"], ".md, .csv, .json, .tex, .html, .txt"),
    ],
)
def test_mistakes_end_in_a_sentence_and_exit_code_2(tmp_path, arguments, message):
    done = kobench(*arguments, cwd=tmp_path, code=2)
    assert message in done.stderr + done.stdout
    assert not list(tmp_path.glob("x.*"))


LIAR = """
import kobench.worker.derive, kobench.worker.responses
from kobench.api import Impacts, PredictorSpec, hookimpl
import numpy as np


class Liar:
    def fit(self, cells, context):
        # nothing in its own process stops it
        kobench.worker.derive.array_of = kobench.worker.responses.array_of = lambda values, *_: values

    def predict_impact(self, cells, knockouts):
        return Impacts(np.full(len(knockouts), np.inf))

    def predict_response(self, cells, knockouts):
        return np.full((len(knockouts), cells.n_vars), np.inf)


class Short(Liar):
    def predict_impact(self, cells, knockouts):
        return Impacts(np.full(len(knockouts), -1.0))

    def predict_response(self, cells, knockouts):
        return np.zeros((len(knockouts), 1))


@hookimpl
def kobench_predictors():
    yield PredictorSpec("liar", Liar)
    yield PredictorSpec("short", Short)
"""


@pytest.mark.parametrize(
    ("name", "what", "message"),
    [
        ("liar", "impact", "ended as invalid in impacts: raw holds values that are not finite"),
        ("liar", "keystone", "ended as invalid in impacts: raw holds values that are not finite"),
        ("liar", "response", "holds values that are not finite"),
        ("short", "impact", "ended as invalid in impacts"),
        ("short", "response", "ended as invalid in response"),
        ("raises-in-fit", "profile", "no luck today"),
        ("kills-itself", "impact", "SIGKILL"),
        ("rubbish", "response", "ended as invalid"),
        ("sleeps", "profile", "ended as timeout"),
    ],
)
def test_predict_writes_nothing_when_the_predictor_fails(tmp_path, name, what, message):
    liar = tmp_path / "liar.py"
    liar.write_text(LIAR)
    limit = 3 if name == "sleeps" else 99
    done = kobench(
        "predict",
        TINY,
        "-p",
        name,
        "--what",
        what,
        "--plugin",
        PLUGIN,
        "--plugin",
        liar,
        "--timeout",
        limit,
        "-o",
        tmp_path / "x.csv",
        code=1,
    )
    assert message in done.stderr
    assert [
        path.name for path in tmp_path.iterdir() if path.suffix != ".py" and path.is_file()
    ] == []


def test_predict_counts_genes_that_are_not_supported(tmp_path):
    def predict(what, *more):
        return kobench(
            "predict",
            TINY,
            "-p",
            "half",
            "--what",
            what,
            "--plugin",
            PLUGIN,
            "-o",
            tmp_path / "x.csv",
            *more,
        ).stdout

    assert "6 genes left out: half does not support removing them." in predict("impact")
    impact = pandas.read_csv(tmp_path / "x.csv")
    assert set(impact["gene"]) == {f"G{number:03d}" for number in range(0, 12, 2)}
    assert not impact.isna().any().any()
    said = json.loads(predict("keystone", "--json"))
    assert (said["left_out"], said["rows"]) == (6, 6)
    assert "1 gene left out: half does not support removing it." in predict(
        "response", "--gene", "G001", "--gene", "G002"
    )
    assert "left out" not in predict("response", "--gene", "G002")
    assert "left out" not in predict("profile")


def test_what_the_system_refuses_is_one_sentence(tmp_path):
    done = kobench("board", results_of_a_run(tmp_path), "-o", "/proc/x/board.md", code=1)
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert "/proc/x" in line


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
        == {"profile@1"}
    )


def test_a_stopped_check_does_not_say_that_work_is_kept(tmp_path, monkeypatch, capsys):
    from kobench.checks import predictors

    cli = sys.modules["kobench.cli.main"]
    from kobench.runner import run

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(predictors, "check_predictor", stop)
    monkeypatch.setattr(run.Run, "run", stop)
    for arguments, said in [
        (["check", "good", "--plugin", str(PLUGIN)], "Stopped."),
        (
            ["run", "-d", TINY, "--out", str(tmp_path)],
            "Stopped; what was finished is kept, the same command goes on from there.",
        ),
    ]:
        monkeypatch.setattr(sys, "argv", ["kobench", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 130
        assert capsys.readouterr().err.strip().splitlines()[-1] == said


def test_check_counts_what_was_skipped_and_what_was_not_run():
    done = kobench("check", "raises-in-fit", "--plugin", PLUGIN, code=1)
    last = done.stdout.splitlines()[-1]
    passed, failed, skipped, not_run = (int(part.split()[0]) for part in last.split(", "))
    assert last == f"{passed} passed, {failed} failed, {skipped} skipped, {not_run} not run"
    assert passed + failed + skipped + not_run == len(done.stdout.splitlines()) - 1
    assert not_run == done.stdout.count("not run: ") > 5
    assert failed == done.stdout.count("FAIL") < 5
    assert "not run" not in kobench("check", "good", "--plugin", PLUGIN).stdout
    assert (
        "it took longer than 2 s"
        in kobench("check", "sleeps", "--timeout", 2, "--plugin", PLUGIN, code=1).stdout
    )


def test_metrics_of_one_name_are_told_apart():
    lines = [line.split() for line in kobench("list", "metrics").stdout.splitlines()]
    kinds = {"profile", "ranking", "interaction"}
    assert {tuple(words[:3]) for words in lines if words[0] == "spearman"} == {
        ("spearman", "of", kind) for kind in kinds
    }
    rows = json.loads(kobench("list", "metrics", "--json").stdout)["metrics"]
    assert {row["of"] for row in rows if row["name"] == "spearman"} == kinds


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


def test_predict_writes_what_was_asked_for(tmp_path):
    def predict(what, name, *more):
        return kobench(
            "predict",
            TINY,
            "-p",
            "good",
            "--what",
            what,
            "--plugin",
            PLUGIN,
            "-o",
            tmp_path / name,
            *more,
        ).stdout

    assert "Wrote" in predict("impact", "impact.csv.gz")
    impact = pandas.read_csv(tmp_path / "impact.csv.gz")
    assert list(impact.columns) == ["gene", "cell", "raw", "propagated"]
    assert impact["raw"].between(0, 1).all()
    assert np.allclose(impact["propagated"], 0, atol=1e-6)  # a masked mean never responds
    predict("keystone", "keystone.csv")
    keystone = pandas.read_csv(tmp_path / "keystone.csv")
    assert (keystone["score"].dropna().diff().dropna() <= 0).all()
    counts = impact.groupby("gene").size()
    assert keystone.set_index("gene")["cells"].to_dict() == counts.to_dict()
    mean = impact.groupby("gene")["propagated"].mean()
    assert np.allclose(
        keystone.set_index("gene")["score"], mean.reindex(keystone["gene"]), atol=1e-9
    )
    predict("profile", "profile.npz")
    with np.load(tmp_path / "profile.npz") as profile:
        assert len(profile.files) == 13
        assert np.allclose(
            sum(profile[name] for name in profile.files if name != "cell"), 1, atol=1e-5
        )
    said = json.loads(predict("response", "response.csv", "--gene", "G003", "--json"))
    assert said["rows"] == 1
    response = pandas.read_csv(tmp_path / "response.csv")
    assert response["removed"].tolist() == ["G003"]
    before = (tmp_path / "impact.csv.gz").read_bytes()
    predict("impact", "impact.csv.gz")
    assert (tmp_path / "impact.csv.gz").read_bytes() == before


def results_of_a_run(folder):
    kobench("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--out", folder / "out")
    return folder / "out"


def test_board_from_records_in_every_format(tmp_path):
    kobench("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--out", tmp_path / "out")
    for ending in ("md", "csv", "json", "tex", "html", "txt"):
        path = tmp_path / f"board.{ending}"
        kobench("board", tmp_path / "out", "-o", path)
        assert "good" in path.read_text()
        assert "agrees" in kobench("board", tmp_path / "out", "--check", path).stdout
    changed = tmp_path / "board.csv"
    changed.write_text(changed.read_text().replace("good", "best"))
    assert "differs" in kobench("board", tmp_path / "out", "--check", changed, code=1).stderr
    kobench("board", tmp_path / "out", "--pack", tmp_path / "published", "--no-cost")
    packed = kobench("board", tmp_path / "published", "--no-cost", "--format", "json").stdout
    assert packed == kobench("board", tmp_path / "out", "--no-cost", "--format", "json").stdout
    assert "best floor" in kobench("board", tmp_path / "out", "-t", "profile").stdout
    for text in (
        "grn:genes=12,cells=40",
        "grn[genes=12, cells=40]",
        "kobench/grn:cells=40,genes=12",
    ):
        assert "good" in kobench("board", tmp_path / "out", "-d", text).stdout
    assert (
        "no record has the dataset"
        in kobench("board", tmp_path / "out", "-d", "grn:genes=12,cells=41", code=2).stderr
    )
    assert (
        "these records have: good"
        in kobench("board", tmp_path / "out", "-p", "godo", code=2).stderr
    )


def test_info_says_what_is_derived_from_what():
    text = kobench("info", "good", "--plugin", PLUGIN).stdout
    assert "impact: from expression" in text
    assert "response: from expression" in text
    assert "strength: 1.0" in text
    (dataset,) = json.loads(kobench("info", "trem2-microglia", "--json").stdout)
    assert dataset["truth"] == "population"
    assert dataset["file"]["sha256"].startswith("0dec0a0a")
    kinds = {entry["kind"] for entry in json.loads(kobench("info", "spearman", "--json").stdout)}
    assert kinds == {"metrics"}


def test_completion_knows_names(tmp_path):
    import os

    environment = {
        **os.environ,
        "_KOBENCH_COMPLETE": "bash_complete",
        "COMP_WORDS": "kobench run -d g",
        "COMP_CWORD": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", "from kobench.cli import main; main()"],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert "grn" in done.stdout
    assert "_KOBENCH_COMPLETE=zsh_source" in kobench("completion", "zsh").stdout


FAULTS = [
    "missing",
    "zero-bytes",
    "truncated",
    "not-hdf5",
    "gzipped",
    "not-anndata",
    "nan",
    "infinite",
    "negative",
    "empty",
    "duplicate-gene",
    "unnamed-gene",
    "wrong-column",
    "all-zero-cell",
    "counts-but-fractions",
    "log1p-but-counts",
    "log1p-but-large",
    "mislabelled-control",
    "few-cells",
    "one-gene",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_file_ends_in_one_sentence_before_any_fit(broken_h5ad, tmp_path, fault):
    path, parameters = broken_h5ad(fault)
    selection = f"h5ad:path={path}" + "".join(
        f",{key}={value}" for key, value in parameters.items()
    )
    out = tmp_path / "out"
    # the sound dataset comes first and must not be fitted either
    done = kobench(
        "run",
        "-d",
        "pbmc68k",
        "-d",
        selection,
        "-p",
        "good",
        "--plugin",
        PLUGIN,
        "--out",
        out,
        code=2,
    )
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert path.name in line
    assert not list(out.glob("records/*"))
    assert kobench(
        "datasets",
        "add",
        path,
        "--name",
        "bad",
        "--perturbation-key",
        parameters.get("perturbation_key", "perturbation"),
        "--control",
        parameters.get("control", "control"),
        "--scale",
        parameters.get("scale", "counts"),
        "--to",
        tmp_path / "cards",
        code=2,
    ).stderr.startswith("Error: ")
    assert not list(tmp_path.glob("cards/*"))


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
    assert {"dataset": "mine", "found": str(path.resolve()), "problem": None} in found
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


def test_a_suite_has_a_page():
    assert "networks = 5" in kobench("info", "quick").stdout


def test_a_predictor_without_response_is_told_what_boards_will_say():
    assert "boards will say 'none'" in kobench("check", "good", "--plugin", PLUGIN).stdout
