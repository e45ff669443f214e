"""Predictors that take too much, never end, or claim what is another's: each ends by itself, and
the machine and the others go on.
"""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest
from misbehaving.ends import ENDLESS, SLOW
from misbehaving.fake import Fake
from misbehaving.frame import (
    DATASET,
    KOBENCH,
    LIMITS,
    Done,
    Place,
    check_row,
    hidden,
    others_unchanged,
)
from misbehaving.resources import DAEMON_AT_IMPORT, RESOURCES
from misbehaving.words import NASTY, WORDS

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what a trial leaves behind is looked for in /proc"
)


@pytest.fixture(scope="module")
def greedy(place: Place) -> Done:
    return place.run(RESOURCES, *LIMITS, "--timeout", "60")


@pytest.fixture(scope="module")
def endless(place: Place) -> Done:
    return place.run(
        [*ENDLESS, SLOW],
        "--timeout",
        "8",
        "--jobs",
        "3",
        environment={"KOBENCH_PLUGIN_SECONDS": "5"},
    )


@pytest.mark.parametrize("fake", RESOURCES, ids=lambda fake: fake.name)
def test_a_limit_ends_it_whatever_it_takes_too_much_of(fake: Fake, greedy: Done) -> None:
    check_row(fake, greedy)


@pytest.mark.parametrize("fake", [*ENDLESS, SLOW], ids=lambda fake: fake.name)
def test_what_never_ends_is_ended(fake: Fake, endless: Done) -> None:
    check_row(fake, endless)


def test_beside_them_every_other_trial_ends_as_without_them(
    greedy: Done, endless: Done, without: Done
) -> None:
    assert (greedy.code, endless.code, without.code) == (1, 1, 0)
    others_unchanged(greedy, without)
    others_unchanged(endless, without)


def test_the_frame_sees_what_is_left_behind(place: Place) -> None:
    command = [
        sys.executable,
        "-c",
        "import os, time; os.fork() or os.setsid(); time.sleep(60)",
        place.token,
    ]
    with subprocess.Popen(command) as left:
        until = 100
        while len(found := place.traces()) < 2 and (until := until - 1):
            left.poll()
            select.select([], [], [], 0.05)
        assert len(found) == 2
        assert left.pid in found
        with pytest.raises(AssertionError, match="processes are left"):
            place.nothing_is_left()
        for number in found:
            os.kill(number, 9)
    shared = Path("/dev/shm", place.token)
    shared.touch()
    with pytest.raises(AssertionError, match="shared memory is left"):
        place.nothing_is_left()
    shared.unlink()
    place.nothing_is_left()


CLAIM = Fake("claims-a-name", "ok", answer="np.full_like(rows, 1 / rows.shape[1])")


@pytest.mark.parametrize("name", ["calm", "masked-mean", "truth"])
def test_one_that_claims_anothers_name_gets_a_row_of_its_own(
    name: str, place: Place, without: Done
) -> None:
    done = place.run([CLAIM], asked=["calm/calm", f"claims-a-name/{name}", "steady"], claims=name)
    others_unchanged(done, without)
    theirs = [
        record
        for record in done.records
        if record["trial"]["predictor"]["distribution"] == "claims-a-name"
    ]
    # the name of a floor or line of kobench means that
    shown = name if name == "calm" else f"claims-a-name/{name}"
    assert [record["trial"]["predictor"]["name"] for record in theirs] == [shown]
    assert theirs[0]["role"] == "predictor"


def test_asked_for_by_the_name_alone_it_is_ambiguous(place: Place, tmp_path: Path) -> None:
    site = place.site([CLAIM], claims="calm")
    done = place.command(
        [*KOBENCH, "run", "-d", DATASET, "-p", "calm", "--out", str(tmp_path / "out")], site
    )
    assert done.returncode == 2
    assert "say calm/calm or claims-a-name/calm" in done.stderr.replace(
        "claims-a-name/calm or calm/calm", "calm/calm or claims-a-name/calm"
    )


def test_on_a_live_terminal_words_stay_words(place: Place, tmp_path: Path) -> None:
    fakes = [
        WORDS[0],
        Fake(
            "logs-nasty-words",
            "ok",
            fit=f"for step in range(30): context.log({NASTY}, step, 30); time.sleep(0.02)",
        ),
    ]
    ours, theirs = pty.openpty()
    command = [
        *KOBENCH,
        "run",
        "-d",
        DATASET,
        "-t",
        "profile",
        "--out",
        str(tmp_path / "out"),
        *(f"-p{fake.name}" for fake in fakes),
    ]
    with subprocess.Popen(
        command,
        env=place.variables(place.site(fakes)),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
    ) as run:
        os.close(theirs)
        said = b""
        while piece := read(ours):
            said += piece
    os.close(ours)
    text = said.decode(errors="replace")
    assert run.returncode == 1, text
    assert "logs-nasty-words" in text
    assert "\x1b]" not in text, "no title is set"
    assert "\x1b[2J" not in text, "the screen is not cleared"
    assert "\x1b[8m" not in text, "nothing is hidden"
    assert not {char for char in text if hidden(char)} - {"\x1b", "\r"}


def read(number: int) -> bytes:
    """What a terminal shows next; nothing once its last user is gone."""
    try:
        return os.read(number, 1 << 16)
    except OSError:
        return b""


def test_a_daemon_left_at_import_is_ended(place: Place) -> None:
    assert place.run([DAEMON_AT_IMPORT]).code == 0  # the run itself asserts that nothing is left


def test_broken_plugins_are_listed_without_their_escape_sequences(place: Place) -> None:
    fakes = [
        Fake("nasty-at-import", "failed", module=f"raise RuntimeError({NASTY})"),
        Fake(
            "nasty-when-it-dies",
            "failed",
            module=f"sys.stderr.write({NASTY}); sys.stderr.flush(); os._exit(3)",
        ),
    ]
    site = place.site(fakes)
    for words in (
        ["list", "plugins"],
        ["info", "nasty-at-import"],
        ["run", "-d", DATASET, "-p", "nasty-at-import", "--out", "out"],
    ):
        done = place.command([*KOBENCH, *words], site)
        assert not {char for char in done.stdout + done.stderr if hidden(char)}, words
        assert "nasty-at-import" in done.stdout + done.stderr
