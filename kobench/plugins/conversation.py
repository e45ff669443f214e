"""Asks describing children what a source offers, and keeps account of what they say."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kobench.plugins.child import Child
from kobench.plugins.sources import PluginProblem, Source
from kobench.specs import PredictorSpec, Spec
from kobench.worker.describe.spec_json import spec_from_json
from kobench.worker.describe.validation import MOST_TOGETHER, faults, size_of

#: All children of a source together have so many times the limit of one.
TOGETHER = 2


def ask_children(
    source: Source, limit: float, hidden: Sequence[Path] = ()
) -> tuple[list[tuple[str, Spec]], list[PluginProblem]]:
    """Describe a source in children, one after the other.

    When a child crashes or hangs at an entry point, what it said before is kept, and the entry
    points after it go to another child, as long as there is time left.

    Parameters
    ----------
    source : Source
        What is to be described.
    limit : float
        Seconds for each child; all together have `TOGETHER` times as many.
    hidden : sequence of Path
        What it must not read.

    Returns
    -------
    specs : list of (str, Spec)
        Entry points and specs.
    problems : list of PluginProblem
        What is wrong with the source.
    """
    account = Account(source)
    first, until = 0, time.monotonic() + TOGETHER * limit
    while first < len(source.points):
        account.start_at(first)
        left = until - time.monotonic()
        if left <= 0:
            account.add_problem("timeout", _not_looked_at(source, first, TOGETHER * limit))
            break
        child = Child(source, first, min(limit, left), hidden)
        with contextlib.closing(child.messages()) as messages:
            for message in messages:
                try:
                    account.take(message)
                except (KeyError, TypeError, ValueError, IndexError, AttributeError):
                    child.end = "output"
                    break
        if account.done:
            break
        account.add_problem(*child.fate(account.doing), child.tail())
        first = account.at + 1
    return account.specs, account.problems


def _not_looked_at(source: Source, first: int, limit: float) -> str:
    """What is said of the entry points for which there was no time, from the first one on."""
    names = [name for name, _ in source.points[first:]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"{', '.join(names[:3])}{more} of {source.distribution} were not looked at: those before"
        f" took more than {limit:g} s in all; take what hangs or crashes out of it, or set"
        " KOBENCH_PLUGIN_SECONDS higher if it only needs longer"
    )


@dataclass
class Account:
    """What the children of a source have said so far.

    Attributes
    ----------
    at : int
        The entry point that the child is at, an index.
    doing : str
        What it does, in words.
    done : bool
        Whether it has come to its end.
    said : int
        How many characters its predictors have so far.
    """

    source: Source
    at: int = 0
    doing: str = ""
    done: bool = False
    said: int = 0
    specs: list[tuple[str, Spec]] = field(default_factory=list)
    problems: list[PluginProblem] = field(default_factory=list)

    def start_at(self, first: int) -> None:
        """Another child starts at this entry point."""
        self.at, self.doing, self.done = first, "starting", False

    def take(self, message: dict[str, Any]) -> None:
        """Take in one message.

        Raises
        ------
        KeyError, TypeError, ValueError, IndexError, AttributeError
            Where it is none: a plugin can write to the child's pipe itself.
        """
        if "at" in message:
            self.at = range(len(self.source.points))[message["at"]]
            self.doing = str(message["doing"])
        elif "spec" in message:
            spec = spec_from_json(message["spec"])
            for fault in faults(spec, reference=False):  # the child should have found it
                raise ValueError(fault)
            before = self.said
            if isinstance(spec, PredictorSpec):
                self.said += size_of(message["spec"])
            if self.said > MOST_TOGETHER and not self.source.is_own:
                if before > MOST_TOGETHER:
                    return  # said once, however many follow
                self.add_problem(
                    "spec",
                    f"the texts and defaults of all predictors of {self.source.distribution} have"
                    f" more than {MOST_TOGETHER:,} characters together; {spec.name!r} and what"
                    " follows are left out",
                    name=spec.name,
                )
                return
            self.specs.append((self._point, spec))
        elif "problem" in message:
            self.add_problem(**{key: str(text) for key, text in message["problem"].items()})
        else:
            self.done = message["done"] is True

    def add_problem(self, kind: str, message: str, traceback: str = "", name: str = "") -> None:
        """Keep a problem of the entry point that the child is at."""
        self.problems.append(
            PluginProblem(self.source.distribution, self._point, kind, message, traceback, name)
        )

    @property
    def _point(self) -> str:
        return self.source.points[self.at][0]
