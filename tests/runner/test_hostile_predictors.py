"""Predictors that crash, cheat, pry and tamper, all in one `kobench run`: each costs its own row,
and no other trial changes by a byte.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from misbehaving.answers import ANSWERS, ONLY_CHECKED
from misbehaving.ends import ENDS
from misbehaving.fake import Fake, install
from misbehaving.frame import KOBENCH, Done, Place, check_row, hidden, others_unchanged
from misbehaving.prying import PRYING
from misbehaving.resources import DAEMONS, OUTPUT
from misbehaving.tampering import TAMPERING
from misbehaving.words import WORDS

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="what a trial leaves behind is looked for in /proc"
)

ALL = [*ENDS, *ANSWERS, *TAMPERING, *PRYING, *DAEMONS, *OUTPUT, *WORDS, *ONLY_CHECKED.values()]
HARMLESS = [fake for fake in ALL if fake.statuses == ("ok",)]
HARMFUL = [fake for fake in ALL if fake.statuses != ("ok",)]


@pytest.fixture(scope="module")
def missing(without: Done) -> list[str]:
    """The layers that this machine's sandbox lacks: what does harm without them is left out
    there.
    """
    layers = without.rows["calm"]["run"]["sandbox"]["layers"]
    return [
        name
        for name in ("mounts", "network-namespace", "process-namespace", "own-proc")
        if layers[name] is not True
    ]


def here(fake: Fake, missing: list[str]) -> bool:
    """Whether a fake can run here."""
    return not (fake.sealed and missing) and not (
        fake.needs and importlib.util.find_spec(fake.needs) is None
    )


@pytest.fixture(scope="module")
def harmful(place: Place, missing: list[str]) -> Done:
    return place.run(
        [fake for fake in HARMFUL if here(fake, missing)], "--timeout", "120", "--jobs", "2"
    )


@pytest.fixture(scope="module")
def harmless(place: Place, missing: list[str]) -> Done:
    return place.run(
        [fake for fake in HARMLESS if here(fake, missing)], "--timeout", "120", "--jobs", "2"
    )


@pytest.mark.parametrize("fake", HARMFUL, ids=lambda fake: fake.name)
def test_a_predictor_that_does_harm_gets_its_own_row_with_the_reason(
    fake: Fake, harmful: Done, missing: list[str]
) -> None:
    if not here(fake, missing):
        pytest.skip(
            f"needs {fake.needs}" if fake.needs else f"would do harm without {', '.join(missing)}"
        )
    check_row(fake, harmful)


@pytest.mark.parametrize("fake", HARMLESS, ids=lambda fake: fake.name)
def test_what_harms_nobody_is_no_crime(
    fake: Fake, harmless: Done, without: Done, missing: list[str]
) -> None:
    if not here(fake, missing):
        pytest.skip(f"would do harm without {', '.join(missing)}")
    check_row(fake, harmless)
    if not (fake.methods or fake.predict):  # it answers as `calm` does, whatever it did beside that
        assert (
            harmless.rows[fake.name]["result"]["answers"]
            == without.rows["calm"]["result"]["answers"]
        )


def test_beside_harmful_predictors_every_other_trial_ends_as_without_them(
    harmful: Done, without: Done
) -> None:
    assert harmful.code == 1
    others_unchanged(harmful, without)
    for name, row in harmful.rows.items():
        if row["result"]["status"] != "ok":
            assert f"{name} on grn" in harmful.stderr, "said at the end of the run"


def test_beside_harmless_ones_too_and_the_exit_code_is_0(harmless: Done, without: Done) -> None:
    assert harmless.code == 0, harmless.stderr[-3000:]
    others_unchanged(harmless, without)


def test_no_escape_sequence_reaches_the_terminal(harmful: Done, harmless: Done) -> None:
    for done in (harmful, harmless):
        assert not {char for char in done.stdout + done.stderr if hidden(char)}
    assert "\\x1b]0;owned" in harmful.stderr, "it is shown, as text"


def test_no_markup_reaches_a_board(place: Place, harmful: Done, tmp_path: Path) -> None:
    spoken = {fake.name for fake in WORDS}
    (tmp_path / "records").mkdir()
    for number, record in enumerate(harmful.records):
        if record["trial"]["predictor"]["name"] in spoken or record["role"] != "predictor":
            (tmp_path / "records" / f"{number}.json").write_text(json.dumps(record))
    boards = {}
    for form in ("html", "md", "csv", "json", "tex"):
        board = tmp_path / f"board.{form}"
        done = place.command([*KOBENCH, "board", str(tmp_path), "-o", str(board)], tmp_path)
        assert done.returncode == 0, done.stderr
        boards[form] = board.read_text(encoding="utf-8")
        assert not {char for char in boards[form] if hidden(char)}, form
        assert "owned" in boards[form] or form == "csv", "what a predictor said is shown"
    assert "&lt;script&gt;alert" in boards["html"]
    assert "<script>alert" not in boards["html"] + boards["md"]
    assert "<img src=x" not in boards["html"] + boards["md"]
    assert "[x](javascript:" not in boards["md"]
    assert "\\input{/etc" not in boards["tex"]


def test_the_end_of_what_was_printed_is_kept(harmless: Done) -> None:
    tails = {fake.name: harmless.rows[fake.name]["run"]["output"] for fake in OUTPUT}
    assert tails["prints-a-million-lines"].endswith("line 999999")
    assert all(len(tail) < 50_000 for tail in tails.values())
    assert "\\x1b[31m<script>" in tails["prints-escape-sequences"]


def test_seconds_are_counted_by_a_clock_that_a_predictor_can_not_change(harmless: Done) -> None:
    assert (
        harmless.rows["patches-time"]["run"]["fit_seconds"] >= 0.2
    )  # for so long it slept before it broke its own clock


@pytest.mark.parametrize("name", ONLY_CHECKED)
def test_what_a_run_can_not_know_the_contracts_checks_find(
    name: str, place: Place, harmless: Done, tmp_path: Path
) -> None:
    fake = ONLY_CHECKED[name]
    assert harmless.rows[fake.name]["result"]["status"] == "ok", (
        "one answer may be as good as another"
    )
    install(tmp_path, [fake], place.facts)
    done = place.command([*KOBENCH, "check", fake.name, "--json"], tmp_path)
    failed = [check["name"] for check in json.loads(done.stdout) if check["status"] == "failed"]
    assert done.returncode == 1
    assert name in failed


@pytest.fixture(scope="module")
def outside(place: Place) -> Done:
    """A run without any sandbox, of those that do no harm there."""
    return place.run(
        [*REACH, *(fake for fake in DAEMONS if not fake.sealed)], "--sandbox", "off", "--jobs", "2"
    )


REACH = [
    fake
    for fake in PRYING
    if fake.name.startswith(("reads-", "connects-")) and "memory" not in fake.name
]


@pytest.mark.parametrize("fake", REACH, ids=lambda fake: fake.name)
def test_outside_of_the_sandbox_the_same_search_finds_all_that_lies_there(
    fake: Fake, outside: Done
) -> None:
    result = outside.rows[fake.name]["result"]
    if fake.name == "reads-through-descriptors":
        assert result["status"] == "ok", "nobody holds the truth open"
    else:
        assert (result["status"], result["stage"]) == ("failed", "fit")
        assert "could read" in result["message"] or "could connect" in result["message"]


def test_outside_of_the_sandbox_daemons_are_ended_too(outside: Done) -> None:
    """The run itself asserts that nothing is left."""
    assert {outside.rows[fake.name]["result"]["status"] for fake in DAEMONS if not fake.sealed} == {
        "ok",
        "failed",
    }
    assert outside.code == 1
