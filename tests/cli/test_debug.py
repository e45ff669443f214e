"""`kobench run --debug`: pdb stands where the predictor raised, and nothing is kept."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from command import COMMAND, kobench
from places import REPOSITORY
from planted_bug import PLANTED, TINY

ASKED = ("run", "-d", TINY, "--plugin", "mine.py", "-t", "response", "--out", "results")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a plugin file."""
    (tmp_path / "mine.py").write_text(PLANTED)
    return tmp_path


def debugged(here: Path, typed: str, *words: str) -> subprocess.CompletedProcess[str]:
    """What a process of its own says that is told what to do from its standard input."""
    return subprocess.run(
        [*COMMAND, *ASKED, *words, "--debug"],
        cwd=here,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def line_of(text: str) -> int:
    """The number of the line of the plugin file that has a text."""
    return PLANTED[: PLANTED.index(text)].count("\n") + 1


def test_pdb_stands_where_the_predictor_raised(here: Path) -> None:
    done = debugged(
        here, "p one.shape, other.shape\nup\np self.wrong\nq\n", "-p", "mine:wrong=true"
    )
    assert done.returncode == 1, done.stderr
    assert f"mine.py({line_of('return one + other')})inner()" in done.stdout
    assert "((2,), (3,))" in done.stdout
    assert f"mine.py({line_of('return self.inner')})predict_response()" in done.stdout
    assert "True" in done.stdout
    assert "without sandbox and limits" in done.stderr
    assert "raised in response: ValueError: operands could not be broadcast" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (here / "results").exists()


def test_where_numpy_raises_the_predictors_own_line_is_shown(here: Path) -> None:
    text = PLANTED.replace("return one + other", "return np.linalg.inv(np.zeros((2, 2)))")
    (here / "mine.py").write_text(text)
    done = debugged(here, "q\n", "-p", "mine:wrong=true")
    assert f"mine.py({line_of('return one + other')})inner()" in done.stdout
    assert "LinAlgError" in done.stderr


def test_an_answer_that_is_refused_stops_too(here: Path) -> None:
    text = PLANTED.replace("return one + other", "return np.ones((1, 1, 1))")
    (here / "mine.py").write_text(text)
    done = debugged(here, "q\n", "-p", "mine:wrong=true")
    assert done.returncode == 1
    assert "raised in response: " in done.stderr
    assert "(Pdb)" in done.stdout


def test_one_that_exits_stops_too_and_an_import_that_fails(here: Path) -> None:
    for change in ('raise SystemExit("enough")', "import nothing_of_that_name"):
        (here / "mine.py").write_text(PLANTED.replace("return one + other", change))
        done = debugged(here, "q\n", "-p", "mine:wrong=true")
        assert done.returncode == 1
        assert "(Pdb)" in done.stdout


def test_what_raises_nothing_ends_well_and_keeps_nothing(here: Path) -> None:
    done = kobench(*ASKED, "-p", "mine", "--debug", cwd=here)
    assert "Nothing was raised: 1 trials, 1 questions." in done.stdout
    assert not (here / "results").exists()


def test_an_earlier_record_is_left_as_it_was(here: Path) -> None:
    """Nor does a run after it believe that anything is done."""
    kobench(*ASKED, "-p", "mine:wrong=true", cwd=here, code=1)
    files = {path: path.read_bytes() for path in (here / "results").rglob("*") if path.is_file()}
    debugged(here, "q\n", "-p", "mine:wrong=true", "-p", "mine")
    assert files == {
        path: path.read_bytes() for path in (here / "results").rglob("*") if path.is_file()
    }


def test_what_can_not_be_debugged_is_said(here: Path) -> None:
    for words, said in (
        ((), "there is no predictor to debug; name one with -p"),
        (("-p", "mine", "--sandbox", "require"), "--debug has no sandbox"),
    ):
        assert said in kobench(*ASKED, *words, "--debug", cwd=here, code=2).stderr
    (here / "suite.toml").write_text("debug = true\n")
    refused = kobench(ASKED[0], "suite.toml", *ASKED[1:], "-p", "mine", cwd=here, code=2)
    assert "sets debug, which takes predictors out of the sandbox" in refused.stderr


def test_it_works_in_a_terminal(here: Path) -> None:
    """With a pseudo-terminal, as a person has it."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *ASKED, "-p", "mine:wrong=true", "--debug"],
        cwd=here,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "dumb"},
    )
    os.close(slave)
    seen = b""
    try:
        end = time.monotonic() + 120
        while b"(Pdb)" not in seen and time.monotonic() < end:
            if select.select([master], [], [], 1)[0]:
                seen += os.read(master, 4096)
        os.write(master, b"q\n")
        assert process.wait(60) == 1
    finally:
        process.kill()
        os.close(master)
    assert b"inner()" in seen


def test_the_commands_of_the_kit_work(here: Path) -> None:
    """Those of its section on trials that fail, on a smaller dataset and by another task."""
    page = (REPOSITORY / "docs" / "kit.md").read_text()
    section = page.partition("## When a trial fails")[2].partition("\n## ")[0]
    lines = re.findall(r"^kobench .*?(?=  #|$)", section, re.MULTILINE)
    assert len(lines) == 3
    (here / "my_method.py").write_text(PLANTED.replace('"mine"', '"my-method"'))
    made = ("run", "-d", TINY, "-p", "my-method", "--plugin", "my_method.py", "-t", "response")
    kobench(*made, cwd=here)
    for line in lines:
        words = shlex.split(line.replace("-t keystone", "-t response"))[1:]
        words = [TINY if words[0] == "run" and word == "grn" else word for word in words]
        done = kobench(*words, cwd=here)
        assert "my-method on grn" in done.stdout or "Nothing was raised" in done.stdout
