"""`kobench new`: a package for a predictor, dataset or metric, or a leaderboard, to be edited."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import shlex
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kobench import __version__
from kobench.cli.options import load
from kobench.cli.output import say
from kobench.errors import UserError
from kobench.util.files import umask

if TYPE_CHECKING:
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench new predictor my-method
  kobench new dataset my-simulator --into ~/work
  kobench new metric half-difference
  kobench new leaderboard our-board
"""

#: A name that is a distribution's, a plugin's and, with _ for -, a module's.
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")

#: The kind that is no package.
LEADERBOARD = "leaderboard"

#: What is written: template -> place in the new folder.
FILES = {
    "module.py": "{module}.py",
    "test_module.py": "tests/test_{module}.py",
    "README.md": "README.md",
    "pyproject.toml": "pyproject.toml",
}

#: The same of a leaderboard.
OF_LEADERBOARD = {
    "README.md": "README.md",
    "suite.toml": "suites/{name}.toml",
    "submissions.md": "submissions/README.md",
    "leaderboard.yml": ".github/workflows/leaderboard.yml",
    "requirements.txt": "requirements.txt",
    "gitignore": ".gitignore",
}

#: A run that shows what was written, quickly.
RUNS = {
    "predictor": "kobench run -d grn --networks 3 -p {name} --plugin {module}.py",
    "dataset": "kobench run -d {name} -p linear --plugin {module}.py",
    "metric": "kobench run -d grn -p linear -t profile -m {name} --plugin {module}.py",
}


@click.command("new", epilog=EXAMPLES)
@click.argument("kind", type=click.Choice([*RUNS, LEADERBOARD]))
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    metavar="DIR",
    help="The folder in which the package's folder is made; by default the present one.",
)
def new_command(kind: str, name: str, into: Path) -> None:
    """Write a package for a predictor, dataset or metric NAME: a module to edit, its tests and its
    README. Or a repository for a leaderboard: a suite, a workflow that verifies what is sent in,
    and a README with the table.
    """
    if kind == LEADERBOARD:
        check_spelling(kind, name)
    else:
        check_name(load((), ()), kind, name)
    folder = into / name
    if folder.exists() or folder.is_symlink():
        raise UserError(
            f"{folder} is there already; choose another name, or another place with --into"
        )
    module = name.replace("-", "_")
    write(kind, name, module, folder)
    if kind == LEADERBOARD:
        say(f"Wrote {folder}: edit suites/{name}.toml and README.md; then, in its folder, type\n")
        for line in first_board(name, folder):
            say(f"  {line}")
        return
    say(
        f"Wrote {folder}: edit {module}.py where it says EDIT HERE. It works as it is; in its"
        " folder, type\n"
    )
    for line in next_commands(kind, name, module, folder):
        say(f"  {line}".rstrip())


def check_spelling(kind: str, name: str) -> None:
    """Raise UserError for a name that no folder of this kind may have."""
    if not NAME.fullmatch(name):
        meant = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        hint = f", for instance {meant!r}" if NAME.fullmatch(meant) else ""
        raise UserError(
            f"{name!r} is no name of a {kind}; expected lower-case letters and digits joined by -,"
            f" a letter first{hint}"
        )


def check_name(registry: Registry, kind: str, name: str) -> None:
    """Raise UserError for a name that can't be used.

    It has to be good for a distribution and a module, and none may be called that already.
    """
    from kobench.plugins.ours import OWNERS

    check_spelling(kind, name)
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names:
        raise UserError(
            f"{name!r} can't be the name of a {kind}: Python has a {module!r} of its own; choose"
            f" another, such as 'my-{name}'"
        )
    for other_kind in ("predictors", "datasets", "metrics", "tasks"):
        for entry in getattr(registry, other_kind).get(name, ()):
            raise UserError(
                f"{name!r} is the name of a {other_kind[:-1]} of {entry.distribution} already;"
                f" choose another, such as 'my-{name}'"
            )
    if kind == "predictor" and name in OWNERS:
        raise UserError(
            f"{name!r} is a name that {OWNERS[name]} uses on boards; choose another, such as"
            f" 'my-{name}'"
        )
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = ""
    if version:
        raise UserError(
            f"{name!r} is the name of an installed distribution (version {version}); choose"
            f" another, such as 'my-{name}'"
        )
    found = importlib.util.find_spec(module)
    if found is not None:
        raise UserError(
            f"{name!r} would be the module {module}, which is there already: {found.origin}; choose"
            " another name"
        )


def write(kind: str, name: str, module: str, folder: Path) -> None:
    """Write the package into a folder that does not exist; all of it or nothing."""
    from kobench.datasets.card_schema import example

    words = {
        "{{card}}": example(name),
        "{{name}}": name,
        "{{version}}": __version__,
        "{{module}}": module,
        "{{class}}": "".join(part.capitalize() for part in name.split("-")),
    }
    aside = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    try:
        aside.chmod(0o777 & ~umask())  # mkdtemp's are for the owner alone
        for template, place in (OF_LEADERBOARD if kind == LEADERBOARD else FILES).items():
            text = (
                resources.files("kobench")
                .joinpath("templates", kind, f"{template}.tmpl")
                .read_text(encoding="utf-8")
            )
            for word, value in words.items():
                text = text.replace(word, value)
            path = aside / place.format(module=module, name=name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def first_board(name: str, folder: Path) -> list[str]:
    """What to type for the first board, line by line."""
    return [
        f"cd {shlex.quote(str(folder))}",
        f"kobench run suites/{name}.toml -p linear --secret --sandbox require --out results",
        f"kobench board results --pack boards/{name}",
        f"kobench board boards/{name} --into README.md",
        "git init && git add . && git commit -m 'The first board'",
    ]


def next_commands(kind: str, name: str, module: str, folder: Path) -> list[str]:
    """What to type next, line by line."""
    trusted = "" if kind == "predictor" else f" --kind {kind}"
    lines = [
        f"cd {shlex.quote(str(folder))}",
        f"kobench check {name} --plugin {module}.py{trusted}",
        RUNS[kind].format(name=name, module=module),
        "python -m pytest    # its own tests; pip install pytest where it is missing",
        "",
        "pip install -e .    # from then on --plugin is not needed",
    ]
    if kind == "predictor":
        lines.append(
            f"kobench env create {name} --from .    # or so, where its packages would disturb"
            " others"
        )
    return [
        *lines,
        "",
        (
            "To publish it, choose a licence and upload the package: wherever it is installed,"
            " kobench finds it."
        ),
    ]
