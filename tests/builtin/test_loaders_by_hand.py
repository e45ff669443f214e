"""Files of every layout, type and encoding of this field: each reads as the plain one does.

They are written by h5py alone, as programs of other years and other languages write them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

h5py = pytest.importorskip("h5py")

from by_hand import (  # noqa: E402
    BATCHES,
    CELLS,
    GENES,
    LABELS,
    TEXT,
    annotated,
    categorical,
    codes,
    counts,
    elsewhere,
    frame,
    masked,
    records,
    sparse,
    text,
)

from kobench.builtin.datasets import h5ad  # noqa: E402
from kobench.datasets.digest import digest  # noqa: E402
from kobench.errors import UserError  # noqa: E402

Write = Callable[[Any], object]


def digests(path: Path, **how: Any) -> str:
    """What is read of a file: cells, labels, batches, counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = h5ad.load(str(path), **{"batch_key": "batch", **how})
    assert dataset.perturbed is not None
    return f"{digest(dataset.cells)} {digest(dataset.perturbed)}"


@pytest.fixture
def sound(tmp_path: Path) -> str:
    """What is read of the plain file."""
    return digests(annotated(tmp_path / "sound.h5ad"))


def obs(labels: Any, **attrs: Any) -> Write:
    """Cells with these labels."""
    columns = {"perturbation": labels, "batch": text(BATCHES)}
    return lambda file: frame(file, "obs", text(CELLS), columns, **attrs)


def matrix(kind: str, values: str = "f4", places: str = "i4", turned: bool = False) -> Write:
    """X by rows or columns, with values and places of some type; columns of a row turned round."""

    def write(file: Any) -> None:
        found = getattr(scipy.sparse, f"{kind}_matrix")(counts())
        if turned:
            for start, end in zip(found.indptr[:-1], found.indptr[1:], strict=True):
                for each in (found.indices, found.data):
                    each[start:end] = each[start:end][::-1]
        part = file.create_group("X")
        part["data"], part["indices"] = found.data.astype(values), found.indices.astype(places)
        part["indptr"] = found.indptr.astype(places if "1" not in places else "i8")
        part.attrs["encoding-type"], part.attrs["shape"] = f"{kind}_matrix", found.shape

    return write


def dense(values: str = "f4", **how: Any) -> Write:
    """X with its zeros."""
    return lambda file: file.create_dataset("X", data=counts().astype(values), **how)


def doubled(file: Any) -> None:
    """X with an entry in two parts, and a zero that is stored."""
    X = scipy.sparse.csr_matrix(counts())
    X.data[X.indptr[1] - 1] -= 1
    part = sparse(file, "X", X)
    for name, more in (("data", [1, 0]), ("indices", [7, 0])):
        given = np.insert(getattr(X, name), X.indptr[1], more)
        del part[name]
        part[name] = given
    ends = X.indptr + 2 * (np.arange(41) > 0)
    del part["indptr"]
    part["indptr"] = ends


def attributes_of_r(file: Any) -> None:
    """X whose attributes are lists of one, and whose numbers are floats."""
    one = np.array(["csr_matrix"], dtype=TEXT)
    part = sparse(file, "X", counts(), **{"encoding-type": one, "shape": np.array([40.0, 8.0])})
    for name in ("indices", "indptr"):
        given = part[name][:].astype(float)
        del part[name]
        part[name] = given


def categorical_of_r(part: Any, key: str) -> None:
    categorical(LABELS)(part, key)
    part[key].attrs["encoding-type"] = np.array(["categorical"], dtype=TEXT)


def without_type(part: Any, key: str) -> None:
    categorical(LABELS)(part, key)
    del part[key].attrs["encoding-type"]


def named_index(file: Any) -> None:
    obs(text(LABELS), _index="barcode")(file)
    file["obs"].move("_index", "barcode")


def categorical_index(file: Any) -> None:
    obs(text(LABELS))(file)
    del file["obs/_index"]
    categorical(CELLS)(file["obs"], "_index")


def enumerated(part: Any, key: str) -> None:
    found, names = codes(LABELS)
    words = {name: number for number, name in enumerate(names)}
    part.create_dataset(key, data=found, dtype=h5py.enum_dtype(words))


def in_layer(x: Write | None) -> Write:
    """Counts in a layer beside what `x` writes."""

    def write(file: Any) -> None:
        if x is not None:
            x(file)
        sparse(file.create_group("layers"), "counts", counts())

    return write


def null(file: Any) -> None:
    file.create_dataset("X", data=h5py.Empty("f4"))
    file["X"].attrs["encoding-type"] = "null"


def in_raw(file: Any) -> None:
    file["X"] = np.log1p(counts())[:, :6]
    raw = file.create_group("raw")
    sparse(raw, "X", counts())
    frame(raw, "var", text(GENES), {})


def fewer_genes(file: Any) -> None:
    frame(file, "var", text(GENES[:6]), {})


def old(strings: Any = None, categories: bool = False) -> dict[str, Write]:
    """A file of before 0.7."""

    def cells(file: Any) -> None:
        found, names = codes(LABELS)
        columns = {"perturbation": found if categories else LABELS, "batch": BATCHES}
        file["obs"] = records(CELLS, columns, strings)
        if categories:
            file["uns/perturbation_categories"] = text(names)

    def genes(file: Any) -> None:
        file["var"] = records(GENES, {"n": np.arange(8)}, strings)

    return {"X": old_sparse("X"), "obs": cells, "var": genes}


def old_sparse(name: str) -> Write:
    said = {"h5sparse_format": "csr", "h5sparse_shape": np.array([40, 8])}
    return lambda file: sparse(file, name, counts(), **said)


def old_raw(file: Any) -> None:
    file["X"] = np.log1p(counts())[:, :6]
    old_sparse("raw.X")(file)
    file["raw.var"] = records(GENES, {})


NUMBERS = {"control": 0, "gene0": 1, "gene1+gene2": 2}
OF_NUMBERS = {"labels": {str(number): label for label, number in NUMBERS.items()}}
AS_NUMBERS = [NUMBERS[label] for label in LABELS]
BYTES = [label.encode() for label in LABELS]
ACCENTS = {"control": "contr\xf4le"}
WITH_ACCENTS = [label.replace("control", "contr\xf4le") for label in LABELS]
FIXED = h5py.string_dtype("utf-8", 12)

FILES: dict[str, tuple[dict[str, Write | None], dict[str, Any]]] = {
    # types of values, by rows, by columns and with zeros
    **{f"values {t}, by rows": ({"X": matrix("csr", t)}, {}) for t in ("i1", "u2", "i8", "f2")},
    **{f"values {t}, by columns": ({"X": matrix("csc", t)}, {}) for t in ("u8", ">f8", ">i2")},
    **{f"values {t}, dense": ({"X": dense(t)}, {}) for t in ("u1", "i4", "f2", ">f4", ">u2", "f8")},
    "long floats": ({"X": lambda file: file.create_dataset("X", data=counts().astype("g"))}, {}),
    # types of places
    **{
        f"places {t}, {kind}": ({"X": matrix(kind, places=t)}, {})
        for t in ("i1", "i2", "i8", "u1", "u2", "u4", "u8", ">i4", ">u8", "f8")
        for kind in ("csr", "csc")
    },
    # encodings
    **{
        f"unsorted, {kind}, {t}": ({"X": matrix(kind, places=t, turned=True)}, {})
        for kind in ("csr", "csc")
        for t in ("i4", "u4")
    },
    "doubled entries": ({"X": doubled}, {}),
    "gzip, shuffled, with checksums": (
        {"X": dense(chunks=(7, 3), compression="gzip", shuffle=True, fletcher32=True)},
        {},
    ),
    "lzf": ({"X": dense(chunks=(1, 8), compression="lzf")}, {}),
    "scale and offset": ({"X": dense("i4", chunks=(7, 3), scaleoffset=0)}, {}),
    # attributes as other languages write them, or none
    "lists of one": ({"X": attributes_of_r, "obs": obs(categorical_of_r)}, {}),
    "index in a list of one": ({"obs": obs(text(LABELS), _index=text(["_index"]))}, {}),
    "attributes of bytes": ({"obs": obs(text(LABELS), _index=np.bytes_("_index"))}, {}),
    "no order of columns": ({"obs": obs(text(LABELS), **{"column-order": None})}, {}),
    "categories without a type": ({"obs": obs(without_type)}, {}),
    "named index": ({"obs": named_index}, {}),
    "index with categories": ({"obs": categorical_index}, {}),
    # versions of AnnData
    "0.7 to 0.9": ({"obs": obs(elsewhere(LABELS))}, {}),
    "before 0.7": (old(), {}),
    "before 0.7, texts of fixed length": (old("S12"), {}),
    "before 0.7, categories": (old(categories=True), {}),
    "before 0.7, raw": (
        {**old(), "X": old_raw, "var": lambda file: file.create_dataset("var", data=records(
            GENES[:6], {}))},
        {"raw": True},
    ),
    # labels
    "categories turned round": ({"obs": obs(categorical(LABELS, sorted(set(LABELS))[::-1]))}, {}),
    "categories that no cell has": (
        {"obs": obs(categorical(LABELS, ["gene7", *sorted(set(LABELS))]))},
        {},
    ),
    "categories of bytes": (
        {"obs": obs(categorical(LABELS, of=lambda names: np.array(names, dtype="S12")))},
        {},
    ),
    "texts of fixed length": ({"obs": obs(np.array(LABELS, dtype="S12"))}, {}),
    "texts of fixed length, UTF-8": ({"obs": obs(np.array(BYTES, dtype=FIXED))}, {}),
    "texts in ASCII": ({"obs": obs(np.array(LABELS, dtype=h5py.string_dtype("ascii")))}, {}),
    "accents": ({"obs": obs(text(WITH_ACCENTS))}, ACCENTS),
    "enumerated": ({"obs": obs(enumerated)}, {}),
    "nullable texts": ({"obs": obs(masked(LABELS, "nullable-string-array"))}, {}),
    "nullable numbers": ({"obs": obs(masked(AS_NUMBERS, "nullable-integer"))}, OF_NUMBERS),
    "numbers": ({"obs": obs(np.array(AS_NUMBERS, dtype=">i2"))}, OF_NUMBERS),
    "floats": ({"obs": obs(np.array(AS_NUMBERS, dtype="f4"))}, OF_NUMBERS),
    "categories of numbers": ({"obs": obs(categorical(AS_NUMBERS, of=np.array))}, OF_NUMBERS),
    # where counts lie
    "layer without X": ({"X": in_layer(None)}, {"layer": "counts"}),
    "layer beside an empty X": ({"X": in_layer(null)}, {"layer": "counts"}),
    "raw with more genes": ({"X": in_raw, "var": fewer_genes}, {"raw": True}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_each_file_reads_as_the_plain_one(tmp_path: Path, sound: str, name: str) -> None:
    parts, how = FILES[name]
    assert digests(annotated(tmp_path / "mine.h5ad", **parts), **how) == sound


@pytest.mark.parametrize("kind", ["plain", "nullable", "categories"])
def test_yes_and_no_as_labels(tmp_path: Path, kind: str) -> None:
    said = [label != "control" for label in LABELS]
    column = {
        "plain": np.array(said),
        "nullable": masked(said, "nullable-boolean"),
        "categories": categorical(said, of=np.array),
    }[kind]
    path = annotated(tmp_path / "mine.h5ad", obs=obs(column))
    dataset = h5ad.load(str(path), labels={"True": "gene0", "False": "control"})
    assert dataset.facts["wild-type cells"] == 24
    assert dataset.perturbed is not None
    assert set(dataset.perturbed.obs["perturbation"]) == {"gene0"}


LATIN = [label.encode("latin-1") for label in WITH_ACCENTS]
IN_LATIN = {
    "of any length": np.array(LATIN, dtype=h5py.string_dtype()),
    "of fixed length": np.array(LATIN, dtype="S12"),
}


@pytest.mark.parametrize("kind", [*IN_LATIN, "in records"])
def test_latin_1_is_named_and_can_be_written_as_utf_8(
    tmp_path: Path, sound: str, kind: str
) -> None:
    path = tmp_path / "mine.h5ad"
    if kind == "in records":
        table = records(CELLS, {"perturbation": ["x" * 9] * 40, "batch": BATCHES}, "S12")
        table["perturbation"] = LATIN
        annotated(path, obs=lambda file: file.create_dataset("obs", data=table))
        with pytest.raises(UserError, match="holds text that is not UTF-8"):
            h5ad.load(str(path), **ACCENTS)
        return
    annotated(path, obs=obs(IN_LATIN[kind]))
    with pytest.raises(UserError, match=r"asstr\('latin-1'\)"):
        h5ad.load(str(path), **ACCENTS)
    with h5py.File(path, "r+") as file:  # as the message says
        right = file["obs/perturbation"].asstr("latin-1")[:]
        del file["obs/perturbation"]
        file["obs/perturbation"] = text(right)
    assert digests(path, **ACCENTS) == sound


def changed(part: str, value: Any) -> dict[str, Write]:
    """A file whose batch column, or X, is something else."""
    if part == "X":
        return {"X": value}
    columns = {"perturbation": text(LABELS), "batch": value}
    return {"obs": lambda file: frame(file, "obs", text(CELLS), columns)}


def of_time(part: Any, key: str) -> None:
    space = h5py.h5s.create_simple((40,))
    h5py.h5d.create(part.id, key.encode(), h5py.h5t.UNIX_D32LE.copy(), space)


def without_format(file: Any) -> None:
    del sparse(file, "X", counts()).attrs["encoding-type"]


def too_large(file: Any) -> None:
    file["X"] = np.where(counts() == 3, 1e300, counts().astype("f8"))


REFUSED = {
    "references": (
        changed("batch", lambda part, key: part.create_dataset(key, (40,), h5py.ref_dtype)),
        "obs/batch holds references to other parts",
    ),
    "lists": (
        changed("batch", lambda part, key: part.create_dataset(key, (40,), h5py.vlen_dtype("i4"))),
        "obs/batch holds ndarray, not text or numbers",
    ),
    "times": (changed("batch", of_time), "obs/batch holds values of a type that numpy lacks"),
    "records": (changed("batch", np.zeros(40, dtype=[("a", "i4")])), "obs/batch holds records"),
    "two dimensions": (changed("batch", np.zeros((40, 2))), "obs/batch has 2 dimensions"),
    "too short": (changed("batch", text(BATCHES[:-1])), "obs/batch has 39 values for 40 rows"),
    "complex": (changed("X", dense("c8")), "X holds values of type complex64, not numbers"),
    "texts as values": (changed("X", dense("S3")), "X holds values of type |S3, not numbers"),
    "rows or columns": (changed("X", without_format), "whether its values lie by rows or by"),
    "coordinates": (
        changed("X", lambda file: sparse(file, "X", counts(), **{"encoding-type": "coo_matrix"})),
        "X is stored as 'coo_matrix', from which no matrix is read; write it as an array, as CSR",
    ),
    "too large": (changed("X", too_large), "holds 1e+300, and values above 3.4e+38"),
    "turned": (changed("X", lambda file: file.create_dataset("X", data=counts().T)), "transpose"),
    "no names": (
        {"obs": lambda file: frame(file, "obs", text(CELLS), {}, _index="barcode")},
        "obs has no names (they should be in 'barcode', as its attribute _index says)",
    ),
    "before 0.6": (
        {"obs": lambda file: file.create_dataset("smp", data=records(CELLS, {}))},
        "is AnnData of before version 0.6 (its cells lie in smp, not in obs)",
    ),
    "parts of places": (
        changed("X", lambda file: _halves(matrix("csr", places="f8"), file)),
        "its indices are no whole numbers",
    ),
}


def _halves(write: Write, file: Any) -> None:
    write(file)
    file["X/indices"][3] = 0.5


@pytest.mark.parametrize("name", REFUSED)
def test_each_other_file_is_refused_for_the_true_reason(tmp_path: Path, name: str) -> None:
    parts, reason = REFUSED[name]
    path = annotated(tmp_path / "mine.h5ad", **parts)
    with pytest.raises(UserError) as caught:
        digests(path)
    said = str(caught.value)
    assert reason in said
    assert len(said.splitlines()) == 1
