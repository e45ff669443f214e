"""What lies in a readable place and is hidden, by each of the two layers that cover files."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from kobench.sandbox import LAYERS, this_interpreter
from kobench.sandbox.finding import layers_here
from kobench.sandbox.hiding import around, in_order, lies_in
from kobench.sandbox.plan import Access, Folders, make_plan
from kobench.sandbox.start import Launch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox's layers are Linux's")

#: Prints what it can read, of the places it is told of.
READER = """
import json, sys
found = {}
for path in json.loads(sys.argv[1]):
    try:
        found[path] = open(path).read()
    except OSError:
        found[path] = ""
print(json.dumps(found))
"""

#: File below a readable folder -> whether it may be read.
FILES = {
    "open.txt": True,
    "secret.txt": False,
    "inner/open.txt": True,
    "inner/secret.txt": False,
    "inner/secret.txt2": True,
    "hidden/secret.txt": False,
    "hidden/mine/open.txt": True,
    "hidden/mine/secret.txt": False,
    "to-secret": False,
    "to-open": True,
}


def test_of_two_places_the_inner_one_counts() -> None:
    read, hidden = ["/a", "/a/b", "/a/h/r", "/x-2", "/h"], ["/a/h", "/a/h/r/h", "/x", "/h"]
    assert list(in_order(read, hidden)) == [
        ("/a", True),
        ("/x-2", True),
        ("/a/h", False),
        ("/a/h/r", True),
        ("/a/h/r/h", False),
    ]
    assert lies_in("/any", "/")


def test_a_folder_is_taken_apart_around_what_is_hidden(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    for name in ("a/b/hidden", "a/b/open", "a/open"):
        (root / name).mkdir(parents=True)
    (root / "a" / "link").symlink_to(root / "a/b/hidden")
    whole, parted = around([str(root), "/usr/lib"], [str(root / "a/b/hidden")])
    assert sorted(parted) == [str(root), str(root / "a"), str(root / "a/b")]
    assert sorted(whole) == sorted([str(root / "a/b/open"), str(root / "a/open"), "/usr/lib"])


@pytest.mark.parametrize(
    ("layers", "needs"),
    [
        (LAYERS, ("mounts", "landlock-files")),
        (("user-namespace", "mounts"), ("mounts",)),
        (("landlock-files",), ("landlock-files",)),
        ((), ()),
    ],
    ids=["all", "mounts", "landlock", "none"],
)
def test_what_is_hidden_can_not_be_read(
    layers: tuple[str, ...], needs: tuple[str, ...], tmp_path: Path
) -> None:
    for layer in needs:
        if layers_here()[layer] is not True:
            pytest.skip(f"this machine has no {layer}: {layers_here()[layer]}")
    root = tmp_path.resolve() / "readable"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if not name.startswith("to-"):
            (root / name).write_text("content")
    (root / "to-secret").symlink_to(root / "secret.txt")
    (root / "to-open").symlink_to("open.txt")
    hidden = [root / name for name in FILES if name.endswith("secret.txt") and "mine" not in name]
    hidden += [root / "hidden", root / "hidden/mine/secret.txt", root / "missing"]
    paths = {name: str(root / name) for name in FILES}
    plan = make_plan(
        this_interpreter(),
        ["-c", READER, json.dumps(list(paths.values()))],
        Folders.make(tmp_path.resolve() / "launch"),
        Access(read=(root, root / "hidden/mine"), hidden=hidden),
        layers,
    )
    with open(tmp_path / "output", "wb") as output, Launch(plan, output.fileno()) as launch:
        launch.await_end(60)
    said = json.loads((tmp_path / "output").read_text())
    read = {name: said[path] == "content" for name, path in paths.items()}
    # links are left out where a folder is taken apart for Landlock alone: what they lead to counts
    assert read == (FILES if layers else dict.fromkeys(FILES, True))


def test_folders_that_packages_put_on_the_path_are_not_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line of a `.pth` file may name the packages of any other environment of the user's."""
    theirs, named = tmp_path / "lab" / "site-packages", tmp_path / "mine" / "dist-packages"
    monkeypatch.syspath_prepend(str(theirs))
    monkeypatch.syspath_prepend(str(named))
    own = this_interpreter().read
    assert theirs not in own
    assert named not in own
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{named}")
    assert set(this_interpreter().read) - set(own) == {named}
    monkeypatch.setattr("site.getsitepackages", lambda: [str(theirs)])
    assert theirs in this_interpreter().read
