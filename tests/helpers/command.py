"""The `kobench` command as tests call it: in this process, where a test is about what the command
prints, writes and answers with.

Starting Python and importing what a run needs takes longer than most of these commands. Where a
test is about the process itself (signals, imports, terminals), it starts `COMMAND`.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from kobench.cli import main

#: The command in a process of its own; its words come after these.
COMMAND = (sys.executable, "-c", "from kobench.cli import main; main()")

Done = subprocess.CompletedProcess


def kobench(
    *words: object,
    cwd: Path | None = None,
    code: int | None = 0,
    env: Mapping[str, str] | None = None,
) -> Done[str]:
    """Call the command in this process, as `subprocess.run` would call it in another one.

    Parameters
    ----------
    words
        What follows `kobench` on the command line.
    cwd
        The folder in which the command stands.
    code
        The exit code that the test expects; None for any.
    env
        All environment variables of the command.

    Returns
    -------
    Its exit code, and what it and its children wrote to the standard streams.

    Raises
    ------
    AssertionError
        For another exit code, and for a traceback.
    """
    arguments = ["kobench", *map(str, words)]
    with as_before(), tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        sys.argv = arguments
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        if cwd is not None:
            os.chdir(cwd)
        with streams(out, err):
            ended = exit_code()
        texts = [text_of(file) for file in (out, err)]
    done = subprocess.CompletedProcess(arguments, ended, *texts)
    assert code is None or done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


def exit_code() -> int:
    """The code with which the command ends."""
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


@contextlib.contextmanager
def as_before() -> Iterator[None]:
    """Puts back what a command changes in its process: arguments, folder, variables, signals."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    argv, folder, variables = sys.argv, os.getcwd(), dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        sys.argv = argv
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(variables)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def streams(*files: BinaryIO | Any) -> Iterator[None]:
    """Standard output and errors go to two files, those of child processes too."""
    kept = {number: os.dup(number) for number in (1, 2)}
    before = sys.stdout, sys.stderr
    try:
        for number, file in zip(kept, files, strict=True):
            os.dup2(file.fileno(), number)
        sys.stdout, sys.stderr = (
            io.TextIOWrapper(os.fdopen(os.dup(number), "wb"), encoding="utf-8", write_through=True)
            for number in kept
        )
        yield
    finally:
        sys.stdout.close()
        sys.stderr.close()
        sys.stdout, sys.stderr = before
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)


def text_of(file: BinaryIO | Any) -> str:
    """All that was written to a file, with line ends as `subprocess.run` gives them."""
    file.seek(0)
    text: str = file.read().decode(errors="replace")
    return text.replace("\r\n", "\n")
