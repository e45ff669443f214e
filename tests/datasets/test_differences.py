"""Where a file differs from its card: each lie of a card is found, and no true card is accused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from public_layout import GENES, screen

from kobench.builtin.datasets.h5ad import load
from kobench.dataset import Dataset
from kobench.datasets.cards import builtin_folder, read_card
from kobench.datasets.differences import (
    Moved,
    disagreements,
    facts_of,
    species_of,
    targets_moved,
)

CARD: dict[str, Any] = {
    "truth": "population",
    "organism": "human",
    "file": {"bytes": 1000},
    "facts": {"cells": 280, "genes": 16, "control": 120, "perturbations": 4},
}
MOUSE = [name.capitalize() for name in GENES]


@pytest.fixture
def loaded(tmp_path: Path) -> Any:
    """`loaded(kind, **more)` -> the dataset of a screen, as its card says `declared`."""

    def make(kind: str = "knockout", declared: str = "", **more: Any) -> Dataset:
        path = tmp_path / "screen.h5ad"
        screen(kind=kind, **more).write_h5ad(path)
        return replace(load(str(path)), perturbation=declared or kind)

    return make


def test_what_is_so_is_not_accused(loaded: Any) -> None:
    dataset = loaded()
    assert disagreements(CARD, dataset, 1000) == []
    assert facts_of(dataset) == {
        "cells": 280,
        "genes": 16,
        "control": 120,
        "perturbed": 160,
        "perturbations": 4,
        "targets_measured": 4,
    }


@pytest.mark.parametrize(
    ("kind", "declared", "said"),
    [
        ("knockout", "knockdown", ""),
        ("overexpression", "overexpression", ""),
        ("near-null", "near-null", ""),
        ("near-null", "knockout", ""),  # a knockout may leave its transcripts
        ("overexpression", "knockout", "3 rose in their own cells, as in overexpression"),
        ("overexpression", "knockdown", "3 rose in their own cells, as in overexpression"),
        ("knockdown", "overexpression", "3 fell and 0 rose in their own cells, as in knockdown"),
        ("knockout", "near-null", "kind = near-null, and of 3 measured targets 3 fell"),
    ],
)
def test_a_wrong_kind_shows_in_the_targets(
    loaded: Any, kind: str, declared: str, said: str
) -> None:
    found = disagreements(CARD, loaded(kind, declared), 1000)
    assert [each for each in found if "kind" in each] == found
    assert bool(found) == bool(said)
    assert not said or said in found[0]


def test_a_kind_of_single_perturbations_is_looked_at_by_itself(loaded: Any) -> None:
    """A column may say of each perturbation what was done: nobody hides three behind thirty."""
    names = ("GATA1", "TAL1", "KLF1", "CEBPA", "MYB", "LMO2")
    dataset = loaded("knockout", targets=names)
    assert disagreements({"truth": "population"}, dataset, 0) == []
    some = replace(dataset, kinds=dict.fromkeys(names[:3], "overexpression"))
    (found,) = disagreements({"truth": "population"}, some, 0)
    assert "kind = overexpression, and of 3 measured targets 3 fell" in found


@pytest.mark.parametrize(
    ("card", "said"),
    [
        ({"file": {"bytes": 999}}, "the card says 999 bytes, and the file has 1,000"),
        ({"facts": {"cells": 281}}, "the card says cells = 281, and 280 were found"),
        ({"facts": {"genes": "many"}}, "the card says genes = many, and 16 were found"),
        ({"facts": {"control": 119, "perturbations": 5}}, "control = 119"),
        ({"facts": {"targets_measured": 0}}, "targets_measured = 0, and 4 were found"),
        ({"truth": "none"}, "truth = none, and 160 cells are perturbed"),
        ({"organism": "mouse"}, "organism = mouse, and genes are written as in human"),
        ({"organism": "Mus musculus (mouse)"}, "genes are written as in human"),
        ({"facts": {"donors": 3}}, ""),  # nobody can tell
        ({"organism": "zebrafish"}, ""),
        ({"organism": ""}, ""),
        ({"recipe": "made", "file": {"bytes": 999}}, ""),  # of another container
    ],
)
def test_each_lie_is_named(loaded: Any, card: dict[str, Any], said: str) -> None:
    found = disagreements({**CARD, **card}, loaded(), 1000)
    assert bool(found) == bool(said)
    assert not said or said in found[0]


def test_labels_that_are_no_genes_are_named_unless_the_card_says_so(loaded: Any) -> None:
    dataset = loaded(targets=("chr1;100", "chr2;200"))
    card = {**CARD, "facts": {}}
    (found,) = disagreements(card, dataset, 1000)
    assert "none of the perturbed genes is among the genes" in found
    assert disagreements({**card, "facts": {"targets_measured": 0}}, dataset, 1000) == []


def test_a_file_without_perturbed_cells(loaded: Any) -> None:
    dataset = loaded(targets=())
    (found,) = disagreements({**CARD, "facts": {"cells": 120}}, dataset, 1000)
    assert "no cell of the file is perturbed" in found
    assert targets_moved(dataset, "knockout") is None
    assert set(facts_of(dataset)) == {"cells", "genes", "control"}


@pytest.mark.parametrize(
    ("names", "species"),
    [
        (GENES, "human"),
        (MOUSE, "mouse"),
        (["ENSG00000102145.15", "ENSG00000141510"], "human"),
        (["ENSMUSG00000031162", "ENSMUSG00000059552"], "mouse"),
        (["a", "b", "1", ""], ""),
        ([*GENES[:4], *MOUSE[:4]], ""),
        ([], ""),
    ],
)
def test_species_by_how_genes_are_written(names: list[str], species: str) -> None:
    assert species_of(np.array(names, dtype=np.str_)) == species


def test_targets_that_move_by_hand(loaded: Any) -> None:
    """Three single targets; those in a pair are not counted."""
    moved = targets_moved(loaded("knockdown"), "knockdown")
    assert moved is not None
    assert (moved.down, moved.up, moved.of) == (3, 0, 3)


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("hipsc-ko", Moved(15, 0, 23)),
        ("trem2-microglia", Moved(1, 0, 1)),
        ("nkx2-1-lung", Moved(1, 0, 1)),
        ("k562-crispri", Moved(9, 0, 10)),
        ("retina-nuclei", None),
    ],
)
def test_real_cards_are_not_accused(
    name: str, moved: Moved | None, real_data: Callable[[str], Path]
) -> None:
    size = real_data(name).stat().st_size
    spec = read_card(builtin_folder() / f"{name}.toml")
    make: Any = spec.load
    dataset = make()
    assert disagreements(spec.card, dataset, size) == []
    assert targets_moved(dataset, dataset.perturbation) == moved
    lie = replace(dataset, perturbation="overexpression")
    assert bool(disagreements(spec.card, lie, size)) == (name in ("hipsc-ko", "k562-crispri"))
