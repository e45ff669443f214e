"""Arrays and cells as files: .npy (never pickle) and JSON. numpy only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kobench.cells import Cells


def write_arrays(folder: Path, arrays: Mapping[str, Any]) -> None:
    """Write each array that is not None as NAME.npy."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in arrays.items():
        if values is not None:
            np.save(folder / f"{name}.npy", np.asarray(values), allow_pickle=False)


def read_array(folder: Path, name: str) -> Any:
    """Read NAME.npy; None where there is none."""
    path = folder / f"{name}.npy"
    return np.load(path, allow_pickle=False) if path.exists() else None


def read_every_array(folder: Path) -> dict[str, Any]:
    """Every array of a folder, by name."""
    return {path.stem: read_array(folder, path.stem) for path in sorted(folder.glob("*.npy"))}


def _write_matrix(folder: Path, name: str, matrix: Any) -> None:
    if isinstance(matrix, np.ndarray):
        write_arrays(folder, {name: matrix})
        return
    csr = matrix.tocsr()
    write_arrays(
        folder,
        {
            f"{name}.data": csr.data,
            f"{name}.indices": csr.indices,
            f"{name}.indptr": csr.indptr,
            f"{name}.shape": np.array(csr.shape),
        },
    )


def _read_matrix(folder: Path, name: str, wants: str) -> Any:
    dense = read_array(folder, name)
    if dense is not None:
        if wants != "sparse":
            return dense
        from scipy.sparse import csr_matrix

        return csr_matrix(dense)
    data, indices, indptr, shape = (
        read_array(folder, f"{name}.{part}") for part in ("data", "indices", "indptr", "shape")
    )
    if wants == "sparse":
        from scipy.sparse import csr_matrix

        return csr_matrix((data, indices, indptr), shape=tuple(int(n) for n in shape))
    full = np.zeros(tuple(int(n) for n in shape), data.dtype)
    full[np.repeat(np.arange(len(full)), np.diff(indptr)), indices] = data
    return full


def write_cells(folder: Path, cells: Cells) -> None:
    """Write cells into a folder; sparse stays sparse."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_matrix(folder, "X", cells.X)
    for number, layer in enumerate(cells.layers.values()):
        _write_matrix(folder, f"layer{number}", layer)
    write_arrays(folder, {"var_names": np.asarray(cells.var_names, dtype=np.str_)})
    write_arrays(
        folder,
        {f"obs{number}": np.asarray(column) for number, column in enumerate(cells.obs.values())},
    )
    (folder / "cells.json").write_text(
        json.dumps({"layers": list(cells.layers), "obs": list(cells.obs)})
    )


def read_cells(folder: Path, wants: str = "dense") -> Cells:
    """Read cells from a folder, X and layers dense or as scipy CSR."""
    names = json.loads((folder / "cells.json").read_text())
    form = "sparse" if wants == "sparse" else "dense"
    return Cells(
        _read_matrix(folder, "X", form),
        read_array(folder, "var_names"),
        {name: read_array(folder, f"obs{number}") for number, name in enumerate(names["obs"])},
        {
            name: _read_matrix(folder, f"layer{number}", form)
            for number, name in enumerate(names["layers"])
        },
    )
