"""Where counts lie in an AnnData file, in which form, and how little of the file is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from command import kobench

from kobench.builtin.datasets import h5ad
from kobench.builtin.datasets.formats import stored
from kobench.datasets.digest import digest
from kobench.errors import UserError

Maker = Callable[..., Any]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """`write(adata, name)` -> path of the file."""

    def written(adata: Any, name: str = "mine.h5ad", **more: Any) -> str:
        adata.write_h5ad(tmp_path / name, **more)
        return str(tmp_path / name)

    return written


def logs(adata: Any) -> Any:
    """Its matrix as logarithms."""
    return scipy.sparse.csr_matrix(np.log1p(adata.X.toarray()))


def test_counts_in_a_layer_beside_an_empty_x(make_adata: Maker, write: Maker) -> None:
    adata = make_adata()
    sound = digest(h5ad.load(write(adata)).cells)
    adata.layers["counts"] = adata.X.copy()
    adata.X = None
    path = write(adata)
    assert digest(h5ad.load(path, layer="counts").cells) == sound
    with pytest.raises(UserError, match=r"X is empty; set layer=counts \(the layer holds whole"):
        h5ad.load(path)


def test_counts_in_raw_are_named_and_read(make_adata: Maker, write: Maker, tmp_path: Path) -> None:
    adata = make_adata()
    sound = h5ad.load(write(adata)).cells
    adata.raw = adata.copy()
    adata.X = logs(adata)
    adata.layers["scaled"] = adata.X * 0.5
    path = write(adata[:, :5].copy())
    with pytest.raises(UserError, match=r"not whole numbers .*; set raw=true \(.raw holds whole"):
        h5ad.load(path)
    assert digest(h5ad.load(path, raw=True).cells) == digest(sound)
    add = "datasets", "add", path, "--perturbation-key", "perturbation", "--name", "mine"
    kobench(*add, "--raw", "--to", tmp_path / "cards")
    assert "raw = true" in (tmp_path / "cards" / "mine.toml").read_text()
    assert "set --raw (.raw" in kobench(*add, "--to", tmp_path / "other", code=2).stderr


def test_every_place_with_counts_is_named_and_no_other(make_adata: Maker, write: Maker) -> None:
    adata = make_adata()
    adata.layers["umi"] = adata.X.copy()
    adata.layers["empty"] = adata.X * 0
    adata.layers["centred"] = adata.X.toarray() - 5
    adata.raw = adata.copy()
    adata.X = logs(adata)
    with pytest.raises(UserError) as caught:
        h5ad.load(write(adata))
    said = str(caught.value)
    assert "set layer=umi (the layer holds whole numbers) or set raw=true (.raw holds" in said
    assert "centred" not in said
    assert "empty" not in said
    with pytest.raises(UserError, match=r"values of layer 'centred' are negative"):
        h5ad.load(write(adata), layer="centred")


def test_a_file_without_any_values_says_so(make_adata: Maker, write: Maker) -> None:
    adata = make_adata()
    adata.X = None
    with pytest.raises(UserError, match=r"no layer and no \.raw either, so it holds no values"):
        h5ad.load(write(adata))


def scrambled(X: Any) -> Any:
    """The same matrix with its columns unsorted, an entry in two parts and a stored zero."""
    rows = []
    for row in X.toarray():
        columns = list(np.flatnonzero(row))[::-1]
        values = [float(row[column]) for column in columns]
        zero = list(np.flatnonzero(row == 0))[:1]
        if values[0] > 1:
            columns, values = [columns[0], *columns], [1.0, values[0] - 1, *values[1:]]
        rows.append((columns + zero, values + [0.0] * len(zero)))
    ends = np.cumsum([0] + [len(columns) for columns, _ in rows])
    columns = np.concatenate([columns for columns, _ in rows])
    values = np.concatenate([values for _, values in rows]).astype(np.float32)
    return scipy.sparse.csr_matrix((values, columns, ends), shape=X.shape)


FORMS: dict[str, Callable[[Any], Any]] = {
    "csc": lambda X: X.tocsc(),
    "dense": lambda X: X.toarray(),
    "int8": lambda X: X.astype(np.int8),
    "int32": lambda X: X.astype(np.int32),
    "uint16, dense": lambda X: X.toarray().astype(np.uint16),
    "int64, by columns": lambda X: X.tocsc().astype(np.int64),
    "float16, dense": lambda X: X.toarray().astype(np.float16),
    "float64": lambda X: X.astype(np.float64),
    "big-endian": lambda X: X.toarray().astype(">f8"),
    "column-major": lambda X: np.asfortranarray(X.toarray()),
    "csr array": scipy.sparse.csr_array,
    "scrambled": scrambled,
    "scrambled, by columns": lambda X: scrambled(X.T.tocsr()).T,
}


@pytest.mark.parametrize("compression", [None, "gzip", "lzf"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_cells(
    make_adata: Maker,
    write: Maker,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    compression: str | None,
) -> None:
    monkeypatch.setattr(stored, "AT_ONCE", 37)  # so that a small file is read in many parts
    adata = make_adata()
    sound = h5ad.load(write(adata), genes=6)
    adata.X = FORMS[form](adata.X)
    found = h5ad.load(write(adata, compression=compression), genes=6)
    assert digest(found.cells) == digest(sound.cells)
    assert found.perturbed is not None
    assert sound.perturbed is not None
    assert digest(found.perturbed) == digest(sound.perturbed)
    assert found.facts == sound.facts
    assert found.cells.X.dtype == found.cells.layers["counts"].dtype == np.float32


def test_yes_and_no_are_numbers(make_adata: Maker, write: Maker) -> None:
    adata = make_adata()
    adata.X = (adata.X.toarray() > 2).astype(np.float32) + np.eye(40, 8, dtype=np.float32)
    adata.X = np.minimum(adata.X, 1)
    adata.X[:, 7] = 1
    sound = h5ad.load(write(adata), normalise="none").cells
    adata.X = adata.X.astype(bool)
    assert digest(h5ad.load(write(adata), normalise="none").cells) == digest(sound)


def test_a_dense_matrix_of_zeros_mostly_becomes_sparse(make_adata: Maker, write: Maker) -> None:
    adata = make_adata(genes=40)
    X = adata.X.toarray()
    X[:, 5:30] = 0
    adata.X = scipy.sparse.csr_matrix(X)
    sound = h5ad.load(write(adata)).cells
    adata.X = X
    found = h5ad.load(write(adata)).cells
    assert scipy.sparse.issparse(found.X)
    assert digest(found) == digest(sound)


def test_what_is_not_needed_is_not_read(make_adata: Maker, write: Maker) -> None:
    """Damage in what no parameter names costs nothing; in what one names it is told."""
    h5py = pytest.importorskip("h5py")
    adata = make_adata()
    for place in (adata.layers, adata.obsm, adata.uns):
        place["unused"] = adata.X.toarray()
    adata.obs["unused"] = np.arange(40)
    path = write(adata)
    sound = digest(h5ad.load(path).cells)
    with h5py.File(path, "r+") as file:
        for name in ("layers/unused", "obsm/unused", "uns/unused", "obs/unused"):
            del file[name]
            file[name] = h5py.ExternalLink("/dev/null", "/nowhere")
    assert digest(h5ad.load(path).cells) == sound
    with pytest.raises(UserError, match="obs/unused is a link to another place"):
        h5ad.load(path, batch_key="unused")
    with pytest.raises(UserError, match="layers/unused is a link to another place"):
        h5ad.load(path, layer="unused")
