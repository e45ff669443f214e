"""The layer "seccomp-outside": calls by which something outlives a trial, or a process reaches out.

No path is opened by them, so Landlock knows nothing of most. Where a namespace or a file tree of
its own makes such calls harmless they are allowed; this layer closes them where there is none.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from kobench.sandbox.filters import Rule, Where
from kobench.sandbox.sockets import UNIX

#: Types of sockets (linux/net.h) that stay with the one that they were made with. A pair of
#: datagram sockets is no such pair: each can send to any unix socket that has a path.
STREAM, PACKETS = 1, 5

#: The bits of a socket's type that are no flags.
TYPE = 0xF

#: What is refused where the unix sockets of the machine could be reached.
SOCKETS = (
    Rule(("socket",), (Where(0, (UNIX,)),)),
    Rule(("socketpair",), (Where(1, (STREAM, PACKETS), among=False, mask=TYPE),)),
)

#: What is refused where the machine's System V memory, semaphores and messages, and POSIX message
#: queues could be reached: all calls, since one may guess the number of what somebody else made.
IPC = (
    Rule(("shmget", "shmat", "shmctl")),
    Rule(("semget", "semop", "semctl", "semtimedop")),
    Rule(("msgget", "msgsnd", "msgrcv", "msgctl")),
    Rule(("mq_open", "mq_unlink")),
)

#: What is refused in the machine's own file tree: to change what is kept of a file beside its
#: content, which the owner may do by its mere path, and to shorten it, which Landlock has known
#: since its version 3. Modes and times are only said to be changed: whoever copies a file sets
#: them, and needs them no more. Attributes hold whatever somebody put there, so to read them is
#: refused, too; programs that copy files take it that there are none.
METADATA = (
    Rule(("truncate",)),
    Rule(
        ("chmod", "fchmod", "fchmodat", "fchmodat2", "utime", "utimes", "futimesat", "utimensat"),
        error=0,
    ),
    Rule(("chown", "lchown", "fchown", "fchownat"), error=errno.EPERM),
    Rule(("setxattr", "lsetxattr", "fsetxattr", "setxattrat"), error=errno.EOPNOTSUPP),
    Rule(("getxattr", "lgetxattr", "fgetxattr", "getxattrat"), error=errno.EOPNOTSUPP),
    Rule(("listxattr", "llistxattr", "flistxattr", "listxattrat"), error=errno.EOPNOTSUPP),
    Rule(("removexattr", "lremovexattr", "fremovexattr", "removexattrat"), error=errno.EOPNOTSUPP),
    Rule(("file_getattr", "file_setattr"), error=errno.EOPNOTSUPP),
)

#: What is refused where the machine's processes have numbers: to set limits, priorities and
#: processors of others, or of all of the user (setpriority: 2, ioprio_set: 3). They are kept as
#: long as those processes live, and an owner may set them. To get hold of one by its number, or by
#: the handle of such a file, too: by that the kernel tells its family, users and control group.
PROCESSES = (
    Rule(("pidfd_open", "open_by_handle_at"), error=errno.EPERM),
    Rule(("setpriority",), (Where(0, (2,)),), errno.EPERM),
    Rule(("ioprio_set",), (Where(0, (3,)),), errno.EPERM),
    Rule(("setpriority", "ioprio_set"), (Where(1, (0,), among=False),), errno.EPERM),
    Rule(
        (
            "prlimit64",
            "sched_setaffinity",
            "sched_setparam",
            "sched_setscheduler",
            "sched_setattr",
        ),
        (Where(0, (0,), among=False),),
        errno.EPERM,
    ),
)


def needed(layers: Mapping[str, Any]) -> tuple[Rule, ...]:
    """What must be refused beside the layers that are there.

    Parameters
    ----------
    layers : mapping of str to True or str
        What became of the other layers.
    """

    def there(*names: str) -> bool:
        return any(layers.get(name) is True for name in names)

    closed = there("mounts") and there("network-namespace", "landlock-signals")
    return (
        *(() if closed else SOCKETS),
        *(() if there("ipc-namespace") else IPC),
        *(() if there("mounts") else METADATA),
        *(() if there("process-namespace") else PROCESSES),
    )
