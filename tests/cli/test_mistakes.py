"""Mistakes, faulty files and refusals of the system end in one sentence and an exit code."""

from __future__ import annotations

import sys

import pytest
from command import kobench
from tiny import PLUGIN, TINY, results_of_a_run


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


def test_what_the_system_refuses_is_one_sentence(tmp_path):
    done = kobench("board", results_of_a_run(tmp_path), "-o", "/proc/x/board.md", code=1)
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert "/proc/x" in line


def test_a_stopped_check_does_not_say_that_work_is_kept(tmp_path, monkeypatch, capsys):
    from kobench.checks import predictors
    from kobench.cli import commands as cli
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


FAULTS = [
    "missing",
    "zero-bytes",
    "truncated",
    "not-hdf5",
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
    *before, line = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert all("Knockouts are measured in 8 splits" in other for other in before)
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
