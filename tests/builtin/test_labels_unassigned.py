"""Cells of which nobody knows what was perturbed: left out where that is said, and named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import kobench
from screens import screen

from kobench.builtin.datasets.h5ad import load
from kobench.dataset import Dataset
from kobench.errors import UserError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A screen in which 5 cells have no label, 3 are `*`, and 2 are ` nan `; none has a batch."""
    data = screen()
    labels = data.obs["perturbation"].astype(object)
    labels.iloc[:5], labels.iloc[5:8], labels.iloc[200:202] = None, "*", " nan "
    data.obs["perturbation"] = labels
    batch = np.where(np.arange(280) % 2, "b1", "b2").astype(object)
    batch[[*range(8), 200, 201]] = None
    data.obs["batch"] = batch
    path = tmp_path / "screen.h5ad"
    data.write_h5ad(path)
    return path


def cells_of(dataset: Dataset) -> tuple[int, int]:
    assert dataset.perturbed is not None
    return dataset.cells.n_obs, dataset.perturbed.n_obs


def test_they_are_left_out_and_named(path: Path) -> None:
    dataset = load(str(path), unassigned=["", "*", "nan"], batch_key="batch")
    assert cells_of(dataset) == (112, 158)
    assert dataset.facts["cells left out as unassigned"] == 10
    assert dataset.facts["cells of other types left out"] == 0
    (note,) = (note for note in dataset.notes if "left out, as" in note)
    assert note == (
        "10 cells are left out, as it is not known what was perturbed in them: '(no label)' (5"
        " cells), '*' (3 cells), ' nan ' (2 cells)"
    )
    assert set(np.unique(dataset.perturbed.obs["perturbation"])) == {
        *("GATA1", "GATA1+SPI1", "KLF1", "TAL1")
    }


def test_without_that_word_a_gap_is_refused_with_what_to_do(path: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no value for 5 of 280 cells .*--unassigned ''"):
        load(str(path))
    # following it works, and takes nothing else
    add = ("datasets", "add", path, "--name", "mine", "--perturbation-key", "perturbation")
    done = kobench(*add, "--unassigned", "", "--to", tmp_path / "cards")
    assert "5 cells are left out" in done.stdout
    text = (tmp_path / "cards" / "mine.toml").read_text()
    assert 'unassigned = [\n    "",\n]' in text or 'unassigned = [""]' in text
    info = kobench("info", "mine", "--datasets", tmp_path / "cards").stdout
    assert "unassigned" in info


@pytest.mark.parametrize(
    ("unassigned", "left"), [("*", 3), (["*"], 3), (["nan", "nothing like it"], 2), ([" *"], 3)]
)
def test_one_or_several(path: Path, unassigned: Any, left: int, tmp_path: Path) -> None:
    import anndata

    data = anndata.read_h5ad(path)[5:].copy()
    data.write_h5ad(tmp_path / "few.h5ad")
    dataset = load(str(tmp_path / "few.h5ad"), unassigned=unassigned)
    assert dataset.facts["cells left out as unassigned"] == left


def test_a_file_without_such_cells_is_what_it_was(tmp_path: Path) -> None:
    screen().write_h5ad(tmp_path / "x.h5ad")
    plain, declared = (
        load(str(tmp_path / "x.h5ad"), unassigned=one) for one in ("", ["", "*", "nan"])
    )
    assert plain.facts == declared.facts
    assert plain.notes == declared.notes
    assert cells_of(plain) == cells_of(declared) == (120, 160)


def test_a_control_is_never_unassigned(path: Path) -> None:
    """Else a card could leave out the cells that an answer is compared with."""
    with pytest.raises(UserError, match="'control' is declared as a control and as unassigned"):
        load(str(path), unassigned=["", "control "])


def test_a_perturbation_that_a_card_hides_is_named_on_every_board(path: Path) -> None:
    dataset = load(str(path), unassigned=["", "GATA1"])
    assert any("'GATA1' (" in note and "left out" in note for note in dataset.notes)


def test_a_gap_elsewhere_is_refused_as_before(path: Path) -> None:
    with pytest.raises(UserError, match=r"obs\['batch'\] has no value for 5 of 280 cells"):
        load(str(path), unassigned=[""], batch_key="batch")


def without_control_labels(tmp_path: Path, gap: Any) -> Path:
    """The screen with nothing in the place of its controls' labels."""
    data = screen()
    labels = data.obs["perturbation"].astype(object)
    labels[labels == "control"] = gap
    data.obs["perturbation"] = labels
    data.write_h5ad(tmp_path / "bare.h5ad")
    return tmp_path / "bare.h5ad"


@pytest.mark.parametrize("gap", [None, "", " "])
def test_cells_without_a_label_are_the_controls_where_that_is_said(
    tmp_path: Path, gap: Any
) -> None:
    path = without_control_labels(tmp_path, gap)
    screen().write_h5ad(tmp_path / "x.h5ad")
    usual, bare = load(str(tmp_path / "x.h5ad")), load(str(path), control=[""])
    assert cells_of(bare) == cells_of(usual) == (120, 160)
    np.testing.assert_array_equal(bare.cells.profiles(), usual.cells.profiles())
    assert bare.perturbed.obs["perturbation"].tolist() == (
        usual.perturbed.obs["perturbation"].tolist()
    )
    assert "120 cells without a label are taken as wild type, as declared" in bare.notes
    with pytest.raises(UserError, match="--control ''"):
        load(str(path))


def test_they_may_be_controls_beside_others(tmp_path: Path) -> None:
    data = screen()
    labels = data.obs["perturbation"].astype(object)
    labels.iloc[np.flatnonzero(labels == "control")[:1]] = None
    labels.iloc[np.flatnonzero(labels == "KLF1")[:2]] = "?"
    data.obs["perturbation"] = labels
    data.write_h5ad(tmp_path / "x.h5ad")
    found = load(str(tmp_path / "x.h5ad"), control=["control", ""], unassigned="?")
    assert cells_of(found) == (120, 158)
    assert "1 cell without a label is taken as wild type, as declared" in found.notes
    assert any("'?' (2 cells)" in note for note in found.notes)
    with pytest.raises(UserError, match="'' is declared as a control and as unassigned"):
        load(str(tmp_path / "x.h5ad"), control=["control", ""], unassigned=["", "?"])
    with pytest.raises(UserError, match="no cell has 'NT'"):
        load(str(tmp_path / "x.h5ad"), control=["NT", ""], unassigned="?")


def test_where_every_cell_has_a_label_such_controls_are_refused(tmp_path: Path) -> None:
    screen().write_h5ad(tmp_path / "x.h5ad")
    said = (
        r"cells without a label are declared as controls \(''\), and every cell has one; .*control"
    )
    with pytest.raises(UserError, match=said):
        load(str(tmp_path / "x.h5ad"), control=[""])
    with pytest.raises(UserError, match=r"control is ' '; give the label"):
        load(str(tmp_path / "x.h5ad"), control=" ")


def test_the_command_takes_them_and_writes_the_card(tmp_path: Path) -> None:
    path = without_control_labels(tmp_path, None)
    add = ("datasets", "add", path, "--name", "mine", "--perturbation-key", "perturbation")
    done = kobench(*add, "--control", "", "--to", tmp_path / "cards")
    assert "120 cells without a label" in " ".join(done.stdout.split())
    text = (tmp_path / "cards" / "mine.toml").read_text()
    assert 'control = [\n    "",\n]' in text or 'control = [""]' in text
    assert "control" in kobench("info", "mine", "--datasets", tmp_path / "cards").stdout
