"""Keeps to itself what GenKI and its libraries do to the whole process.

That is random states, threads, the device, and caches at import.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np


@contextmanager
def caches_in(folder: Path | None) -> Iterator[None]:
    """Let matplotlib and numba keep their caches in a folder while GenKI imports them.

    Parameters
    ----------
    folder : Path, optional
        The folder. Without one, or where the environment names one already, nothing is changed.
    """
    names = ("MPLCONFIGDIR", "NUMBA_CACHE_DIR") if folder is not None else ()
    added = {name: str(folder) for name in names if name not in os.environ}
    with patch.dict(os.environ, added):
        yield


@contextmanager
def contained(threads: int) -> Iterator[None]:
    """Limit torch and linear algebra inside a `with` block; afterwards all is as it was.

    They use at most `threads` threads and torch sees no GPU. GenKI sets the global seeds of
    `random`, numpy and torch. It would train on a GPU wherever there is one, and then fail, because
    it evaluates on the CPU.
    """
    import torch
    from threadpoolctl import threadpool_limits

    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - put back below
    torch_threads = torch.get_num_threads()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=range(torch.cuda.device_count())))
        stack.enter_context(threadpool_limits(limits=threads))
        stack.enter_context(patch.object(torch.cuda, "is_available", return_value=False))
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(torch_threads)
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002
