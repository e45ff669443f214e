"""The copy of kobench in an environment: renewed, of another protocol, or changed."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from pathlib import Path

import pytest
from import_graph import IN_WORKER, ONLY_HERE, graph
from wheels import plugin, wheel

from kobench.checks.environments import check_environment
from kobench.checks.predictors import Setting
from kobench.environments import own
from kobench.environments.create import create
from kobench.environments.environment import Environment
from kobench.errors import TrialFailed, UserError
from kobench.plugins.load import load_registry
from kobench.supervisor.process import WorkerProcess
from kobench.supervisor.settings import WorkerSettings


def test_an_older_copy_of_kobench_is_renewed_once(
    offline: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    load_registry()
    protocol = made.site / "kobench" / "worker" / "protocol.py"
    now = protocol.read_text()
    protocol.write_text("PROTOCOL = 0\n")
    (made.site / "kobench" / "gone.py").write_text("")
    (made.prefix / "kobench.json").write_text(
        json.dumps({"version": "0", "digest": "older", "stamp": "older"})
    )
    capsys.readouterr()
    assert "alpha-mean" in load_registry().predictors
    assert capsys.readouterr().err == "environment alpha: its copy of kobench was renewed\n"
    assert protocol.read_text() == now
    assert not (made.site / "kobench" / "gone.py").exists()
    assert not list(made.site.glob(".kobench-*"))
    load_registry()
    assert capsys.readouterr().err == ""
    touched = json.loads((made.prefix / "kobench.json").read_text())
    (made.prefix / "kobench.json").write_text(
        json.dumps({**touched, "stamp": "the same files at another time"})
    )
    load_registry()
    assert capsys.readouterr().err == ""  # the same content is no other kobench


def test_what_a_package_put_in_the_interpreters_place_is_not_executed(
    offline: Path, tmp_path: Path
) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    executed = tmp_path / "executed"
    made.python.unlink()
    made.python.write_text(f"#!/bin/sh\necho $0 $@ >> {executed}\n")
    made.python.chmod(0o755)
    (made.prefix / "kobench.json").write_text(
        json.dumps({"version": "0", "digest": "older", "stamp": "older"})
    )
    assert own.renew(made)
    assert not executed.exists()
    compiled = made.site / "kobench" / "__pycache__"
    assert list(compiled.glob("cells.*.pyc"))  # by the interpreter that it was made from
    with pytest.raises(UserError, match="it lies in an environment of kobench's"):
        create("beta", ["numpy"], python=str(made.python), keep=True)
    assert not executed.exists()


def test_another_kobench_of_the_same_version_is_renewed_too(home: Path, tmp_path: Path) -> None:
    """A kobench that is worked on keeps its version; what packages there are is the same."""
    site = tmp_path / "serial" / "lib" / "site-packages"
    (site / "kobench").mkdir(parents=True)
    (site / "kobench" / "cells.py").write_text("of yesterday")
    about = {"site": "lib/site-packages", "from": [], "python": {"base": sys.executable}}
    made = Environment("mine", tmp_path, tmp_path / "serial", about)
    for version, stays in ((own.__version__, True), ("0", False)):
        os.utime(site, ns=(10**18, 10**18))
        (made.prefix / "kobench.json").write_text(
            json.dumps({"version": version, "digest": "older", "stamp": "older"})
        )
        assert own.renew(made)
        assert not own.renew(made)
        there = {path: site / path for path in own.parts()}
        assert own.digest_of(there) == own.digest()
        assert own.noted(made.prefix)["digest"] == own.digest()
        # what the interpreter said of its packages is asked again where they are others
        assert (site.stat().st_mtime_ns == 10**18) == stays


@pytest.mark.parametrize("olds", [["0.0.1"], ["0.0.1", "99.0"], []])
def test_a_renewed_copy_has_the_metadata_of_one_version(
    home: Path, tmp_path: Path, olds: list[str]
) -> None:
    """With two versions there, pip and the interpreter take whichever they find first."""
    site = tmp_path / "serial" / "lib" / "site-packages"
    for name, version in (*(("kobench", old) for old in olds), ("kobench_more", "1.0")):
        folder = site / f"{name}-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    about = {"site": "lib/site-packages", "from": [], "python": {"base": sys.executable}}
    assert own.renew(Environment("mine", tmp_path, tmp_path / "serial", about))
    found = [
        (one.metadata["Name"], one.version)
        for one in importlib.metadata.distributions(path=[str(site)])
    ]
    assert sorted(found) == [("kobench", own.__version__), ("kobench_more", "1.0")]
    assert not list(site.glob(".kobench-*"))


def test_what_is_put_there_is_closed_under_imports() -> None:
    missing = {
        f"{name} imports {target}"
        for name in IN_WORKER
        for target in graph()[name] - IN_WORKER - ONLY_HERE.get(name, set())
    }
    assert not missing, f"add to PARTS in kobench/environments/own.py: {missing}"
    assert {
        "kobench/worker/main.py",
        "kobench/worker/checks/form.py",
        "kobench/worker/describe/child.py",
        "kobench/__init__.py",
    } <= set(own.parts())


def test_a_worker_of_another_protocol_is_refused_in_a_sentence(
    offline: Path, tmp_path: Path
) -> None:
    from kobench.plugins.environments import interpreter_of

    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    interpreter = interpreter_of(made)
    protocol = made.site / "kobench" / "worker" / "protocol.py"
    protocol.write_text(protocol.read_text().replace("PROTOCOL = ", "PROTOCOL = 1000 + "))
    with (
        pytest.raises(
            TrialFailed,
            match=r"the worker speaks protocol 100\d, this kobench \d; renew its environment",
        ),
        WorkerProcess(tmp_path / "work", WorkerSettings(interpreter=interpreter, sandbox="off")),
    ):
        pass


def test_a_harness_of_another_protocol_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(
            TrialFailed,
            match=r"the harness speaks protocol 1000, this worker \d; renew its environment",
        ),
        WorkerProcess(tmp_path / "work", WorkerSettings(sandbox="off")) as worker,
    ):
        worker.ask("fit", protocol=1000)


def test_check_says_what_is_wrong(offline: Path, tmp_path: Path) -> None:
    made = create(
        "alpha", [str(wheel(tmp_path, "alpha-plugin", "alpha_plugin", plugin("alpha-mean")))]
    )
    (made.site / "kobench" / "worker" / "protocol.py").write_text("PROTOCOL = 0\n")
    results = list(check_environment(made, Setting(sandbox="off")))
    by_name = {result["name"]: result for result in results if "predictor" not in result}
    assert by_name["interpreter"]["status"] == by_name["plugins"]["status"] == "passed"
    assert by_name["kobench"]["status"] == "failed"
    assert "was changed; make it again" in by_name["kobench"]["found"]
    assert by_name["worker"]["status"] == "failed"
    assert (
        "can't be imported there: it ended with exit code 1: ImportError"
        in by_name["worker"]["found"]
    )
    (started,) = [result for result in results if "predictor" in result]
    assert (started["predictor"], started["name"], started["status"]) == (
        "alpha-mean",
        "starts",
        "failed",
    )
    made.python.unlink()
    (only,) = check_environment(made)
    assert (only["name"], only["status"]) == ("interpreter", "failed")
