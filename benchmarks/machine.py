"""The machine a benchmark ran on, and what was installed there: no figure can be read without."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

#: Distributions whose versions move the figures.
PACKAGES = (
    "kobench",
    "kobench-baselines",
    "numpy",
    "scipy",
    "torch",
    "xgboost",
    "scikit-learn",
    "numba",
    "pandas",
    "anndata",
)

#: Variables that limit the threads of the libraries below.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def machine() -> dict[str, str]:
    """What the figures depend on, by the words they are shown under.

    Nothing in it changes between two runs in a row.
    """
    return {
        "processor": processor(),
        "cores": str(os.cpu_count()),
        "memory": memory(),
        "caches": caches(Path("/sys/devices/system/cpu/cpu0/cache")) or "unknown",
        "GPU": gpu(),
        "system": (
            f"{platform.system()} {platform.release().partition('-')[0]},"
            f" {' '.join(platform.libc_ver()).strip() or 'libc unknown'}"
        ),
        "Python": platform.python_version(),
        "packages": ", ".join(
            f"{name} {found}" for name in PACKAGES if (found := version_of(name))
        ),
        "threads": (
            ", ".join(f"{name}={os.environ[name]}" for name in THREADS if name in os.environ)
            or f"no limit set: libraries use up to {os.cpu_count()}"
        ),
    }


def load() -> float:
    """The load average of the last minute: how busy the machine is with other things.

    It is NaN where the system gives none.
    """
    try:
        return os.getloadavg()[0]
    except OSError:
        return float("nan")


def processor() -> str:
    """The processor's model."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def memory() -> str:
    """The machine's memory in GiB."""
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB"
    except (ValueError, OSError):
        return "unknown"


def caches(folder: Path) -> str:
    """The caches that one core sees, as Linux lists them in `folder`; "" where it lists none."""
    found = []
    for index in sorted(folder.glob("index*")):
        level, kind, size = (
            (index / name).read_text().strip() for name in ("level", "type", "size")
        )
        if kind != "Instruction":
            kib = int(size.removesuffix("K"))
            found.append(f"L{level} {kib / 1024:g} MiB" if kib >= 1024 else f"L{level} {kib} KiB")
    return ", ".join(found)


def gpu() -> str:
    """The GPU's name and driver as its own tool gives them, or "no GPU"."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return "no GPU"
    done = subprocess.run(
        [tool, "--query-gpu=name,driver_version", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "; ".join(done.stdout.strip().splitlines()) or "no GPU"


def version_of(distribution: str) -> str:
    """The installed version, "" where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
