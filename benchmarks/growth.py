"""Growth curves: how the seconds of a piece of work grow with one size.

They are shown beside what is expected, and what limits the work.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.limits import Limits, limits
from benchmarks.machine import load, machine
from benchmarks.measure import Skipped
from benchmarks.run import in_a_child, now

INTRODUCTION = (
    "Seconds on one thread (jobs aside). *Fitted* is the slope of log seconds on log size over all"
    " sizes, *last* between the two largest, where fixed costs weigh least. The last columns are"
    " for the largest size: which part of the seconds this machine would need at its measured limit"
    " for the arithmetic that must be done, for moving the bytes that must move, and for the same"
    " calls on next to no numbers."
)


@dataclass(frozen=True)
class Work:
    """A piece of work of one size.

    Attributes
    ----------
    seconds : float
        What it took, on one thread.
    operations : float
        The least arithmetic operations it does, at precision `kind`; 0 where there is no telling,
        as for the others.
    moved : float
        The least bytes it reads and writes.
    held : float
        Bytes it goes over again and again, which say in which cache they can stay.
    idle : float
        Seconds of the same calls on next to no numbers: what Python and the libraries cost before
        any work.
    kind : {"float32", "float64"}
        Precision of the arithmetic.
    """

    seconds: float
    operations: float = 0.0
    moved: float = 0.0
    held: float = 0.0
    idle: float = 0.0
    kind: str = "float64"


@dataclass(frozen=True)
class Curve:
    """A curve to measure.

    Attributes
    ----------
    name : str
        For `--curve`.
    piece : str
        What is done, to what.
    axis : str
        Which size grows.
    sizes : sequence of int
        Its sizes, ascending.
    expected : float
        The expected exponent.
    because : str
        Why that is expected.
    measure : callable
        size -> Work; raises Skipped where it can't be measured here.
    """

    name: str
    piece: str
    axis: str
    sizes: Sequence[int]
    expected: float
    because: str
    measure: Callable[[int], Work]


def known_curves() -> list[Curve]:
    """Every curve, in the order they are shown."""
    from benchmarks.curves import CURVES

    return CURVES


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Slope of log seconds on log size by least squares.

    >>> round(exponent([1, 2, 4], [3.0, 12.0, 48.0]), 6)
    2.0
    """
    x, y = np.log(np.asarray(sizes, float)), np.log(np.asarray(seconds, float))
    return float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())


def fractions(work: Work, most: Limits) -> dict[str, float]:
    """Which part of the work's seconds each limit of one core accounts for.

    Only those limits are given for which it can be told.
    """
    speed = most.float32 if work.kind == "float32" else most.float64
    parts = {
        "arithmetic": work.operations / speed / work.seconds,
        "memory": work.moved / most.bandwidth(work.held or math.inf) / work.seconds,
        "calls": work.idle / work.seconds,
    }
    return {name: part for name, part in parts.items() if part > 0}


def curve_here(name: str, most: Limits) -> dict[str, Any]:
    """One curve measured in this process, as it is kept.

    The smallest size is measured once before all, to warm up.
    """
    curve = next(one for one in known_curves() if one.name == name)
    try:
        curve.measure(curve.sizes[0])
        works = [curve.measure(size) for size in curve.sizes]
    except Skipped as reason:
        return {"status": "skipped", "reason": str(reason)}
    except Exception as error:
        traceback.print_exc()
        return {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
    seconds = [work.seconds for work in works]
    return {
        "status": "measured",
        "seconds": seconds,
        "exponent": exponent(curve.sizes, seconds),
        "last": exponent(curve.sizes[-2:], seconds[-2:]),
        "fractions": fractions(works[-1], most),
    }


def measure_curves(curves: Sequence[Curve], command: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each curve measured in a process of its own.

    It comes with date, load, machine, and the limits measured just before all of them.
    """
    if not curves:
        return
    here, most = machine(), in_a_child(limits)
    for curve in curves:
        about = {
            key: value for key, value in asdict(curve).items() if key not in ("name", "measure")
        }
        facts = {
            **about,
            "date": now(),
            "load": load(),
            "machine": here,
            "limits": shown_limits(most),
            "command": command,
        }
        try:
            found = in_a_child(curve_here, curve.name, most)
        except BrokenProcessPool as error:
            found = {"status": "failed", "reason": f"its process died: {error}"}
        yield curve.name, {**facts, **found}


def shown_limits(most: Limits) -> dict[str, str]:
    """The limits in words; copies count what is read and what is written."""
    copies = ", ".join(
        f"{speed / 1e9:.1f} GB/s at {2 * size / 2**20:g} MiB"
        for size, speed in sorted(most.copy.items())
    )
    return {
        "copies, one thread": copies,
        f"copies, {most.cores} threads": f"{most.copy_all / 1e9:.1f} GB/s beyond all caches",
        "matrix products, one thread": (
            f"{most.float32 / 1e9:.0f} GFLOP/s in float32, {most.float64 / 1e9:.0f} in float64"
        ),
        f"matrix products, {most.cores} threads": (
            f"{most.float32_all / 1e9:.0f} in float32, {most.float64_all / 1e9:.0f} in float64"
        ),
        "one numpy call": f"{most.call * 1e6:.2f} microseconds",
    }


def markdown(growth: Mapping[str, Any]) -> Iterator[str]:
    """The curves as lines of Markdown.

    They are a table of seconds and exponents, the reasons, and the limits of the machine.
    """
    if not growth:
        return
    yield "## How the work grows"
    yield ""
    yield INTRODUCTION
    yield ""
    yield (
        "| curve | work | with | sizes | seconds | expected | fitted | last | arithmetic | memory |"
        " calls |"
    )
    yield "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for name, curve in growth.items():
        entries = (f"`{name}`", curve["piece"], curve["axis"], *numbers(curve))
        yield f"| {' | '.join(plain(entry) for entry in entries)} |"
    yield ""
    for name, curve in growth.items():
        yield f"- `{name}` ({curve['date']}, load average {curve['load']:.2f}): {curve['because']}"
    yield ""
    said: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, curve in growth.items():
        said.setdefault(tuple(curve["limits"].items()), []).append(name)
    for limit, names in said.items():
        of = "" if len(said) == 1 else " " + ", ".join(f"`{name}`" for name in names)
        yield f"Limits measured just before{of}:"
        yield ""
        yield from (f"- {word}: {value}" for word, value in limit)
        yield ""


def plain(entry: str) -> str:
    """Text that stays in its cell of a Markdown table."""
    return entry.replace("|", "\\|").replace("\n", " ")


def numbers(curve: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of a curve from its sizes on."""
    sizes, expected = ", ".join(f"{size:,}" for size in curve["sizes"]), f"{curve['expected']:g}"
    if curve["status"] != "measured":
        return (sizes, f"{curve['status']}: {curve['reason']}", expected, *[""] * 5)
    parts = (
        f"{curve['fractions'][name]:.0%}" if name in curve["fractions"] else ""
        for name in ("arithmetic", "memory", "calls")
    )
    seconds = ", ".join(f"{value:.3g}" for value in curve["seconds"])
    return (sizes, seconds, expected, f"{curve['exponent']:.2f}", f"{curve['last']:.2f}", *parts)
