"""Help and completion are complete, examples parse, nothing heavy is imported too early."""

from __future__ import annotations

import subprocess
import sys

import pytest
from command import kobench
from tiny import PLUGIN

from kobench.cli.commands import COMMANDS


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

    from kobench.cli.commands import cli

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


HEAVY = {
    *("torch", "xgboost", "numba", "sklearn", "pandas", "anndata", "scipy", "numpy"),
    *("http.client", "ssl", "kobench.datasets.download"),
}


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
