"""Filters of system calls (seccomp): from rules to the kernel's own program, and putting one on.

A process of another architecture is ended, calls of the second table of x86_64 are refused, and
what no rule refuses is allowed. Where several filters are on, the strictest verdict counts.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kobench.sandbox import kernel

#: The machines for which filters are written, with their AUDIT_ARCH (linux/audit.h). The order is
#: that of the numbers in `CALLS`.
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

#: The numbers of the calls that rules name (asm/unistd.h); None where a machine has no such call.
CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "setsockopt": (54, 208),
    "unshare": (272, 97),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fallocate": (285, 47),
    "io_uring_setup": (425, 425),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "syslog": (103, 116),
    "fcntl": (72, 25),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semctl": (66, 191),
    "semtimedop": (220, 192),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "chown": (92, None),
    "lchown": (94, None),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "getxattr": (191, 8),
    "lgetxattr": (192, 9),
    "fgetxattr": (193, 10),
    "getxattrat": (464, 464),
    "listxattr": (194, 11),
    "llistxattr": (195, 12),
    "flistxattr": (196, 13),
    "listxattrat": (465, 465),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_getattr": (468, 468),
    "file_setattr": (469, 469),
    "ioctl": (16, 29),
    "pidfd_open": (434, 434),
    "open_by_handle_at": (304, 265),
    "prlimit64": (302, 261),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setaffinity": (203, 122),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "setrlimit": (160, 164),
    "close_range": (436, 436),
    "memfd_secret": (447, 447),
    "vmsplice": (278, 75),
    "landlock_create_ruleset": (444, 444),
    "seccomp": (317, 277),
    "prctl": (157, 167),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "io_setup": (206, 0),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "mincore": (27, 232),
    "cachestat": (451, 451),
    "fadvise64": (221, 223),
    "preadv2": (327, 286),
    "madvise": (28, 233),
    "process_madvise": (440, 440),
}

#: Bits of an argument that a test looks at: all of a C int.
WHOLE = 0xFFFFFFFF


class Where(NamedTuple):
    """A test of one argument of a call; one half of its 64 bits is looked at.

    Attributes
    ----------
    argument : int
        Which argument, from 0.
    values : tuple of int
        What it is compared with.
    among : bool
        Whether the test holds where the argument is one of them, or where it is none.
    mask : int
        The bits that are compared.
    upper : bool
        Whether its upper 32 bits are looked at, or its lower ones.
    """

    argument: int
    values: tuple[int, ...]
    among: bool = True
    mask: int = WHOLE
    upper: bool = False


class Rule(NamedTuple):
    """Calls that are refused.

    Attributes
    ----------
    calls : tuple of str
        Names, of `CALLS`.
    where : tuple of Where
        Tests of the arguments: the call is refused where all of them hold.
    error : int
        The number of the error that the call gives; 0 says that it was done, and nothing was.
    """

    calls: tuple[str, ...]
    where: tuple[Where, ...] = ()
    error: int = errno.EACCES  # Landlock says the same


# Instructions (linux/bpf_common.h).
_LOAD = 0x20  # a word of `struct seccomp_data` (BPF_LD, BPF_W, BPF_ABS)
_MASK = 0x54  # keep some bits (BPF_ALU, BPF_AND, BPF_K)
_EQUAL = 0x15  # jump where it equals a constant (BPF_JMP, BPF_JEQ, BPF_K)
_ABOVE = 0x35  # jump where it is a constant or above (BPF_JMP, BPF_JGE, BPF_K)
_RETURN = 0x06  # the verdict (BPF_RET, BPF_K)

# Verdicts (linux/seccomp.h).
_ALLOW = 0x7FFF0000  # SECCOMP_RET_ALLOW
_REFUSE = 0x00050000  # SECCOMP_RET_ERRNO, with the number of an error
_END = 0x80000000  # SECCOMP_RET_KILL_PROCESS

#: From this number on x86_64 has a second table of calls, for programs of 32 bits.
_X32 = 0x40000000

# Where the words lie in `struct seccomp_data`.
_CALL = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16  # eight bytes each, the lower half first

#: One instruction: (code, steps to skip where true, steps to skip where false, constant).
Step = tuple[int, int, int, int]


def program(machine: str, rules: Iterable[Rule]) -> bytes:
    """The filter in BPF, as an array of `struct sock_filter` (linux/filter.h).

    Parameters
    ----------
    machine : str
        One of `MACHINES`.
    rules : iterable of Rule
        What is refused.

    Raises
    ------
    OSError
        No filter is written for this machine.
    """
    if machine not in MACHINES:
        raise OSError(
            0, f"no filter is written for {machine}; there is one for {' and '.join(MACHINES)}"
        )
    column = list(MACHINES).index(machine)
    steps: list[Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, MACHINES[machine]),
        (_RETURN, 0, 0, _END),
        (_LOAD, 0, 0, _CALL),
        (_ABOVE, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE | errno.EACCES),
    ]
    for rule in rules:
        for name in rule.calls:
            number = CALLS[name][column]
            if number is not None:
                body = _body(rule)
                steps += [(_EQUAL, 0, len(body), number), *body]
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _body(rule: Rule) -> list[Step]:
    """What follows once the call is known to be one of the rule's.

    Where a test does not hold, it goes on behind the body with the call's number loaded again.
    """
    verdict: Step = (_RETURN, 0, 0, _REFUSE | rule.error)
    if not rule.where:
        return [verdict]
    again: Step = (_LOAD, 0, 0, _CALL)
    steps: list[Step] = [verdict, again]
    for test in reversed(rule.where):
        steps = [*_test(test, len(steps) - 1), *steps]
    return steps


def _test(test: Where, otherwise: int) -> list[Step]:
    """Go on behind these steps where the test holds, else `otherwise` steps behind them."""
    steps: list[Step] = [(_LOAD, 0, 0, _ARGUMENTS + 8 * test.argument + 4 * test.upper)]
    if test.mask != WHOLE:
        steps.append((_MASK, 0, 0, test.mask))
    one_of, none_of = (0, otherwise) if test.among else (otherwise, 0)
    count = len(test.values)
    for place, value in enumerate(test.values):
        after = count - place - 1  # comparisons that are still to come
        steps.append((_EQUAL, after + one_of, none_of if after == 0 else 0, value))
    return steps


def put_on(rules: Sequence[Rule]) -> None:
    """Put a filter on this process and all that it starts, once it has no way to gain rights.

    Parameters
    ----------
    rules : sequence of Rule
        What is refused.

    Raises
    ------
    OSError
        No filter is written for this machine, or the kernel refuses it.
    """
    code = program(os.uname().machine, rules)
    buffer = ctypes.create_string_buffer(code, len(code))
    given = ctypes.create_string_buffer(struct.pack("HP", len(code) // 8, ctypes.addressof(buffer)))
    kernel.set_filter(ctypes.addressof(given))
