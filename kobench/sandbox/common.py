"""What is refused of files and the machine that all share: put on with the layer "seccomp-sockets".

A file that may only be read can be marked, watched, held up or pushed out of memory all the same,
in a file tree of one's own, too: the kernel keeps such things by file, and not by path.
"""

from __future__ import annotations

import errno

from kobench.sandbox.filters import Rule, Where

#: The commands of `fcntl` that note how long a file's data will live (linux/fcntl.h). The owner of
#: a file may do that by having it open for reading, on a read-only mount, too, and the kernel keeps
#: it as long as it remembers the file: F_SET_RW_HINT and F_SET_FILE_RW_HINT.
HINTS = (1036, 1038)

#: Those by which the owner of a file has whoever opens it wait for up to 45 seconds (F_SETLEASE and
#: F_SETDELEG), and by which one hears what others do in a folder (F_NOTIFY).
LEASES = (1024, 1040, 1026)

#: The letters of the requests of `ioctl` by which file systems keep keys, flags, versions and
#: attributes of a file that is only open for reading (linux/fs.h; 0x94 are those of btrfs).
FILE_SYSTEM_REQUESTS = (0x66, 0x76, 0x58, 0x94)

#: The limit of the size of a core (asm-generic/resource.h): 1 starts no program of the machine that
#: takes cores, 0 does, and that program may be root's and keep what it is given.
CORE = 4

#: Advice on pages of a file, of `fadvise` (POSIX_FADV_DONTNEED) and of `madvise` (MADV_COLD,
#: MADV_PAGEOUT), by which they leave the memory; and the flag of `preadv2` by which only what is in
#: memory is read (RWF_NOWAIT).
NOT_NEEDED, COLD, AT_ONCE = 4, (20, 21), 0x8

#: What is refused.
RULES = (
    Rule(("fcntl",), (Where(1, HINTS + LEASES),), errno.EINVAL),
    Rule(
        ("ioctl",),
        (Where(1, tuple(letter << 8 for letter in FILE_SYSTEM_REQUESTS), mask=0xFF00),),
        errno.ENOTTY,
    ),
    Rule(("inotify_init", "inotify_init1", "fanotify_init"), error=errno.ENOSYS),
    Rule(("inotify_add_watch", "fanotify_mark"), error=errno.ENOSYS),
    Rule(("setrlimit",), (Where(0, (CORE,)),), errno.EPERM),
    # without a new limit, which is an address, it only tells the old one
    Rule(("prlimit64",), (Where(1, (CORE,)), Where(2, (0,), among=False)), errno.EPERM),
    Rule(
        ("prlimit64",),
        (Where(1, (CORE,)), Where(2, (0,), among=False, upper=True)),
        errno.EPERM,
    ),
    Rule(("mincore", "cachestat", "process_madvise"), error=errno.ENOSYS),
    Rule(("madvise",), (Where(2, COLD),), errno.EINVAL),
    Rule(("fadvise64",), (Where(3, (NOT_NEEDED,)),), error=0),
    Rule(("preadv2",), (Where(5, (AT_ONCE,), mask=AT_ONCE),), errno.EOPNOTSUPP),
)
