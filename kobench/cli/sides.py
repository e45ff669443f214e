"""What `kobench compare` compares: each side by its records, run first where flags say so."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobench.errors import UserError
from kobench.util.git import git

if TYPE_CHECKING:
    from kobench.results.parts import Record


@dataclass(frozen=True)
class Side:
    """One of two sides.

    Attributes
    ----------
    text : str
        As it was typed.
    folder : str
        A results folder, or a published board or its address; "" for the folder of the command.
    file : Path or None
        A plugin file.
    revision : str
        A git revision of that file; "" for the file as it is.
    name : str
        A predictor, with parameters; "" where a folder or a file has one alone.
    code : str
        First digits of the digest of its code; "" for the newest version.
    """

    text: str
    folder: str = ""
    file: Path | None = None
    revision: str = ""
    name: str = ""
    code: str = ""

    @classmethod
    def parse(cls, text: str, predictor: str) -> Side:
        """Read one side.

        Parameters
        ----------
        text : str
            A folder, FILE.py, FILE.py@REVISION, or NAME[:KEY=VALUE,...][@CODE][@FOLDER].
        predictor : str
            The predictor of folders and files; "" where they have one alone.

        Raises
        ------
        UserError
            Where what follows an @ is nothing of the kind.
        """
        if is_folder(text):
            return cls(text, folder=text, name=predictor)
        head, folder = in_folder(text)
        if folder:
            return replace(cls.parse(head, predictor), text=text, folder=folder)
        head, _, tail = text.rpartition("@")
        for file, revision in ((text, ""), (head, tail)):
            if file.endswith(".py"):
                if not revision and not Path(file).is_file():
                    raise UserError(f"there is no file {file}; name one that is there")
                return cls(text, file=Path(file), revision=revision, name=predictor)
        if head and set(tail) <= set("0123456789abcdef"):
            return cls(text, name=head, code=tail)
        if head and not set(tail) & set("'\",=]"):  # which a value of a parameter may hold
            raise UserError(
                f"{tail!r} in {text!r} is neither a folder with records nor the first digits of a"
                f" code (0-9, a-f); give the row of a results folder or a published board as"
                f" {head}@FOLDER, such as {head}@leaderboards/crispr, and an older version as"
                f" {head}@CODE"
            )
        return cls(text, name=text)

    @property
    def needs_run(self) -> bool:
        """Whether nothing but a run has its records."""
        return self.file is not None


def in_folder(text: str) -> tuple[str, str]:
    """A row and the folder or address that it is in, `NAME@FOLDER`; "" for none."""
    for start in ("@https://", "@http://"):
        head, found, tail = text.partition(start)
        if found:
            return head, start[1:] + tail
    head, _, tail = text.rpartition("@")
    inside = head and not head.endswith(".py") and is_folder(tail)
    return (head, tail) if inside else (text, "")


def is_folder(text: str) -> bool:
    """Whether a side is a folder: one with records, or one that is written as a path.

    A predictor may be called as a folder is that lies here.
    """
    path = Path(text)
    results = (path / "records").is_dir() or (path / "records.jsonl.gz").is_file()
    return path.is_dir() and (results or "/" in text or text in (".", ".."))


@contextmanager
def file_of(side: Side) -> Iterator[Path]:
    """The plugin file of a side, that of a revision in a folder of its own.

    Raises
    ------
    UserError
        Where git has no such file at that revision.
    """
    assert side.file is not None
    if not side.revision:
        yield side.file
        return
    with tempfile.TemporaryDirectory(prefix="kobench-compare-") as folder:
        path = Path(folder) / side.file.name
        path.write_bytes(at_revision(side.file, side.revision))
        yield path


def at_revision(file: Path, revision: str) -> bytes:
    """What a file held at a git revision."""
    if revision.startswith("-"):
        raise UserError(f"{revision!r} is no git revision; expected a commit, a branch or a tag")
    folder = file.parent if file.parent.is_dir() else Path()
    try:
        done = git("cat-file", "blob", f"{revision}:./{file.name}", folder=folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"git can't be asked for {file} at {revision} ({error})") from error
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UserError(
            f"git has no {file} at revision {revision!r}"
            f" ({why[-1] if why else 'no reason given'}); `git log -- {file}` lists its revisions"
        )
    return done.stdout


def run_side(side: Side, arguments: Sequence[str]) -> list[Record]:
    """Run one side with flags of `kobench run`, and give all records of that run.

    Parameters
    ----------
    side : Side
        What is run: a plugin file, or a predictor by its name.
    arguments : sequence of str
        The suite and flags, as `kobench run` takes them.
    """
    if side.file is None:
        return ran([*arguments, "-p", side.name])
    with file_of(side) as path:
        name = side.name or only_predictor(path)
        return ran([*arguments, "--plugin", str(path), "-p", name])


def ran(arguments: Sequence[str]) -> list[Record]:
    """The records of a run with these arguments."""
    from kobench.cli.output import say
    from kobench.cli.request import fulfilled
    from kobench.cli.run import run_command
    from kobench.cli.suites import find_suite, read_suite, with_suite

    with run_command.make_context("kobench run", list(arguments)) as ctx:
        flags: dict[str, Any] = dict(ctx.params)
        only = flags["predictors"]
        suite = flags.pop("suite")
        if suite is not None:
            flags = with_suite(ctx, read_suite(find_suite(suite), run_command), flags)
            flags["predictors"] = only  # and not those of the suite
        if not flags["datasets"]:
            raise UserError("nothing to run: name a suite or a dataset with -d")
        notes: list[str] = []
        _, outcome = fulfilled(flags, notes)
    for note in notes:
        say(f"Note: {note}", err=True)
    return outcome.records


def only_predictor(file: Path) -> str:
    """The name of the one predictor that a plugin file offers.

    Raises
    ------
    UserError
        Where it offers none or several.
    """
    from kobench.cli.options import load

    registry = load((str(file),), ())
    names = sorted(
        {
            entry.shown_name
            for entries in registry.predictors.values()
            for entry in entries
            if entry.distribution == f"file:{file.name}"
        }
    )
    if len(names) != 1:
        raise UserError(
            f"{file.name} offers {len(names)} predictors ({', '.join(names[:12]) or 'none'}); name"
            " one with -p"
        )
    return names[0]


def chosen(
    side: Side, records: Sequence[Record], older: Sequence[Record], place: str
) -> list[Record]:
    """The records of a side's predictor, all of one row and version.

    Parameters
    ----------
    side : Side
        Which.
    records, older : sequence of Record
        Those of the newest versions in a folder, and of older ones.
    place : str
        That folder.

    Raises
    ------
    UserError
        Where there are none, or those of several rows or versions.
    """
    from kobench.results.versions import code_of, row_of, version_key

    every = [one for one in (*records, *older) if one.role == "predictor"]
    named = [one for one in (every if side.code else records) if one.role == "predictor"]
    if side.name:
        named = [one for one in named if is_named(one, side.name)]
        exact = [one for one in named if one.trial.predictor.selection == plain(side.name)]
        named = exact or named
    if side.code:
        named = [one for one in named if code_of(one.trial.predictor).startswith(side.code)]
    if not named:
        known = sorted({one.trial.predictor.selection for one in every})
        codes = sorted({code_of(one.trial.predictor) for one in every})
        more = f", code {', '.join(codes[:12])}" if side.code else ""
        raise UserError(
            f"no results of {side.name or side.text!r} in {place}; there are"
            f" {', '.join(known[:12]) or 'none'}{more}. Run it first, name the folder that has them"
            f" as {side.name or 'NAME'}@FOLDER, or add the suite or the datasets (-d) to run it on"
        )
    rows = sorted({row_of(one.role, one.trial) for one in named})
    if len(rows) > 1:
        texts = sorted({f"{row[2]}/{row[1]}" for row in rows})
        raise UserError(
            f"{side.text!r} could be {' or '.join(texts[:12])}; name one"
            f"{' with -p' if side.folder == side.text else ''}"
        )
    versions = {version_key(one.trial.predictor) for one in named}
    if len(versions) > 1:
        codes = sorted({code_of(one.trial.predictor) for one in named})
        raise UserError(
            f"{side.text!r} has results of several versions (code {', '.join(codes)}); name one as"
            f" {side.name or 'NAME'}@{codes[0]}"
        )
    return named


def plain(name: str) -> str:
    """A selection without what stands before its name."""
    from kobench.util.grammar import parse

    found = parse(name)
    return name.removeprefix(f"{found.distribution}/") if found.distribution else name


def is_named(record: Record, text: str) -> bool:
    """Whether a record is of a predictor that is named so, with these parameters if any."""
    from kobench.util.grammar import parse

    asked, predictor = parse(text), record.trial.predictor
    homes = ("", predictor.distribution, predictor.environment or "")
    if asked.name != predictor.name or asked.distribution not in homes:
        return False
    if not asked.params:
        return True
    try:
        return parse(predictor.selection).params == asked.params
    except UserError:
        return predictor.selection == text
