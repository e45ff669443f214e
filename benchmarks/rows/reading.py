"""`reading`: how much memory a data set takes while it is added and loaded, at three sizes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.measure import STATUS, Finding, Row, Skipped, memory_of, said_alone
from kobench.dataset import Dataset

#: Cells of the files: 64, 128 and 256 MB as a sparse matrix in memory.
SIZES = (20_000, 40_000, 80_000)

#: Genes, and those that each cell expresses.
GENES, EXPRESSED = 4_000, 400

#: Bytes of a value and its column.
PLACED = 8

#: The most memory that adding may take, in sparse matrices.
TARGET = 2.0

#: Where writing 5 forgets the most memory that a process took.
FORGET = Path("/proc/self/clear_refs")

#: Does one thing with a file, and prints how many bytes more than before it took at most.
WATCHED = """
import sys
from benchmarks.rows.reading import watched
print(watched(sys.argv[1], sys.argv[2]))
"""


def write(path: Path, cells: int) -> None:
    """A file with whole numbers by rows, half of the cells perturbed; a second layer is unused."""
    import h5py

    rng = np.random.default_rng(0)
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        for name in ("X", "layers/unused"):
            group = file.create_group(name)
            group.attrs.update(
                {
                    "encoding-type": "csr_matrix",
                    "encoding-version": "0.1.0",
                    "shape": [cells, GENES],
                }
            )
            group["indptr"] = np.arange(cells + 1) * EXPRESSED
            for part, kind in (("data", "f4"), ("indices", "i4")):
                group.create_dataset(part, (cells * EXPRESSED,), kind, chunks=(1 << 16,))
            for start in range(0, cells, 1000):
                place = slice(start * EXPRESSED, (start + 1000) * EXPRESSED)
                keys = rng.random((1000, GENES), dtype=np.float32)
                columns = np.sort(np.argpartition(keys, EXPRESSED, axis=1)[:, :EXPRESSED], axis=1)
                group["indices"][place] = columns.ravel()
                group["data"][place] = rng.poisson(2.0, 1000 * EXPRESSED) + 1
        labels = [f"gene{cell // 2 % 20}" if cell % 2 else "control" for cell in range(cells)]
        for name, count in (("obs", cells), ("var", GENES)):
            group = file.create_group(name)
            fields = {"perturbation": labels} if name == "obs" else {}
            group.attrs.update(
                {
                    "encoding-type": "dataframe",
                    "encoding-version": "0.2.0",
                    "_index": "_index",
                    "column-order": np.array(list(fields), dtype=text),
                }
            )
            what = "cell" if name == "obs" else "gene"
            group.create_dataset("_index", data=[f"{what}{i}" for i in range(count)], dtype=text)
            for column, values in fields.items():
                group.create_dataset(column, data=values, dtype=text)


def watched(what: str, path: str) -> int:
    """Do one of three things with a file in this process.

    Parameters
    ----------
    what : {"load", "add", "anndata"}
        Load it, add it and say what can be asked, or read all of it as AnnData does.
    path : str
        The file.

    Returns
    -------
    int
        Bytes that it took at most, beyond what the process took with all it needs imported.
    """
    import anndata

    from kobench.builtin.datasets import h5ad
    from kobench.datasets.add import add_dataset

    small = Path(path).with_name("small.h5ad")
    if not small.exists():
        write(small, 1000)
    look(h5ad.load(str(small)))  # whatever is imported late is there
    before = memory_of("VmRSS:")
    FORGET.write_text("5")
    if what == "load":
        h5ad.load(path)
    elif what == "anndata":
        anndata.read_h5ad(path)
    else:
        cards = str(Path(path).with_name("cards"))
        add_dataset(path, "mine", seen=look, out_folder=cards, write=False)
    return memory_of("VmHWM:") - before


def look(dataset: Dataset) -> None:
    """What the command says at its end."""
    from kobench.audit.overview import overview

    overview(dataset)


def ratios(path: Path, cells: int) -> dict[str, float]:
    """Memory that each of the three takes at most, in sparse matrices; each in its own process."""
    matrix = cells * EXPRESSED * PLACED
    found = {}
    for what in ("load", "add", "anndata"):
        found[what] = json.loads(said_alone(WATCHED, what, str(path)).split()[-1]) / matrix
    return found


def measure(runs: int) -> Finding:
    """The largest of the three sizes' ratios in each run."""
    if not (STATUS.is_file() and FORGET.exists()):
        raise Skipped("this system does not say how much memory a process takes at most")
    rounds: list[list[dict[str, float]]] = []
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{cells}.h5ad") for cells in SIZES]
        for path, cells in zip(paths, SIZES, strict=True):
            write(path, cells)
        for _ in range(runs):
            rounds.append([ratios(*each) for each in zip(paths, SIZES, strict=True)])
    return Finding(
        [max(max(each["load"], each["add"]) for each in one) for one in rounds],
        TARGET,
        "x",
        lower=True,
        facts=list(facts(rounds)),
    )


def facts(rounds: Sequence[Sequence[dict[str, float]]]) -> list[str]:
    """The ratios of each size, of the run in which adding took most."""
    said = []
    for place, cells in enumerate(SIZES):
        worst = max((one[place] for one in rounds), key=lambda each: each["add"])
        said.append(
            f"{cells * EXPRESSED * PLACED / 1e6:.0f} MB: load {worst['load']:.2f}, add"
            f" {worst['add']:.2f}, reading the whole file by anndata alone {worst['anndata']:.2f}"
        )
    return said


ROWS = [
    Row(
        "reading",
        "peak memory of `datasets add` and of loading, in sparse matrices, the largest of three"
        " sizes",
        "",
        measure,
    )
]
