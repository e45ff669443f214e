"""Keeps scTenifoldpy quiet, repeatable and out of the user's folders while it works."""

from __future__ import annotations

import contextlib
import inspect
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

#: Sets the start vector apart from other draws with the same seed.
START_VECTOR = 104729


@contextlib.contextmanager
def drawing_elsewhere(scratch: Path | None) -> Iterator[None]:
    """Keep matplotlib, which the package imports, from opening windows while it is imported.

    Parameters
    ----------
    scratch : Path, optional
        Folder for matplotlib's cache.
    """
    wanted = {"MPLBACKEND": "Agg"}
    if scratch is not None:
        wanted["MPLCONFIGDIR"] = str(scratch / "matplotlib")
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def contained(seed: int, threads: int) -> Iterator[None]:
    """Keep the package quiet and repeatable inside a `with` block.

    Nothing is printed and no advice is shown. At most `threads` threads are used, and one `seed`
    gives one answer.
    """
    from threadpoolctl import threadpool_limits

    with (
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
        threadpool_limits(threads),
        seeded_eigs(seed),
    ):
        # "no mitochondrial genes", "no outgoing edges": said once a knockout
        warnings.simplefilter("ignore", UserWarning)
        yield


@contextlib.contextmanager
def seeded_eigs(seed: int) -> Iterator[None]:
    """Let `scipy.sparse.linalg.eigs` start from a vector drawn by `seed` if its caller gives none.

    The package's manifold alignment calls it without a start vector. scipy then draws one from the
    system's entropy (1.17) or from a counter that outlives the call (before), so two runs differ in
    the last digits. The R original starts from a fixed vector, too.
    """
    import scipy.sparse.linalg

    original = scipy.sparse.linalg.eigs
    has_rng = "rng" in inspect.signature(original).parameters

    def eigs(A: Any, *args: Any, **options: Any) -> Any:
        rng = np.random.default_rng([START_VECTOR, seed])
        if options.get("v0") is None:
            options["v0"] = rng.uniform(-1.0, 1.0, A.shape[0])
        if has_rng and options.get("rng") is None:
            options["rng"] = rng
        return original(A, *args, **options)

    scipy.sparse.linalg.eigs = eigs
    try:
        yield
    finally:
        scipy.sparse.linalg.eigs = original
