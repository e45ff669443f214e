"""The end of a run on a screen, hints that can be copied, and terminals that take ASCII alone."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess

import pytest
from command import COMMAND, kobench
from tiny import PLUGIN, TINY

from kobench.util.text import MOST_NAMES, listed, suggestion

#: A line of progress.
PROGRESS = re.compile(r"kobench: \d+ trials to do|\[\d+/\d+, ")


def ended(done):
    """The lines of the end of a run: all but its progress, as a terminal of 80 columns has them."""
    said = [line for line in done.stderr.splitlines() if not PROGRESS.match(line)]
    lines = [*done.stdout.splitlines(), *said]
    return [line[at : at + 80] for line in lines for at in range(0, max(1, len(line)), 80)]


@pytest.fixture
def blanks(tmp_path):
    """A folder with blanks and a quote in its name, with the plugin file of tests in it."""
    folder = tmp_path / "my own 'things'"
    folder.mkdir()
    shutil.copy(PLUGIN, folder / "my plugin.py")
    return folder


def run(blanks, *more, code=0):
    return kobench(
        *("run", "-d", TINY, "--plugin", blanks / "my plugin.py", "--out", blanks / "the results"),
        *more,
        code=code,
        env={**os.environ, "COLUMNS": "80", "LINES": "24"},
    )


def test_a_run_ends_on_one_screen_with_what_failed_and_lines_that_can_be_copied(blanks):
    asked = ["-p", "good", "-p", "raises-in-fit", "--networks", "3"]
    done = run(blanks, *asked, code=1)
    assert len(ended(done)) <= 24
    assert re.search(r"(?m)^good {2,}\S", done.stdout)
    assert re.search(r"(?m)^raises-in-fit {2,}-", done.stdout)
    # three networks failed alike: one line
    assert done.stderr.count("no luck today (predictors") <= 4
    assert "(and 2 more alike)" in done.stderr
    hints = re.findall(r"`(kobench [^`]*)`", done.stdout)
    assert len(hints) == 2
    for hint in hints:
        again = kobench(*shlex.split(hint)[1:])
        assert again.stdout.strip()
    whole = kobench(*shlex.split(hints[0])[1:]).stdout
    assert "split holdout" in whole
    assert not re.search(r"(?m)^each ", whole)
    assert len(whole.splitlines()) > 24
    # -v prints the same at once, and --units single genes
    verbose = run(blanks, *asked, "-v", code=1)
    assert "split holdout" in verbose.stdout
    assert verbose.stderr.count("raises-in-fit on grn") >= 3
    units = kobench("board", blanks / "the results", "--units").stdout
    assert re.search(r"(?m)^each gene", units)


def test_blanks_in_paths_of_cards_plugins_and_results(blanks, make_adata):
    adata = make_adata(n=60)
    adata.obs["perturbation"] = "control"
    adata.write_h5ad(blanks / "my cells.h5ad")
    cards = blanks / "my cards"
    added = kobench(
        *("datasets", "add", blanks / "my cells.h5ad", "--name", "mine", "--to", cards),
        *("--perturbation-key", "perturbation"),
    )
    hint = re.findall(r"`(kobench info [^`]*)`", added.stdout)[0]
    assert "mine (dataset)" in kobench(*shlex.split(hint)[1:]).stdout
    done = kobench(
        *("run", "-d", "mine", "-p", "good", "-t", "profile", "--datasets", cards),
        *("--plugin", blanks / "my plugin.py", "--out", blanks / "the results"),
    )
    assert re.search(r"(?m)^good {2,}\S", done.stdout)
    for file in ("board.html", "board.csv"):
        kobench("board", blanks / "the results", "-o", blanks / f"my {file}")
        kobench("board", blanks / "the results", "--check", blanks / f"my {file}")
    (blanks / "my board.csv").write_text("dataset\n")
    differs = kobench(
        "board", blanks / "the results", "--check", blanks / "my board.csv", code=1
    ).stderr
    again = re.findall(r"`(kobench board [^`]*)`", differs.replace("\n", " "))[0]
    kobench(*shlex.split(again)[1:])
    kobench("board", blanks / "the results", "--check", blanks / "my board.csv")


@pytest.mark.parametrize(
    "terminal",
    [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONIOENCODING": None}],
    ids=["ascii", "C"],
)
def test_a_terminal_without_utf8_gets_letters_for_marks(terminal, tmp_path):
    kobench("run", "-d", TINY, "-p", "good", "--plugin", PLUGIN, "--out", tmp_path / "out")
    changed = {key: value for key, value in {**os.environ, **terminal}.items() if value}

    def said(*words):
        done = subprocess.run(
            [*COMMAND, *map(str, words)], env=changed, capture_output=True, check=False
        )
        assert b"Traceback" not in done.stderr
        assert done.stdout.isascii() or words[-1] == "csv"
        return done

    first = said("board", tmp_path / "out").stdout.decode()
    assert "A better than the best floor, ~ not told apart from it, V worse" in " ".join(
        first.split()
    )
    assert re.search(r"(?m)^good {2,}\S", first)
    assert b"A better than the best floor" in said("board", tmp_path / "out", "-v").stdout
    said("info", "hipsc-ko")
    assert said("board", tmp_path / "out", "-d", "no-é").returncode == 2
    # what a file would hold is the same bytes, whatever the terminal takes
    csv = said("board", tmp_path / "out", "--no-cost", "--format", "csv").stdout
    kobench("board", tmp_path / "out", "--no-cost", "-o", tmp_path / "board.csv")
    assert csv == (tmp_path / "board.csv").read_bytes()


def test_a_name_that_means_several_things_lists_them():
    text = kobench("info", "grn").stdout
    assert text.startswith("grn is the name of a dataset and a suite.")
    assert "\ngrn (dataset)\n" in text
    assert "\ngrn (suite)\n" in text
    assert "A removed or absent gene has x = 0" in text
    kinds = [one["kind"] for one in json.loads(kobench("info", "grn", "--json").stdout)]
    assert kinds == ["datasets", "suites"]
    assert kobench("info", "quick").stdout.startswith("quick (suite)")
    assert "did you mean 'quick'" in kobench("info", "quik", code=2).stderr


def test_an_error_lists_a_dozen_names_at_most():
    names = [f"name-{i:02}" for i in range(40)]
    said = suggestion("nam", names)
    assert said.endswith("name-11 and 28 more")
    assert len(re.findall(r"name-\d\d", said.partition("known: ")[2])) == MOST_NAMES == 12
    assert listed(names[:12]) == ", ".join(names[:12])
    for words in (
        ("info", "nothing-of-that-name"),
        ("run", "-d", "nothing-of-that-name"),
        ("run", "-d", TINY, "-p", "nothing-of-that-name"),
        ("run", "-d", TINY, "-t", "nothing-of-that-name"),
        ("run", "nothing-of-that-name"),
    ):
        said = kobench(*words, code=2).stderr
        assert said.count(",") <= 14, said
