"""The layer "seccomp-sockets": no sockets of the network, and nothing that the kernel itself keeps.

There is no network where no namespace may be had, too; and no namespace keeps apart what the kernel
notes in its log, its keyrings and beside files.
"""

from __future__ import annotations

from kobench.sandbox.filters import Rule, Where

#: Families of sockets (linux/socket.h).
UNIX = 1
NETLINK = 16

#: The one protocol of netlink that stays (linux/netlink.h): by it libraries list the network
#: interfaces. By others processes can send each other messages, or learn of the machine.
ROUTE = 0

#: What is refused. io_uring opens sockets without the call `socket`. Keyrings hold what outlives a
#: trial: those of the user's login, and those of the user's number, which all trials would share.
#: Into the kernel's log everybody writes by a crash, and on some systems everybody reads it.
RULES = (
    Rule(("socket", "socketpair"), (Where(0, (UNIX, NETLINK), among=False),)),
    Rule(("socket",), (Where(0, (NETLINK,)), Where(2, (ROUTE,), among=False))),
    Rule(("io_uring_setup", "add_key", "request_key", "keyctl", "syslog")),
)
