"""What a trial can't have because nobody could count it: put on with the layer "seccomp-sockets".

Memory of System V lies in no process and no folder. Buffers of sockets lie in the kernel, so they
keep the size that they have at first, and each socket counts with it. Room that is set aside at
once, however much, is there between two looks. In a user namespace of its own a program may mount
file systems in memory that nobody finds.
"""

from __future__ import annotations

import errno

from kobench.sandbox.filters import Rule, Where

#: Options of sockets that set the size of a buffer (asm-generic/socket.h), at the level SOL_SOCKET:
#: SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE and SO_RCVBUFFORCE.
LEVEL, BUFFERS = 1, (7, 8, 32, 33)

#: The flag of a new user namespace (linux/sched.h).
NEW_USER = 0x10000000

#: What is refused. A system may give a socket another size than was asked for, so that is said to
#: be done; one without fallocate has programs write instead, and one without clone3, whose flags no
#: filter sees, has them call clone.
RULES = (
    Rule(("setsockopt",), (Where(1, (LEVEL,)), Where(2, BUFFERS)), error=0),
    Rule(("fallocate",), error=errno.EOPNOTSUPP),
    Rule(("unshare", "clone"), (Where(0, (NEW_USER,), mask=NEW_USER),), errno.EPERM),
    Rule(("clone3",), error=errno.ENOSYS),
    Rule(("shmget", "semget", "msgget"), error=errno.ENOSPC),
)
