"""A machine that has no namespaces to give, as most containers and many desktops, emulated.

`python bare_machine.py [--no-landlock] [--namespaces] COMMAND ...` executes a command whose
processes, and all that they start, are refused what such a machine refuses. They have no right over
the machine, as an ordinary user's.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from kobench.sandbox import filters, kernel

#: This program, to be put before a command.
BARE = (sys.executable, str(Path(__file__).resolve()))

#: The calls that a test's own machine refuses, beside those that kobench's filters name.
filters.CALLS.update(
    unshare=(272, 97),
    setns=(308, 268),
    clone=(56, 220),
    clone3=(435, 435),
    mount=(165, 40),
)

#: Flags of `clone` that ask for a namespace.
NAMESPACES = (0x10000000, 0x20000000, 0x40000000, 0x08000000, 0x00020000)

NO_NAMESPACES = (
    filters.Rule(("unshare", "setns", "mount"), error=errno.EPERM),
    *(
        filters.Rule(("clone",), (filters.Where(0, (flag,), mask=flag),), errno.EPERM)
        for flag in NAMESPACES
    ),
    # its flags lie in memory; the C library then takes `clone`
    filters.Rule(("clone3",), error=errno.ENOSYS),
)
NO_LANDLOCK = (filters.Rule(("landlock_create_ruleset",), error=errno.ENOSYS),)


def main() -> None:
    """Put on what the flags say and execute the command."""
    words = sys.argv[1:]
    flags = {word for word in words[:2] if word in ("--no-landlock", "--namespaces")}
    rules = () if "--namespaces" in flags else NO_NAMESPACES
    if "--namespaces" not in flags:
        kernel.drop_rights()
    else:
        ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # no_new_privs, which a filter needs
    filters.put_on((*rules, *(NO_LANDLOCK if "--no-landlock" in flags else ())))
    command = words[len(flags) :]
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
