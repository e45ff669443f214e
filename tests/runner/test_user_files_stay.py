"""What lay in a folder before kobench was pointed at it lies there afterwards, byte for byte:
results folders, environments, answers.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import factories
import numpy as np
import pytest
from command import kobench

from kobench.environments import create as making
from kobench.environments.create import create, remove
from kobench.environments.environment import names
from kobench.environments.ours import is_ours
from kobench.errors import UserError
from kobench.results import records
from kobench.results.answer_store import AnswerStore, hash_of_arrays
from kobench.results.records import record_path
from kobench.runner.folder import HALF_WRITTEN, TRIAL, locked
from kobench.util import files

THEIRS = "years of work"
TINY = "grn:genes=10,cells=40"


def lay(folder: Path, *places: str) -> dict[str, str]:
    """Write a user's files, and return what `found_in` has to find."""
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(THEIRS + place)
    return {place: THEIRS + place for place in places}


def found_in(folder: Path) -> dict[str, str]:
    """Every file below a folder that is a user's, links as what they are."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    texts = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {
        place: text.decode() for place, text in texts.items() if text.startswith(THEIRS.encode())
    }


IN_RESULTS = (
    "work/thesis/t.tex",
    ".work/notes.txt",
    ".work/trial-of-mine/data.csv",
    ".work/trial-abcdefgh2/data.csv",
    ".work/sub/trial-abcdefgh/x",
    "records/.draft.tmp",
    "records/.notes.json.tmp",
    "records/.0123.json.1-2.tmp",
    "answers/.a.tmp",
    f"answers/.{'a' * 64}.npz.tmp",
    f"answers/.{'a' * 24}.json.1-2.tmp",
    f"answers/{'a' * 64}.npz.1-2.tmp",
    f".{'a' * 24}.json.1-2.tmp",
    "trial-abcdefgh/x",
    ".lock",
)


def test_a_run_into_a_folder_with_other_things_leaves_them_alone(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "proj x", tmp_path / "elsewhere"
    theirs = lay(folder, *IN_RESULTS)
    beside = lay(elsewhere, "data.csv")
    (folder / ".work" / "trial-linked00").symlink_to(elsewhere)
    (folder / "records" / f".{'b' * 24}.json.1-2.tmp").symlink_to(elsewhere / "data.csv")
    kobench("run", "-d", TINY, "-p", "linear", "-t", "profile", "--out", folder)
    assert list((folder / "records").glob("*.json"))
    assert found_in(folder) == theirs
    assert found_in(elsewhere) == beside
    assert (folder / ".work" / "trial-linked00").is_symlink()
    assert (folder / "records" / f".{'b' * 24}.json.1-2.tmp").is_symlink()


def test_what_a_killed_run_left_is_cleared_away_and_only_that(tmp_path: Path) -> None:
    theirs = lay(tmp_path, *IN_RESULTS)
    trial = Path(tempfile.mkdtemp(prefix="trial-", dir=tmp_path / ".work"))
    (trial / "given").mkdir()
    (trial / "given" / "closed").mkdir(mode=0)
    half = [
        tmp_path / "records" / f".{'1f' * 12}.json.123-140735.tmp",
        tmp_path / "answers" / f".{'1f' * 32}.npz.123-140735.tmp",
    ]
    for path in half:
        path.write_text("half")
    with locked(tmp_path):
        assert not trial.exists()
        assert not any(path.exists() for path in half)
        at_end = Path(tempfile.mkdtemp(prefix="trial-", dir=tmp_path / ".work"))
    assert not at_end.exists()
    assert found_in(tmp_path) == theirs


def test_the_work_folder_goes_when_nothing_else_is_in_it(tmp_path: Path) -> None:
    (tmp_path / ".work" / "trial-abc_0123").mkdir(parents=True)
    with locked(tmp_path):
        assert not (tmp_path / ".work").exists()


@pytest.mark.parametrize("kind", ["a link", "a file"])
def test_a_work_folder_that_is_none_is_refused(tmp_path: Path, kind: str) -> None:
    beside = lay(tmp_path / "elsewhere", "trial-abcdefgh/data.csv")
    folder = tmp_path / "out"
    folder.mkdir()
    if kind == "a link":
        (folder / ".work").symlink_to(tmp_path / "elsewhere")
    else:
        lay(folder, ".work")
    with (
        pytest.raises(UserError, match=rf"\.work is {kind}.*move it, or name another --out"),
        locked(folder),
    ):
        pass
    assert found_in(tmp_path / "elsewhere") == beside
    assert os.path.lexists(folder / ".work")


def test_the_patterns_are_those_of_what_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a killed run's files would stay for ever."""
    written: list[Path] = []
    replace = os.replace

    def noting(old: Path, new: Path) -> None:
        written.append(old)
        replace(old, new)

    monkeypatch.setattr(files.os, "replace", noting)
    AnswerStore(tmp_path).save({"profile": np.ones(3)})
    (record,) = factories.read([factories.record("a")])
    records.write_record(tmp_path, record)
    assert [path.parent.name for path in written] == ["answers", "records"]
    assert all(HALF_WRITTEN[path.parent.name].fullmatch(path.name) for path in written)
    assert record_path(tmp_path, record.trial).exists()
    assert all(
        TRIAL.fullmatch(Path(tempfile.mkdtemp(prefix="trial-", dir=tmp_path)).name)
        for _ in range(50)
    )


def test_a_record_can_not_have_a_file_outside_the_store_removed(tmp_path: Path) -> None:
    theirs = lay(tmp_path, "data.npz", "results/data.npz")
    store = AnswerStore(tmp_path / "results")
    kept = store.save({"profile": np.ones(3)})
    for key in (
        "../../data",
        "../data",
        str(tmp_path / "data"),
        kept[:-1],
        kept.upper() + "\n",
        kept + "\n",
    ):
        with pytest.raises(UserError, match="expected a sha256 of 64 hexadecimal digits"):
            store.load(key)
        store.discard(key)
    assert found_in(tmp_path) == theirs
    assert store.keys() == {kept} == {hash_of_arrays({"profile": np.ones(3)})}
    store.discard(kept)
    store.discard(kept)
    assert store.keys() == set()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


def half_a_venv(command: Sequence[str], *_: Any) -> None:
    """In the place of `python -m venv`: its files, with an interpreter that can't be started.

    In the place of pip: a failure.
    """
    if "venv" not in command:
        raise UserError("no luck today")
    lay(Path(command[-1]), "lib/python3/site-packages/module.py", "bin/python", "pyvenv.cfg")


def failing(command: Sequence[str], *_: Any) -> None:
    raise UserError("no luck today")


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    "place",
    [
        "bin/data",
        "notes.txt",
        "20240131/data.csv",
        "environment.json",
        "seen.json",
        "environment.json/x",
        "0123abcd",
        ".hidden",
    ],
)
def test_create_refuses_a_folder_that_kobench_did_not_make(
    home: Path, place: str, replace: bool
) -> None:
    theirs = lay(home, f"genki/{place}")
    with pytest.raises(
        UserError,
        match=r"genki is there already and is not an environment of kobench's.*nothing was changed",
    ):
        create("genki", ["./no-such.whl"], replace=replace)
    assert found_in(home) == theirs
    assert [path.name for path in home.iterdir()] == ["genki"]
    with pytest.raises(
        UserError, match="is no environment of kobench's: it has other files; nothing was removed"
    ):
        remove("genki")
    assert found_in(home) == theirs


def test_a_link_and_a_file_of_an_environments_name_are_refused(home: Path, tmp_path: Path) -> None:
    beside = lay(tmp_path / "elsewhere", "0123abcd/lib/x", "0123abcd/kobench.json")
    theirs = lay(home, "file")
    (home / "link").symlink_to(tmp_path / "elsewhere")
    (home / "lost").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link", "lost"):
        with pytest.raises(
            UserError, match="is there already and is not an environment of kobench's"
        ):
            create(name, ["numpy"], replace=True)
        with pytest.raises(
            UserError, match=r"is no environment of kobench's|there is no environment"
        ):
            remove(name)
    assert (found_in(home), found_in(tmp_path / "elsewhere")) == (theirs, beside)
    assert (home / "link").is_symlink()


@pytest.mark.parametrize("run", [half_a_venv, failing])
def test_a_create_that_fails_takes_away_what_it_made_and_no_more(
    home: Path, monkeypatch: pytest.MonkeyPatch, run: Any
) -> None:
    monkeypatch.setattr("kobench.environments.pip.run_logged", run)
    with pytest.raises(UserError, match=r"can't be used|no luck today"):
        create("genki", ["numpy"])
    assert names() == []
    (home / "genki").mkdir()  # an empty folder was there: it stays
    with pytest.raises(UserError, match=r"can't be used|no luck today"):
        create("genki", ["numpy"])
    assert list((home / "genki").iterdir()) == []


def test_what_comes_into_the_folder_meanwhile_stays(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def while_it_is_made(*_: Any) -> None:
        lay(home, "genki/notes.txt")
        raise UserError("no luck today")

    monkeypatch.setattr("kobench.environments.pip.run_logged", while_it_is_made)
    with pytest.raises(UserError, match="no luck today"):
        create("genki", ["numpy"])
    assert [path.name for path in (home / "genki").iterdir()] == ["notes.txt"]


def test_what_was_killed_half_way_is_known_as_ours(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at any step of making it, or of removing it, an environment can be made again and
    removed.
    """

    def killed(command: Sequence[str], *_: Any) -> None:
        half_a_venv(command)
        raise SystemExit

    monkeypatch.setattr("kobench.environments.pip.run_logged", killed)
    monkeypatch.setattr(making, "remove_prefix", lambda *_, **__: None)
    with pytest.raises(SystemExit):
        create("genki", ["numpy"])
    monkeypatch.undo()
    monkeypatch.setenv("KOBENCH_ENVIRONMENTS", str(home))
    (prefix,) = (home / "genki").iterdir()
    assert re.fullmatch("[0-9a-f]{8}", prefix.name)
    assert (prefix / "pyvenv.cfg").exists()
    (home / "genki" / ".environment.json.12-34.tmp").write_text("{")
    assert is_ours(home / "genki")
    for missing in ("pyvenv.cfg", "bin/python"):
        (prefix / missing).unlink()
        assert is_ours(home / "genki")
    remove("genki")
    assert names() == []
    (home / "genki" / "0123abcd" / "lib").mkdir(parents=True)  # killed before the mark was there
    (home / "genki" / "4567abcd").mkdir()
    (home / "genki" / "4567abcd" / ".kobench.json.12-34.tmp").write_text("{")
    remove("genki")
    assert names() == []
