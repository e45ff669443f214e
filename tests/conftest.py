"""Fixtures for every test: made-up cells, files with one fault each, and the real datasets where
they are at hand.
"""

from __future__ import annotations

import compileall
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Before numpy is imported: one thread, as the command has it, so that last digits are the same and
# tests that run side by side do not wait for each other's cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, settings

from kobench.cells import Cells

REPOSITORY = Path(__file__).parent.parent

# no test fails because the machine is busy
settings.register_profile("kobench", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kobench")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile kobench once: tests start hundreds of processes that import it.

    Where Python is told to write no bytecode, each of them would compile it again.
    """
    if not hasattr(session.config, "workerinput"):  # not in each process of pytest-xdist
        for name in ("kobench", "plugins"):
            compileall.compile_dir(REPOSITORY / name, quiet=2)


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The whole session uses folders of its own, so a developer's cards, caches and environments
    change no test.
    """
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setenv("XDG_DATA_HOME", str(home / "data"))
        patch.delenv("KOBENCH_DATASETS", raising=False)
        patch.delenv("KOBENCH_ENVIRONMENTS", raising=False)
        yield


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that knows the plugins of kobench's own interpreter, so that not every test has to
    describe them.
    """
    from kobench.plugins.load import load_registry

    folder = tmp_path_factory.mktemp("described")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KOBENCH_CACHE", str(folder))
        load_registry()
    return folder


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """`real_data(name)` -> Path of a real file or folder in the data folder; the test is skipped,
    saying so, where it is missing.

    `name` is the name of a shipped card ("trem2-microglia"), or a path in the data folder
    ("dko_demo/Ptrain.csv"). The data folder is KOBENCH_DATA or, if that is unset, ../shared/data
    beside the repository. Once called, KOBENCH_DATA is set for the rest of the test, so that named
    datasets load in this process and in its children.
    """

    def find(name: str) -> Path:
        from kobench.datasets.cards import builtin_folder, read_card

        folder = Path(os.environ.get("KOBENCH_DATA") or REPOSITORY.parent / "shared" / "data")
        card = builtin_folder() / f"{name}.toml"
        file: dict[str, str] = (
            dict(read_card(card).card["file"]) if card.is_file() else {"name": name}
        )
        path = folder / file.get("folder", "") / file["name"]
        if not path.exists():
            pytest.skip(
                f"real data {name!r} is not at {path}; set KOBENCH_DATA to the folder that has it"
            )
        monkeypatch.setenv("KOBENCH_DATA", str(folder))
        return path

    return find


@pytest.fixture
def tiny_cells() -> Callable[..., Cells]:
    """`tiny_cells(seed=0, n=30, genes=12, sparse=False)` -> Cells on a linear scale, float32.

    A third of the values is 0, each gene has its own level, every cell expresses at least two genes
    and every gene is expressed; obs has `batch` ("a", "b", ...: three, by turns) and `cell_type`
    ("x" for the first half, "y").
    """

    def make(seed: int = 0, n: int = 30, genes: int = 12, sparse: bool = False) -> Cells:
        rng = np.random.default_rng(seed)
        X = rng.gamma(2.0, 1.0, (n, genes)) * rng.uniform(0.5, 2.0, genes)
        X[rng.random((n, genes)) < 1 / 3] = 0.0
        X[np.arange(n), np.arange(n) % genes] = 1.0
        X[np.arange(n), (np.arange(n) + 1) % genes] = 0.5
        X = X.astype(np.float32)
        obs = {
            "batch": np.array(list("abc"))[np.arange(n) % 3],
            "cell_type": np.where(np.arange(n) < n / 2, "x", "y"),
        }
        return Cells(
            scipy.sparse.csr_matrix(X) if sparse else X,
            np.array([f"gene{i}" for i in range(genes)]),
            obs,
        )

    return make


@pytest.fixture
def make_adata() -> Callable[..., Any]:
    """`make_adata(n=40, genes=8, seed=0)` -> AnnData with sparse counts as a sound user's file has
    them.

    The first 24 cells are `control`, then 8 each of `gene0` and `gene1+gene2`; obs has
    perturbation, batch, cell_type and n_counts_all (twice the row sum).
    """
    anndata = pytest.importorskip("anndata")
    pandas = pytest.importorskip("pandas")

    def make(n: int = 40, genes: int = 8, seed: int = 0) -> Any:
        rng = np.random.default_rng(seed)
        counts = rng.poisson(3.0, (n, genes)).astype(np.float32)
        counts[:, -1] += 1
        labels = np.array(["control"] * n, dtype=object)
        labels[n - 16 : n - 8], labels[n - 8 :] = "gene0", "gene1+gene2"
        obs = pandas.DataFrame(
            {
                "perturbation": pandas.Categorical(labels),
                "batch": np.where(np.arange(n) % 2, "one", "two"),
                "cell_type": np.where(np.arange(n) % 4 < 2, "neuron", "microglia"),
                "n_counts_all": 2 * counts.sum(1),
            },
            index=[f"cell{i}" for i in range(n)],
        )
        return anndata.AnnData(
            scipy.sparse.csr_matrix(counts),
            obs=obs,
            var=pandas.DataFrame(index=[f"gene{i}" for i in range(genes)]),
        )

    return make


@pytest.fixture
def broken_h5ad(
    make_adata: Callable[..., Any], tmp_path: Path
) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """`broken_h5ad(fault)` -> an .h5ad file with one fault, and the loader's parameters with which
    it shows.

    Faults: missing, zero-bytes, truncated, not-hdf5, not-anndata, nan, infinite, negative,
    empty, duplicate-gene, unnamed-gene, wrong-column, all-zero-cell, counts-but-fractions,
    log1p-but-counts, log1p-but-large, mislabelled-control, unlabelled-cell, few-cells, one-gene.
    Any other word makes a sound file.
    """

    def make(fault: str) -> tuple[Path, dict[str, Any]]:
        path, adata, parameters = tmp_path / f"{fault}.h5ad", make_adata(), {}
        X = adata.X.toarray()
        if fault in ("nan", "infinite", "negative"):
            X[3, 2] = {"nan": np.nan, "infinite": np.inf, "negative": -1.0}[fault]
        elif fault == "all-zero-cell":
            X[5] = 0
        elif fault == "counts-but-fractions":
            X = np.log1p(X)
        elif fault in ("log1p-but-counts", "log1p-but-large"):
            X = np.minimum(X, 19) if fault == "log1p-but-counts" else X * 100.5
            parameters = {"scale": "log1p"}
        adata.X = scipy.sparse.csr_matrix(X)
        names = list(adata.var_names)
        if fault in ("duplicate-gene", "unnamed-gene"):
            names[4] = "gene3" if fault == "duplicate-gene" else ""
            adata.var_names = names
        elif fault == "empty":
            adata = adata[:0]
        elif fault == "wrong-column":
            adata.obs = adata.obs.rename(columns={"perturbation": "perturbations"})
        elif fault == "mislabelled-control":
            adata.obs["perturbation"] = adata.obs["perturbation"].cat.rename_categories(
                {"control": "unperturbed"}
            )
        elif fault == "unlabelled-cell":
            adata.obs.loc["cell7", "perturbation"] = None
        elif fault == "few-cells":
            adata = adata[20:]
        elif fault == "one-gene":
            adata = adata[:, -1:]
        adata.copy().write_h5ad(path)
        content = path.read_bytes()
        if fault == "missing":
            path.unlink()
        elif fault == "zero-bytes":
            path.write_bytes(b"")
        elif fault == "truncated":
            path.write_bytes(content[: len(content) // 2])
        elif fault == "not-hdf5":
            path.write_text("gene,cell\n1,2\n")
        elif fault == "not-anndata":
            h5py = pytest.importorskip("h5py")
            path.unlink()
            with h5py.File(path, "w") as file:
                file["matrix"] = X
        return path, parameters

    return make
