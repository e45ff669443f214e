"""What a program in the sandbox may read: its interpreter, the system's libraries, little else."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: Libraries and programs of the system, and what the dynamic linker and time zones need. No machine
#: has all of them.
SYSTEM = (
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/share",
    "/usr/include",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/os-release",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)

#: What of an installation is read. Other things may lie beside it that are nobody's business, for
#: instance a project whose virtual environment is in its own folder.
INSTALLED = (
    "bin",
    "lib",
    "lib32",
    "lib64",
    "libexec",
    "share",
    "include",
    "etc",
    "ssl",
    "nvvm",
    "targets",
    "pyvenv.cfg",
)

#: The folder of device files.
CUDA_DEVICES = "/dev"

#: Other files of an NVIDIA GPU and its driver.
CUDA_PLACES = (
    "/usr/local/cuda",
    "/usr/local/nvidia",
    "/proc/driver/nvidia",
    "/sys/bus/pci",
    "/sys/devices/pci0000:00",
    "/sys/module/nvidia",
)


@dataclass(frozen=True)
class Interpreter:
    """An interpreter and the places that it reads.

    Attributes
    ----------
    python : Path
        The interpreter itself.
    read : tuple of Path
        Prefixes of installations, and folders of libraries.
    environment : str or None
        The name of the environment (`kobench env`) that it belongs to, None for the interpreter
        that runs kobench.
    """

    python: Path
    read: tuple[Path, ...]
    environment: str | None = None


def this_interpreter() -> Interpreter:
    """The interpreter that runs kobench, with what is installed in it."""
    prefixes = dict.fromkeys(
        Path(prefix)
        for prefix in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    )
    places = [place for prefix in prefixes for place in installed(prefix)]
    real = Path(sys.executable).resolve().parent
    elsewhere = [Path(folder) for folder in folders_of_packages()]
    elsewhere += [Path(folder) for folder in library_path() if folder.startswith("/")]
    others = [
        place
        for place in (real, *elsewhere)
        if not any(place.is_relative_to(known) for known in places)
    ]
    return Interpreter(Path(sys.executable), (*prefixes, *others))


def library_path() -> list[str]:
    """What `LD_LIBRARY_PATH` has, folders or not."""
    return [one for one in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if one]


def libraries_elsewhere(readable: Sequence[str]) -> list[str]:
    """What `LD_LIBRARY_PATH` names beside the system, the interpreter and folders to read.

    A predictor can read the variable and what lies there, and neither decides whether a stored
    score still counts.

    Parameters
    ----------
    readable : sequence of str
        Folders whose content counts.
    """
    prefixes = (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    known = [os.path.realpath(one) for one in (*SYSTEM, *CUDA_PLACES, *prefixes, *readable)]
    return [
        entry
        for entry in library_path()
        if not any(Path(os.path.realpath(entry)).is_relative_to(one) for one in known)
    ]


def folders_of_packages() -> list[str]:
    """The folders of packages that Python itself or the user put on the path.

    What else is there a `.pth` file may have put there, which any package can bring.
    """
    own = site.getsitepackages()
    if site.ENABLE_USER_SITE:
        own.append(site.getusersitepackages())
    own += os.environ.get("PYTHONPATH", "").split(os.pathsep)
    known = {os.path.realpath(folder) for folder in own if folder}
    return [
        folder
        for folder in sys.path
        if os.path.basename(folder) in ("site-packages", "dist-packages")
        and os.path.realpath(folder) in known
    ]


def installed(place: Path) -> Iterator[Path]:
    """What is read of a place: only `INSTALLED` where it is an installation, else all of it.

    An installation has the folders `bin` and `lib`.
    """
    if (place / "bin").is_dir() and (place / "lib").is_dir():
        yield from (place / name for name in INSTALLED if (place / name).exists())
    else:
        yield place


def readable_by(
    interpreter: Interpreter, more: Sequence[Path] = (), cuda: bool = False
) -> list[str]:
    """All that a program may read, as absolute paths that exist.

    Parameters
    ----------
    interpreter : Interpreter
        What the program is executed by.
    more : sequence of Path
        What it may read beside that.
    cuda : bool
        Whether it may use NVIDIA GPUs.
    """
    places = [Path(place) for place in SYSTEM]
    places += [
        part for place in interpreter.read for part in installed(Path(os.path.abspath(place)))
    ]
    places += [Path(os.path.abspath(place)) for place in more]
    places += [Path(place) for place in CUDA_PLACES] if cuda else []
    return [str(place) for place in dict.fromkeys(places) if place.exists()]


def cuda_devices() -> list[str]:
    """The device files of NVIDIA GPUs."""
    folder = Path(CUDA_DEVICES)
    return [str(path) for path in (*sorted(folder.glob("nvidia*")), *folder.glob("dri"))]
