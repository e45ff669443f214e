"""Runs fakes beside two well-behaved predictors with the real command, and looks for what they left
behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import socket
import stat
import subprocess
import sys
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from misbehaving.fake import Fake, install

#: Small enough that a trial takes as long as its process takes to start.
DATASET = "grn:genes=15,cells=60"
TASKS = ("profile", "keystone")

CALM = [
    Fake("calm", "ok"),
    Fake("steady", "ok", answer="rows ** 0.9 / (rows ** 0.9).sum(1, keepdims=True)"),
]

#: What fakes in `resources` pass and the well-behaved don't come near.
LIMITS = ("--memory", "700", "--processes", "24", "--written", "50")

#: Folders of the user's in which no predictor has any business.
DEAR = ("home", "data", "elsewhere", "stand")

#: Seconds for which what was ended may take to be gone.
PATIENCE = 3.0

#: The command; nothing in the folder where it stands is imported.
KOBENCH = (sys.executable, "-P", "-c", "from kobench.cli import main; main()")

Json = dict[str, Any]


@dataclass
class Done:
    """A finished run: its exit code, what it printed, its records by predictor, and each record's
    result as text, by the record's file.
    """

    code: int
    stdout: str
    stderr: str
    folder: Path
    records: list[Json] = field(init=False)
    rows: dict[str, Json] = field(init=False)
    results: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        named = {
            path.name: json.loads(path.read_text())
            for path in sorted((self.folder / "records").glob("*.json"))
        }
        self.records = list(named.values())
        self.rows = {name_of(record): record for record in self.records}
        self.results = {
            name: json.dumps(record["result"], sort_keys=True) for name, record in named.items()
        }

    def answers(self) -> dict[str, str]:
        """sha256 of each stored file of answers."""
        return hashes(self.folder / "answers")


def name_of(record: Json) -> str:
    """A record's predictor; a line may share its name with one."""
    name: str = record["trial"]["predictor"]["name"]
    return f"line {name}" if record["role"] == "line" else name


def hashes(folder: Path) -> dict[str, str]:
    """What lies in a folder: each path with its kind and the sha256 of its content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        kind = stat.filemode(mode)
        found[str(path.relative_to(folder))] = kind + (
            hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""
        )
    return found


class Place:
    """A user's machine in small: a home, data with a truth, a site with distributions, servers, a
    process; all of it to be left alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.token = "kbm" + secrets.token_hex(
            6
        )  # in whatever a fake leaves behind, and nowhere else on this machine
        self.key = secrets.randbelow(2**30) + 1
        self.sites = 0
        for name in (*DEAR, "tmp", "cache"):
            (self.folder / name).mkdir(parents=True)
        self.truth = self.folder / "data" / "truth.csv"
        for path in (
            self.truth,
            self.folder / "home" / ".netrc",
            self.folder / "elsewhere" / "kept.txt",
        ):
            path.write_text(f"the truth {self.token}\n")
        self.open: contextlib.ExitStack = contextlib.ExitStack()

    def __enter__(self) -> Place:
        tcp = self.open.enter_context(socket.create_server(("127.0.0.1", 0)))
        free = self.open.enter_context(
            socket.create_server(("127.0.0.1", 0))
        )  # its number is known, then it is free again
        self.udp = self.open.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.udp.bind(("127.0.0.1", 0))
        self.udp.setblocking(False)
        for address in (str(self.folder / "data" / "socket"), f"\0served-{self.token}"):
            server = self.open.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen()
        self.victim = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(900)", f"knows-{self.token}"]
        )
        self.open.callback(self.victim.wait)
        self.open.callback(self.victim.kill)
        self.facts = {
            "token": self.token,
            "key": self.key,
            "truth": str(self.truth),
            "home": str(self.folder / "home"),
            "site": str(self.folder / "site"),
            "elsewhere": str(self.folder / "elsewhere"),
            "tcp_port": tcp.getsockname()[1],
            "free_port": free.getsockname()[1],
            "udp_port": self.udp.getsockname()[1],
            "socket_file": str(self.folder / "data" / "socket"),
            "victim": self.victim.pid,
            **{f"{name}_namespace": inode(f"/proc/self/ns/{name}") for name in ("pid", "mnt")},
        }
        free.close()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()
        ended(self.traces())  # a test that failed leaves nothing either

    def site(self, fakes: Sequence[Fake], claims: str = "") -> Path:
        """A folder with the well-behaved and the fakes, whose predictors are called `claims`, if
        not as they are.
        """
        self.sites += 1
        site = self.folder / f"site{self.sites}"
        dear = [str(self.folder / name) for name in (*DEAR, site.name, f"results{self.sites}")]
        facts = {**self.facts, "site": str(site), "results": dear[-1], "dear": dear}
        install(site, CALM, facts)
        install(site, fakes, facts, claims)
        return site

    def run(
        self,
        fakes: Sequence[Fake],
        *flags: str,
        asked: Sequence[str] | None = None,
        claims: str = "",
        environment: dict[str, str] | None = None,
        timeout: float = 500,
    ) -> Done:
        """Install the fakes and run them in between the well-behaved ones.

        asked : what -p says, if not the names of all. Raises AssertionError for whatever was left
        behind.
        """
        site = self.site(fakes, claims)
        results = self.folder / f"results{self.sites}"
        names = [fake.name for fake in fakes]
        ordered = asked or [
            CALM[0].name,
            *names[: len(names) // 2],
            CALM[1].name,
            *names[len(names) // 2 :],
        ]
        before = {place: hashes(place) for place in (*(self.folder / name for name in DEAR), site)}
        words = [
            "run",
            "-d",
            DATASET,
            "--out",
            str(results),
            *flags,
            *(f"-t{task}" for task in TASKS),
            *(f"-p{name}" for name in ordered),
        ]
        done = self.command([*KOBENCH, *words], site, environment, timeout)
        assert results.is_dir(), done.stderr
        finished = Done(done.returncode, done.stdout, done.stderr, results)
        after = {place: hashes(place) for place in before}
        changed = [
            f"{place}/{name}"
            for place in before
            for name in {*before[place], *after[place]}
            if before[place].get(name) != after[place].get(name)
        ]
        assert not changed, "files of the user's are another's"
        names = {path.name for path in results.iterdir()}
        # `shown` is there where somebody was shown cells
        assert names - {"shown"} == {"answers", "records"}, "files in the results folder"
        assert not list((self.folder / "tmp").iterdir()), "temporary files"
        self.nothing_is_left()
        return finished

    def variables(self, site: Path, more: dict[str, str] | None = None) -> dict[str, str]:
        """The environment of this place's user."""
        return {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("KOBENCH", "XDG", "PYTEST"))
            },
            "PYTHONPATH": os.pathsep.join(
                [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
            ),
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "KOBENCH_CACHE": str(self.folder / "cache"),
            "KOBENCH_SECRET": f"secret-{self.token}",
            "KOBENCH_PLUGIN_SECONDS": "20",
            "OMP_NUM_THREADS": "1",
            **(more or {}),
        }

    def command(
        self,
        command: Sequence[str],
        site: Path,
        more: dict[str, str] | None = None,
        timeout: float = 280,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this place's user; one that takes too long is ended with all that it
        started.
        """
        with subprocess.Popen(
            command,
            cwd=self.folder / "stand",
            env=self.variables(site, more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            try:
                stdout, stderr = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                ended(self.traces())
                raise
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def nothing_is_left(self) -> None:
        """Raise AssertionError for a process, file, shared memory or socket that is there after a
        run.
        """
        assert self.victim.poll() is None, "a process that is not theirs was ended"
        until = time.monotonic() + PATIENCE  # a killed process takes a moment to be gone
        while (left := self.traces()) and time.monotonic() < until:
            time.sleep(0.05)
        assert not left, f"processes are left: {left}"
        assert not [name for name in os.listdir("/dev/shm") if self.token in name], (
            "shared memory is left"
        )
        for name in ("shm", "sem", "msg"):
            keys = [
                line.split()[0] for line in Path("/proc/sysvipc", name).read_text().splitlines()
            ]
            assert str(self.key) not in keys, f"System V {name} is left"
        open_sockets = [
            line.split()[-1]
            for line in Path("/proc/net/unix").read_text().splitlines()
            if self.token in line
        ]
        assert set(open_sockets) <= {f"@served-{self.token}"}, "a socket is left"
        assert len([path for path in Path("/tmp").iterdir() if self.token in path.name]) == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", self.facts["free_port"])) == errno.ECONNREFUSED, (
                "a server is left"
            )
        with contextlib.suppress(BlockingIOError):
            raise AssertionError(f"a datagram came: {self.udp.recv(1000)!r}")

    def traces(self) -> dict[int, str]:
        """Every process with this place in its command line, name, environment, folder or open
        files, but for those of the tests.
        """
        own = {os.getpid(), os.getppid(), self.victim.pid}
        return {number: why for number in processes() - own if (why := self._trace(number))}

    def _trace(self, number: int) -> str:
        words = (self.token, self.token[:15], str(self.folder))
        process = Path("/proc", str(number))
        for part in ("cmdline", "comm", "environ"):
            with contextlib.suppress(OSError):
                text = (process / part).read_bytes().decode(errors="replace")
                if any(word in text for word in words):
                    return f"{part}: {text[:200]!r}"
        for link in ("cwd", "root"):
            with contextlib.suppress(OSError):
                if str(self.folder) in os.readlink(process / link):
                    return f"{link}: {os.readlink(process / link)}"
        return ""


def inode(path: str) -> int:
    """Number of a file, 0 where it is not there."""
    return os.stat(path).st_ino if os.path.exists(path) else 0


def processes() -> set[int]:
    """Numbers of the processes that run; one that has ended and is not yet waited for runs no
    more.
    """
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if Path(entry.path, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                    found.add(int(entry.name))
    return found


def ended(numbers: dict[int, str]) -> None:
    """End what a failed test left."""
    for number in numbers:
        with contextlib.suppress(OSError):
            os.kill(number, 9)


def faults_of(fake: Fake, row: Json | None) -> list[str]:
    """What is wrong with the row that a fake got, in sentences."""
    if row is None:
        return [f"{fake.name} has no row"]
    result = row["result"]
    status, stage, message = result["status"], result["stage"], result["message"]
    wrong = (
        [f"status {status!r}, expected {fake.status!r} ({message!r})"]
        if status not in fake.statuses
        else []
    )
    if status == "ok":
        wrong += [
            f"{name} says {result[name]!r}"
            for name in ("stage", "message", "traceback")
            if result[name] is not None
        ]
        wrong += (
            []
            if set(result["answers"]) == {"profile", "singles"}
            else [f"it answered {sorted(result['answers'])}"]
        )
    else:
        if fake.stage and stage not in fake.stages:
            wrong.append(f"stage {stage!r}, expected {fake.stage!r}")
        if (
            not isinstance(message, str)
            or not re.search(fake.says or ".", message)
            or len(message) > 2100
        ):
            wrong.append(f"it says {message!r}, expected {fake.says!r}")
        wrong += ["it has scores"] if result["scores"] and stage == "fit" else []
    nasty = [char for char in json.dumps(row, ensure_ascii=False) if hidden(char)]
    return wrong + ([f"its record holds {sorted(set(nasty))!r}"] if nasty else [])


def check_row(fake: Fake, done: Done) -> None:
    """Fail, in a sentence, where a fake did not get the row that it must get."""
    if wrong := faults_of(fake, done.rows.get(fake.name)):
        pytest.fail(f"{fake.name}: {'; '.join(wrong)}", pytrace=False)


def hidden(char: str) -> bool:
    """Whether a character moves a cursor, or hides or turns around what stands beside it; line ends
    don't.
    """
    return char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def others_unchanged(done: Done, without: Done) -> None:
    """Raise AssertionError where any trial of a run without fakes ended otherwise, by a single
    byte, beside them.
    """
    assert len(without.results) >= 13, "two predictors, their floors and lines"
    for name, result in without.results.items():
        assert done.results.get(name) == result, f"{name} is another one"
    assert without.answers().items() <= done.answers().items()
