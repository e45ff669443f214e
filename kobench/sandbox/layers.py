"""The layers of the sandbox: their names, and what is open to a predictor where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

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
    "ipc-namespace": (
        "where the filter seccomp-outside is not there either, System V memory, semaphores and"
        " messages, and POSIX message queues, which outlive a trial"
    ),
    "mounts": (
        "the names, sizes and times of all files can be seen, and there is no /dev/shm: pools,"
        " queues and locks of multiprocessing can't be made, joblib goes on in one process"
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
        "the kernel's log, and keyrings and hints on files that all trials of the user share;"
        " memory and disk that no limit counts; where the network is not its own either, UDP, raw"
        " and virtual (AF_VSOCK) sockets"
    ),
    "seccomp-outside": (
        "where the file tree is not its own either, unix sockets with a path, and modes, times and"
        " attributes of its user's files; where the processes are not, limits and priorities of"
        " its user's processes"
    ),
    "environment": "variables of the shell in which kobench was started",
}

#: The names of all layers.
LAYERS = tuple(OPEN_WITHOUT)


class Need(NamedTuple):
    """Something that must be closed.

    Attributes
    ----------
    what : str
        What it is, in words.
    by : tuple of str
        The layers of which any one closes it.
    """

    what: str
    by: tuple[str, ...]


#: What must be out of a predictor's reach, and all that must be closed for that; the first of each
#: is the thing itself. What outlives a trial or leads to a process outside counts as files.
COVERS = {
    "files": (
        Need("files of the machine", ("mounts", "landlock-files")),
        Need(
            "unix sockets with a path, and modes, times and attributes of files",
            ("mounts", "seccomp-outside"),
        ),
        Need(
            "System V memory, semaphores and messages, and POSIX message queues",
            ("ipc-namespace", "seccomp-outside"),
        ),
        Need("the kernel's log, keyrings and hints on files", ("seccomp-sockets",)),
    ),
    "network": (
        Need("sockets of the network", ("network-namespace", "seccomp-sockets")),
        Need("abstract unix sockets", ("network-namespace", "landlock-signals", "seccomp-outside")),
    ),
    "processes": (
        Need("other processes", ("process-namespace", "landlock-signals")),
        Need("limits and priorities of other processes", ("process-namespace", "seccomp-outside")),
    ),
}

#: What became of each layer: {layer: True, or why it is not there}.
Found = Mapping[str, Any]


def without_any(reason: str) -> dict[str, Any]:
    """What became of the layers where none is there, all for one reason."""
    return dict.fromkeys(LAYERS, reason)


def still_open(layers: Found) -> dict[str, tuple[Need, ...]]:
    """What no layer closes, for each of `COVERS` where there is such a thing.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of each layer; one that is not named is not there.
    """
    found = {
        what: tuple(
            need for need in needs if not any(layers.get(layer) is True for layer in need.by)
        )
        for what, needs in COVERS.items()
    }
    return {what: needs for what, needs in found.items() if needs}


def uncovered(layers: Found) -> tuple[str, ...]:
    """Which of "files", "network" and "processes" the layers do not cover.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of each layer; one that is not named is not there.

    Examples
    --------
    >>> uncovered({"mounts": True, "seccomp-sockets": True, "process-namespace": True})
    ('files', 'network')
    """
    return tuple(still_open(layers))


def open_in_words(layers: Found) -> tuple[str, ...]:
    """What is open, each in words.

    Where files, network or processes are closed themselves, what leads past that is named.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of each layer.

    Examples
    --------
    >>> open_in_words({"mounts": True, "ipc-namespace": True, "network-namespace": True})
    ("files (the kernel's log, keyrings and hints on files)", 'processes')
    """
    return tuple(
        what if COVERS[what][0] in needs else f"{what} ({'; '.join(need.what for need in needs)})"
        for what, needs in still_open(layers).items()
    )


def why_open(layers: Found) -> str:
    """What is open, with the reason of each layer that would close it, as part of a sentence.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of each layer.

    Examples
    --------
    >>> why_open({"mounts": True, "ipc-namespace": True, "network-namespace": True,
    ...     "process-namespace": True, "seccomp-sockets": "needs Linux"})
    "the kernel's log, keyrings and hints on files (seccomp-sockets: needs Linux)"
    """
    return "; ".join(
        f"{need.what} ({', '.join(f'{layer}: {layers.get(layer)}' for layer in need.by)})"
        for needs in still_open(layers).values()
        for need in needs
    )
