"""Finds the rows and measures each in a process of its own.

So no row sees another's memory, threads or crash.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.machine import load, machine
from benchmarks.measure import Row, Skipped
from benchmarks.results import Result

#: Where the rows are: each file has a list ROWS.
FOLDER = Path(__file__).parent / "rows"

Found = TypeVar("Found")


def rows_of(file: Path) -> list[Row]:
    """The rows of one file.

    Raises
    ------
    Exception
        What importing the file raises; AttributeError where it has no ROWS.
    """
    name = f"benchmarks.rows.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # so that a row's own child processes find its functions under this name
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return list(module.ROWS)


def known_rows(folder: Path = FOLDER) -> list[tuple[Path, Row]]:
    """Every row with its file, files in order of name.

    A file that can't be imported stands as a row that fails with the reason.
    """
    found = []
    for file in sorted(folder.glob("*.py")):
        if file.stem == "__init__":
            continue
        try:
            found += [(file, row) for row in rows_of(file)]
        except Exception as error:
            why = f"(benchmarks/rows/{file.name} can't be imported)"
            found.append((file, Row(file.stem, why, "", raising(error))))
    return found


def raising(error: Exception) -> Callable[[int], Any]:
    """A measure that raises."""

    def measure(runs: int) -> Any:
        raise error

    return measure


def chosen(known: Sequence[tuple[Path, Row]], only: Sequence[str]) -> list[tuple[Path, Row]]:
    """The rows of these names.

    Parameters
    ----------
    known : sequence of (Path, Row)
        Every row with its file.
    only : sequence of str
        Names of rows, or of files for all of their rows; all rows where none is named.

    Raises
    ------
    ValueError
        If there is no row or file of a name.
    """
    for name in only:
        if not any(name in (row.name, file.stem) for file, row in known):
            names = sorted({row.name for _, row in known} | {file.stem for file, _ in known})
            raise ValueError(f"no row is named {name!r}; there are: {', '.join(names)}")
    return [(file, row) for file, row in known if not only or row.name in only or file.stem in only]


def measured(blank: Result, file: Path, runs: int) -> Result:
    """The row of this name measured in this process, however it ends."""
    try:
        row = next(row for row in rows_of(file) if row.name == blank.name)
        return blank.with_finding(row.measure(runs))
    except Skipped as reason:
        return replace(blank, status="skipped", reason=str(reason))
    except Exception as error:
        traceback.print_exc()
        return replace(blank, reason=f"{type(error).__name__}: {error}")


def in_a_child(work: Callable[..., Found], *given: Any) -> Found:
    """What `work` returns in a fresh process.

    Raises
    ------
    BrokenProcessPool
        If the process dies.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def measure_rows(rows: Sequence[tuple[Path, Row]], runs: int, command: str) -> Iterator[Result]:
    """Each row measured in its turn, with date, load and machine."""
    here = machine()
    for file, row in rows:
        blank = Result(
            row.name,
            row.work,
            row.plain,
            "failed",
            date=now(),
            load=load(),
            machine=here,
            command=command,
        )
        try:
            yield in_a_child(measured, blank, file, runs)
        except BrokenProcessPool as error:
            yield replace(blank, reason=f"its process died: {error}")


def now() -> str:
    """The time as results carry it."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
