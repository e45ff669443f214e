"""Whether scores that were made again are those of a record, number by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kobench.results.parts import TaskScores

#: Relative differences that come of the digits which records keep: 12 of a value, 6 of draws and of
#: what is drawn, 4 of single permutations and of points of pictures.
VALUE, DRAWN, PERMUTED = 1e-11, 1e-5, 1e-3

#: Numbers that differ by less are the same whatever their size: what is left of sums that cancel.
NOTHING = 1e-9


@dataclass(frozen=True)
class Difference:
    """One place where two scorings differ.

    Attributes
    ----------
    where : str
        The keys that lead there in the record, joined by dots.
    recorded, here : any JSON value
        What the record says, and what came out.
    tolerance : float
        Relative difference that would have been none; 0 for what must be equal.
    """

    where: str
    recorded: Any
    here: Any
    tolerance: float

    def __str__(self) -> str:
        allowed = f"within {self.tolerance:g}" if self.tolerance else "exactly that"
        return f"{self.where}: {short(self.recorded)} recorded, {short(self.here)} here ({allowed})"


@dataclass
class Agreement:
    """What came of comparing the scores of a task.

    Attributes
    ----------
    numbers : int
        How many numbers were compared.
    differing : list of Difference
        Where they differ.
    """

    numbers: int
    differing: list[Difference]


def compare(recorded: TaskScores, here: TaskScores, tolerances: Mapping[str, float]) -> Agreement:
    """Compare two scorings of the same answers by the same versions.

    Parameters
    ----------
    recorded, here : TaskScores
        What a record holds, and what was made again. Both have the same metrics.
    tolerances : mapping of str to float
        Of each shown metric the relative difference that its value may have.

    Returns
    -------
    Agreement
    """
    found = Agreement(0, [])
    for difference in walk(recorded.to_json(), here.to_json(), (), tolerances, found):
        found.differing.append(difference)
    return found


def walk(
    recorded: Any,
    here: Any,
    path: tuple[str, ...],
    tolerances: Mapping[str, float],
    found: Agreement,
) -> Iterator[Difference]:
    """Every difference of two JSON values, in the order of keys; counts numbers in `found`."""
    if isinstance(recorded, dict) and isinstance(here, dict):
        for key in sorted((recorded.keys() | here.keys()) - names_only(path, recorded, here)):
            yield from walk(recorded.get(key), here.get(key), (*path, str(key)), tolerances, found)
    elif isinstance(recorded, list) and isinstance(here, list) and len(recorded) == len(here):
        for place, pair in enumerate(zip(recorded, here, strict=True)):
            yield from walk(*pair, (*path, str(place)), tolerances, found)
    else:
        tolerance = tolerance_at(path, tolerances)
        found.numbers += is_number(recorded) or is_number(here)
        if not same(recorded, here, tolerance):
            yield Difference(".".join(path), recorded, here, tolerance)


def names_only(path: tuple[str, ...], recorded: Any, here: Any) -> set[str]:
    """What says no more than which of several equals was first.

    The best control that knows nothing is called so by the last digit where two are as good: to a
    correlation the mean change is the same at every size. Its score is compared.
    """
    calibrated = path[-1:] == ("calibration",) and recorded.get("control") and here.get("control")
    return {"control"} if calibrated else set()


def tolerance_at(path: tuple[str, ...], tolerances: Mapping[str, float]) -> float:
    """The relative difference that is allowed at a place of the scores of a task."""
    if path[0] in ("asked", "answered", "blocks", "left_out", "version", "sampled", "events"):
        return 0.0
    if path[0] == "points" or path[2:4] == ("permuted", "scores"):
        return PERMUTED
    if path[0] == "metrics" and path[2:] == ("value",):
        own = tolerances[path[1]]
        return max(own, VALUE) if own else 0.0
    return DRAWN


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; true and false are none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def same(recorded: Any, here: Any, tolerance: float) -> bool:
    """Whether two JSON values agree: numbers within a relative tolerance, all else exactly.

    >>> same(0.5, 0.5000001, 1e-5), same(0.5, 0.51, 1e-5), same("none", None, 1e-5)
    (True, False, False)
    """
    if not (is_number(recorded) and is_number(here)):
        return type(recorded) is type(here) and bool(recorded == here)
    if not tolerance:
        return bool(recorded == here)
    gap = abs(recorded - here)
    return bool(gap <= max(tolerance * max(abs(recorded), abs(here)), min(NOTHING, tolerance)))


def short(value: Any) -> str:
    """A JSON value as messages show it."""
    if value is None:
        return "nothing"
    text = f"{value:.10g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
