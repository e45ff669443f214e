"""Small files that would fill memory: each is refused in a sentence, in a process that has little.

The process may allocate 900 MB, so that a test fails, and not the machine, where a file is read.
"""

from __future__ import annotations

import gzip
import json
import struct
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")
pytest.importorskip("zarr", minversion="3")
if not sys.platform.startswith("linux"):
    pytest.skip("memory is limited so on Linux alone", allow_module_level=True)

from by_hand import CELLS, GENES, LABELS, annotated, counts, frame, text  # noqa: E402
from small_room import loaded  # noqa: E402

from kobench.builtin.datasets.formats import bounds, packed  # noqa: E402
from kobench.builtin.datasets.h5ad import load  # noqa: E402
from kobench.errors import UserError  # noqa: E402

MTX = "%%MatrixMarket matrix coordinate integer general\n"
ENTRIES = "".join(f"{gene + 1} {cell + 1} 3\n" for cell in range(40) for gene in range(8))


def of_chunks(
    group: Any, name: str, shape: tuple[int, ...], kind: str, chunk: bytes, rows: int
) -> Any:
    """An array packed by gzip of chunks that are all the same, of so many rows each."""
    part = group.create_dataset(
        name, shape, kind, chunks=(rows, *shape[1:]), compression="gzip", maxshape=(None,)
    )
    small = zlib.compress(chunk, 9)
    for start in range(0, shape[0], rows):
        part.id.write_direct_chunk((start,), small)
    return part


def column(file: Any, name: str = "perturbation") -> Any:
    """The table of cells without a column."""
    del file["obs"][name]
    return file["obs"]


def wide_texts(file: Any) -> None:
    of_chunks(column(file), "perturbation", (30_000,), "S60000", b"\0" * 60_000_000, 1000)


def large_chunk(file: Any) -> None:
    of_chunks(column(file), "perturbation", (40,), "i1", b"\1" * 200_000_000, 200_000_000)


def one_long_label(file: Any) -> None:
    group = column(file).create_group("perturbation")
    of_chunks(group, "codes", (60_000,), "i1", b"\0" * 60_000, 60_000)
    group["categories"] = text(["x" * 1000, "control"])
    group.attrs["encoding-type"], group.attrs["encoding-version"] = "categorical", "0.2.0"
    del file["obs/_index"]
    file["obs/_index"] = np.array([f"c{i}" for i in range(60_000)], "S8")
    del file["X"]
    file.create_dataset("X", data=np.ones((60_000, 8), "u1"), compression="gzip")


def one_long_name(file: Any) -> None:
    del file["obs/_index"]
    file["obs/_index"] = text([*(f"c{i}" for i in range(79_999)), "x" * 1000])


def one_text_many_times(file: Any, count: int = 60_000) -> None:
    """Texts of any length are addresses, and nothing keeps them from being the same one."""
    part = column(file).create_dataset("perturbation", (count,), h5py.string_dtype())
    part[0] = "x" * 100_000
    place = part.id.get_offset()
    file.flush()
    with open(file.filename, "r+b") as raw:
        raw.seek(place)
        address = raw.read(16)
        raw.seek(place)
        raw.write(address * count)


def one_long_row(file: Any) -> None:
    del file["X"]
    group = file.create_group("X")
    group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", [40, 8]
    group["indptr"] = np.array([0] + [60_000_000] * 40)
    of_chunks(group, "data", (60_000_000,), "u1", b"\1" * 1_000_000, 1_000_000)
    of_chunks(group, "indices", (60_000_000,), "u1", b"\1" * 1_000_000, 1_000_000)


def no_such_genes(file: Any) -> None:
    file["X/data"][:] = file["X/data"][:] + np.float32(0.5)
    group = file.create_group("layers/other")
    group.attrs["encoding-type"], group.attrs["shape"] = "csc_matrix", [40, 100_000_000]
    of_chunks(group, "indptr", (100_000_001,), "i8", b"\0" * 8_000_000, 1_000_000)
    group["data"], group["indices"] = np.ones(0, "f4"), np.ones(0, "i4")


def all_alike(file: Any) -> None:
    """A matrix of ones, which packs a thousandfold."""
    n, across = 80_000, 1000
    del file["X"], file["obs"], file["var"]
    for name, count in (("obs", n), ("var", across)):
        group = file.create_group(name)
        names = np.array([f"{name}{i}" for i in range(count)], "S10")
        group.create_dataset("_index", data=names, compression="gzip")
        group.attrs["_index"], group.attrs["column-order"] = "_index", text([])
    group = file.create_group("X")
    group.attrs["encoding-type"], group.attrs["shape"] = "csr_matrix", [n, across]
    ends = np.arange(n + 1) * across
    group.create_dataset("indptr", data=ends, compression="gzip", shuffle=True)
    of_chunks(group, "data", (n * across,), "u1", b"\1" * 1_000_000, 1_000_000)
    row = np.tile(np.arange(across, dtype="<i2"), 1000).tobytes()
    of_chunks(group, "indices", (n * across,), "i2", row, 1_000_000)


FILES: dict[str, tuple[Callable[[Any], None], str]] = {
    "wide-texts": (wide_texts, "holds 30,000 values of 60,000 bytes each, and at most"),
    "large-chunk": (
        large_chunk,
        "is stored in chunks of 200,000,000 values, and each takes 190 MB",
    ),
    "long-label": (one_long_label, "the 60,000 texts of obs/perturbation, of which one has 1,000"),
    "long-name": (one_long_name, "the 80,000 texts of obs/_index, of which one has 1,000 char"),
    "one-text": (one_text_many_times, "obs/perturbation takes more than"),
    "long-row": (one_long_row, "a row has 60,000,000 values in 8 places"),
    "no-such-genes": (no_such_genes, "layers/other claims 40 x 100,000,000 values, and a file of"),
    "all-alike": (all_alike, "needs 610 MB of memory, and at most 256 MB are kept of a file of"),
}


def zstd(size: int) -> bytes:
    """So many zeros as zstd packs them: 4 bytes for 128 kB."""
    blocks, piece = b"", 1 << 17
    for start in range(0, size, piece):
        last = start + piece >= size
        blocks += struct.pack("<I", min(piece, size - start) << 3 | 1 << 1 | last)[:3] + b"\0"
    return b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", size) + blocks


def zarr_chunk(folder: Path, size: int = 2 << 30) -> Path:
    """A zarr folder of which one chunk unpacks to so many bytes."""
    import zarr

    store = zarr.open_group(str(folder), mode="w", zarr_format=2)
    for name, names in (("obs", CELLS), ("var", GENES)):
        group = store.create_group(name)
        group.create_array("_index", data=np.array(names, dtype="<U8"))
        group.attrs.update({"_index": "_index", "column-order": ["perturbation"][: name == "obs"]})
    store["obs"].create_array("perturbation", data=np.array(LABELS, dtype="<U12"))
    store.create_array("X", data=counts())
    said = json.loads((folder / "obs/perturbation/.zarray").read_text())
    said |= {"compressor": {"id": "zstd", "level": 0, "checksum": False}, "filters": None}
    (folder / "obs/perturbation/.zarray").write_text(json.dumps(said))
    (folder / "obs/perturbation/0").write_bytes(zstd(size))
    return folder


def in_text(folder: Path, **files: bytes) -> Path:
    """A folder with a matrix in text of 40 cells and 8 genes, and other files in their places."""
    folder.mkdir()
    (folder / "matrix.mtx").write_text(f"{MTX}8 40 320\n{ENTRIES}")
    (folder / "barcodes.tsv").write_text("\n".join(CELLS))
    (folder / "features.tsv").write_text("\n".join(GENES))
    for name, content in files.items():
        (folder / f"{name}.tsv").unlink(missing_ok=True)
        (folder / f"{name}.mtx").unlink(missing_ok=True)
        ending = "mtx.gz" if name == "matrix" else "tsv.gz"
        (folder / f"{name}.{ending}").write_bytes(gzip.compress(content, 6))
    return folder


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is said of each file, in one process with little memory."""
    folder = tmp_path_factory.mktemp("small")
    wanted: dict[str, dict[str, Any]] = {}
    for name, (change, _) in FILES.items():
        path = annotated(folder / f"{name}.h5ad")
        with h5py.File(path, "r+") as file:
            change(file)
        wanted[name] = {"path": str(path)}
    wanted["all-alike"]["perturbation_key"] = "none"
    wanted["zarr-chunk"] = {"path": str(zarr_chunk(folder / "mine.zarr"))}
    head = MTX.encode()
    for name, files in {
        "empty-lines": {"features": b"\n" * 8_000_000},
        "names": {"features": b"a\n" * 300_000},
        "claims": {"matrix": head + b"9000000 9000000 0\n", "features": b"a\n" * 9_000_000},
        "token": {"matrix": head + b"8 40 320\n1 1 " + b"1" * 80_000_000},
    }.items():
        wanted[name] = {"path": str(in_text(folder / name, **files)), "perturbation_key": "none"}
    sound = str(annotated(folder / "sound.h5ad"))
    for name, content in {
        "table": b"b,perturbation\n" + (b"a" * 99 + b",b\n") * 200_000,
        "lines": b"b,perturbation\n" + b"a,b\n" * 1_100_000,
        "wide": b"b,c\n" + b"a,b\n" * 90_000 + b"a," + b"x" * 900,
    }.items():
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(content, 6))
        wanted[name] = {"path": sound, "obs": str(folder / f"{name}.csv.gz")}
    assert all(path.stat().st_size < 4 << 20 for path in folder.rglob("*"))
    return loaded(wanted)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        *((name, sentence) for name, (_, sentence) in FILES.items()),
        ("zarr-chunk", "obs/perturbation takes more than"),
        (
            "empty-lines",
            "features.tsv.gz has more than 65,576 lines, and the matrix beside it is much",
        ),
        ("names", "features.tsv.gz has more than 65,576 lines, and the matrix beside it is much"),
        ("claims", "says that it is 9,000,000 x 9,000,000, and a folder of"),
        ("token", "matrix.mtx.gz unpacks to more than 64 MB, the most that is read"),
        ("table", "table.csv.gz unpacks to more than 16 MB, the most that is read of a packed"),
        ("lines", "lines.csv.gz has more than 1,000,080 lines, far more than there are cells"),
        ("wide", "the 90,001 texts of column 'c', of which one has 900 characters, take"),
    ],
)
def test_small_files_that_would_fill_memory(said: dict[str, str], name: str, sentence: str) -> None:
    assert sentence in said[name]
    assert len(said[name].splitlines()) == 1
    assert "; " in said[name]  # what to do


def test_packed_tables_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"1,1,1,1,1,1,1,1\n" * 1_100_000, 6))
    found = loaded({"numbers": {"path": str(path)}}, "table")
    assert "t.csv.gz unpacks to more than 16 MB, the most that is read" in found["numbers"]


def test_what_the_sentences_advise_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without compression the same content is larger, and then it is read."""
    monkeypatch.setattr(bounds, "KEPT", 1 << 20)
    monkeypatch.setattr(bounds, "MOST_TIMES", 10)
    path, cells, genes = tmp_path / "mine.h5ad", 4000, 1000
    for how in ({"compression": "gzip"}, {}):
        with h5py.File(path, "w") as file:
            frame(file, "obs", np.array([f"c{i}" for i in range(cells)], "S8"), {})
            frame(file, "var", np.array([f"g{i}" for i in range(genes)], "S8"), {})
            file.create_dataset("X", data=np.ones((cells, genes), "f4"), **how)
        if how:
            with pytest.raises(UserError, match="; write the file again without compression"):
                load(str(path), perturbation_key="none")
    assert load(str(path), perturbation_key="none").cells.n_obs == cells
    monkeypatch.setattr(packed, "MOST_TIMES", 1)
    monkeypatch.setattr(packed, "HARMLESS", 1)
    folder = in_text(tmp_path / "text", matrix=f"{MTX}8 40 320\n{ENTRIES}".encode())
    packed_file = folder / "matrix.mtx.gz"
    with pytest.raises(UserError, match="unpack it yourself"):
        load(str(folder), perturbation_key="none")
    (folder / "matrix.mtx").write_bytes(gzip.decompress(packed_file.read_bytes()))
    packed_file.unlink()
    assert load(str(folder), perturbation_key="none").cells.n_obs == 40


@pytest.mark.parametrize("kind", ["hdf5", "zarr"])
def test_libraries_are_given_no_more_than_a_read_can_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The wall is what refuses: the sentence names it, and the process itself has more."""
    if kind == "hdf5":
        path = annotated(tmp_path / "mine.h5ad")
        with h5py.File(path, "r+") as file:
            one_text_many_times(file, 4_000)
    else:
        path = zarr_chunk(tmp_path / "mine.zarr", 600 << 20)
    monkeypatch.setattr(bounds, "BESIDE", 128 << 20)
    with pytest.raises(UserError, match=r"obs/perturbation takes more than 1\d\d MB of memory"):
        load(str(path))
