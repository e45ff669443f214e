"""What this machine can do at most: bytes and operations a second, and the cost of a call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

#: Bytes of each copied array: in the second cache, in the third, and far beyond every cache.
IN_L2, IN_L3, IN_MEMORY = 2**19, 2**22, 2**28

#: Side of the matrices multiplied.
SIDE = 2048

#: Repetitions, of which the fastest counts: a limit is what can be reached.
REPEATS = 5


@dataclass(frozen=True)
class Limits:
    """Measured limits of a machine.

    Attributes
    ----------
    copy : dict
        Bytes of an array -> bytes/s, read and written, of copies of such arrays; one thread.
    copy_all : float
        The same beyond all caches, with every core.
    float32, float64 : float
        Operations/s of matrix products, one thread.
    float32_all, float64_all : float
        The same with every core.
    call : float
        Seconds of a numpy call on one number.
    cores : int
        Number of cores.
    """

    copy: dict[int, float]
    copy_all: float
    float32: float
    float64: float
    float32_all: float
    float64_all: float
    call: float
    cores: int

    def bandwidth(self, held: float) -> float:
        """Bytes/s of one thread that goes over `held` bytes again and again.

        It is that of the smallest measured copy that holds them.
        """
        return next(
            (speed for size, speed in sorted(self.copy.items()) if 2 * size >= held),
            min(self.copy.values()),
        )


def limits() -> Limits:
    """Measure the limits of this machine, in about ten seconds."""
    cores = os.cpu_count() or 1
    products = {
        (kind, threads): product(kind, threads)
        for kind in ("float32", "float64")
        for threads in (1, cores)
    }
    return Limits(
        copy={size: copies(size, 1) for size in (IN_L2, IN_L3, IN_MEMORY)},
        copy_all=copies(IN_MEMORY, cores),
        float32=products["float32", 1],
        float64=products["float64", 1],
        float32_all=products["float32", cores],
        float64_all=products["float64", cores],
        call=numpy_call(),
        cores=cores,
    )


def fastest(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The least seconds of `repeats` calls, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def copies(size: int, threads: int) -> float:
    """Bytes/s read and written by copies of arrays of `size` bytes, each thread its own."""
    pairs = [(np.ones(size // 8), np.zeros(size // 8)) for _ in range(threads)]
    rounds = max(1, 2**27 // size)

    def copy(pair: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]) -> None:
        for _ in range(rounds):
            np.copyto(pair[1], pair[0])

    with ThreadPoolExecutor(threads) as pool:  # numpy lets other threads run while it copies
        seconds = fastest(lambda: list(pool.map(copy, pairs)))
    return 2 * size * rounds * threads / seconds


def product(kind: str, threads: int) -> float:
    """Operations/s of a product of two square matrices, 2 n**3 of them."""
    rng = np.random.default_rng(0)
    a, b = (rng.random((SIDE, SIDE)).astype(kind) for _ in range(2))
    out = np.empty_like(a)
    with threadpool_limits(limits=threads):
        return 2 * SIDE**3 / fastest(lambda: np.matmul(a, b, out=out))


def numpy_call() -> float:
    """Seconds of one numpy call on an array of one number: the cost of calling."""
    a, out, calls = np.ones(1), np.ones(1), 20_000

    def ask() -> None:
        for _ in range(calls):
            np.add(a, a, out=out)

    return fastest(ask) / calls
