"""One table for a paper: compiled by a real TeX, within the width of the text."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command import kobench

from kobench.board.make import make_board
from kobench.board.render import render
from kobench.board.render.latex import breakable, escape
from kobench.board.render.latex_summary import render_summary
from kobench.errors import UserError
from kobench.results.records import read_records

BOARDS = Path(__file__).parents[2] / "leaderboards"
PUBLISHED = sorted(path.parent.name for path in BOARDS.glob("*/records.jsonl.gz"))

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}\usepackage{booktabs}\usepackage{graphicx}
\begin{document}%s\end{document}
"""

with_tex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="pdflatex is not installed, which sets the table"
)


def compiled(body, folder):
    """What pdflatex says of a document, after it could set it."""
    (folder / "paper.tex").write_text(DOCUMENT % body)
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


@pytest.mark.parametrize("name", PUBLISHED)
def test_captions_are_short_and_every_predictor_is_there(name):
    board = make_board(read_records(BOARDS / name))
    text = render_summary(board)
    (caption,) = re.findall(r"\\caption\{(.*)\}", text)
    assert len(caption.split()) <= 40
    assert text.count(r"\begin{table}") == 1
    plain = text.replace(r"\allowbreak{}", "")
    first = min((one for one in board.sections if one.primary), key=lambda one: one.order)
    for row in first.predictors:
        written = row.replace("†", r"$\dagger$").replace("‡", r"$\ddagger$")
        written = written.replace("◆", r"$\diamond$")
        assert written.replace("_", r"\_") in plain


@with_tex
@pytest.mark.parametrize("name", PUBLISHED)
def test_tables_are_as_wide_as_the_text(name, tmp_path):
    said = compiled(render_summary(make_board(read_records(BOARDS / name))), tmp_path)
    assert "Overfull" not in said


@with_tex
@pytest.mark.parametrize("name", ["crispr", "mouse-ko", "scale"])
def test_tables_of_a_whole_board_are_as_wide_as_the_text(name, tmp_path):
    board = make_board(read_records(BOARDS / name))
    text = render(board, "latex")
    said = compiled(text, tmp_path)
    assert r"Overfull \hbox" not in said
    assert "kobench board FOLDER --summary" in text
    assert text.count(r"\begin{table}") == len(board.sections)
    plain = text.replace(r"\allowbreak{}", "")
    for section in board.sections:
        for column in section.leading:
            assert escape(column.name) in plain


def test_every_cell_has_its_skill_and_interval():
    board = make_board(read_records(BOARDS / "crispr"), tasks=["profile"])
    text = render_summary(board)
    for section in board.sections:
        for row in section.ranked:
            score = row.scores[section.primary[0].name]
            value, low, high = (
                f"${one:.2f}$" if f"{one:.2f}".startswith("-") else f"{one:.2f}"
                for one in (
                    round(end, 2) + 0.0 for end in (score.skill, score.skill_low, score.skill_high)
                )
            )
            assert rf"{value}\\{{}}\scriptsize{{}}[{low}, {high}]" in text
    # who is no evidence stands behind the others
    assert text.index("twofold $\\dagger$") > text.index("additive")
    assert r"$\dagger$ developed or tuned on these very data, so no evidence" in text


@with_tex
def test_a_long_name_is_parted(tmp_path):
    records = list(read_records(BOARDS / "mouse-ko"))
    text = render_summary(make_board(records))
    long = "mine:" + ",".join(f"parameter_{n}=0.00{n}" for n in range(9))
    said = compiled(text.replace(breakable("twofold"), breakable(long)), tmp_path)
    assert "Overfull" not in said


def test_the_command_writes_one_task_and_pictures_as_pdf(tmp_path):
    out = tmp_path / "table.tex"
    kobench("board", BOARDS / "mouse-ko", "-t", "profile", "--summary", "-o", out)
    assert r"\caption{profile on 2 datasets" in out.read_text()
    pytest.importorskip("matplotlib")
    again = [tmp_path / "one", tmp_path / "two"]
    for folder in again:
        kobench("board", BOARDS / "mouse-ko", "--pictures", folder, "--picture-format", "pdf")
    first, second = ({path.name: path.read_bytes() for path in one.iterdir()} for one in again)
    assert first
    assert all(content.startswith(b"%PDF") for content in first.values())
    assert first == second


def test_a_summary_is_of_latex_alone(tmp_path):
    done = kobench("board", BOARDS / "quick", "--summary", "-o", tmp_path / "b.html", code=2)
    assert "--summary is a table of LaTeX" in done.stderr


def test_nothing_ranked_is_said():
    board = make_board(read_records(BOARDS / "mouse-ko"), tasks=["response"])
    with pytest.raises(UserError, match="no task of this board ranks anybody"):
        render_summary(board)
