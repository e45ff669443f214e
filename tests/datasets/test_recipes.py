"""Recipes make of the sources the very cells of the converted files, and refuse other sources."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from contents import content_of
from places import DATA

from kobench.datasets.cards import builtin_folder, read_card
from kobench.datasets.content import content_of_file
from kobench.datasets.distribution import get_distribution
from kobench.datasets.recipes import common, r_files
from kobench.datasets.recipes.names import RECIPES
from kobench.datasets.sources import Distribution, read_sources
from kobench.util.resolve import resolve_reference

#: Source distributions that somebody has downloaded.
ARCHIVES = Path(os.environ.get("KOBENCH_TEST_ARCHIVES", "/nonexistent"))


def make(recipe: str, files: Mapping[str, Path]) -> Any:
    return resolve_reference(RECIPES[recipe])(files)


def files_of(card: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """The members of a card's distribution; skips where its archive is not on this machine."""
    (source,) = read_sources(card, "card")
    assert isinstance(source, Distribution)
    if source.name == "scanpy":  # ships the same file in what is installed
        scanpy = pytest.importorskip("scanpy")
        return {source.names[0]: Path(scanpy.__file__).parent / "datasets" / source.names[0]}
    archive = ARCHIVES / f"{source.name}-{source.version}.tar.gz"
    if not archive.is_file():
        pytest.skip(f"{archive.name} is not in a folder named in KOBENCH_TEST_ARCHIVES")
    shutil.copy(archive, folder / f"{source.name}-{source.version}.archive")
    return get_distribution(source, folder, card["name"])


@pytest.mark.parametrize("name", ["hipsc-ko", "pbmc68k-counts", "retina-nuclei"])
def test_the_cells_are_those_of_the_converted_file(name: str, tmp_path: Path) -> None:
    """Of files of the web `tests/cli/test_datasets_get.py` tests the same."""
    card = read_card(builtin_folder() / f"{name}.toml").card
    made = make(card["recipe"], files_of(card, tmp_path))
    assert content_of(made) == card["file"]["content"]
    converted = DATA / card["file"]["folder"] / card["file"]["name"]
    if converted.is_file():
        assert content_of_file(converted) == card["file"]["content"]


def written(folder: Path, **tables: str) -> dict[str, Path]:
    """Files with these texts; `__` in a name is a dot."""
    found = {}
    for key, text in tables.items():
        name = key.replace("__", ".")
        (folder / name).write_text(text)
        found[name] = folder / name
    return found


E, X = "E_renge_d2_80__csv", "X_renge_d2_80__csv"
EXPRESSION = f",A,B\nc1,{np.log1p(3)},0.0\nc2,0.0,{np.log1p(7)}\n"
GUIDES = ",B,A,day\nc1,1,0,2\nc2,0,0,3\n"


def test_hipsc_ko_by_hand(tmp_path: Path) -> None:
    made = make("hipsc_ko", written(tmp_path, **{E: EXPRESSION, X: GUIDES}))
    assert made.X.toarray().tolist() == [[3, 0], [0, 7]]
    assert made.obs["perturbation"].tolist() == ["B", "control"]
    assert made.obs["day"].tolist() == [2, 3]
    assert made.obs["n_counts_panel"].tolist() == [3, 7]
    assert list(made.var_names) == ["A", "B"]


@pytest.mark.parametrize(
    ("expression", "guides", "fault"),
    [
        (EXPRESSION.replace("c1", "c3"), GUIDES, "do not have the same cells"),
        (EXPRESSION.replace("0.0", "0.5"), GUIDES, "is not whole numbers"),
        (EXPRESSION.replace("0.0", "nan"), GUIDES, "is not whole numbers"),
        (EXPRESSION, GUIDES.replace("1,0,2", "1,1,2"), "something else than one 1 or none"),
        (EXPRESSION, GUIDES.replace("1,0,2", "2,0,2"), "something else than one 1 or none"),
        (EXPRESSION.replace("A,B", "A,A"), GUIDES, "two genes have the same name"),
        (EXPRESSION.replace("c2", "c1"), GUIDES.replace("c2", "c1"), "two cells have the same"),
    ],
)
def test_hipsc_ko_refuses_other_tables(
    tmp_path: Path, expression: str, guides: str, fault: str
) -> None:
    files = written(tmp_path, **{E: expression, X: guides})
    if "two genes" in fault:  # pandas renames repeated columns of a table
        with pytest.raises(common.RecipeError, match=fault):
            common.from_counts(np.eye(2), ["a", "b"], ["A", "A"], {})
        return
    with pytest.raises(common.RecipeError, match=fault):
        make("hipsc_ko", files)


def test_nkx2_1_lung_by_hand(tmp_path: Path) -> None:
    tables = {"WTdata__csv": ',"w1","w2"\n"A",1,0\n"NA",0,2\n', "KOdata__csv": ",k1\nA,0\nNA,5\n"}
    made = make("nkx2_1_lung", written(tmp_path, **tables))
    assert made.X.toarray().tolist() == [[1, 0], [0, 2], [0, 5]]
    assert list(made.obs_names) == ["w1", "w2", "k1"]
    assert list(made.var_names) == ["A", "NA"]  # a name as it is written
    assert made.obs["perturbation"].tolist() == ["control", "control", "Nkx2-1"]
    tables["KOdata__csv"] = ",k1\nNA,5\nA,0\n"
    with pytest.raises(common.RecipeError, match="the same genes in the same order"):
        make("nkx2_1_lung", written(tmp_path, **tables))


def test_retina_nuclei_by_hand(tmp_path: Path) -> None:
    import anndata

    biotype = ["protein_coding", "lncRNA", "protein_coding", "protein_coding", "protein_coding"]
    symbols = ["A", "B", "C", "C", "D"]
    counts = np.zeros((20, 5), np.float32)
    counts[:2, 0], counts[:, 1:4], counts[0, 4] = 1, 2, 3  # A in 10 % of the nuclei, D in 5 %
    names = [f"n{i}" for i in range(20)]
    source = anndata.AnnData(
        counts,
        obs=pd.DataFrame({"cell_type": "rod", "cell_type__custom": "Rod"}, index=names),
        var=pd.DataFrame({"symbol": symbols, "biotype": biotype}, index=list("abcde")),
    )
    source.write_h5ad(tmp_path / "test.h5ad")
    made = make("retina_nuclei", {"test.h5ad": tmp_path / "test.h5ad"})
    assert made.var["ensembl_id"].to_dict() == {"A": "a"}
    assert made.obs["n_counts_all"].tolist() == [10, 7, *[6] * 18]


def test_values_that_are_no_counts_are_refused() -> None:
    for value in (0.5, -1.0, np.nan, np.inf, float(1 << 24)):
        with pytest.raises(common.RecipeError, match="are not counts"):
            common.from_counts(np.array([[value]]), ["c"], ["A"], {})
    made = common.from_counts(np.array([[2.0, 0.0]]), ["c"], ["A", "B"], {})
    assert (made.X.dtype, made.X.nnz) == (np.float32, 1)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_sources_are_unpacked_with_a_limit(
    tmp_path: Path, pack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(pack(b"x" * 1000))
    assert common.unpacked(path) == b"x" * 1000
    path.write_bytes(pack(b"x" * 1000)[:-9])
    with pytest.raises(common.RecipeError, match="cannot be unpacked"):
        common.unpacked(path)
    path.write_bytes(pack(b"x" * 1000))
    monkeypatch.setattr(common, "HARMLESS", 999)
    monkeypatch.setattr(common, "MOST_TIMES", 1)
    with pytest.raises(common.RecipeError, match="unpacks to more than"):
        common.unpacked(path)


def matrix(**changes: Any) -> Any:
    """A matrix of R's package Matrix, 2 genes x 3 cells."""
    plain = {"i": [0, 1], "p": [0, 1, 1, 2], "x": [5.0, 7.0], "Dim": [2, 3]}
    return SimpleNamespace(**{**plain, "Dimnames": [["A", "B"], None], **changes})


def test_matrices_of_r() -> None:
    expected = [[5, 0, 0], [0, 0, 7]]
    assert r_files.matrix_of(matrix(), "m").toarray().tolist() == expected
    triplets = matrix(j=[0, 2])
    del triplets.p
    found = r_files.matrix_of(triplets, "m")
    assert scipy.sparse.isspmatrix_csr(found)
    assert found.toarray().tolist() == expected
    assert r_files.names_of(matrix(), 0, "m") == ["A", "B"]


@pytest.mark.parametrize(
    "changes",
    [{"i": [0, 2]}, {"i": [0, -1]}, {"p": [0, 1, 1, 3]}, {"p": [0, 1]}, {"Dim": [2]}, {"x": ["a"]}],
)
def test_a_matrix_that_points_outside_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(common.RecipeError, match="m is no sparse matrix of R's package Matrix"):
        r_files.matrix_of(matrix(**changes), "m")


def test_names_that_a_matrix_of_r_lacks_are_said() -> None:
    with pytest.raises(common.RecipeError, match="m has no names of its columns"):
        r_files.names_of(matrix(), 1, "m")
    with pytest.raises(common.RecipeError, match="m has no names of its rows"):
        r_files.names_of(matrix(Dimnames=[["A"], None]), 0, "m")


def test_without_rdata_it_is_said_what_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rdata", None)
    with pytest.raises(common.MissingPackageError, match=r"pip install 'kobench\[rdata\]'"):
        r_files.read_r(tmp_path / "x")
