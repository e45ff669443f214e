"""What the documentation shows is true: its plugin file works, and its commands exist and run."""

from __future__ import annotations

import re
import shlex

import pytest
from command import kobench
from places import REPOSITORY

README = (REPOSITORY / "README.md").read_text()


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands() -> list[list[str]]:
    """Every kobench command the README shows, without comments and without what follows `&&`."""
    lines = [line.split("  #")[0] for block in blocks("console") for line in block.splitlines()]
    return [
        shlex.split(part)
        for line in lines
        for part in line.split("&&")
        if part.strip().startswith("kobench")
    ]


def test_ten_lines_make_a_row_on_the_board(tmp_path):
    (code,) = blocks("python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 13
    (tmp_path / "my.py").write_text(code)
    for words in commands():
        if "my.py" in words:
            if "--networks" in words:  # a run takes as long as its networks, and one shows the row
                words[words.index("--networks") + 1] = "1"
            done = kobench(*words[1:], cwd=tmp_path)
            assert "my-predictor" in done.stdout + done.stderr or "passed, 0 failed" in done.stdout


@pytest.mark.parametrize(
    "words", [words for words in commands() if words[1] in ("list", "info")], ids=" ".join
)
def test_commands_that_look_things_up(words, tmp_path):
    assert kobench(*words[1:], cwd=tmp_path).stdout


@pytest.mark.parametrize(
    "words", [words for words in commands() if words[1] not in ("list", "info")], ids=" ".join
)
def test_commands_parse(words, tmp_path, monkeypatch):
    """Long ones are only parsed here: their command takes these options."""
    import click

    from kobench.cli.commands import cli

    for place in REPOSITORY.iterdir():
        (tmp_path / place.name).symlink_to(place)
    (tmp_path / "kobench-results").mkdir(exist_ok=True)  # the default of some commands
    monkeypatch.chdir(tmp_path)
    rest, command = words[1:], cli
    while isinstance(command, click.Group):
        command = command.get_command(click.Context(command), rest.pop(0))
    folders = ("results", "kobench-results")
    rest = [
        (
            str(REPOSITORY)
            if word.startswith(folders)
            else str(__file__)
            if word.endswith(".py")
            else word
        )
        for word in rest
    ]
    command.make_context("kobench", rest)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        *(str(p.relative_to(REPOSITORY)) for p in (REPOSITORY / "docs").rglob("*.md")),
    ],
)
def test_links_lead_somewhere(page):
    text = (REPOSITORY / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("http"):
            assert ((REPOSITORY / page).parent / target).exists(), target


def test_make_targets_exist():
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", "\n".join(blocks("console")), re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
