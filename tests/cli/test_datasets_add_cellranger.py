"""`kobench datasets add` of what CellRanger writes: a folder, and a table of guides of cells."""

from __future__ import annotations

import gzip
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command import kobench

#: What the documentation says of such files.
CALLS = (
    *("--perturbation-key", "feature_call", "--join", "|", "--guide-pattern", "{gene}-{n}"),
    *("--control", "Non-Targeting"),
)

GENES = ("GATA1", "NKX2-1", "SPI1", "ACTB")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """120 cells of two libraries, and a table of the guides of all but ten of them."""
    rng = np.random.default_rng(0)
    there = tmp_path / "filtered_feature_bc_matrix"
    there.mkdir()
    names = ["".join(letters) for letters in rng.choice(list("ACGT"), (120, 16))]
    barcodes = [f"{name}-{1 + place % 2}" for place, name in enumerate(names)]
    X = rng.poisson(5, (len(GENES), len(barcodes))) + 1
    lines = [f"{g + 1} {c + 1} {X[g, c]}" for c in range(len(barcodes)) for g in range(len(GENES))]
    head = f"%%MatrixMarket matrix coordinate integer general\n{X.shape[0]} {X.shape[1]} {X.size}"
    features = [f"ENSG{place:011d}\t{gene}\tGene Expression" for place, gene in enumerate(GENES)]
    parts = {"matrix.mtx": [head, *lines], "barcodes.tsv": barcodes, "features.tsv": features}
    for name, content in parts.items():
        (there / f"{name}.gz").write_bytes(gzip.compress("\n".join([*content, ""]).encode()))
    calls = ["Non-Targeting-1"] * 50 + ["NKX2-1-3"] * 30 + ["GATA1-1|GATA1-2"] * 20
    calls += ["Non-Targeting-1|SPI1-2"] * 10
    rows = [f"{name},{call}" for name, call in zip(barcodes[10:], calls, strict=True)]
    table = tmp_path / "protospacer_calls_per_cell.csv"
    table.write_text("\n".join(["cell_barcode,feature_call", *rows, ""]))
    return there


def add(folder: Path, *options: str, code: int = 0) -> str:
    found = kobench(
        *("datasets", "add", folder, "--name", "mine", "--to", folder.parent / "cards"),
        *("--obs", folder.parent / "protospacer_calls_per_cell.csv", *CALLS, *options),
        code=code,
    )
    return found.stderr if code else found.stdout


def card_of(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder.parent / "cards" / "mine.toml").read_text())


def test_it_is_read_as_the_documentation_says(folder: Path) -> None:
    said = add(folder)
    assert "cells         50 wild-type, 60 perturbed (knockout); 4 genes" in said
    assert "askable       2 of 3 perturbations: GATA1, NKX2-1" in said
    facts = card_of(folder)["facts"]
    assert isinstance(facts, dict)
    assert (facts["cells in file"], facts["cells not in the table of obs"]) == (120, 10)
    assert (
        "cells not in the table of obs: 10"
        in kobench("info", "mine", "--datasets", folder.parent / "cards").stdout
    )


def test_without_labels_it_says_which_table_has_them(folder: Path) -> None:
    said = kobench("datasets", "add", folder, "--perturbation-key", "gene", "--check", code=2)
    for part in ("--obs protospacer_calls_per_cell.csv", *CALLS):
        assert part in said.stderr


def test_libraries_by_the_end_of_barcodes(folder: Path) -> None:
    noted = "barcodes end in -1 (55 cells) and -2 (55 cells)"
    said = add(folder)
    assert noted in said
    assert "say --batch-key @barcode-suffix" in said
    said = add(folder, "--replace", "--batch-key", "@barcode-suffix")
    assert noted not in said
    assert "controls      2 batches (@barcode-suffix): 1 25, 2 25" in said
    parameters = card_of(folder)["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["batch_key"] == "@barcode-suffix"
    # a card with it is read, and so is a selection
    cards = ("--datasets", folder.parent / "cards")
    kobench("datasets", "audit", "mine", *cards, "-o", folder.parent / "report.html")
    table = folder.parent / "protospacer_calls_per_cell.csv"
    kobench(
        *("datasets", "audit", "-o", folder.parent / "other.html"),
        f"h5ad:path={folder},obs={table},perturbation_key=feature_call,join=|,"
        'control=Non-Targeting,guide_pattern="{gene}-{n}",batch_key=@barcode-suffix',
    )


def test_barcodes_of_one_library_are_no_batch_and_say_nothing(make_adata, tmp_path: Path) -> None:
    adata = make_adata(n=60)
    adata.obs["perturbation"] = ["control"] * 30 + ["gene0"] * 30
    for names in (
        [f"cell-{i}" for i in range(60)],
        [f"ACGTACGT{'ACGT'[i % 4]}-1" for i in range(60)],
    ):
        adata.obs_names = names
        path = tmp_path / "mine.h5ad"
        adata.write_h5ad(path)
        asked = ("datasets", "add", path, "--perturbation-key", "perturbation", "--check")
        assert "barcodes end in" not in kobench(*asked).stdout
    adata.obs_names = [f"cell{i}" for i in range(60)]
    adata.write_h5ad(path)
    said = kobench(*asked, "--batch-key", "@barcode-suffix", code=2).stderr
    assert (
        "--batch-key is @barcode-suffix, but 60 of 60 cells have names that do not end in" in said
    )
