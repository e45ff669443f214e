"""A filter of system calls (seccomp): no sockets but unix and netlink ones, so no network without a
namespace either, and no keyrings.
"""

from __future__ import annotations

import ctypes
import os
import struct

from kobench.sandbox import kernel

#: (AUDIT_ARCH, socket, socketpair, the calls refused whatever their arguments) of each machine
#: (linux/audit.h, asm/unistd.h). io_uring_setup opens sockets without the call `socket`; add_key,
#: request_key and keyctl reach what outlives a trial: the keyrings of the user's login, and those
#: of his number, which are his in every trial.
MACHINES = {
    "x86_64": (0xC000003E, 41, 53, (425, 248, 249, 250)),
    "aarch64": (0xC00000B7, 198, 199, (425, 217, 218, 219)),
}

#: Families of sockets that stay: unix, which Landlock and the file tree bound, and netlink, by
#: which libraries list the interfaces.
ALLOWED = (1, 16)

_LOAD, _EQUAL, _ABOVE, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _END = (
    0x7FFF0000,
    0x00050000 | 13,
    0x80000000,
)  # EACCES, as Landlock says; ending the process for another architecture
_X32 = 0x40000000


def program(machine: str) -> bytes:
    """The filter in BPF (linux/filter.h), for `struct seccomp_data`: number of the call,
    architecture, arguments. Raises OSError.
    """
    if machine not in MACHINES:
        raise OSError(
            0, f"no filter is written for {machine}; there is one for {' and '.join(MACHINES)}"
        )
    architecture, socket, pair, refused = MACHINES[machine]
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _END),
        (_LOAD, 0, 0, 0),
        (
            _ABOVE,
            3 + len(ALLOWED) + len(refused),
            0,
            _X32,
        ),  # a second table of numbers on x86_64: refused as a whole
        *(
            (_EQUAL, 2 + len(ALLOWED) + len(refused) - number, 0, call)
            for number, call in enumerate(refused)
        ),
        (_EQUAL, 1, 0, socket),
        (_EQUAL, 0, 2 + len(ALLOWED), pair),
        (_LOAD, 0, 0, 16),  # the first argument, its lower half: the family
        *((_EQUAL, len(ALLOWED) - number, 0, family) for number, family in enumerate(ALLOWED)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def no_network() -> None:
    """Put the filter on this process and all that it starts; needs `no_new_privs`.

    Raises OSError.
    """
    code = program(os.uname().machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    given = ctypes.create_string_buffer(struct.pack("HP", len(code) // 8, ctypes.addressof(buffer)))
    kernel.set_filter(ctypes.addressof(given))
