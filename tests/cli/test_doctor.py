"""`kobench doctor`: what it finds by trying, what it says is open, and its exit code."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from kobench.cli.doctor import doctor_command
from kobench.sandbox import COVERS, LAYERS, OPEN_WITHOUT, uncovered
from kobench.sandbox.examine import ATTEMPTS, SEES_KOBENCH, Examined, examine
from kobench.sandbox.finding import layers_here
from kobench.sandbox.layers import without_any

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox's layers are Linux's")


def test_without_a_layer_everything_can_be_done_and_is_said_to_be_open(monkeypatch):
    found = examine(layers=())
    assert dict(found.tried) == dict.fromkeys(ATTEMPTS)
    assert found.open == tuple(COVERS)
    monkeypatch.setattr("kobench.sandbox.examine.examine", lambda: found)
    done = CliRunner().invoke(doctor_command)
    assert done.exit_code == 1
    assert done.output.count(" NO: ") == 3
    assert "NO: files of the machine; unix sockets with a path" in done.output
    assert done.output.count("it could\n") == len(ATTEMPTS)
    for sentence in OPEN_WITHOUT.values():
        assert sentence in done.output


def test_with_every_layer_nothing_can_be_done():
    if uncovered(layers_here()):
        pytest.skip(f"this machine leaves {uncovered(layers_here())} open")
    done = CliRunner().invoke(doctor_command, ["--json"])
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert all(found["covered"].values())
    assert None not in found["tried"].values()
    assert set(found["layers"]) == set(LAYERS)
    assert found["open"] == {
        layer: OPEN_WITHOUT[layer] for layer in LAYERS if found["layers"][layer] is not True
    }
    assert set(found["limits"]) == {"seconds", "memory_mb", "processes", "written_mb"}


@pytest.mark.parametrize(
    ("covered", "layers"),
    [
        ("files", ("landlock-files", "seccomp-sockets", "seccomp-outside")),
        ("files", ("user-namespace", "ipc-namespace", "mounts", "seccomp-sockets")),
        ("network", ("user-namespace", "network-namespace")),
        ("network", ("seccomp-sockets", "seccomp-outside")),
        ("processes", ("landlock-signals", "seccomp-outside")),
        ("processes", ("user-namespace", "process-namespace")),
    ],
)
def test_these_layers_alone_cover_their_own(covered, layers):
    if lacking := [one for one in layers if layers_here()[one] is not True]:
        pytest.skip(f"this machine has no {lacking}")
    found = examine(layers)
    assert set(found.open) <= set(COVERS) - {covered}
    open_ = {
        what
        for what, why in found.tried.items()
        if why is None and ATTEMPTS[what][0] == covered and what != SEES_KOBENCH
    }
    assert open_ == set()


def test_what_could_be_done_counts_more_than_what_the_layers_say():
    every = dict.fromkeys(LAYERS, True)
    assert Examined(every, dict.fromkeys(ATTEMPTS, "denied")).open == ()
    assert Examined(
        every, {**dict.fromkeys(ATTEMPTS, "denied"), "send UDP to this machine": None}
    ).open == ("network",)
    assert Examined(every, {}).open == tuple(COVERS)
    assert Examined(without_any("no"), dict.fromkeys(ATTEMPTS, "denied")).open == tuple(COVERS)
