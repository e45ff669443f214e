"""Where and with what a trial ran: the `run` part of its record, which no key contains."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import Any

from kobench import __version__
from kobench.util.versions import versions_of

#: Packages whose versions are written down with every result.
PACKAGES = ("kobench", "numpy", "scipy", "pandas", "anndata", "torch", "scikit-learn", "xgboost")


def here_and_now() -> dict[str, Any]:
    """This machine, its packages and the time; costs are still unknown."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": system(),
        "python": platform.python_version(),
        "cpu_count": os.cpu_count(),
        "kobench": __version__,
        "packages": versions_of(PACKAGES),
        "fit_seconds": None,
        "predict_seconds": None,
        "peak_mb": None,
    }


def system() -> str:
    """The system as `platform.platform` names it; but no `uname` is asked, which may be anybody's.

    >>> system().split("-")[0] == platform.system()
    True
    """
    parts = [platform.system(), platform.release(), platform.machine()]
    library = "".join(platform.libc_ver())
    return "-".join([*parts, "with", library] if library else parts)


def in_its_environment(ran: dict[str, Any]) -> dict[str, Any]:
    """What the run part says of a trial's process, with the packages of its own environment."""
    environment = ran.get("environment")
    if not environment:
        return ran
    return {**ran, "python": environment["python"], "packages": dict(environment["packages"])}
