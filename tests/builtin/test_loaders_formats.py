"""The formats of this field: each gives the cells that the same file gives as .h5ad."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from command import kobench

from kobench.builtin.datasets import h5ad
from kobench.builtin.datasets.formats import mtx, packed
from kobench.datasets.digest import digest
from kobench.errors import UserError

Maker = Callable[..., Any]
h5py = pytest.importorskip("h5py")


@pytest.fixture
def adata(make_adata: Maker) -> Any:
    """A sound file with columns of every kind."""
    found = make_adata()
    found.obs["day"] = np.arange(40) % 3
    found.obs["share"] = np.arange(40) / 8
    found.obs["late"] = np.arange(40) % 5 == 0
    return found


@pytest.fixture
def sound(adata: Any, tmp_path: Path) -> str:
    """The digest of its cells."""
    adata.write_h5ad(tmp_path / "sound.h5ad")
    return digests(tmp_path / "sound.h5ad", batch_key="batch")


def digests(path: Path, **parameters: Any) -> str:
    """The digests of wild-type and perturbed cells of a file."""
    dataset = h5ad.load(str(path), **parameters)
    assert dataset.perturbed is not None
    return f"{digest(dataset.cells)} {digest(dataset.perturbed)}"


def refused(path: Path, **parameters: Any) -> str:
    """The one sentence by which a file is refused."""
    with pytest.raises(UserError) as caught:
        h5ad.load(str(path), **parameters)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.mark.parametrize("version", [2, 3])
def test_zarr(adata: Any, sound: str, tmp_path: Path, version: int) -> None:
    anndata = pytest.importorskip("anndata")
    pytest.importorskip("zarr", minversion="3")
    settings = anndata.settings
    with settings.override(zarr_write_format=version):
        adata.write_zarr(tmp_path / "store.zarr")
    assert digests(tmp_path / "store.zarr", batch_key="batch") == sound
    for column in ("day", "share", "late", "cell_type"):
        of_zarr, of_h5ad = (
            h5ad.load(str(tmp_path / name), batch_key=column).cells.obs[column].tolist()
            for name in ("store.zarr", "sound.h5ad")
        )
        assert of_zarr == of_h5ad


def test_zarr_without_the_package(
    adata: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("zarr")
    adata.write_zarr(tmp_path / "store.zarr")
    monkeypatch.setitem(sys.modules, "zarr", None)
    assert "install it (pip install zarr)" in refused(tmp_path / "store.zarr")


def test_packed_by_gzip(sound: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (tmp_path / "sound.h5ad").read_bytes()
    path = tmp_path / "mine.h5ad.gz"
    path.write_bytes(gzip.compress(content))
    assert digests(path, batch_key="batch") == sound
    path.write_bytes(gzip.compress(content)[:-900])
    assert "is truncated or not gzip" in refused(path)
    path.write_bytes(gzip.compress(b"gene,cell\n1,2\n"))
    assert "(unpacked) is not an HDF5 file" in refused(path)
    monkeypatch.setattr(packed, "HARMLESS", 1000)
    path.write_bytes(gzip.compress(bytes(1_000_000)))
    assert "the most that is unpacked here; unpack it yourself" in refused(path)


def mudata(adata: Any, path: Path, name: str = "rna", **columns: Any) -> None:
    """A MuData file of the cells, by hand: the package is not needed to read one."""
    anndata = pytest.importorskip("anndata")
    with h5py.File(path, "w", userblock_size=512) as file:
        anndata.io.write_elem(file, "mod/" + name, adata)
        anndata.io.write_elem(file, "mod/protein", adata[:, :2].copy())
        obs = adata.obs[[]].assign(**columns)
        anndata.io.write_elem(file, "obs", obs[::-1])  # in another order than the cells
    content = bytearray(path.read_bytes())
    content[:34] = b"MuData (format-version=0.1.0;creat"
    path.write_bytes(bytes(content))


def test_mudata(adata: Any, sound: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.h5mu"
    mudata(adata, path)
    assert digests(path, batch_key="batch") == sound
    said = "of the modalities of the file only rna is read, not protein"
    assert said in h5ad.load(str(path)).notes
    # labels that only the whole has
    labels = adata.obs.pop("perturbation").astype(str).tolist()
    mudata(adata, path, target=labels)
    assert digests(path, batch_key="batch", perturbation_key="target") == sound
    mudata(adata, path, name="atac")
    assert "has the modalities atac, protein, and none is called rna" in refused(path)


def test_loom_is_named_with_what_to_do(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "mine.loom", "w") as file:
        file["matrix"] = np.ones((3, 4))
        for group in ("row_attrs", "col_attrs", "layers"):
            file.create_group(group)
    assert "is a loom file; convert it with scanpy: sc.read_loom" in refused(tmp_path / "mine.loom")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest", "is a zip archive; unpack it"),
        (b"RDX3\n", "is a file of R; convert it"),
        (b"%%MatrixMarket matrix", "is one matrix; give the folder"),
    ],
)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "mine").write_bytes(content)
    assert said in refused(tmp_path / "mine")


def labels_of(adata: Any, path: Path, rows: slice = slice(None), ending: str = "") -> Path:
    """A table with barcodes and labels."""
    labels = adata.obs["perturbation"].astype(str)[rows]
    lines = [f"{name}{ending},{label},x" for name, label in labels.items()]
    path.write_text("\n".join(["barcode,target,more", *lines]) + "\n")
    return path


def tenx(adata: Any, path: Path, version: int = 3, guides: int = 2) -> None:
    """What CellRanger writes: genes and then guides, in rows; a cell's values lie together."""
    n, genes = adata.shape
    more = scipy.sparse.csr_matrix(np.full((n, guides), 3.0))
    counts = scipy.sparse.hstack([adata.X, more], format="csr").astype(np.int32)
    names = [f"gene{i}" for i in range(genes)] + [f"guide{i}" for i in range(guides)]
    with h5py.File(path, "w") as file:
        group = file.create_group("matrix" if version == 3 else "GRCh38")
        for name in ("data", "indices", "indptr"):
            group[name] = getattr(counts, name)
        group["shape"] = np.array([genes + guides, n])
        group["barcodes"] = np.array(adata.obs_names.tolist(), dtype="S20")
        ids = np.array([f"ENSG{i:05d}" for i in range(genes + guides)], dtype="S12")
        if version == 2:
            group["genes"], group["gene_names"] = ids, np.array(names, dtype="S12")
            return
        kinds = ["Gene Expression"] * genes + ["CRISPR Guide Capture"] * guides
        group["features/id"], group["features/name"] = ids, np.array(names, dtype="S12")
        group["features/feature_type"] = np.array(kinds, dtype="S24")


def mtx_folder(adata: Any, folder: Path, packed: bool = True, version: int = 3) -> None:
    """The same as a folder with text."""
    folder.mkdir()
    n, genes = adata.shape
    counts = scipy.sparse.hstack([adata.X, np.full((n, 2), 3.0)], format="coo").astype(np.int64)
    scipy.io.mmwrite(folder / "matrix.mtx", counts.T)
    kinds = ["Gene Expression"] * genes + ["CRISPR Guide Capture"] * 2
    features = [f"ENSG{i:05d}\tgene{i}\t{kind}" for i, kind in enumerate(kinds)]
    if version == 2:
        features = [line.rsplit("\t", 1)[0] for line in features]
    (folder / ("features.tsv" if version == 3 else "genes.tsv")).write_text("\n".join(features))
    (folder / "barcodes.tsv").write_text("\n".join(adata.obs_names) + "\n")
    if packed:
        for path in list(folder.iterdir()):
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()


def test_cellranger_files_with_labels_of_a_table(adata: Any, sound: str, tmp_path: Path) -> None:
    table = labels_of(adata, tmp_path / "calls.csv")
    plain = digests(tmp_path / "sound.h5ad")
    tenx(adata, tmp_path / "v3.h5")
    tenx(adata, tmp_path / "v2.h5", version=2, guides=0)
    mtx_folder(adata, tmp_path / "filtered")
    mtx_folder(adata, tmp_path / "plain", packed=False)
    for name in ("v3.h5", "v2.h5", "filtered", "plain"):
        path = tmp_path / name
        assert digests(path, perturbation_key="target", obs=str(table)) == plain, name
    dataset = h5ad.load(
        str(tmp_path / "filtered"), perturbation_key="target", obs=str(table), var_key="gene_ids"
    )
    assert dataset.cells.var_names[0] == "ENSG00000"
    said = "only 'Gene Expression' is read, not CRISPR Guide Capture (2)"
    assert any(said in note for note in dataset.notes)
    assert "has no labels of its cells" in refused(tmp_path / "v3.h5", perturbation_key="target")


def test_genes_that_share_a_name_go_by_their_id(adata: Any, tmp_path: Path) -> None:
    tenx(adata, tmp_path / "v3.h5")
    with h5py.File(tmp_path / "v3.h5", "r+") as file:
        file["matrix/features/name"][3] = b"gene2"
    dataset = h5ad.load(str(tmp_path / "v3.h5"), perturbation_key="none")
    assert dataset.cells.var_names[1:4].tolist() == ["gene1", "ENSG00002", "ENSG00003"]
    said = "2 genes share their name with another one (first: gene2) and go by their id"
    assert said in dataset.notes


def test_matrices_in_text_need_not_be_sorted(
    adata: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtx, "AT_ONCE", 17)
    mtx_folder(adata, tmp_path / "mine", packed=False)
    first = digest(h5ad.load(str(tmp_path / "mine"), perturbation_key="none").cells)
    head, *lines = (tmp_path / "mine" / "matrix.mtx").read_text().split("\n")
    lines = [line for line in lines if line and not line.startswith("%")]
    turned = [lines[0], *lines[:0:-1]]
    (tmp_path / "mine" / "matrix.mtx").write_text("\n".join([head, "% by hand", *turned]))
    assert digest(h5ad.load(str(tmp_path / "mine"), perturbation_key="none").cells) == first


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: (folder / "barcodes.tsv").unlink(), r"has no barcodes.tsv[.gz]"),
        (lambda folder: (folder / "barcodes.tsv").write_text("a\nb\n"), "and 2 barcodes; bring"),
        (
            lambda folder: (folder / "GSM1_matrix.mtx").write_text("x"),
            "(GSM1_matrix.mtx, matrix.mtx), and one is read; give a folder with one of each",
        ),
        (
            lambda folder: (folder / "matrix.mtx").write_text("a,b\n1,2\n"),
            "no matrix of whole or real numbers (ValueError: it starts with 'a,b')",
        ),
        (
            lambda folder: (folder / "matrix.mtx").write_text(
                "%%MatrixMarket matrix coordinate integer general\n10 40 2\n1 1 3\n99 1 2\n"
            ),
            "an entry lies outside the matrix",
        ),
        (
            lambda folder: (folder / "matrix.mtx").write_text(
                "%%MatrixMarket matrix coordinate integer general\n10 40 2\n1 1 x\n"
            ),
            "no matrix of whole or real numbers",
        ),
    ],
)
def test_folders_that_are_not_right(
    adata: Any, tmp_path: Path, change: Callable[[Path], Any], said: str
) -> None:
    mtx_folder(adata, tmp_path / "mine", packed=False)
    change(tmp_path / "mine")
    assert said in refused(tmp_path / "mine", perturbation_key="none")


def test_the_folder_inside_is_named(adata: Any, tmp_path: Path) -> None:
    (tmp_path / "outs").mkdir()
    mtx_folder(adata, tmp_path / "outs" / "filtered_feature_bc_matrix")
    assert "give filtered_feature_bc_matrix in it" in refused(tmp_path / "outs")
    (tmp_path / "empty").mkdir()
    assert "is no zarr folder and has no matrix.mtx" in refused(tmp_path / "empty")


def test_cells_that_a_table_lacks_are_left_out_and_counted(adata: Any, tmp_path: Path) -> None:
    adata.write_h5ad(tmp_path / "mine.h5ad")
    table = labels_of(adata, tmp_path / "calls.csv", slice(2, None))
    table.write_text(table.read_text() + "elsewhere,gene0,x\n")
    load = {"perturbation_key": "target", "obs": str(table), "batch_key": "batch"}
    dataset = h5ad.load(str(tmp_path / "mine.h5ad"), **load)
    assert dataset.cells.n_obs == 22
    assert "2 of 40 cells are not in calls.csv (first: cell0) and are left out" in dataset.notes
    assert "1 lines of calls.csv are of no cell (first: elsewhere)" in dataset.notes
    labels_of(adata, table, ending="-1")
    said = refused(tmp_path / "mine.h5ad", **load)
    assert "none of the 40 cells" in said
    assert "'cell0-1', and cells are called 'cell0'" in said
    table.write_text("barcode,target\ncell0,control\ncell0,gene0\n")
    assert "'cell0' is in more than one line" in refused(tmp_path / "mine.h5ad", **load)
    table.write_text("barcode,target\ncell0\n")
    assert "line 2 has 1 columns and the first line 2" in refused(tmp_path / "mine.h5ad", **load)
    table.write_bytes(b"\xff\xfe\x00")
    assert "is not text in UTF-8" in refused(tmp_path / "mine.h5ad", **load)


def test_a_card_of_a_folder_with_a_table(adata: Any, tmp_path: Path) -> None:
    """Both are looked at before each use: a card of other contents is refused."""
    mtx_folder(adata, tmp_path / "filtered")
    table = labels_of(adata, tmp_path / "calls.csv")
    cards = tmp_path / "cards"
    kobench(
        *("datasets", "add", tmp_path / "filtered", "--name", "mine", "--obs", table),
        *("--perturbation-key", "target", "--to", cards),
    )
    shown = kobench("info", "mine", "--datasets", cards).stdout
    assert "wild-type cells: 24" in " ".join(shown.split())
    text = table.read_text()
    table.write_text(text.replace("cell1,control", "cell1,gene0"))
    said = kobench("check", "mine", "--datasets", cards, code=None)
    assert "calls.csv, has sha256" in said.stdout + said.stderr
    table.write_text(text)
    (tmp_path / "filtered" / "barcodes.tsv.gz").write_bytes(gzip.compress(b"x"))
    said = kobench("check", "mine", "--datasets", cards, code=None)
    assert "filtered, has sha256" in said.stdout + said.stderr


def test_reading_imports_nothing_more_than_it_needs(sound: str, tmp_path: Path) -> None:
    code = (
        "import sys; from kobench.builtin.datasets.h5ad import load; load(sys.argv[1]);"
        " print(sorted({'anndata', 'zarr', 'scanpy', 'mudata'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "sound.h5ad")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
