"""What a trial can't have because nobody could count it: put on with the layer "seccomp-sockets".

Memory of System V lies in no process and no folder. Buffers of sockets lie in the kernel, so they
keep the size that they have at first, and each socket counts with it. Room that is set aside at
once, however much, is there between two looks. In a user namespace of its own a program may mount
file systems in memory that nobody finds. Other things are memory of the kernel's own: rules of
Landlock, filters, programs and maps of bpf, rings of perf and of asynchronous calls. A page of
memory that waits in a pipe keeps the huge page that it is a part of, 2 MB for 4 KB. Secret memory
can't be read, so nobody can say whose it is. Of a thread with open files of its own nobody looks
for them.
"""

from __future__ import annotations

import errno

from kobench.sandbox.filters import Rule, Where

#: Options of sockets that set the size of a buffer (asm-generic/socket.h), at the level SOL_SOCKET:
#: SO_SNDBUF, SO_RCVBUF, SO_SNDBUFFORCE and SO_RCVBUFFORCE.
LEVEL, BUFFERS = 1, (7, 8, 32, 33)

#: The flag of a new user namespace (linux/sched.h).
NEW_USER = 0x10000000

#: Of the flags of new threads and processes (linux/sched.h): common open files, and a thread. To
#: `unshare` the first asks for open files of one's own, as does the flag of `close_range`.
COMMON_FILES, THREAD = 0x400, 0x10000
OWN_FILES = 2  # CLOSE_RANGE_UNSHARE

#: The option of `prctl` that puts on a filter (linux/prctl.h).
FILTER = 22

#: What is refused. A system may give a socket another size than was asked for, so that is said to
#: be done; one without fallocate has programs write instead, and one without clone3, whose flags no
#: filter sees, has them call clone.
RULES = (
    Rule(("setsockopt",), (Where(1, (LEVEL,)), Where(2, BUFFERS)), error=0),
    Rule(("fallocate",), error=errno.EOPNOTSUPP),
    Rule(("unshare", "clone"), (Where(0, (NEW_USER,), mask=NEW_USER),), errno.EPERM),
    Rule(("clone3",), error=errno.ENOSYS),
    Rule(("shmget", "semget", "msgget"), error=errno.ENOSPC),
    Rule(("unshare",), (Where(0, (COMMON_FILES,), mask=COMMON_FILES),), errno.EPERM),
    Rule(("clone",), (Where(0, (THREAD,), mask=THREAD | COMMON_FILES),), errno.EPERM),
    Rule(("close_range",), (Where(2, (OWN_FILES,), mask=OWN_FILES),), errno.EINVAL),
    Rule(("memfd_secret", "landlock_create_ruleset", "io_setup", "vmsplice"), error=errno.ENOSYS),
    Rule(("seccomp",), error=errno.ENOSYS),
    Rule(("prctl",), (Where(0, (FILTER,)),), errno.EINVAL),
    Rule(("bpf", "perf_event_open"), error=errno.EPERM),
)

#: What is refused where a program computes on processors of its own: others would be a neighbour's.
#: It is said to be done, since libraries that place their threads ask for it and need it not.
PINNED = (Rule(("sched_setaffinity",), error=0),)
