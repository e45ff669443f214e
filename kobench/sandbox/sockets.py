"""The layer "seccomp-sockets": a filter of system calls that keeps out network and keyrings.

It refuses sockets of all families but unix and netlink, so that there is no network where no
namespace may be had, too.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from kobench.sandbox import kernel

#: For each machine (AUDIT_ARCH, socket, socketpair, the calls refused whatever their arguments);
#: linux/audit.h, asm/unistd.h. io_uring_setup opens sockets without the call `socket`. add_key,
#: request_key and keyctl reach what outlives a trial: the keyrings of the user's login, and those
#: of the user's number, which every trial of this user would share.
MACHINES = {
    "x86_64": (0xC000003E, 41, 53, (425, 248, 249, 250)),
    "aarch64": (0xC00000B7, 198, 199, (425, 217, 218, 219)),
}

#: Families of sockets that stay (linux/socket.h): unix (1), which Landlock and the file tree bound,
#: and netlink (16), by which libraries list the network interfaces.
ALLOWED = (1, 16)

# Instructions (linux/bpf_common.h).
_LOAD = 0x20  # a word of `struct seccomp_data` (BPF_LD, BPF_W, BPF_ABS)
_EQUAL = 0x15  # jump where it equals a constant (BPF_JMP, BPF_JEQ, BPF_K)
_ABOVE = 0x35  # jump where it is a constant or above (BPF_JMP, BPF_JGE, BPF_K)
_RETURN = 0x06  # the verdict (BPF_RET, BPF_K)

# Verdicts (linux/seccomp.h).
_ALLOW = 0x7FFF0000  # SECCOMP_RET_ALLOW
_REFUSE = 0x00050000 | errno.EACCES  # SECCOMP_RET_ERRNO; Landlock says the same
_END = 0x80000000  # SECCOMP_RET_KILL_PROCESS

#: From this number on x86_64 has a second table of calls, for programs of 32 bits.
_X32 = 0x40000000

# Where the words lie in `struct seccomp_data`.
_CALL = 0
_ARCHITECTURE = 4
_FIRST_ARGUMENT = 16  # its lower half


def program(machine: str) -> bytes:
    """The filter in BPF, as an array of `struct sock_filter` (linux/filter.h).

    Parameters
    ----------
    machine : str
        One of `MACHINES`.

    Raises
    ------
    OSError
        No filter is written for this machine.

    Notes
    -----
    Each step is (code, steps to skip where true, steps to skip where false, constant). A process of
    another architecture is ended; sockets of other families and the refused calls get EACCES.
    """
    if machine not in MACHINES:
        raise OSError(
            0, f"no filter is written for {machine}; there is one for {' and '.join(MACHINES)}"
        )
    architecture, socket, pair, refused = MACHINES[machine]
    families, calls = len(ALLOWED), len(refused)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _END),
        (_LOAD, 0, 0, _CALL),
        (_ABOVE, 3 + families + calls, 0, _X32),  # refuse
        *((_EQUAL, 2 + families + calls - number, 0, call) for number, call in enumerate(refused)),
        (_EQUAL, 1, 0, socket),
        (_EQUAL, 0, 2 + families, pair),  # allow what is neither
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *((_EQUAL, families - number, 0, family) for number, family in enumerate(ALLOWED)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def no_network() -> None:
    """Put the filter on this process and all that it starts, once it has no way to gain rights.

    Raises
    ------
    OSError
        No filter is written for this machine, or the kernel refuses it.
    """
    code = program(os.uname().machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    given = ctypes.create_string_buffer(struct.pack("HP", len(code) // 8, ctypes.addressof(buffer)))
    kernel.set_filter(ctypes.addressof(given))
