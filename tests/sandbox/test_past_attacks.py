"""What hostile predictors once did to kobench: each test is an attack that used to succeed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from asked import SWAP, asked
from places import HELPERS

from kobench.sandbox.folders import remove

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the attacks use Linux's own calls"
)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    """A folder of the user's own, in one that is readable by all: neither may be touched."""
    folder = tmp_path / "mine" / "victim"
    folder.mkdir(parents=True)
    (folder / "thesis").write_text("x")
    folder.parent.chmod(0o755)
    return folder


def untouched(precious: Path) -> bool:
    text, mode = (precious / "thesis").read_text(), precious.parent.stat().st_mode
    return text == "x" and mode & 0o777 == 0o755


#: A process of its own that swaps until its standard input ends, then says how often it did.
SWAPPING = f"""{SWAP}
import select, sys
at, inner = lay(*sys.argv[1:])
go_on = lambda: not select.select([0], [], [], 0)[0]
print(*swap(at, inner, go_on, lambda: print("swapping", flush=True)))
"""


def test_a_removal_is_not_led_astray_by_those_who_rename_meanwhile(tmp_path, precious):
    for turn in range(2):
        folder = tmp_path / f"trial{turn}"
        folder.mkdir()
        command = [sys.executable, "-c", SWAPPING, str(folder), str(precious.parent)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as swapper:
            assert swapper.stdout.readline() == b"swapping\n"
            remove(folder)
            swapped, made = map(int, swapper.communicate()[0].split()[-2:])
        assert swapped > 0, "nothing was swapped: the test tried nothing"
        assert made > 0
        assert untouched(precious)
        remove(folder)
        assert not folder.exists()


def test_a_closed_folder_is_opened_up_without_its_path(tmp_path, precious):
    """What an ordinary user may not open is made openable; a link in its place is not followed."""
    folder = tmp_path / "trial"
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "link").symlink_to(precious)
    real, refused = os.open, set()

    def closed_once(name, flags, *more, **at):
        if name in ("closed", "link") and name not in refused and not flags & os.O_PATH:
            refused.add(name)
            raise PermissionError(13, "closed")
        return real(name, flags, *more, **at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", closed_once)
        remove(folder)
    assert "closed" in refused
    assert not folder.exists()
    assert untouched(precious)


#: Starts a child that holds folders of the answers open and goes on swapping in them while they are
#: taken. A file tells how often it has.
SWAPPER = """out = str(self.scratch.parent / "out" / "profile")
        os.makedirs(out, exist_ok=True)
        at, inner = lay(out, {target!r})
        told = os.open(str(self.scratch / "told"), os.O_CREAT | os.O_WRONLY)
        if os.fork() == 0:
            while True:
                end = time.time() + 0.02
                os.pwrite(told, b"%d" % swap(at, inner, lambda: time.time() < end)[0], 0)
        time.sleep(0.1)"""


@pytest.mark.parametrize("mode", ["auto", "off"])
def test_answers_are_taken_from_one_who_goes_on_swapping_folders_for_links(
    tmp_path, precious, mode
):
    for _ in range(3):
        with asked(
            tmp_path, predict=SWAPPER.format(target=str(precious.parent)), sandbox=mode
        ) as worker:
            told = worker.room.scratch / "told"
            np.testing.assert_array_equal(
                worker.answers("profile", ("profile",))["profile"], np.eye(3)
            )
            until = time.monotonic() + 20
            while not told.read_text() and time.monotonic() < until:  # a busy machine takes longer
                time.sleep(0.01)
            assert int(told.read_text()) > 0, "nothing was swapped: the test tried nothing"
            assert untouched(precious)
        assert untouched(precious)
        assert list((tmp_path / "work").iterdir()) == []


def test_nothing_that_a_living_process_could_move_is_removed_but_the_arrays_that_were_read(
    tmp_path,
):
    with asked(
        tmp_path, predict="(self.scratch.parent / 'out' / 'profile' / 'more').mkdir(parents=True)"
    ) as worker:
        worker.answers("profile", ("profile",))
        (taken,) = (
            place for place in worker.room.taken.iterdir() if place.name.startswith("profile-")
        )
        assert [place.name for place in taken.iterdir()] == ["more"]
        assert taken.is_relative_to(worker.room.written)  # what is written into it later counts
        assert not (worker.room.out / "profile").exists()
    assert list((tmp_path / "work").iterdir()) == []


#: What is under a name in the session keyring, and a key put there; -1 is an error.
KEYS = """import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def put(name, text):
    size, session = ctypes.c_size_t(len(text)), ctypes.c_int(-3)
    return libc.syscall(248, b"user", name, text, size, session)
def get(name):
    key = libc.syscall(250, 10, ctypes.c_int(-3), b"user", name, 0)
    text = ctypes.create_string_buffer(30)
    if key < 0 or libc.syscall(250, 11, key, text, ctypes.c_size_t(30)) < 0: return None
    return text.value
"""
IN_TRIALS = f"""{KEYS}
import pathlib, sys
sys.path.insert(0, sys.argv[1])
if libc.syscall(250, 1, None) < 0 or put(b"token", b"secret") < 0:
    print("no keyrings here")
    sys.exit()
from asked import asked
for mode in sys.argv[3:]:
    for number in (1, 2):
        said = "print(get(b'token'), get(b'loot'), put(b'loot', b'loot') > 0, flush=True)"
        code = "exec(" + repr({KEYS!r} + said) + ", dict())"
        with asked(pathlib.Path(sys.argv[2]), fit=code, sandbox=mode) as worker:
            print(mode, number, worker.output_tail())
"""


@pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="the attack is written for x86_64's numbers of calls"
)
def test_keyrings_pass_nothing_from_trial_to_trial_or_from_the_user_to_a_trial(tmp_path):
    command = [
        sys.executable,
        "-c",
        IN_TRIALS,
        str(HELPERS),
        str(tmp_path),
        "off",
        "auto",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    if said.stdout == "no keyrings here\n":
        pytest.skip(said.stdout)
    off, auto = said.stdout.splitlines()[:2], said.stdout.splitlines()[2:]
    assert off == [
        "off 1 b'secret' None True",
        "off 2 b'secret' b'loot' True",
    ], said.stderr  # else the attack proves nothing
    assert auto == ["auto 1 None None False", "auto 2 None None False"]


@pytest.mark.skipif(
    os.uname().machine != "x86_64", reason="the attack is written for x86_64's numbers of calls"
)
def test_the_keyring_is_a_new_one_without_the_filter_too(tmp_path, monkeypatch):
    monkeypatch.setattr("kobench.supervisor.room.LAYERS", ("environment",))
    found = []
    for _ in range(2):
        said = "print(get(bytes([108])), put(bytes([108]), bytes([109])) > 0, flush=True)"
        code = f"exec({KEYS + said!r}, dict())"
        with asked(tmp_path, fit=code) as worker:
            found.append(worker.output_tail())
    assert found[0] in ("None True", "None False")
    assert found[1] == found[0]
