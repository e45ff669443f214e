"""Versions of installed packages, found without importing them. Standard library only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import cache


def versions_of(names: Iterable[str]) -> dict[str, str]:
    """Versions of those of the named distributions that are installed.

    Parameters
    ----------
    names : iterable of str
        Names of distributions, such as "scikit-learn".
    """
    return {name: found for name in names if (found := _version_of(name)) is not None}


@cache
def _version_of(name: str) -> str | None:
    """One version; metadata is parsed once a process."""
    from importlib import metadata

    with contextlib.suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None
