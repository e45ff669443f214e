"""The sandbox's layers by name: what each is for, what stays open without it, and what has to be
covered for a trial to count as sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: What a trial may be asked to run with. auto: every layer that this machine allows; require:
#: nothing runs where files, network or processes are open; off: no layer at all.
MODES = ("auto", "require", "off")

#: Every layer, in the order in which they are put on, and what is open to a predictor where it is
#: the one that is missing.
OPEN_WITHOUT = {
    "user-namespace": (
        "the predictor keeps the rights of whoever started kobench, and most of the other layers"
        " are not allowed"
    ),
    "network-namespace": (
        "where the sockets are not filtered either, the network (TCP alone is closed by"
        " landlock-tcp)"
    ),
    "process-namespace": (
        "it sees the machine's other processes in /proc and by number; what it starts is ended one"
        " by one"
    ),
    "mounts": (
        "the names of all files can be seen, unix sockets with a path can be connected to, /dev/shm"
        " is shared"
    ),
    "own-proc": "/proc is that of the whole machine, or there is none",
    "landlock-files": (
        "where the file tree is not its own either, every file that its user may read or write"
    ),
    "landlock-tcp": "where the network is not its own either, every TCP port",
    "landlock-signals": (
        "where the processes are not its own either, it can signal every process of its user"
    ),
    "seccomp-sockets": (
        "where the network is not its own either, UDP, raw and virtual (AF_VSOCK) sockets"
    ),
    "environment": "variables of the shell in which kobench was started",
}

LAYERS = tuple(OPEN_WITHOUT)

#: What must be out of reach, and the layers any one of which is enough for it.
COVERS = {
    "files": ("mounts", "landlock-files"),
    "network": ("network-namespace", "seccomp-sockets"),
    "processes": ("process-namespace", "landlock-signals"),
}

#: {layer: True, or why it is not there}
Found = Mapping[str, Any]


def without_any(reason: str) -> dict[str, Any]:
    """The layers of a trial that has none of them, all for one reason."""
    return dict.fromkeys(LAYERS, reason)


def uncovered(layers: Found) -> tuple[str, ...]:
    """Which of "files", "network" and "processes" no layer covers.

    >>> uncovered({"mounts": True, "network-namespace": "Operation not permitted", "landlock-tcp": True, "landlock-signals": True})
    ('network',)
    """
    return tuple(
        what for what, by in COVERS.items() if not any(layers.get(layer) is True for layer in by)
    )


def why_open(layers: Found, what: Iterable[str]) -> str:
    """One sentence part that names what is open and why: "network (network-namespace: Operation not
    permitted)".
    """
    return "; ".join(
        f"{one} ({', '.join(f'{layer}: {layers.get(layer)}' for layer in COVERS[one])})"
        for one in what
    )
