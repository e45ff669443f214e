"""Cards: the shipped ones, broken ones, folders, and the card that `add_dataset` writes."""

from __future__ import annotations

import hashlib
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets import cards
from kobench.datasets.add import add_dataset
from kobench.datasets.card_checks import check_parameter
from kobench.datasets.card_keys import TOP
from kobench.datasets.card_load import CAVEATS
from kobench.datasets.card_text import H5adParameters, Origin
from kobench.datasets.digest import digest
from kobench.errors import UserError
from kobench.specs import DatasetSpec, Param

SHIPPED = [
    "dko-demo",
    "hipsc-ko",
    "k562-crispri",
    "nkx2-1-lung",
    "pbmc68k",
    "pbmc68k-counts",
    "retina-nuclei",
    "trem2-microglia",
]

#: Cards of screens that others publish, apart from those that boards stand on.
PUBLIC = sorted(path.stem for path in (REPOSITORY / "datasets" / "public").glob("*.toml"))

CARD = """
name = "mine"
version = 3
summary = "my cells"
loader = "h5ad"
scale = "counts"
truth = "population"
notes = ["mind the step"]
{extra}
[parameters]
perturbation_key = "perturbation"
{parameter}
[file]
name = "mine.h5ad"
sha256 = "{sha256}"
{file}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's, named in KOBENCH_DATASETS; the default one does not exist."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    folder = tmp_path / "cards"
    folder.mkdir()
    monkeypatch.setenv("KOBENCH_DATASETS", str(folder))
    return folder


def text(**parts: str) -> str:
    return CARD.format(**{"extra": "", "parameter": "", "sha256": "0" * 64, "file": "", **parts})


def test_the_shipped_cards_are_sound(folder: Path) -> None:
    specs, problems = cards.card_specs()
    assert problems == []
    assert [spec.name for spec in specs] == sorted([*SHIPPED, *PUBLIC])
    for spec in (spec for spec in specs if spec.name in SHIPPED):
        card = spec.card
        assert Path(card["card"]).name == f"{spec.name}.toml"
        assert all(
            card.get(key) for key in ("licence", "source", "where", "organism", "notes", "facts")
        )
        assert {"cells", "genes", "zeros"} <= set(card["facts"])
        assert re.fullmatch("[0-9a-f]{64}", card["file"]["sha256"])
        assert card["file"]["bytes"] > 0
        assert json.loads(json.dumps(dict(card))) == card
        assert all(len(note.splitlines()) == 1 and not note.endswith(".") for note in card["notes"])


def test_reading_cards_imports_nothing_heavy() -> None:
    code = (
        "import sys; from kobench.datasets.cards import card_specs; assert card_specs()[0];"
        " print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"pandas", "anndata", "scipy", "scanpy", "h5py", "sklearn", "torch"} & set(loaded)


def test_a_card_becomes_a_dataset(folder: Path) -> None:
    (folder / "mine.toml").write_text(
        text(
            parameter="genes = 50\nbatch_key = 'day'",
            extra="normalise = 'log1p'\nreference = 'doi'",
        )
    )
    (spec,) = (spec for spec in cards.card_specs()[0] if spec.name == "mine")
    assert (spec.version, spec.summary, spec.truth, spec.reference) == (
        3,
        "my cells",
        "population",
        "doi",
    )
    assert {name: param.default for name, param in spec.params.items()} == {
        "genes": 50,
        "cell_type": "",
    }
    assert spec.params["genes"].low == 0
    fixed = {
        "perturbation_key": "perturbation",
        "genes": 50,
        "batch_key": "day",
        "scale": "counts",
        "normalise": "log1p",
    }
    assert spec.card["parameters"] == fixed


@pytest.mark.parametrize(
    ("opened", "expected"),
    [('open = ["batch_key"]', {"batch_key"}), ("open = []", set()), ("", {"genes", "cell_type"})],
)
def test_open_parameters(folder: Path, opened: str, expected: set[str]) -> None:
    (folder / "mine.toml").write_text(text(extra=opened))
    assert set(cards.read_card(folder / "mine.toml").params) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = ", r"cannot be read \(Invalid value .*\); correct it"),
        (
            'name = "mine"\nversion = 1\n',
            r"lacks summary \(one line .*\), loader \(.*\), scale \(.*\); add them",
        ),
        (text(extra='sumary = "x"'), "unknown key 'sumary'; did you mean 'summary'"),
        (
            text().replace("version = 3", 'version = "3"'),
            "version is '3'; give a whole number: raised when",
        ),
        (
            text().replace("version = 3", "version = true"),
            "version is True; give a whole number",
        ),
        (
            text().replace('"mine"', '"My_cells"', 1),
            "name is 'My_cells'; give what the dataset is called: lower-case letters, digits",
        ),
        (text().replace('"h5ad"', '"h5da"'), "loader 'h5da' is not known; did you mean 'h5ad'"),
        (
            text().replace('"counts"', '"umi"'),
            "scale is 'umi'; choose one of counts, log1p, log1p-cp10k, linear",
        ),
        (
            text().replace('"population"', '"counterfactual"'),
            "truth is 'counterfactual'; choose one of population, none",
        ),
        (text(extra="notes2 = 1"), "unknown key 'notes2'"),
        (text().replace('["mind the step"]', "[1]"), "notes is \\[1\\]; give a list of texts"),
        (
            text(extra='open = ["gene"]'),
            "open has 'gene', which loader 'h5ad' lacks; did you mean 'genes'",
        ),
        (
            text(extra='normalise = "log2"'),
            "normalise is 'log2'; choose one of auto, log1p-cp10k, log1p, none",
        ),
        (
            text(parameter='cell_typ_key = "x"'),
            "loader 'h5ad' has no parameter 'cell_typ_key'; did you mean 'cell_type_key'",
        ),
        (text(parameter="genes = '50'"), "parameter genes is '50'; it must be of type int"),
        (text(parameter="genes = -1"), "parameter genes is -1; it must lie between 0 and None"),
        (text(parameter="raw = 1"), "parameter raw is 1; it must be of type bool"),
        (
            text(parameter="path = 'x'"),
            r"path does not belong into \[parameters\]; set it at \[file\]",
        ),
        (
            text(parameter="scale = 'counts'"),
            r"scale does not belong into \[parameters\]; set it at the top of the card",
        ),
        (text(sha256="abc"), "sha256 is 'abc'; give its checksum, 64 hexadecimal digits"),
        (text(file="md5 = 'x'"), r"\[file\] has the unknown key 'md5'"),
        (text(file="bytes = -1"), r"\[file\]: bytes is -1; give 0 or more"),
        (
            text(extra="normalise = 'none'").replace('"h5ad"', '"pbmc"').split("[parameters]")[0]
            + "[file]\nname = 'x'\nsha256 = '"
            + "0" * 64
            + "'",
            "normalise is given, which loader 'pbmc' does not take; leave it out",
        ),
        (
            text(extra=f"licence = [{'1, ' * 500}]"),
            r"licence is \[1, 1, .*\.\.\.; give a text: what others",
        ),
        (text(file="bytes = 'x'"), "bytes is 'x'; give a whole number: its size"),
        (text().split("[file]")[0], r"has no \[file\], which loader 'h5ad' needs"),
        (
            text(file="[facts]\nday = 2024-01-01"),
            r"facts is .*datetime.date\(2024, 1, 1\).*; give a table of texts and numbers",
        ),
        (b"\xff\xfe", "cannot be read .*utf-8"),
    ],
)
def test_a_broken_card_is_a_problem_and_costs_only_itself(
    folder: Path, content: str | bytes, message: str
) -> None:
    path = folder / "broken.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    specs, problems = cards.card_specs()
    assert [spec.name for spec in specs] == sorted([*SHIPPED, *PUBLIC])
    (problem,) = problems
    assert re.search(message, problem), problem
    assert problem.startswith(f"card {path}")
    assert len(problem.splitlines()) == 1


def test_duplicate_names_name_both_files(folder: Path, tmp_path: Path) -> None:
    second = tmp_path / "more"
    second.mkdir()
    for path in (folder / "a.toml", second / "b.toml"):
        path.write_text(text())
    (second / "c.toml").write_text(text().replace('"mine"', '"pbmc68k"', 1))
    shipped = cards.builtin_folder() / "pbmc68k.toml"
    specs, problems = cards.card_specs([second])
    assert [spec.name for spec in specs] == sorted([*SHIPPED, *PUBLIC, "mine"])
    assert problems == [
        (
            f"two cards are called 'mine': {folder / 'a.toml'} (used) and {second / 'b.toml'} (not"
            " used); rename one of them"
        ),
        (
            f"two cards are called 'pbmc68k': {shipped} (used) and {second / 'c.toml'} (not used);"
            " rename one of them"
        ),
    ]


def test_folders(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = tmp_path / "nowhere"
    assert cards.card_folders([folder, "~/x"]) == [
        cards.builtin_folder(),
        cards.public_folder(),
        cards.user_folder(),
        folder,
        Path.home() / "x",
    ]
    monkeypatch.setenv("KOBENCH_DATASETS", f"{folder}{cards.os.pathsep}{nowhere}")
    assert cards.card_specs()[1] == [
        f"dataset folder {nowhere} does not exist; correct KOBENCH_DATASETS or --datasets"
    ]
    cards.user_folder().mkdir(parents=True)
    (cards.user_folder() / "mine.toml").write_text(text())
    assert "mine" in [spec.name for spec in cards.card_specs()[0]]


def test_built_in_cards_lie_in_the_package_or_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "kobench"
    package.mkdir()
    monkeypatch.setattr(cards, "__file__", str(package / "datasets" / "cards.py"))
    assert cards.builtin_folder() == tmp_path / "datasets"
    (package / "cards").mkdir()
    assert cards.builtin_folder() == package / "cards"


def test_cards_can_build_on_a_plugins_dataset(
    folder: Path, tiny_cells: Callable[..., Cells]
) -> None:
    def toy(path: str, size: int = 3) -> Dataset:
        return Dataset(
            tiny_cells(n=size),
            "linear",
            "real",
            notes=(Path(path).read_text(),),
            facts={"size": size},
        )

    loader = DatasetSpec("toy", toy, params={"path": Param(""), "size": Param(3, low=1)})
    content = text(
        file='path = "beside.txt"',
        sha256=hashlib.sha256(b"hello").hexdigest(),
        extra="near_null = true",
    )
    (folder / "mine.toml").write_text(
        content.replace('"h5ad"', '"toy"').replace('perturbation_key = "perturbation"', "size = 12")
    )
    (folder / "beside.txt").write_text("hello")
    specs, problems = cards.card_specs(loaders={"toy": loader})
    assert [spec.name for spec in specs] == ["mine"]
    assert all("is not known; loaders: toy" in problem for problem in problems)
    assert specs[0].params == {}  # a loader without `genes` and `cell_type` leaves nothing open
    assert specs[0].card["parameters"] == {"size": 12}
    make: Any = specs[0].load
    dataset = make()
    assert dataset.cells.n_obs == 12
    assert dataset.notes == (
        "mind the step",
        CAVEATS["near_null"],
        "hello",
    )  # the card's, those of its flags, the loader's
    assert dataset.facts == {"size": 12, "near-null": True}


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("size", 1, ""),
        ("size", 9, ""),
        ("size", 0, "parameter size is 0; it must lie between 1 and 9"),
        ("size", 10, "parameter size is 10; it must lie between 1 and 9"),
        ("share", 0.0, ""),
        ("share", -0.1, "it must lie between 0.0 and None"),
        ("share", 1e9, ""),
        ("least", -5, ""),
        ("least", 1, "it must lie between None and 0"),
        ("size", 3.0, "parameter size is 3.0; it must be of type int"),
        ("size", True, "parameter size is True; it must be of type int"),
        ("way", "b", ""),
        ("way", "c", "parameter way is 'c'; choose one of a, b"),
        ("open", 3, ""),
        ("nothing", 3, "has no parameter 'nothing'"),
    ],
)
def test_parameters_of_a_card_are_held_to_what_the_loader_takes(
    key: str, value: object, fault: str
) -> None:
    params = {
        "size": Param(3, low=1, high=9),
        "share": Param(0.5, low=0.0),
        "least": Param(0, high=0),
        "way": Param("a", choices=("a", "b")),
        "open": Param(None),
    }
    loader = DatasetSpec("toy", "toy:load", params=params)
    if not fault:
        check_parameter(key, value, loader, "mine.toml")
        return
    with pytest.raises(UserError, match=fault) as error:
        check_parameter(key, value, loader, "mine.toml")
    assert "mine.toml" in str(error.value)


def test_what_decides_the_cells_is_in_the_digest(folder: Path) -> None:
    def digest_of(content: str) -> str:
        (folder / "mine.toml").write_text(content)
        value: str = cards.read_card(folder / "mine.toml").card["digest"]
        return value

    first = digest_of(text())
    assert digest_of(text(extra="organism = 'mouse'\n")) == first
    assert digest_of(text(file="path = '/elsewhere/mine.h5ad'")) == first
    changes = [
        text(parameter="batch_key = 'day'"),
        text(sha256="1" * 64),
        text(extra="normalise = 'none'"),
    ]
    assert len({first, *map(digest_of, changes)}) == 4


@pytest.fixture
def mine(make_adata: Callable[..., Any], tmp_path: Path) -> Path:
    path = tmp_path / "files" / "mine.h5ad"
    path.parent.mkdir()
    make_adata().write_h5ad(path)
    return path


def test_adding_a_dataset(folder: Path, mine: Path) -> None:
    written = add_dataset(
        mine,
        "my-screen",
        H5adParameters(
            control="control",
            batch_key="batch",
            cell_type_key="cell_type",
            totals_key="n_counts_all",
        ),
        Origin(organism="mouse", source="our lab", licence="none yet", reference="doi:1"),
        out_folder=folder,
    )
    assert written == folder / "my-screen.toml"
    content = written.read_text()
    assert content.startswith("# A dataset of kobench")
    keys = {line.split(" = ")[0].lstrip("# ") for line in content.splitlines() if " = " in line}
    assert {key.name for key in TOP if key.example} <= keys
    specs, problems = cards.card_specs()
    assert problems == []
    (spec,) = (spec for spec in specs if spec.name == "my-screen")
    assert spec.summary == "24 wild-type cells x 8 genes from mine.h5ad"
    assert (spec.truth, spec.reference, spec.card["organism"]) == ("population", "doi:1", "mouse")
    assert spec.card["file"]["sha256"] == hashlib.sha256(mine.read_bytes()).hexdigest()
    make: Any = spec.load
    dataset = make(genes=5)
    assert dataset.cells.shape == (24, 5)
    assert set(dataset.cells.obs) == {"batch", "cell_type"}
    travelled = pickle.loads(pickle.dumps(make))
    assert digest(travelled().cells) == digest(make().cells)


def test_the_default_folder_is_read_without_being_named(folder: Path, mine: Path) -> None:
    written = add_dataset(
        str(mine),
        "my-screen",
        H5adParameters(perturbation_key="none", scale="counts", normalise="log1p"),
    )
    assert written.parent == cards.user_folder()
    (spec,) = (spec for spec in cards.card_specs()[0] if spec.name == "my-screen")
    assert spec.truth == "none"
    assert '# organism = "human"  # the species\n' in written.read_text()
    assert "organism" not in spec.card
    make: Any = spec.load
    assert make().scale == "log1p"


def test_a_changed_file_is_refused(
    folder: Path, mine: Path, make_adata: Callable[..., Any]
) -> None:
    written = add_dataset(mine, "my-screen", out_folder=folder)
    make_adata(seed=1).write_h5ad(mine)
    make: Any = cards.read_card(written).load
    with pytest.raises(
        UserError, match=r"the file of dataset 'my-screen', .*mine\.h5ad, has sha256 .* is expected"
    ):
        make()
    mine.unlink()
    with pytest.raises(
        UserError, match=r"dataset 'my-screen' needs the file mine\.h5ad .*which is not at"
    ):
        make()


@pytest.mark.parametrize("name", ["My-Screen", "my_screen", "-x", "x-", "a--b", "../x", ""])
def test_names_that_cannot_be(folder: Path, mine: Path, name: str) -> None:
    with pytest.raises(UserError, match="must be of lower-case letters"):
        add_dataset(mine, name, out_folder=folder)


def test_nothing_is_overwritten_or_shadowed(folder: Path, mine: Path) -> None:
    written = add_dataset(mine, "my-screen", out_folder=folder)
    before = written.read_bytes()
    with pytest.raises(UserError, match=r"my-screen\.toml exists already and is not overwritten"):
        add_dataset(mine, "my-screen", out_folder=folder)
    assert written.read_bytes() == before
    for name in ("pbmc68k", "h5ad"):
        with pytest.raises(UserError, match=f"a dataset '{name}' exists already"):
            add_dataset(mine, name, out_folder=folder)
    with pytest.raises(UserError, match=r"a dataset 'my-screen' exists already \(the card"):
        add_dataset(mine, "my-screen")
    with pytest.raises(UserError, match=r"a dataset 'theirs' exists already \(of their-dist\)"):
        add_dataset(mine, "theirs", out_folder=folder, taken={"theirs": "of their-dist"})
    assert not (folder / "theirs.toml").exists()


@pytest.mark.parametrize(
    "fault",
    ["truncated", "nan", "wrong-column", "mislabelled-control", "counts-but-fractions", "missing"],
)
def test_a_file_that_cannot_be_used_leaves_no_card(
    folder: Path, broken_h5ad: Callable[[str], tuple[Path, dict[str, Any]]], fault: str
) -> None:
    path, parameters = broken_h5ad(fault)
    with pytest.raises(UserError, match=re.escape(str(path))):
        add_dataset(path, "my-screen", H5adParameters(**parameters), out_folder=folder)
    assert list(folder.iterdir()) == []
