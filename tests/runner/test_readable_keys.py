"""What lies in a `--readable` folder decides answers, so a change of it asks for a new fit."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from places import PREDICTORS
from tiny import TINY

from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.records import read_record, record_path
from kobench.runner.plan import make_plan
from kobench.runner.readable import contents_of, refuse_libraries
from kobench.runner.request import Request
from kobench.runner.resume import decide
from kobench.runner.run import Run
from kobench.util import hashes


@pytest.fixture
def weights(tmp_path: Path, described: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights in it."""
    monkeypatch.setattr(hashes, "YOUNG", -hashes.YOUNG)
    monkeypatch.setenv("KOBENCH_CACHE", str(described))
    weights = tmp_path / "weights"
    (weights / "deep").mkdir(parents=True)
    (weights / "deep" / "w.npz").write_text("the weights")
    (weights / "empty").mkdir()
    return weights


def test_a_readable_folder_is_part_of_the_key(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = load_registry(plugin_files=[PREDICTORS])
    request = Request(
        ["grn:genes=8,cells=30"], ["good"], tasks=["profile"], readable=(str(weights),)
    )
    out = tmp_path / "out"
    (group,) = make_plan(registry, request)
    assert Run(out).run([group]).failed == []

    def actions(*readable: Path) -> list[str]:
        """What is to be done for the floors and lines, once, and for the predictor."""
        (planned,) = make_plan(registry, replace(request, readable=tuple(map(str, readable))))
        found = []
        for trial in (*planned.basis, *planned.trials):
            record = read_record(record_path(out, trial.describe()))
            stored = record.result.answers.values()
            found.append(decide(trial, record, set(stored)).kind)
        assert set(found[:-1]) == {"nothing"}
        return found[-1:]

    record = read_record(record_path(out, group.trials[0].describe()))
    assert record.trial.predictor.readable == list(group.trials[0].readable)
    assert record.run.sandbox is not None
    assert record.run.sandbox.readable == [str(weights)]
    assert actions(weights) == ["nothing"]
    assert actions() == ["fit"]
    another = tmp_path / "another"
    another.mkdir()
    assert actions(weights, another) == ["fit"]
    file = weights / "deep" / "w.npz"
    before = file.stat()
    file.write_text("OTHER stuff")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert actions(weights) == ["fit"]
    file.write_text("the weights")
    assert actions(weights) == ["nothing"]
    moved = tmp_path / "elsewhere"
    weights.rename(moved)
    assert actions(moved) == ["nothing"]
    (moved / "deep" / "w.npz").rename(moved / "w.npz")
    assert actions(moved) == ["fit"]
    (moved / "w.npz").rename(moved / "deep" / "w.npz")
    # what kobench keeps for itself changes with every command, and no predictor sees it
    monkeypatch.setenv("KOBENCH_CACHE", str(moved / "cache"))
    (moved / "cache" / "plugins").mkdir(parents=True)
    (moved / "cache" / "plugins" / "x.json").write_text("{}")
    assert actions(moved) == ["nothing"]


def test_the_order_in_which_folders_are_named_changes_no_key(weights: Path, tmp_path: Path) -> None:
    folders = [str(weights)]
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "w.npz").write_text(name)
        folders.append(str(tmp_path / name))
    first = contents_of(folders)
    assert len(set(first)) == 3
    assert contents_of(folders[::-1]) == contents_of([*folders[1:], *folders]) == first


def test_a_link_to_a_folder_is_what_it_leads_to(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(weights, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    names = [str(weights), str(link), "link", "weights"]
    before = contents_of([str(weights)])
    for name in names:
        assert contents_of([name]) == before
    # what kobench keeps for itself is left out by whatever name the folder is given
    monkeypatch.setenv("KOBENCH_CACHE", str(weights / "cache"))
    (weights / "cache" / "plugins").mkdir(parents=True)
    (weights / "cache" / "plugins" / "x.json").write_text("{}")
    for name in names:
        assert contents_of([name]) == before


def test_what_a_program_can_read_of_a_file_beside_its_content_counts(weights: Path) -> None:
    def seen() -> tuple[str, ...]:
        return contents_of([str(weights)])

    before, file = seen(), weights / "deep" / "w.npz"
    file.chmod(0o755)  # a program can read that it may be executed
    executed = seen()
    file.chmod(0o644)
    assert seen() == before
    # a link to the same file has the same content: its text is another
    (weights / "link").symlink_to("deep/w.npz")
    one = seen()
    (weights / "link").unlink()
    (weights / "link").symlink_to("deep/../deep/w.npz")
    other = seen()
    (weights / "link").unlink()
    assert seen() == before
    (weights / "empty").rename(weights / "emptier")  # so are names of folders with nothing in them
    renamed = seen()
    assert len({before, executed, one, other, renamed}) == 5


def test_libraries_of_ones_own_count_or_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "libraries"
    system = f"/usr/lib{os.pathsep}{sys.prefix}/lib"

    def request(mode: str = "require", *readable: Path) -> Request:
        return Request([TINY], [], sandbox=mode, readable=tuple(map(str, readable)))

    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    refuse_libraries(request())
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{system}{os.pathsep}")
    refuse_libraries(request())
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{system}{os.pathsep}{mine}")  # there or not
    with pytest.raises(UserError, match=f"LD_LIBRARY_PATH names {mine}, .*--readable {mine}"):
        refuse_libraries(request())
    refuse_libraries(request("auto"))
    refuse_libraries(request("require", mine))
    monkeypatch.setenv("LD_LIBRARY_PATH", "w=1.0")  # its text alone could say something
    with pytest.raises(UserError, match=r"names w=1\.0"):
        refuse_libraries(request("require", mine))
