"""The filters of system calls: what their programs do to each call."""

from __future__ import annotations

import os
import struct
import sys
from typing import Any

import pytest

from kobench.sandbox import LAYERS, common, this_interpreter, uncounted
from kobench.sandbox.filters import CALLS, MACHINES, Rule, Where, program
from kobench.sandbox.finding import layers_here
from kobench.sandbox.once import run_once
from kobench.sandbox.outside import needed
from kobench.sandbox.sockets import RULES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the filters are Linux's")

ALLOW, REFUSE, END = 0x7FFF0000, 0x00050000, 0x80000000


#: The numbers of calls, in the order of <asm/unistd_64.h> and of <asm-generic/unistd.h>, which
#: aarch64 has.
X86_64 = """
    ioctl=16 shmget=29 shmat=30 shmctl=31 socket=41 socketpair=53 setsockopt=54 clone=56
    semget=64 semop=65 semctl=66 msgget=68 msgsnd=69 msgrcv=70 msgctl=71 fcntl=72 truncate=76
    chmod=90 fchmod=91 chown=92 fchown=93 lchown=94 syslog=103 utime=132 setpriority=141
    sched_setparam=142 sched_setscheduler=144 setxattr=188 lsetxattr=189 fsetxattr=190
    removexattr=197 lremovexattr=198 fremovexattr=199 sched_setaffinity=203 semtimedop=220
    utimes=235 mq_open=240 mq_unlink=241 add_key=248 request_key=249 keyctl=250 ioprio_set=251
    fchownat=260 futimesat=261 fchmodat=268 unshare=272 utimensat=280 fallocate=285
    prlimit64=302 sched_setattr=314 io_uring_setup=425 clone3=435 fchmodat2=452 setxattrat=463
    removexattrat=466 file_setattr=469 getxattr=191 lgetxattr=192 fgetxattr=193 listxattr=194
    llistxattr=195 flistxattr=196 getxattrat=464 listxattrat=465 file_getattr=468
    mincore=27 madvise=28 prctl=157 setrlimit=160 io_setup=206 fadvise64=221 inotify_init=253
    inotify_add_watch=254 inotify_init1=294 perf_event_open=298 fanotify_init=300
    fanotify_mark=301 seccomp=317 bpf=321 preadv2=327 close_range=436 process_madvise=440
    landlock_create_ruleset=444 memfd_secret=447 cachestat=451 vmsplice=278
    pidfd_open=434 open_by_handle_at=304
"""
AARCH64 = """
    setxattr=5 lsetxattr=6 fsetxattr=7 removexattr=14 lremovexattr=15 fremovexattr=16 fcntl=25
    ioctl=29 ioprio_set=30 truncate=45 fallocate=47 fchmod=52 fchmodat=53 fchownat=54 fchown=55
    utimensat=88 unshare=97 syslog=116 sched_setparam=118 sched_setscheduler=119
    sched_setaffinity=122 setpriority=140 mq_open=180 mq_unlink=181 msgget=186 msgctl=187
    msgrcv=188 msgsnd=189 semget=190 semctl=191 semtimedop=192 semop=193 shmget=194 shmctl=195
    shmat=196 socket=198 socketpair=199 setsockopt=208 add_key=217 request_key=218 keyctl=219
    clone=220 prlimit64=261 sched_setattr=274 io_uring_setup=425 clone3=435 fchmodat2=452
    setxattrat=463 removexattrat=466 file_setattr=469 getxattr=8 lgetxattr=9 fgetxattr=10
    listxattr=11 llistxattr=12 flistxattr=13 getxattrat=464 listxattrat=465 file_getattr=468
    io_setup=0 inotify_init1=26 inotify_add_watch=27 setrlimit=164 prctl=167 fadvise64=223
    mincore=232 madvise=233 perf_event_open=241 fanotify_init=262 fanotify_mark=263 seccomp=277
    bpf=280 preadv2=286 close_range=436 process_madvise=440 landlock_create_ruleset=444
    memfd_secret=447 cachestat=451 vmsplice=75 pidfd_open=434
    open_by_handle_at=265
"""


def verdict(
    rules: Any, name: str | int, *arguments: int, machine: str = "x86_64", **of: int
) -> int:
    """What a filter does to a call: its program, read by a machine of five instructions."""
    number = CALLS[name][list(MACHINES).index(machine)] if isinstance(name, str) else name
    given = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    architecture = of.get("architecture", MACHINES[machine])
    data = struct.pack("<iIQ6Q", number, architecture, 0, *given)
    steps = list(struct.iter_unpack("<HBBI", program(machine, rules)))
    place = value = 0
    while True:
        code, yes, no, constant = steps[place]
        place += 1
        if code == 0x06:
            return int(constant)
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, constant)
        elif code == 0x54:
            value &= constant
        else:
            place += yes if (value == constant if code == 0x15 else value >= constant) else no


@pytest.mark.parametrize(("machine", "table"), [("x86_64", X86_64), ("aarch64", AARCH64)])
def test_calls_have_the_numbers_of_the_kernels_headers(machine, table):
    expected = {name: int(number) for name, number in (one.split("=") for one in table.split())}
    column = list(MACHINES).index(machine)
    rules = (*RULES, *common.RULES, *uncounted.RULES, *needed({}))
    numbers = {name: CALLS[name][column] for rule in rules for name in rule.calls}
    found = {name: number for name, number in numbers.items() if number is not None}
    assert found == expected
    assert len(set(found.values())) == len(found)


def test_the_filter_of_sockets_step_by_step():
    denied = REFUSE | 13

    def does(name: str | int, *arguments: int, **of: int) -> int:
        return verdict(RULES, name, *arguments, **of)

    assert {does(number) for number in (0, 1, 42, 435)} == {ALLOW}  # read, write, connect, clone3
    families = (1, 16, 2, 10, 17, 40, 2**32 - 1)
    assert [does("socket", family, 2) for family in families] == [ALLOW, ALLOW, *[denied] * 5]
    assert [does("socket", 16, 3, protocol) for protocol in (0, 2, 4, 15)] == [ALLOW, *[denied] * 3]
    assert does("socket", 1, 1, 7) == ALLOW
    assert [does("socketpair", family, 2) for family in (1, 2)] == [ALLOW, denied]
    assert [does(name) for name in ("io_uring_setup", "add_key", "request_key", "keyctl")] == [
        denied
    ] * 4
    assert [does(number) for number in (247, 251, 424, 426)] == [ALLOW] * 4
    assert does("syslog", 3) == denied
    for family in (1, 2):  # the second table of x86_64
        assert does(0x40000000 + 41, family) == denied
    assert does(41, 2, architecture=0x40000003) == END  # 32 bits: the process is ended
    with pytest.raises(OSError, match="no filter is written for riscv64"):
        program("riscv64", RULES)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_what_all_share_step_by_step(machine):
    def does(name: str, *arguments: int) -> int:
        return verdict(common.RULES, name, *arguments, machine=machine)

    # hints, leases, delegations, what happens in a folder; then locks, copies and lengths of pipes
    assert {does("fcntl", 3, command) for command in (1036, 1038, 1024, 1040, 1026)} == {
        REFUSE | 22
    }
    assert {does("fcntl", 3, command) for command in (1, 6, 1030, 1031, 1035, 1037)} == {ALLOW}
    # terminals, pending bytes, a GPU; then flags, a version, attributes and a key of a file system
    assert {does("ioctl", 5, request) for request in (0x5401, 0x541B, 0xC020462A)} == {ALLOW}
    requests = (0x40086602, 0x40087602, 0x401C5820, 0xC0506617)
    assert {does("ioctl", 5, request) for request in requests} == {REFUSE | 25}
    watches = ("inotify_init1", "inotify_add_watch", "fanotify_init", "fanotify_mark")
    assert {does(name) for name in (*watches, "mincore", "cachestat")} == {REFUSE | 38}
    assert [does("setrlimit", kind, 8) for kind in (3, 4, 7)] == [ALLOW, REFUSE | 1, ALLOW]
    # to be told a limit is no change; an address may have zeros alone in either half
    news = (0, 0x1000, 1 << 32)
    assert [does("prlimit64", 0, 4, new) for new in news] == [ALLOW, REFUSE | 1, REFUSE | 1]
    assert {does("prlimit64", 0, 7, new) for new in news} == {ALLOW}
    assert [does("madvise", 0, 1, advice) for advice in (4, 8, 14, 20, 21)] == [
        *[ALLOW] * 3,
        *[REFUSE | 22] * 2,
    ]
    assert [does("fadvise64", 3, 0, 0, advice) for advice in (2, 4)] == [ALLOW, REFUSE]
    assert [does("preadv2", 3, 0, 0, 0, 0, flags) for flags in (0, 8, 9)] == [
        ALLOW,
        *[REFUSE | 95] * 2,
    ]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_what_nobody_counts_step_by_step(machine):
    def does(name: str, *arguments: int) -> int:
        return verdict(uncounted.RULES, name, *arguments, machine=machine)

    unseen = ("memfd_secret", "landlock_create_ruleset", "io_setup", "seccomp", "clone3")
    assert {does(name) for name in unseen} == {REFUSE | 38}
    assert {does(name) for name in ("bpf", "perf_event_open")} == {REFUSE | 1}
    assert [does("prctl", option) for option in (15, 22)] == [ALLOW, REFUSE | 22]
    # a process, a process that shares its memory until it executes (posix_spawn), a thread; then a
    # thread with open files of its own, and a user namespace
    flags = (0x1200011, 0x4111, 0x3D0F00, 0x3D0B00, 0x10000011)
    assert [does("clone", one) for one in flags] == [*[ALLOW] * 3, *[REFUSE | 1] * 2]
    assert [does("unshare", one) for one in (0x200, 0x400, 0x10000000)] == [
        ALLOW,
        *[REFUSE | 1] * 2,
    ]
    assert [does("close_range", 3, 9, flag) for flag in (0, 4, 2, 6)] == [
        *[ALLOW] * 2,
        *[REFUSE | 22] * 2,
    ]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_what_lies_outside_step_by_step(machine):
    def does(name: str, *arguments: int) -> int:
        return verdict(needed({}), name, *arguments, machine=machine)

    def refused(*names: str, **by: int) -> bool:
        given = [name for name in names if CALLS[name][list(MACHINES).index(machine)] is not None]
        return {does(name) for name in given} == {REFUSE | by.get("error", 13)}

    assert refused("shmget", "shmat", "shmctl", "semget", "semop", "semctl", "semtimedop")
    assert refused("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink", "truncate")
    assert refused("chmod", "fchmod", "fchmodat", "fchmodat2", error=0)
    assert refused("utime", "utimes", "futimesat", "utimensat", error=0)
    assert refused("chown", "fchown", "lchown", "fchownat", error=1)
    assert refused("setxattr", "lsetxattr", "fsetxattr", "setxattrat", "file_setattr", error=95)
    assert refused("getxattr", "lgetxattr", "fgetxattr", "getxattrat", "file_getattr", error=95)
    assert refused("listxattr", "llistxattr", "flistxattr", "listxattrat", error=95)
    assert refused("removexattr", "lremovexattr", "fremovexattr", "removexattrat", error=95)
    assert [does("socket", family) for family in (1, 16)] == [REFUSE | 13, ALLOW]
    flags = 0o2004000  # SOCK_CLOEXEC | SOCK_NONBLOCK
    assert {does("socketpair", 1, kind | flags) for kind in (1, 5)} == {ALLOW}
    assert {does("socketpair", 1, kind | flags) for kind in (2, 3, 4)} == {REFUSE | 13}
    assert refused("pidfd_open", "open_by_handle_at", error=1)
    for name in (
        "prlimit64",
        "sched_setaffinity",
        "sched_setparam",
        "sched_setscheduler",
        "sched_setattr",
    ):
        assert [does(name, who) for who in (0, 5)] == [ALLOW, REFUSE | 1]
    for name, kinds, everybody in (("setpriority", (0, 1), 2), ("ioprio_set", (1, 2), 3)):
        assert {does(name, kind, 0) for kind in kinds} == {ALLOW}
        assert {does(name, kind, 5) for kind in kinds} == {REFUSE | 1}
        assert does(name, everybody, 0) == REFUSE | 1


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_what_nobody_could_count_step_by_step(machine):
    def does(name: str, *arguments: int) -> int:
        return verdict(uncounted.RULES, name, *arguments, machine=machine)

    # SO_SNDBUF, SO_RCVBUF, and the same for who may pass the system's limits
    assert {does("setsockopt", 5, 1, option) for option in (7, 8, 32, 33)} == {REFUSE | 0}
    # SO_REUSEADDR, SO_PASSCRED, SO_RCVTIMEO; then options of another level
    assert {does("setsockopt", 5, 1, option) for option in (2, 16, 20)} == {ALLOW}
    assert {does("setsockopt", 5, 6, option) for option in (7, 8, 32, 33)} == {ALLOW}
    assert does("fallocate", 3) == REFUSE | 95
    assert {does(name) for name in ("shmget", "semget", "msgget")} == {REFUSE | 28}
    for name, allowed in (("unshare", 0x200), ("clone", 0x3D0F00)):
        assert does(name, 0x10000000) == does(name, 0x10000000 | 0x3D0F00) == REFUSE | 1
        assert [does(name, flags) for flags in (0, allowed, 0x40000000)] == [ALLOW] * 3
    assert does("clone3") == REFUSE | 38


def test_the_filter_refuses_no_more_than_what_no_namespace_closes():
    every = dict.fromkeys(LAYERS, True)
    assert needed(every) == ()
    for layer, call, arguments in (
        ("mounts", "socket", (1,)),
        ("mounts", "chmod", ()),
        ("ipc-namespace", "shmget", ()),
        ("process-namespace", "prlimit64", (5,)),
        ("process-namespace", "pidfd_open", (1,)),
    ):
        rules = needed({**every, layer: "no"})
        assert verdict(rules, call, *arguments) != ALLOW
        assert verdict(needed(every), call, *arguments) == ALLOW
    assert verdict(needed({**every, "network-namespace": "no"}), "socket", 1) == ALLOW
    neither = {**every, "network-namespace": "no", "landlock-signals": "no"}
    assert verdict(needed(neither), "socket", 1) != ALLOW


def test_a_rule_with_several_tests_needs_all_of_them():
    rules = [
        Rule(("ioctl",), (Where(0, (1, 2)), Where(1, (7,), among=False)), 5),
        Rule(("ioctl", "socket"), (Where(2, (3,)),), 6),
    ]
    said = {
        given: verdict(rules, "ioctl", *given)
        for given in ((1, 8), (2, 8), (3, 8), (1, 7), (1, 7, 3), (3, 8, 3), (1, 8, 3))
    }
    assert said == {
        (1, 8): REFUSE | 5,
        (2, 8): REFUSE | 5,
        (3, 8): ALLOW,
        (1, 7): ALLOW,
        (1, 7, 3): REFUSE | 6,
        (3, 8, 3): REFUSE | 6,
        (1, 8, 3): REFUSE | 5,
    }
    assert verdict(rules, "socket", 1, 8, 3) == REFUSE | 6


def test_a_call_of_the_32_bits_table_ends_the_process():
    if os.uname().machine != "x86_64" or layers_here()["seccomp-outside"] is not True:
        pytest.skip("only x86_64 has such calls")
    # mov eax, 20 (getpid); int 0x80; ret
    code = (
        "import ctypes, mmap\npage = mmap.mmap(-1, 4096, prot=7)\n"
        "page.write(bytes.fromhex('b814000000cd80c3'))\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
        "print('number', ctypes.CFUNCTYPE(ctypes.c_int)(at)())"
    )
    free = run_once(this_interpreter(), ["-c", code], layers=()).output
    if "number" not in free:
        pytest.skip("this machine has no such calls")
    for layers in (("seccomp-sockets",), ("seccomp-outside",), LAYERS):
        assert "number" not in run_once(this_interpreter(), ["-c", code], layers=layers).output
