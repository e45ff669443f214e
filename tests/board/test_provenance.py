"""A board says who was not shut in, who could read more and who lives in an environment of its own,
in every rendering alike.
"""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from factories import make_board, networks, read, record

from kobench.board.render.formats import FORMATS, render
from kobench.board.sections.provenance import open_in
from kobench.errors import LIMIT_OF, STATUSES
from kobench.sandbox import LAYERS
from kobench.supervisor.limits import Limits

LIMITED = {"limits": Limits(memory_mb=1000).to_json()}
SEALED = dict.fromkeys(LAYERS, True)
WHY = "Not in a full sandbox, so nothing shows that they saw only what they were given: "


def ran(mode="auto", readable=(), environment=None, **missing):
    layers = {**SEALED, **{layer.replace("_", "-"): why for layer, why in missing.items()}}
    if mode == "off":
        layers = dict.fromkeys(LAYERS, "switched off")
    return {
        **LIMITED,
        "sandbox": {"mode": mode, "layers": layers, "readable": list(readable)},
        "output": None,
        "environment": environment,
    }


FLOORS = [
    *networks("own-share", [0.4] * 5, "floor"),
    *networks("random", [0.1] * 5, "floor"),
    *networks("truth", [1.0] * 5, "line"),
]


def test_nothing_is_said_where_all_were_shut_in():
    assert make_board([*networks("mlp", [0.6] * 5, run=ran()), *FLOORS]).remarks == ()
    assert (
        make_board(
            [*networks("mlp", [0.6] * 5, run=ran("require", landlock_tcp="too old")), *FLOORS]
        ).remarks
        == ()
    )


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({}, "made before kobench had a sandbox"),
        (ran("off"), "switched off: files, network and processes open"),
        (
            ran(network_namespace="Operation not permitted", seccomp_sockets="none"),
            "files (the kernel's log, keyrings and hints on files) and network open",
        ),
        (ran(process_namespace="no", landlock_signals="too old"), "processes open"),
        (ran(mounts="no"), ""),  # landlock-files and seccomp-outside are enough
        (
            ran(mounts="no", seccomp_outside="none"),
            "files (unix sockets with a path, and modes, times and attributes of files) open",
        ),
        (
            ran(ipc_namespace="no", seccomp_outside="none"),
            "files (System V memory, semaphores and messages, and POSIX message queues) open",
        ),
        (
            ran(mounts="no", landlock_files="no", network_namespace="no", seccomp_sockets="no"),
            "files and network open",
        ),
        (LIMITED, ""),  # it ended before a process was started
    ],
)
def test_what_was_open_to_a_predictor(run, said):
    (one,) = read([record("mlp", 0.6, run=run)])
    assert open_in(one) == said
    board = make_board(
        [*networks("mlp", [0.6] * 5, run=run), *networks("gbm", [0.7] * 5, run=ran()), *FLOORS]
    )
    assert board.remarks == ((f"{WHY}mlp ({said}).",) if said else ())
    (section,) = board.sections
    assert {row.name: row.sandbox for row in section.rows if row.role == "predictor"} == {
        "mlp": said,
        "gbm": "",
    }


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ({}, ""),
        (
            {"mounts": "no"},
            "files (unix sockets with a path, and modes, times and attributes of files) open",
        ),
    ],
)
def test_records_from_before_the_newest_layers_are_judged_by_those_that_they_name(missing, said):
    run = ran(**missing)
    for layer in ("ipc-namespace", "seccomp-outside"):
        del run["sandbox"]["layers"][layer]
    (one,) = read([record("mlp", 0.6, run=run)])
    assert open_in(one) == said


def test_floors_of_our_own_are_exempt_and_a_strangers_is_not():
    assert make_board([*networks("mlp", [0.6] * 5, run=ran()), *FLOORS]).remarks == ()
    theirs = networks("theirs", [0.3] * 5, "floor", run=ran("off"))
    for one in theirs:
        one["trial"]["predictor"]["distribution"] = "theirs"
    assert make_board([*networks("mlp", [0.6] * 5, run=ran()), *FLOORS, *theirs]).remarks == (
        f"{WHY}theirs (switched off: files, network and processes open).",
    )


def test_one_trial_of_many_is_counted_and_equal_reasons_stand_together():
    mixed = [*networks("a", [0.6] * 4, run=ran()), record("a", 0.6, seed=4, run=ran("off"))]
    board = make_board([*mixed, *networks("b", [0.6] * 5), *networks("c", [0.6] * 5), *FLOORS])
    assert board.remarks == (
        (
            f"{WHY}b, c (made before kobench had a sandbox); a in 1 of 5 trials (switched off:"
            " files, network and processes open)."
        ),
    )


class Words(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.text = ""
        self.feed(page)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("format", FORMATS)
def test_every_rendering_says_it(format):
    environment = {"name": "old", "python": "3.9.18", "packages": {"numpy": "1.26.4"}}
    records = [
        *networks("mlp", [0.6] * 5, run=ran("off", ["/data/motifs"])),
        *networks("gbm", [0.7] * 5, run=ran(environment=environment)),
    ]
    board = make_board([*records, *FLOORS])
    text = render(board, format)
    if format == "csv":
        rows = [row for row in csv.DictReader(io.StringIO(text)) if row["primary"] == "true"]
        assert {row["predictor"]: row["sandbox"] for row in rows} == {
            "mlp": "switched off: files, network and processes open",
            "gbm": "",
            "own-share": "",
            "random": "",
            "truth": "",
        }
        assert {row["predictor"]: row["environment"] for row in rows}["gbm"] == "old, Python 3.9.18"
        return
    said = [
        f"{WHY}mlp (switched off: files, network and processes open).",
        "Could read more folders: mlp (/data/motifs).",
        "In environments of their own: gbm (old, Python 3.9.18).",
    ]
    assert board.remarks == tuple(said)
    if format == "json":
        assert json.loads(text)["ran"] == said
    text = text.replace(r"\allowbreak{}", "")
    shown = " ".join((Words(text).text if format == "html" else text).split())
    assert all(one in shown for one in said)


def test_an_environment_whose_python_is_rubbish_steers_no_terminal():
    environment = {"name": "x", "python": "3\x1b[2J", "packages": {}}
    board = make_board([*networks("mlp", [0.6] * 5, run=ran(environment=environment)), *FLOORS])
    assert "\x1b" not in render(board, "terminal")


def test_every_status_is_shown_with_its_reason_in_its_place():
    failed = [
        record(status, status=status, stage="fit", message=f"why {status}") for status in STATUSES
    ]
    board = make_board([*networks("mlp", [0.6] * 5), *failed, *FLOORS])
    (section,) = board.sections
    order = [row.name for row in section.unranked]
    assert order == [
        "unsupported",
        "invalid",
        "timeout",
        "out-of-memory",
        "too-many-processes",
        "too-much-written",
        "disk-full",
        "failed",
    ]
    assert set(LIMIT_OF) < set(order)
    for format in FORMATS:
        text = " ".join(render(board, format).replace(r"\allowbreak{}", "").split())
        assert all(f"why {status}" in text and status in text for status in STATUSES), format
