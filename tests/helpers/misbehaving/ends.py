"""How a predictor can end before it has answered: at import, in fit, in predict."""

from __future__ import annotations

from misbehaving.fake import Fake

#: What it does, the status, what its row says when it happens in a trial, and what it says when the
#: plugin itself is imported.
WAYS = {
    "raises": (
        "raise RuntimeError('no luck today')",
        "failed",
        "RuntimeError: no luck today",
        "RuntimeError: no luck today",
    ),
    "calls-sys-exit": ("sys.exit(3)", "failed", r"SystemExit: 3|sys\.exit\(3\)", r"sys\.exit\(3\)"),
    "calls-sys-exit-0": (
        "sys.exit(0)",
        "failed",
        r"SystemExit: 0|sys\.exit\(0\)",
        r"sys\.exit\(0\)",
    ),
    "calls-os-exit": ("os._exit(7)", "failed", "code 7", "code 7"),
    "calls-os-exit-0": ("os._exit(0)", "failed", "code 0", "code 0"),
    "segfaults": ("ctypes.string_at(0)", "failed", "SIGSEGV", "SIGSEGV"),
    "interrupts": ("raise KeyboardInterrupt", "failed", "KeyboardInterrupt", "KeyboardInterrupt"),
}


def _everywhere(name: str, code: str, status: str, says: str, at_import: str) -> list[Fake]:
    return [
        Fake(f"{name}-at-import", status, at_import, "import", module=code),
        Fake(
            f"{name}-when-its-class-is-imported",
            status,
            says,
            ("import", "fit"),
            module=code,
            core=True,
        ),
        Fake(f"{name}-in-fit", status, says, "fit", fit=code),
        Fake(f"{name}-in-predict", status, says, "profile", predict=code),
    ]


def _late(name: str, code: str, says: str) -> Fake:
    """The profile is answered well; it ends when knockouts are asked for."""
    methods = f"def predict_knockout(self, cells, knockouts):\n    {code}"
    return Fake(
        f"{name}-in-knockouts",
        "failed",
        says,
        "singles",
        methods=methods,
        answers=("expression", "knockout"),
    )


ENDS = [
    *(fake for name, way in WAYS.items() for fake in _everywhere(name, *way)),
    _late("raises", "raise RuntimeError('no luck today')", "RuntimeError: no luck today"),
    _late("segfaults", "ctypes.string_at(0)", "SIGSEGV"),
    Fake("aborts", "failed", "SIGABRT", "fit", fit="os.abort()"),
    Fake(
        "kills-itself",
        "failed",
        "SIGKILL",
        "profile",
        predict="os.kill(os.getpid(), signal.SIGKILL)",
    ),
    Fake("recurses", "failed", "RecursionError", "fit", fit="def deeper(): deeper()\ndeeper()"),
    Fake(
        "recurses-in-c",
        "failed",
        "SIGSEGV|RecursionError",
        "fit",
        fit=(
            "sys.setrecursionlimit(10**9)\nf = lambda: f()\nfor _ in range(400): f = type('F', (),"
            " {'__repr__': lambda s, g=f: repr(s)})()\nrepr(f)"
        ),
    ),
    Fake(
        "runs-out-of-memory-by-its-own-word",
        "out-of-memory",
        "MemoryError",
        "fit",
        fit="raise MemoryError('no more')",
    ),
    Fake(
        "leaves-as-a-generator", "failed", "GeneratorExit", "fit", fit="raise GeneratorExit('done')"
    ),
    Fake("replaces-itself", "failed", "code 0", "fit", fit="os.execv('/bin/true', ['/bin/true'])"),
]

#: These never end: each costs its whole time limit.
ENDLESS = [
    Fake(
        "hangs-when-its-class-is-imported",
        "timeout",
        "time limit|--timeout",
        ("import", "fit"),
        module="time.sleep(600)",
        core=True,
    ),
    Fake(
        "stops-itself",
        "timeout",
        "time limit|--timeout",
        "profile",
        predict="os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(600)",
    ),
    Fake("hangs-in-fit", "timeout", "time limit|--timeout", "fit", fit="while True: pass"),
    Fake(
        "hangs-in-predict",
        "timeout",
        "time limit|--timeout",
        "profile",
        predict="while True: time.sleep(0.01)",
    ),
    Fake(
        "hangs-and-ignores-signals",
        "timeout",
        "time limit|--timeout",
        "profile",
        predict="""
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
        while True: pass
        """,
    ),
    Fake(
        "hangs-and-holds-the-interpreter",
        "timeout",
        "time limit|--timeout",
        "fit",
        fit="ctypes.PyDLL(None).sleep(600)",
    ),
    Fake(
        "hangs-in-str-of-its-error",
        "timeout",
        "time limit|--timeout",
        "fit",
        fit="""
        class Endless(Exception):
            def __str__(self): time.sleep(600)
        raise Endless
        """,
    ),
]

#: Its plugin, not its class, takes ten minutes to import: found out when it is described, long
#: before a trial.
SLOW = Fake(
    "takes-ten-minutes-to-import",
    "failed",
    "took more than .* s and was ended",
    "import",
    module="time.sleep(600)",
)

__all__ = ["ENDLESS", "ENDS", "SLOW", "WAYS"]
