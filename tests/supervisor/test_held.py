"""What is run beside trials is held to limits, too: memory, processes, disk and time."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobench.environments import seen
from kobench.sandbox import this_interpreter
from kobench.supervisor.held import run_held
from kobench.supervisor.limits import Limits

#: What may be passed: code that does so, a limit, and what is said of it.
GREEDY = {
    "memory": (
        "x = bytearray(300 << 20)",
        Limits(memory_mb=100),
        "its processes held more than 100 MB of memory, the limit",
    ),
    "processes": (
        "import os\nfor _ in range(9):\n    os.fork() or time.sleep(60)",
        Limits(processes=5),
        "it ran more than 5 processes, or 80 threads, the limit",
    ),
    "disk": (
        "for i in range(9):\n    open(str(i), 'wb').write(bytes(1 << 20))",
        Limits(written_mb=2),
        "it wrote more than 2 MB, the limit",
    ),
}


@pytest.mark.parametrize(("code", "limits", "why"), GREEDY.values(), ids=GREEDY)
def test_what_takes_more_is_ended(code: str, limits: Limits, why: str) -> None:
    words = ["-I", "-S", "-c", f"import time\n{code}\ntime.sleep(60)"]
    ran = run_held(this_interpreter(), words, limits=limits)
    assert (ran.code, ran.why) == (None, why)


def test_what_does_not_says_how_it_ended() -> None:
    python = this_interpreter()
    assert run_held(python, ["-I", "-S", "-c", "print(7)"]).output == "7\n"
    failed = run_held(python, ["-I", "-S", "-c", "raise SystemExit('no')"])
    assert (failed.code, failed.why) == (1, "it ended with exit code 1: no")
    slow = run_held(python, ["-I", "-S", "-c", "import time; time.sleep(60)"], seconds=0.5)
    assert (slow.code, slow.why) == (None, "it took more than 0.5 s")


def test_an_environments_interpreter_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a package has put in its place."""
    monkeypatch.setattr(run_held, "__defaults__", ((), 120.0, Limits(written_mb=2), ()))
    python = tmp_path / "prefix" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nhead -c 9000000 /dev/zero > much; sleep 60\n")
    python.chmod(0o755)
    with pytest.raises(seen.BrokenError, match=r"can't be found by .*: it wrote more than 2 MB"):
        seen.ask_inside(python, "alpha", tmp_path, tmp_path / "prefix")
