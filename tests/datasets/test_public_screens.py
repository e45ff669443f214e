"""The cards of public screens: what they state, and that a file of their layout gets through.

Nobody here has opened these files. Each card is run through a made file with the columns that
scPerturb's files share, spelt as the card says; whether the real one is so, `kobench datasets
verify` finds out.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from places import REPOSITORY
from public_layout import GENES, screen

from kobench.audit.overview import overview
from kobench.builtin.datasets.h5ad import load
from kobench.dataset import Dataset
from kobench.datasets.cards import read_card
from kobench.datasets.differences import disagreements
from kobench.datasets.fetch import find_file
from kobench.datasets.opened import NOT_OPENED
from kobench.errors import UserError

CARDS = sorted((REPOSITORY / "datasets" / "public").glob("*.toml"))
SCPERTURB = [path for path in CARDS if path.stem != "vcc2025-h1"]
TARGETS = ("GATA1", "TAL1", "KLF1", "SPI1", "CEBPA")

every = pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)


def said(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


@every
def test_what_a_reader_needs_is_on_the_card(path: Path) -> None:
    card = said(path)
    assert card["opened"] is False
    assert card["name"] == path.stem
    for key in ("kind", "organism", "licence", "source", "reference", "where", "truth"):
        assert card[key]
    assert re.match(r"doi:10\.\d{4,}/\S+", card["reference"])
    (source,) = card["sources"]
    assert ("sha256" in source) != ("md5" in source)
    assert source["name"] == card["file"]["name"]
    assert source.get("bytes") == card["file"].get("bytes")
    assert "content" not in card["file"]
    assert all(url.startswith("https://") for url in source["urls"])
    assert all(len(note.splitlines()) == 1 for note in card.get("notes", ()))
    assert all(not note.endswith(".") for note in card.get("notes", ()))


def test_names_and_files_are_told_apart() -> None:
    files = [(card["file"]["folder"], card["file"]["name"]) for card in map(said, CARDS)]
    assert len(set(files)) == len(files)


def test_no_row_of_the_list_is_missing_or_changed() -> None:
    folder = Path(os.environ.get("KOBENCH_DATA") or REPOSITORY.parent / "shared" / "data")
    listed = folder / "public_screens.tsv"
    if not listed.is_file():
        pytest.skip(f"the list of public screens is not at {listed}")
    rows = [line.split("\t") for line in listed.read_text().splitlines() if line[:1] != "#"][1:]
    cards = {card["file"]["name"]: card for card in map(said, SCPERTURB)}
    assert sorted(cards) == sorted(row[0] for row in rows)
    kinds = {"KO": "knockout", "CRISPRi": "knockdown", "CRISPRa": "overexpression"}
    for name, md5, size, sha256, kind in rows:
        card = cards[name]
        (source,) = card["sources"]
        assert f"md5 {md5}" in card["source"]
        assert source.get("sha256") == (sha256 or None)
        assert source.get("md5") == (None if sha256 else md5)
        assert source.get("bytes") == (int(size) if size else None)
        assert all(f"/files/{name}?download=1" in url for url in source["urls"])
        what, *more = kind.split()
        assert card["kind"] == kinds.get(what, "knockdown")
        assert card["organism"] == ("mouse" if "mouse" in more else "human")


def spelt(card: dict[str, Any], label: str) -> str:
    """How the file of a card writes a target, or several."""
    parameters = card["parameters"]
    if table := parameters.get("labels"):
        return next(said for said, genes in table.items() if genes == label)
    pattern, join = parameters.get("guide_pattern", "{gene}"), parameters.get("join", "+")
    pattern = pattern if isinstance(pattern, str) else pattern[0]
    join = join if isinstance(join, str) else join[0]
    genes = label.split("+")
    return str(
        join.join(
            pattern.replace("{gene}", gene).replace("{n}", "1").replace("*", "x") for gene in genes
        )
    )


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`opened(path, **more)` -> the card and the dataset of a made file in the layout of a card."""

    def make(path: Path, **more: Any) -> tuple[dict[str, Any], Dataset, int]:
        card = said(path)
        parameters, mouse = card["parameters"], card["organism"] == "mouse"
        control = parameters["control"]
        genes = [gene.capitalize() for gene in GENES] if mouse else list(GENES)
        targets = [target.capitalize() if mouse else target for target in TARGETS]
        if table := parameters.get("labels"):
            targets = list(table.values())
        elif "join" in parameters:
            targets.append(f"{targets[0]}+{targets[1]}")
        batch = ["b1", "b2"] * (20 * len(targets) + 60)
        keys = ("batch_key", "cell_type_key")
        data = screen(
            targets,
            genes=genes,
            kind=card["kind"],
            spelt=lambda label: spelt(card, label),
            control=[control] if isinstance(control, str) else control,
            columns={parameters[key]: batch for key in keys if key in parameters},
            **more,
        )
        data.obs = data.obs.rename(columns={"perturbation": parameters["perturbation_key"]})
        for place, label in enumerate(parameters.get("unassigned", ())):
            column = data.obs[parameters["perturbation_key"]].astype(object)
            column.iloc[place] = label or None
            data.obs[parameters["perturbation_key"]] = column
        file = tmp_path / card["file"]["folder"] / card["file"]["name"]
        file.parent.mkdir()
        data.write_h5ad(file)
        monkeypatch.setenv("KOBENCH_DATA", str(tmp_path))
        bytes_of = re.sub(r"^bytes = .*\n", "", path.read_text(), flags=re.MULTILINE)
        found = re.sub(r"^facts\b.*|\[facts\][^\[]*", "", bytes_of)
        checksum = hashlib.sha256(file.read_bytes()).hexdigest()
        line = f'sha256 = "{checksum}"'
        copy = tmp_path / path.name
        copy.write_text(re.sub(r'^(sha256|md5) = ".*"$', line, found, flags=re.MULTILINE))
        spec = read_card(copy)
        made: Any = spec.load
        return dict(spec.card), made(), file.stat().st_size

    return make


@every
def test_a_file_of_its_layout_is_read_to_the_end(path: Path, opened: Any) -> None:
    card, dataset, size = opened(path)
    left_out = len(card["parameters"].get("unassigned", ()))
    assert NOT_OPENED in dataset.notes
    assert dataset.cells.n_obs == 120 - left_out
    assert dataset.perturbation == card["kind"]
    seen = overview(dataset)
    names = set(seen.askable) | set(seen.unasked)
    assert {name.upper() for name in names} >= {
        target for target in TARGETS if "labels" not in card["parameters"]
    }
    if card["kind"] == "overexpression":
        assert seen.askable == ()
        assert all("takes no gene away" in why for why in seen.unasked.values())
    else:
        assert set(seen.askable) == names
    assert disagreements(card, dataset, size) == []


@every
def test_a_wrong_control_shows_as_soon_as_the_file_is_opened(path: Path, opened: Any) -> None:
    card, _, _ = opened(path)
    parameters = {**card["parameters"], "control": "somebody else"}
    with pytest.raises(UserError, match=r"'somebody else'|are not in the table of labels: '3x_neg"):
        load(str(find_file(card)), **parameters)
