"""The layers of the sandbox: their names, and what is open to a predictor where one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: What a user may ask for. auto: every layer that this machine allows. require: the same, but
#: nothing runs where files, network or processes stay open. off: no layer at all.
MODES = ("auto", "require", "off")

#: Every layer, in the order in which they are put on, and what is open to a predictor where only
#: this one is missing.
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

#: The names of all layers.
LAYERS = tuple(OPEN_WITHOUT)

#: What must be out of a predictor's reach, and the layers of which any one keeps it there.
COVERS = {
    "files": ("mounts", "landlock-files"),
    "network": ("network-namespace", "seccomp-sockets"),
    "processes": ("process-namespace", "landlock-signals"),
}

#: What became of each layer: {layer: True, or why it is not there}.
Found = Mapping[str, Any]


def without_any(reason: str) -> dict[str, Any]:
    """What became of the layers where none is there, all for one reason."""
    return dict.fromkeys(LAYERS, reason)


def uncovered(layers: Found) -> tuple[str, ...]:
    """Which of "files", "network" and "processes" no layer covers.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of each layer; one that is not named is not there.

    Examples
    --------
    >>> uncovered({"mounts": True, "network-namespace": "not permitted", "landlock-signals": True})
    ('network',)
    """
    return tuple(
        what for what, by in COVERS.items() if not any(layers.get(layer) is True for layer in by)
    )


def why_open(layers: Found, what: Iterable[str]) -> str:
    """What is open, with the reason of each layer that would cover it, as part of a sentence.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of each layer.
    what : iterable of str
        What is open, of "files", "network" and "processes".

    Examples
    --------
    >>> why_open({"mounts": "not asked for", "landlock-files": "needs Linux"}, ["files"])
    'files (mounts: not asked for, landlock-files: needs Linux)'
    """
    return "; ".join(
        f"{one} ({', '.join(f'{layer}: {layers.get(layer)}' for layer in COVERS[one])})"
        for one in what
    )
