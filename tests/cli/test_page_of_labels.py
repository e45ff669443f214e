"""What docs/datasets.md says of labels works as it stands there."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from command import kobench
from places import REPOSITORY
from screens import GENES, screen, written

from kobench.datasets.label_table import read_label_table

pytest.importorskip("anndata")

PAGE = (REPOSITORY / "docs" / "datasets.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## Say who was perturbed\n")[1].split("\n## ")[0]
#: What the file has -> the options that stand beside it.
TABLE = SECTION.split("|---|---|\n")[1].split("\n\n")[0]
ROWS = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", TABLE, re.MULTILINE))

TURN = itertools.cycle(("NT1", "NT2"))


def numbered(label: str) -> str:
    return next(TURN) if label == "control" else label


#: What stands in some control cells of which nobody knows what was perturbed.
UNKNOWN = itertools.cycle((None, "*", "nan", *["control"] * 20))


def unknown(label: str) -> object:
    return next(UNKNOWN) if label == "control" else label


def guide(form: str) -> Callable[[str], str]:
    """Labels of guides, each part by itself."""
    return lambda label: "+".join(
        form.format("NT" if part == "control" else part) for part in label.split("+")
    )


def with_symbols(change: Callable[[str], str], key: str = "perturbation") -> Any:
    adata = screen(change)
    adata.var["gene_name"] = list(GENES)
    adata.var_names = [f"ENSG{i:011d}.3" for i in range(len(GENES))]
    adata.obs = adata.obs.rename(columns={"perturbation": key})
    return adata


def normalised(adata: Any) -> Any:
    """Counts in a layer, and their logarithms per 10,000 in X."""
    adata.layers["counts"] = adata.X.copy()
    counts = adata.X.toarray()
    X = np.log1p(counts / counts.sum(1, keepdims=True) * 1e4)
    adata.X = scipy.sparse.csr_matrix(X.astype(np.float32))
    return adata


def gears(label: str) -> str:
    return {"control": "ctrl"}.get(label, label if "+" in label else f"{label}+ctrl")


def called(label: str) -> str:
    """The guides of a cell as CellRanger calls them."""
    parts = ("Non-Targeting" if part == "control" else part for part in label.split("+"))
    return "|".join(f"{part}-2" for part in parts)


#: The first word of a row -> such a file.
FILES: dict[str, Callable[[], Any]] = {
    "`GATA1`,": screen,
    "GEARS:": lambda: normalised(with_symbols(gears, "condition")),
    "scPerturb:": lambda: screen(lambda label: label.replace("+", "_")),
    "several": lambda: screen(numbered),
    "guides:": lambda: screen(guide("{}_g7")),
    "guides": lambda: screen(
        lambda label: label if label == "control" else guide("{}_+_48645022.23-P1P2")(label)
    ),
    "cells": lambda: screen(unknown),
    "controls": lambda: screen(lambda label: None if label == "control" else label),
    "numbers,": lambda: screen(lambda label: f"clone {len(label)}" if "+" in label else label),
    "`Gata1`": lambda: screen(
        lambda label: "+".join(part.capitalize() for part in label.split("+"))
    ),
    "symbols": lambda: with_symbols(str),
    "`GATA1-1`,": lambda: screen(called),
}


def words_of(row: str) -> list[str]:
    """The options of a row, each alternative by itself, with the columns of these files."""
    said = re.findall("`(--.+?)`", ROWS[row].replace("\\|", "|"))
    return [one.replace("COLUMN", "gene_name") for one in said] or [""]


@pytest.mark.parametrize("row", ROWS)
def test_each_row_of_the_table_asks_all(row: str, tmp_path: Path) -> None:
    adata = FILES[row.split()[0]]()
    if "--obs" in ROWS[row]:  # the labels lie beside the cells
        calls = adata.obs.rename(columns={"perturbation": "feature_call"})[["feature_call"]]
        calls.to_csv(tmp_path / "protospacer_calls_per_cell.csv", index_label="cell_barcode")
        del adata.obs["perturbation"]
    path = written(adata, tmp_path)
    table = tmp_path / "FILE.csv"
    table.write_text("label,genes\nclone 10,SPI1+GATA1\nGATA1,GATA1\nKLF1,KLF1\nTAL1,TAL1\n")
    for options in words_of(row):
        if "--perturbation-key" not in options:
            options = f"--perturbation-key perturbation {options}"
        said = kobench("datasets", "add", path, "--check", *shlex.split(options), cwd=tmp_path)
        assert "askable       4 of 4 perturbations: GATA1, GATA1+SPI1, KLF1, TAL1" in said.stdout
    if "gene_name" in words_of(row)[-1] and "--perturbation-key" not in words_of(row)[-1]:
        # the other way round: ids in labels, symbols as genes
        adata = with_symbols(
            lambda label: "+".join(IDS.get(part, part) for part in label.split("+"))
        )
        adata.var["ids"], adata.var_names = list(adata.var_names), list(GENES)
        options = ("--perturbation-key", "perturbation", "--var-key", "ids", "--check")
        said = kobench("datasets", "add", written(adata, tmp_path), *options)
        assert "askable       4 of 4 perturbations" in said.stdout


IDS = {gene: f"ENSG{i:011d}" for i, gene in enumerate(GENES)}


def test_the_table_of_labels_is_read(tmp_path: Path) -> None:
    (text,) = re.findall(r"```csv\n(.*?)```", SECTION, re.DOTALL)
    (tmp_path / "FILE.csv").write_text(text)
    assert read_label_table(tmp_path / "FILE.csv") == {
        "clone 7": "GATA1",
        "clone 8": "GATA1+SPI1",
        "clone 9": "control",
    }


def test_every_option_for_labels_is_on_the_page() -> None:
    shown = kobench("datasets", "add", "--help").stdout
    for option in (
        *("--control", "--unassigned", "--join", "--guide-pattern", "--labels", "--ignore-case"),
    ):
        assert option in shown
        assert f"`{option}" in SECTION
    assert {"--var-key", "--kind-key", "--kind"} <= set(re.findall("`(--[a-z-]+)", SECTION))


def test_a_file_without_counts_is_read_as_the_page_says(tmp_path: Path) -> None:
    adata = normalised(with_symbols(gears, "condition"))
    del adata.layers["counts"]
    (scale,) = re.findall("`(--scale .+?)` in place of `--layer counts`", SECTION)
    options = ROWS[next(row for row in ROWS if row.startswith("GEARS"))]
    (options,) = re.findall("`(--perturbation.+?)`", options)
    words = shlex.split(options.replace("--layer counts", scale))
    said = kobench("datasets", "add", written(adata, tmp_path), "--check", *words)
    assert "askable       4 of 4 perturbations" in said.stdout
    assert "(knockdown)" in said.stdout


def test_copies_are_taken_out_as_the_page_says(tmp_path: Path, monkeypatch: Any) -> None:
    import anndata

    adata = normalised(screen())
    copies = anndata.concat([adata, adata[[3, 130, 131]]])
    copies.obs_names_make_unique()
    path = written(copies, tmp_path, "mine.h5ad")
    options = ("--perturbation-key", "perturbation", "--layer", "counts", "--check")
    said = " ".join(kobench("datasets", "add", path, *options).stdout.split())
    assert "2 perturbed cells equal another of their label" in said
    part = PAGE.split("## Cells that stand there twice\n")[1].split("\n## ")[0]
    (recipe,) = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(recipe, {})
    once = kobench("datasets", "add", tmp_path / "mine-once.h5ad", *options).stdout
    assert "none: no two cells are equal" in once
    assert len(anndata.read_h5ad(tmp_path / "mine-once.h5ad")) == len(adata)
