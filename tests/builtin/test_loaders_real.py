"""The shipped cards on the real files: sizes, controls and zeros as the sources state them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kobench.builtin.datasets import table
from kobench.dataset import Dataset
from kobench.datasets.cards import builtin_folder, read_card
from kobench.datasets.digest import digest
from kobench.datasets.fetch import find_file
from kobench.datasets.split import split
from kobench.errors import UserError
from kobench.specs import DatasetSpec
from kobench.util.files import sha256_of

RealData = Callable[[str], Path]

# name: wild-type cells, genes kept, perturbed cells, perturbed genes, working scale, genes no
# wild-type cell expresses
EXPECTED = {
    "hipsc-ko": (1182, 103, 13763, 23, "log1p", 0),
    "trem2-microglia": (622, 7274, 748, 1, "log1p-cp10k", 0),
    "nkx2-1-lung": (540, 1935, 481, 1, "log1p-cp10k", 65),
    "k562-crispri": (5000, 341, 2376, 10, "log1p-cp10k", 0),
    "retina-nuclei": (1000, 7868, 0, 0, "log1p-cp10k", 0),
    "pbmc68k-counts": (700, 765, 0, 0, "log1p-cp10k", 0),
}


def spec_of(name: str) -> DatasetSpec:
    return read_card(builtin_folder() / f"{name}.toml")


def load(name: str, **params: Any) -> Dataset:
    make: Any = spec_of(name).load
    dataset: Dataset = make(**params)
    return dataset


@pytest.mark.parametrize("name", EXPECTED)
def test_each_real_dataset(real_data: RealData, name: str) -> None:
    real_data(name)
    card, dataset = spec_of(name).card, load(name)
    cells, facts = dataset.cells, dataset.facts
    wild_type, genes, perturbed, perturbed_genes, scale, unseen = EXPECTED[name]
    assert cells.shape == (wild_type, genes)
    assert dataset.scale == scale
    assert facts["genes seen in no wild-type cell"] == unseen
    assert (
        facts["perturbed cells"],
        facts["perturbed genes"],
        facts["perturbed genes measured"],
    ) == (
        perturbed,
        perturbed_genes,
        perturbed_genes,
    )
    told = card["facts"]
    assert (told["cells"], told["genes"], told["control"]) == (
        facts["cells in file"],
        facts["genes in file"],
        wild_type,
    )
    assert told.get("perturbed", 0) == perturbed
    assert told.get("perturbations", 0) == told.get("targets_measured", 0) == perturbed_genes
    assert (dataset.perturbed is not None) == (spec_of(name).truth == "population")
    assert scipy.sparse.isspmatrix_csr(cells.X)
    assert cells.X.dtype == np.float32
    assert np.array_equal(cells.X.indices, cells.layers["counts"].indices)
    assert len(np.unique(cells.obs["cell_type"])) == told.get("cell_types", 1)
    assert dataset.notes[: len(card["notes"])] == tuple(card["notes"])
    assert any(note.startswith("confounded:") for note in dataset.notes) == card.get(
        "confounded", False
    )
    assert any(note.startswith("near-null:") for note in dataset.notes) == card.get(
        "near_null", False
    )


@pytest.mark.parametrize("name", EXPECTED)
def test_the_share_of_zeros_on_the_card(real_data: RealData, name: str) -> None:
    anndata = pytest.importorskip("anndata")
    adata = anndata.read_h5ad(real_data(name))
    assert 1 - (adata.X > 0).sum() / np.prod(adata.shape) == pytest.approx(
        spec_of(name).card["facts"]["zeros"], abs=0.005
    )


def test_values_are_counts_over_the_totals_of_the_source(real_data: RealData) -> None:
    anndata = pytest.importorskip("anndata")
    adata = anndata.read_h5ad(real_data("trem2-microglia"))
    control = adata[adata.obs["perturbation"] == "control"]
    rows = control.X.toarray().astype(float)
    expected = np.log1p(1e4 * rows / control.obs["n_counts_all"].to_numpy()[:, None])
    cells = load("trem2-microglia").cells
    np.testing.assert_allclose(cells.dense(), expected, rtol=1e-6)
    assert cells.dense()[:, cells.var_names == "Trem2"].mean() > 0
    raw = cells.layers["counts"].toarray()[:, cells.var_names == "Trem2"].mean()
    assert raw == pytest.approx(18.7, abs=0.05)


def test_perturbations_of_the_stem_cells(real_data: RealData) -> None:
    real_data("hipsc-ko")
    dataset = load("hipsc-ko")
    assert dataset.perturbed is not None
    labels, counts = np.unique(dataset.perturbed.obs["perturbation"], return_counts=True)
    assert (len(labels), counts.min(), counts.max()) == (23, 149, 1545)
    assert set(labels) <= set(dataset.cells.var_names)
    totals = np.asarray(dataset.cells.layers["counts"].sum(1)).ravel()
    assert totals.mean() == pytest.approx(216, abs=3)  # why the card asks for no library-size step
    np.testing.assert_allclose(
        dataset.cells.dense(), np.log1p(dataset.cells.layers["counts"].toarray()), rtol=1e-6
    )
    train, asked = split(dataset.cells.n_obs, batch=dataset.cells.obs["day"])
    for day in "2345":
        share = np.mean(dataset.cells.obs["day"] == day)
        assert np.mean(dataset.cells.obs["day"][asked] == day) == pytest.approx(share, abs=0.005)
        assert np.mean(dataset.cells.obs["day"][train] == day) == pytest.approx(share, abs=0.005)


def test_perturbations_of_the_knockdown_screen(real_data: RealData) -> None:
    real_data("k562-crispri")
    dataset = load("k562-crispri")
    assert dataset.perturbed is not None
    labels, counts = np.unique(dataset.perturbed.obs["perturbation"], return_counts=True)
    assert (len(labels), counts.min(), counts.max()) == (10, 116, 370)
    assert dataset.batch_key == "batch"
    assert set(dataset.cells.obs["batch"]) == {"prep_batch_1", "prep_batch_2"}


def test_open_parameters_of_a_card(real_data: RealData) -> None:
    real_data("retina-nuclei")
    assert set(spec_of("retina-nuclei").params) == {"genes", "cell_type"}
    few, every = load("retina-nuclei", genes=2000), load("retina-nuclei")
    assert few.cells.shape == (1000, 2000)
    columns = np.flatnonzero(np.isin(every.cells.var_names, few.cells.var_names))
    assert every.cells.var_names[columns].tolist() == few.cells.var_names.tolist()
    assert (
        every.cells.X[:, columns] != few.cells.X
    ).nnz == 0  # fewer genes do not change the values of those kept
    detected = np.asarray((every.cells.X > 0).sum(0)).ravel()
    assert detected[columns].min() >= np.delete(detected, columns).max()
    rods = load("retina-nuclei", cell_type="retinal rod cell")
    assert rods.cells.n_obs == 318
    with pytest.raises(
        UserError, match=r"did you mean 'microglial cell'. its labels: retinal rod cell .318 cells."
    ):
        load("retina-nuclei", cell_type="microglial cel")


def test_blood_cells_of_scanpy() -> None:
    pytest.importorskip("scanpy", reason="the extra kobench[pbmc] is not installed")
    dataset = load("pbmc68k")
    assert dataset.cells.shape == (700, 765)
    assert (dataset.scale, dataset.cell_type_key, dataset.perturbed) == (
        "log1p",
        "bulk_labels",
        None,
    )
    assert len(np.unique(dataset.cells.obs["bulk_labels"])) == 10
    assert dataset.facts["zeros in wild-type cells"] == spec_of("pbmc68k").card["facts"]["zeros"]
    assert load("pbmc68k", genes=300, cell_type="CD34+").cells.shape == (13, 300)


def test_blood_cells_in_another_container_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scanpy 1.12, on Python 3.12 and newer, ships the same cells in another container."""
    pytest.importorskip("scanpy", reason="the extra kobench[pbmc] is not installed")
    anndata = pytest.importorskip("anndata")
    known = load("pbmc68k").cells
    card = spec_of("pbmc68k").card
    file = card["file"]
    shipped = find_file(card)
    package = tmp_path / file["package"]
    other = package / file["folder"] / file["name"]
    other.parent.mkdir(parents=True)
    (package / "__init__.py").touch()
    anndata.read_h5ad(shipped).write_h5ad(other, compression="gzip")
    assert sha256_of(other) != sha256_of(shipped)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, file["package"], raising=False)
    assert find_file(card) == other
    again = load("pbmc68k").cells
    np.testing.assert_array_equal(again.dense(), known.dense())
    assert again.var_names.tolist() == known.var_names.tolist()


def test_loading_the_blood_cells_does_not_import_scanpy() -> None:
    import subprocess
    import sys

    pytest.importorskip("scanpy", reason="the extra kobench[pbmc] is not installed")
    code = (
        "import sys; from kobench.builtin.datasets.pbmc import load; load();"
        " print('scanpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_shipped_logarithms_are_our_normalisation_of_the_counts(real_data: RealData) -> None:
    """scanpy's `.raw` against counts that we normalise.

    Equal but for the source's rounding to three decimals.
    """
    pytest.importorskip("scanpy", reason="the extra kobench[pbmc] is not installed")
    real_data("pbmc68k-counts")
    logs, counts = load("pbmc68k").cells, load("pbmc68k-counts").cells
    assert logs.var_names.tolist() == counts.var_names.tolist()
    assert logs.obs["bulk_labels"].tolist() == counts.obs["cell_type"].tolist()
    assert np.abs(logs.dense() - counts.dense()).max() < 0.00051


def test_the_papers_demo(real_data: RealData) -> None:
    path = real_data("dko_demo/Ptrain.csv")
    dataset = load("dko-demo")
    assert dataset.cells.shape == (500, 100)
    assert dataset.facts["zeros in wild-type cells"] == pytest.approx(0.21, abs=0.005)
    assert np.sum(dataset.cells.dense() == 0, axis=1).min() >= 20
    np.testing.assert_allclose(dataset.cells.dense(), np.loadtxt(path, delimiter=",").T, rtol=1e-6)
    assert digest(table.load(str(path)).cells) == digest(dataset.cells)
