"""Containers of every kind: each gives the cells of the plain file, or says what it is."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

h5py = pytest.importorskip("h5py")

from by_hand import BATCHES, CELLS, GENES, LABELS, annotated, codes, counts, text  # noqa: E402

from kobench.builtin.datasets import h5ad  # noqa: E402
from kobench.builtin.datasets.formats import mtx, packed  # noqa: E402
from kobench.datasets.digest import digest  # noqa: E402
from kobench.errors import UserError  # noqa: E402


def digests(path: Path, **how: Any) -> str:
    """What is read of a file: cells, labels, batches, counts."""
    dataset = h5ad.load(str(path), **{"batch_key": "batch", **how})
    assert dataset.perturbed is not None
    return f"{digest(dataset.cells)} {digest(dataset.perturbed)}"


@pytest.fixture
def sound(tmp_path: Path) -> str:
    """What is read of the plain file."""
    return digests(annotated(tmp_path / "sound.h5ad"))


def refused(path: Path, **how: Any) -> str:
    """The one sentence by which a file is refused."""
    with pytest.raises(UserError) as caught:
        h5ad.load(str(path), **how)
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


def copied(source: Path, target: Path, **how: Any) -> None:
    """An HDF5 file with the same content, made in another way."""
    with h5py.File(source) as file, h5py.File(target, "w", **how) as copy:
        for name in file:
            file.copy(name, copy)


def test_hdf5_behind_bytes_of_another_program(tmp_path: Path, sound: str) -> None:
    copied(tmp_path / "sound.h5ad", tmp_path / "mine.h5ad", userblock_size=1024)
    assert digests(tmp_path / "mine.h5ad") == sound
    content = (tmp_path / "mine.h5ad").read_bytes()
    (tmp_path / "mine.h5ad.gz").write_bytes(gzip.compress(content[:3000]) + gzip.compress(
        content[3000:]))  # fmt: skip
    assert digests(tmp_path / "mine.h5ad.gz") == sound


def test_newest_layout_of_hdf5(tmp_path: Path, sound: str) -> None:
    copied(tmp_path / "sound.h5ad", tmp_path / "mine.h5ad", libver="latest", track_order=True)
    assert digests(tmp_path / "mine.h5ad") == sound


def tar(content: bytes) -> bytes:
    """An archive with one file."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as file:
        about = tarfile.TarInfo("mine.h5ad")
        about.size = len(content)
        file.addfile(about, io.BytesIO(content))
    return archive.getvalue()


OTHERS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "bzip2": (bz2.compress, "is packed by bzip2; unpack it (bunzip2 -k FILE)"),
    "xz": (lzma.compress, "is packed by xz; unpack it (xz -dk FILE)"),
    "gzip twice": (
        lambda content: gzip.compress(gzip.compress(content)),
        "(unpacked) is packed by gzip; unpack it once (gunzip -k FILE)",
    ),
    "tar": (tar, "is a tar archive; unpack it (tar -xf FILE)"),
    "tar.gz": (lambda content: gzip.compress(tar(content)), "(unpacked) is a tar archive"),
    "rds": (lambda _: gzip.compress(b"X\n\0\0\0\3\0\4\2\3"), "(unpacked) is a file of R; convert"),
    "lfs": (lambda _: b"version https://git-lfs.github.com/spec/v1\n", "is a pointer of Git LFS"),
    "page": (lambda _: b"<!DOCTYPE html><html>", "is a web page; download the file itself"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_named_for_what_they_are(tmp_path: Path, sound: str, name: str) -> None:
    make, reason = OTHERS[name]
    path = tmp_path / "mine.h5ad"
    path.write_bytes(make((tmp_path / "sound.h5ad").read_bytes()))
    assert reason in refused(path)


def test_no_advice_to_unpack_removes_the_packed_file() -> None:
    """`gunzip FILE` and the like delete FILE."""
    from kobench.builtin.datasets.formats import opening

    said = [*opening.OTHERS.values(), Path(packed.__file__).read_text()]
    commands = [each for each in said if "gunzip" in each or "unpack it (" in each]
    assert len(commands) == 5
    assert all("-k" in each or "-dk" in each or "zstd -d" in each for each in commands)


def test_paths_without_a_file(tmp_path: Path) -> None:
    (tmp_path / "link.h5ad").symlink_to(tmp_path / "nowhere.h5ad")
    assert "nowhere.h5ad', where nothing is" in refused(tmp_path / "link.h5ad")
    assert "does not exist; give" in refused(tmp_path / "nowhere.h5ad")
    assert "does not exist (File name too long)" in refused(tmp_path / ("x" * 999))


def test_a_folder_that_may_not_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(path: str) -> list[str]:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr("os.listdir", closed)
    assert "may not be read by you" in refused(tmp_path)


def test_a_full_disk_is_not_called_damage(
    tmp_path: Path, sound: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine.h5ad.gz"
    path.write_bytes(gzip.compress((tmp_path / "sound.h5ad").read_bytes()))

    class Full(io.BytesIO):
        def write(self, _: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(packed.tempfile, "TemporaryFile", Full)
    said = refused(path)
    assert "No space left on device" in said
    assert "make room there, or set TMPDIR" in said


def zarr_of(folder: Path, version: int) -> Any:
    """The plain file's cells as a zarr folder, to be changed."""
    anndata, pandas = pytest.importorskip("anndata"), pytest.importorskip("pandas")
    zarr = pytest.importorskip("zarr", minversion="3")
    obs = pandas.DataFrame({"perturbation": LABELS, "batch": BATCHES}, index=CELLS)
    var = pandas.DataFrame(index=GENES)
    adata = anndata.AnnData(scipy.sparse.csr_matrix(counts()), obs=obs, var=var)
    with anndata.settings.override(zarr_write_format=version):
        adata.write_zarr(folder)
    return zarr.open_group(str(folder), mode="r+")


def without_types(whole: Any) -> None:
    for name in ("obs", "var"):
        del whole[name].attrs["encoding-type"]


def elsewhere(whole: Any) -> None:
    """Categories where AnnData 0.7 has them."""
    found, names = codes(LABELS)
    del whole["obs/perturbation"]
    whole["obs"].create_array("perturbation", data=found)
    there = whole["obs"].create_group("__categories")
    there.create_array("perturbation", data=np.array(names))


def by_columns(whole: Any) -> None:
    del whole["X"]
    found = scipy.sparse.csc_matrix(counts())
    part = whole.create_group("X")
    part.create_array("data", data=found.data)
    part.create_array("indices", data=found.indices.astype("u4"))
    part.create_array("indptr", data=found.indptr.astype("u8"))
    part.attrs.update({"encoding-type": ["csc_matrix"], "shape": [40, 8]})


def with_zeros(whole: Any) -> None:
    del whole["X"]
    whole.create_array("X", data=counts().astype(">i2"), chunks=(7, 3))


@pytest.mark.parametrize(
    ("version", "change"),
    [(2, without_types), (2, elsewhere), (2, with_zeros), (3, with_zeros), (3, by_columns)],
)
def test_zarr(tmp_path: Path, sound: str, version: int, change: Callable[[Any], None]) -> None:
    change(zarr_of(tmp_path / "mine.zarr", version))
    assert digests(tmp_path / "mine.zarr") == sound


def test_zarr_of_other_programs(tmp_path: Path, sound: str) -> None:
    zarr = pytest.importorskip("zarr", minversion="3")
    inner = tmp_path / "mine.zarr" / "mod" / "rna"
    zarr_of(inner, 2)
    zarr.open_group(str(tmp_path / "mine.zarr"), mode="a", zarr_format=2)
    zarr.open_group(str(tmp_path / "mine.zarr" / "mod"), mode="a", zarr_format=2)
    assert digests(tmp_path / "mine.zarr") == sound  # MuData
    zarr.open_group(str(tmp_path / "space.zarr"), mode="w").create_group("tables")
    assert "is SpatialData; write its table as a file of its own" in refused(
        tmp_path / "space.zarr"
    )
    zarr.open_array(str(tmp_path / "one.zarr"), mode="w", shape=(4,), dtype="i4")
    assert "is one array of zarr, not cells" in refused(tmp_path / "one.zarr")


def entries(kind: str = "integer", head: str = "", value: str = "{:d}", first: str = "gene") -> str:
    """The counts in the words of Matrix Market."""
    found = scipy.sparse.coo_matrix(counts())
    pairs = (found.col, found.row) if first == "gene" else (found.row, found.col)
    shape = "8 40" if first == "gene" else "40 8"
    lines = [
        f"{row + 1} {column + 1} {value.format(int(number))}"
        for row, column, number in zip(*pairs, found.data, strict=True)
    ]
    top = head or f"%%MatrixMarket matrix coordinate {kind} general"
    return "\n".join([top, f"{shape} {found.nnz}", *lines]) + "\n"


def folder(place: Path, matrix: str, **files: str) -> dict[str, Any]:
    """A folder with a matrix in text; gives the parameters to read it."""
    place.mkdir()
    (place / "matrix.mtx").write_bytes(matrix.encode())
    usual = {
        "features.tsv": "".join(f"E{gene}\t{gene}\tGene Expression\n" for gene in GENES),
        "barcodes.tsv": "".join(f"{cell}\n" for cell in CELLS),
    }
    for name, content in {**usual, **files}.items():
        (place / name).write_bytes(content.encode())
    table = place.parent / "calls.csv"
    lines = [",".join(each) for each in zip(CELLS, LABELS, BATCHES, strict=True)]
    table.write_text("\n".join(["barcode,perturbation,batch", *lines]))
    return {"obs": str(table)}


FOLDERS: dict[str, tuple[str, dict[str, str]]] = {
    "real": (entries("real", value="{:.1f}"), {}),
    "with exponents": (entries("real", value="{:e}"), {}),
    "ends of lines of Windows": (entries().replace("\n", "\r\n"), {}),
    "cells first": (entries(first="cell"), {}),
    "capitals": (entries(head="%%MatrixMarket MATRIX Coordinate Integer General"), {}),
    "remarks": (entries(head="%%MatrixMarket matrix coordinate integer general\n%\n% x\n"), {}),
    "names alone": (entries(), {"features.tsv": "\n".join(GENES)}),
    "an empty line at the end": (entries(), {"barcodes.tsv": "\n".join([*CELLS, "", ""])}),
    "a mark of bytes": (entries(), {"barcodes.tsv": "\ufeff" + "\n".join(CELLS)}),
    "quotes of R": (entries(), {"barcodes.tsv": "".join(f'"{cell}"\n' for cell in CELLS)}),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_with_text(tmp_path: Path, sound: str, name: str) -> None:
    matrix, files = FOLDERS[name]
    assert digests(tmp_path / "mine", **folder(tmp_path / "mine", matrix, **files)) == sound


ALL = entries().splitlines(keepends=True)
NOT_READ: dict[str, tuple[str, dict[str, str], str]] = {
    "cut between lines": ("".join(ALL[:-3]), {}, f"{len(ALL) - 2} entries and has {len(ALL) - 5}"),
    "no entries": ("".join(ALL[:2]), {}, f"it says {len(ALL) - 2} entries and has 0"),
    "pattern": (entries("pattern"), {}, "is of the kind 'matrix coordinate pattern general', and"),
    "symmetric": (
        entries(head="%%MatrixMarket matrix coordinate integer symmetric"),
        {},
        "'matrix coordinate integer symmetric', and 'matrix coordinate integer general'",
    ),
    "packed, too": (entries(), {"matrix.mtx.gz": ""}, "(matrix.mtx, matrix.mtx.gz), and one is"),
    "two lists": (entries(), {"genes.tsv": ""}, "(features.tsv, genes.tsv), and one is read"),
    "a head": (entries(), {"barcodes.tsv": "\n".join(["x", *CELLS])}, "8 features and 41 barcodes"),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_READ)
def test_folders_that_are_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtx, "AT_ONCE", 17)
    matrix, files, reason = NOT_READ[name]
    assert reason in refused(tmp_path / "mine", **folder(tmp_path / "mine", matrix, **files))


def test_text_is_not_taken_for_a_number(tmp_path: Path) -> None:
    """Texts that only look alike stay what they are."""
    path = annotated(tmp_path / "mine.h5ad")
    with h5py.File(path, "r+") as file:
        del file["obs/batch"]
        file["obs/batch"] = text(["01", "1"] * 20)
    assert set(h5ad.load(str(path), batch_key="batch").cells.obs["batch"]) == {"01", "1"}
