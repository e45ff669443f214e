"""The table loader: genes x cells without header, and what other files end in."""

from __future__ import annotations

import gzip
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kobench.builtin.datasets import table
from kobench.builtin.specs.datasets import pbmc_spec, table_spec
from kobench.datasets.digest import digest
from kobench.errors import UserError

VALUES = np.random.default_rng(0).gamma(2.0, 1.0, (4, 12)).round(3)  # 4 genes x 12 cells
VALUES[1, 3] = VALUES[3, 5] = 0.0

Writer = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """`write(text or values, name)` -> path."""

    def make(content: str | bytes | np.ndarray, name: str = "table.csv") -> str:
        path = tmp_path / name
        text = (
            "".join(",".join(map(str, row)) + "\n" for row in content.tolist())
            if isinstance(content, np.ndarray)
            else content
        )
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return make


def test_rows_are_genes_and_columns_are_cells(write: Writer) -> None:
    dataset = table.load(write(VALUES))
    assert dataset.cells.shape == (12, 4)
    assert dataset.cells.var_names.tolist() == ["gene0", "gene1", "gene2", "gene3"]
    np.testing.assert_allclose(dataset.cells.dense(), VALUES.T, rtol=1e-6)
    assert (dataset.scale, dataset.kind, dataset.perturbed, dataset.batch_key) == (
        "linear",
        "real",
        None,
        None,
    )
    assert dataset.facts["zeros in wild-type cells"] == round(2 / 48, 4)


def test_packed_transposed_and_windows_files_give_the_same_cells(write: Writer) -> None:
    plain = Path(write(VALUES)).read_text()
    files = {
        "packed.csv.gz": gzip.compress(plain.encode()),
        "packed-under-another-name.csv": gzip.compress(plain.encode()),
        "windows.csv": plain.replace("\n", "\r\n"),
        "no-last-newline.csv": plain.rstrip("\n"),
    }
    digests = {digest(table.load(write(content, name)).cells) for name, content in files.items()}
    digests.add(digest(table.load(write(VALUES.T, "cells.csv"), transpose=True).cells))
    assert digests == {digest(table.load(write(VALUES)).cells)}


def test_counts_are_normalised(write: Writer) -> None:
    counts = np.random.default_rng(1).poisson(3.0, (4, 12)) + 1
    cells = table.load(write(counts), scale="counts").cells
    np.testing.assert_allclose(cells.dense(), np.log1p(1e4 * counts / counts.sum(0)).T, rtol=1e-6)
    np.testing.assert_array_equal(cells.layers["counts"], counts.T)
    with pytest.raises(
        UserError, match=r"scale=counts is declared, but .* in cell 'cell0', gene 'gene0'"
    ):
        table.load(write(VALUES), scale="counts")


def test_genes(write: Writer) -> None:
    values = VALUES.copy()
    values[0] = 0
    dataset = table.load(write(values))
    assert dataset.cells.var_names.tolist() == ["gene1", "gene2", "gene3"]
    assert any("1 of 4 genes are seen in no cell" in note for note in dataset.notes)
    assert table.load(write(values), genes=2).cells.var_names.tolist() == ["gene1", "gene2"]


PLAIN = "1,2,3\n4,5,6\n7,8,9\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty or starts with an empty line"),
        (
            "c1,c2,c3\n" + PLAIN,
            "first line looks like a header .it has 'c1'.; give a copy without it",
        ),
        (",c2,c3\n" + PLAIN, "first line looks like a header .it has ''.; give a copy without it"),
        (
            "g1,1,2,3\ng2,4,5,6\n",
            "first column looks like gene names .it starts with 'g1'.; give a copy without it",
        ),
        ("1;2;3\n4;5;6\n", "no comma .'1;2;3'.; separate the numbers with commas"),
        ("1\t2\t3\n", "no comma"),
        (
            "1,2,3\n4,five,6\n",
            "line 2, column 2 holds 'five', which is not a number; give numbers only",
        ),
        ("1,2,3\n4,,6\n", "line 2, column 2 holds '', which is not a number"),
        ("1,2,3\n4,5\n", "line 2 has 2 columns but the first has 3"),
        ("1,2,3\n# 4,5,6\n", "line 2, column 1 holds '# 4', which is not a number"),
        (
            "1,2,3\n4,nan,6\n",
            "1 value of X is not finite .first: nan in cell 'cell1', gene 'gene1'",
        ),
        ("1,2,3\n4,-5,6\n", "1 value of X is negative .first: -5 in cell 'cell1', gene 'gene1'"),
        (
            "1,0,3\n4,0,6\n",
            "1 of 3 cells expresses none of the 2 genes .first: cell 'cell1'.; give a copy",
        ),
        (PLAIN, "has 3 wild-type cells; at least 10"),
        (b"\x89HDF\r\n\x1a\n\xff\xfe", "is not text .* at byte 0"),
        (gzip.compress(PLAIN.encode() * 99, mtime=0)[:-12], "is truncated or not gzip"),
    ],
)
def test_each_other_file_ends_in_one_sentence(
    write: Writer, content: str | bytes, message: str
) -> None:
    path = write(content)
    with pytest.raises(UserError, match=message) as caught:
        table.load(path)
    assert path in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_missing_file_and_a_file_that_only_claims_to_be_packed(write: Writer) -> None:
    with pytest.raises(UserError, match=r"'nowhere\.csv' does not exist; give path="):
        table.load("nowhere.csv")
    with pytest.raises(UserError, match="no table is given"):
        table.load("")
    with pytest.raises(UserError, match="at least 10 are needed"):  # it is read as what it is
        table.load(write(PLAIN, "plain.csv.gz"))


def test_the_specs_list_the_loaders_parameters() -> None:
    from kobench.builtin.datasets import pbmc

    for load, spec in ((table.load, table_spec()), (pbmc.load, pbmc_spec())):
        given = {name: value.default for name, value in inspect.signature(load).parameters.items()}
        assert list(given) == list(spec.params)
        assert all(
            spec.params[name].default == default
            for name, default in given.items()
            if name != "path"
        )
