"""The AnnData loader: what it makes of a sound file, and what it says of each broken one."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kobench.builtin.datasets import h5ad, pbmc
from kobench.builtin.specs.datasets import h5ad_spec
from kobench.datasets.digest import digest
from kobench.errors import UserError

Maker = Callable[..., Any]


@pytest.fixture
def written(make_adata: Maker, tmp_path: Path) -> Callable[..., str]:
    """`written(change)` -> path of a sound file after `change(adata)`."""

    def write(
        change: Callable[[Any], Any] | None = None, name: str = "mine.h5ad", **size: int
    ) -> str:
        adata = make_adata(**size)
        if change is not None:
            adata = change(adata) or adata
        adata.write_h5ad(tmp_path / name)
        return str(tmp_path / name)

    return write


def counts_of(adata: Any) -> np.ndarray:
    return np.asarray(adata.X.toarray())


def test_several_columns_are_one_by_their_combination(written: Maker) -> None:
    def donors(adata: Any) -> None:
        adata.obs["donor"] = ["d1", "d1", "d2", "d3"] * 10
        adata.obs["a+b"] = ["x", "y"] * 20

    path = written(donors)
    dataset = h5ad.load(path, batch_key="batch+donor", group_key="donor", replicate_key="a+b")
    assert (dataset.batch_key, dataset.group_key) == ("batch+donor", "donor")
    assert dataset.replicate_key == "a+b"  # a column of its own
    for cells in (dataset.cells, dataset.perturbed):
        assert cells is not None
        assert set(cells.obs) - {"perturbation"} == {"batch+donor", "donor", "a+b"}
        batch = np.char.partition(cells.obs["batch+donor"], "+")
        assert np.array_equal(batch[:, 2], cells.obs["donor"])
        assert set(batch[:, 0]) == {"one", "two"}
        assert set(cells.obs["a+b"]) == {"x", "y"}
    plain = h5ad.load(path)
    assert (plain.group_key, plain.replicate_key) == (None, None)
    assert not plain.cells.obs


def test_combinations_that_read_alike_are_refused(written: Maker) -> None:
    def alike(adata: Any) -> None:
        adata.obs["day"] = ["1", "1+a", "1", "1"] * 10
        adata.obs["donor"] = ["a+b", "b", "c", "d"] * 10

    with pytest.raises(UserError, match=r"two combinations of obs\['day.donor'\] read"):
        h5ad.load(written(alike), batch_key="day+donor")


def test_wild_type_and_perturbed_cells(written: Maker, make_adata: Maker) -> None:
    counts = counts_of(make_adata())
    dataset = h5ad.load(written(), batch_key="batch", cell_type_key="cell_type")
    cells, perturbed = dataset.cells, dataset.perturbed
    assert perturbed is not None
    assert (dataset.scale, dataset.kind, dataset.batch_key, dataset.cell_type_key) == (
        "log1p-cp10k",
        "real",
        "batch",
        "cell_type",
    )
    assert cells.shape == (24, 8)
    assert perturbed.shape == (16, 8)
    assert scipy.sparse.issparse(cells.X)
    assert cells.X.dtype == np.float32
    by_hand = [
        [math.log1p(1e4 * value / row.sum()) for value in row] for row in counts.astype(float)
    ]
    np.testing.assert_allclose(np.vstack([cells.dense(), perturbed.dense()]), by_hand, rtol=1e-6)
    np.testing.assert_array_equal(cells.layers["counts"].toarray(), counts[:24])
    np.testing.assert_array_equal(perturbed.layers["counts"].toarray(), counts[24:])
    assert set(cells.obs) == {"batch", "cell_type"}
    assert all(column.dtype.kind == "U" for column in cells.obs.values())
    assert cells.obs["batch"][:3].tolist() == ["two", "one", "two"]
    assert cells.obs["cell_type"][:3].tolist() == ["neuron", "neuron", "microglia"]
    assert perturbed.obs["perturbation"].tolist() == ["gene0"] * 8 + ["gene1+gene2"] * 8
    facts = dataset.facts
    assert (facts["cells in file"], facts["wild-type cells"], facts["perturbed cells"]) == (
        40,
        24,
        16,
    )
    assert (
        facts["perturbations"],
        facts["perturbed genes"],
        facts["perturbed genes measured"],
    ) == (2, 3, 3)
    assert facts["zeros in wild-type cells"] == round(float(np.mean(counts[:24] == 0)), 4)


def test_totals_of_the_source_halve_what_a_count_is_worth(
    written: Maker, make_adata: Maker
) -> None:
    dataset = h5ad.load(written(), totals_key="n_counts_all")  # twice the row sums
    row = counts_of(make_adata())[0]
    np.testing.assert_allclose(
        dataset.cells.dense()[0], np.log1p(1e4 * row / (2 * row.sum())), rtol=1e-6
    )
    assert "n_counts_all" not in dataset.cells.obs


def test_normalisations(written: Maker, make_adata: Maker) -> None:
    counts = counts_of(make_adata())[:24]
    assert h5ad.load(written(), normalise="none").scale == "counts"
    np.testing.assert_array_equal(h5ad.load(written(), normalise="none").cells.dense(), counts)
    assert h5ad.load(written(), normalise="log1p").scale == "log1p"
    np.testing.assert_allclose(
        h5ad.load(written(), normalise="log1p").cells.dense(), np.log1p(counts), rtol=1e-6
    )
    assert digest(h5ad.load(written(), normalise="log1p-cp10k").cells) == digest(
        h5ad.load(written()).cells
    )


def test_declared_scales_are_taken_as_they_are(written: Maker) -> None:
    def halve(adata: Any) -> None:
        adata.X = adata.X * 0.5

    for scale in ("linear", "log1p", "log1p-cp10k"):
        dataset = h5ad.load(written(halve), scale=scale)
        assert dataset.scale == scale
        assert dataset.cells.layers == {}
        assert dataset.cells.dense().max() % 0.5 == 0


def test_dense_sparse_and_integer_files_give_the_same_cells(written: Maker) -> None:
    def dense(adata: Any) -> None:
        adata.X = adata.X.toarray()

    def columns(adata: Any) -> None:
        adata.X = adata.X.tocsc()

    def integers(adata: Any) -> None:
        adata.X = adata.X.toarray().astype(np.uint16)

    changes = (None, dense, columns, integers)
    loaded = [h5ad.load(written(change), batch_key="batch") for change in changes]
    assert len({digest(dataset.cells) for dataset in loaded}) == 1
    assert [scipy.sparse.issparse(dataset.cells.X) for dataset in loaded] == [
        True,
        False,
        True,
        False,
    ]


def test_rooms_and_raw(written: Maker, make_adata: Maker) -> None:
    def hidden(adata: Any) -> Any:
        adata.layers["umi"] = adata.X.copy()
        adata.raw = adata.copy()
        smaller = adata[:, :5].copy()
        smaller.X = smaller.X * 0.37
        return smaller

    counts = counts_of(make_adata())[:24]
    layer = h5ad.load(written(hidden), layer="umi").cells
    raw = h5ad.load(written(hidden), raw=True).cells
    np.testing.assert_array_equal(layer.layers["counts"].toarray(), counts[:, :5])
    np.testing.assert_array_equal(raw.layers["counts"].toarray(), counts)
    with pytest.raises(UserError, match=r"there is no layer 'uni'; .*did you mean 'umi'"):
        h5ad.load(written(hidden), layer="uni")
    with pytest.raises(UserError, match="both layer=umi and raw=true"):
        h5ad.load(written(hidden), layer="umi", raw=True)
    with pytest.raises(UserError, match=r"no \.raw"):
        h5ad.load(written(), raw=True)


def test_genes_are_chosen_by_wild_type_cells_after_normalisation(
    written: Maker, make_adata: Maker
) -> None:
    def gaps(adata: Any) -> None:
        X = adata.X.toarray()
        X[:24, 5] = 0  # seen in perturbed cells only
        X[:24, 0] = 0  # a perturbed gene that no wild-type cell expresses
        X[1:24, 6] = 0  # seen in one wild-type cell
        X[24:, 6] = 9
        X[:, 7] = 5
        adata.X = scipy.sparse.csr_matrix(X)

    path = written(gaps)
    every = h5ad.load(path)
    assert every.cells.var_names.tolist() == [
        "gene0",
        "gene1",
        "gene2",
        "gene3",
        "gene4",
        "gene6",
        "gene7",
    ]
    assert every.facts["genes seen in no wild-type cell"] == 2
    assert every.facts["genes left out"] == 1
    assert any("2 of 8 genes are seen in no wild-type cell" in note for note in every.notes)
    few = h5ad.load(path, genes=4)
    assert few.cells.var_names.tolist() == ["gene0", "gene1", "gene2", "gene7"]
    assert few.perturbed is not None
    assert few.perturbed.var_names.tolist() == few.cells.var_names.tolist()
    np.testing.assert_array_equal(few.cells.dense(), every.cells.dense()[:, [0, 1, 2, 6]])


def test_one_cell_type(written: Maker) -> None:
    dataset = h5ad.load(written(), cell_type_key="cell_type", cell_type="microglia")
    assert dataset.cells.n_obs == 12
    assert dataset.facts["cells of other types left out"] == 20
    assert dataset.perturbed is not None
    assert set(dataset.perturbed.obs["cell_type"]) == {"microglia"}
    with pytest.raises(
        UserError,
        match=(
            r"no cell has 'microgla' .*did you mean 'microglia'\? its labels: microglia \(20"
            r" cells\), neuron \(20"
        ),
    ):
        h5ad.load(written(), cell_type_key="cell_type", cell_type="microgla")
    with pytest.raises(UserError, match="set cell_type_key"):
        h5ad.load(written(), cell_type="microglia")

    def only_perturbed(adata: Any) -> None:
        adata.obs["cell_type"] = np.where(
            adata.obs["perturbation"] == "control", "neuron", "microglia"
        )

    with pytest.raises(UserError, match="no wild-type cell is of type 'microglia'"):
        h5ad.load(written(only_perturbed), cell_type_key="cell_type", cell_type="microglia")


def test_files_of_wild_type_only(written: Maker) -> None:
    dataset = h5ad.load(written(), perturbation_key="none")
    assert dataset.cells.n_obs == 40
    assert dataset.perturbed is None
    assert dataset.cells.obs == {}

    def all_control(adata: Any) -> None:
        adata.obs["perturbation"] = "control"

    assert h5ad.load(written(all_control)).perturbed is None


def test_perturbed_genes_that_are_not_measured_are_said(written: Maker) -> None:
    def rename(adata: Any) -> None:
        adata.obs["perturbation"] = adata.obs["perturbation"].cat.rename_categories(
            {"gene0": "ENSG1", "gene1+gene2": "ENSG2+control"}
        )

    dataset = h5ad.load(written(rename))
    assert (dataset.facts["perturbed genes"], dataset.facts["perturbed genes measured"]) == (2, 0)
    assert any("none of the 2 perturbed genes is among the genes" in note for note in dataset.notes)


def test_numeric_columns_become_text(written: Maker) -> None:
    def days(adata: Any) -> None:
        adata.obs["day"] = np.arange(adata.n_obs) % 3

    cells = h5ad.load(written(days), batch_key="day").cells
    assert cells.obs["day"].tolist() == [str(i % 3) for i in range(24)]


SENTENCES = {
    "missing": "does not exist; give path=",
    "zero-bytes": r"is empty \(0 bytes\); copy or download it again",
    "truncated": r"is truncated or damaged \(OSError: .*\); copy or download it again",
    "not-hdf5": r"is not an HDF5 file .*; write one with adata.write_h5ad",
    "not-anndata": r"is HDF5 but not AnnData \(obs, var missing\); write it",
    "nan": (
        r"1 value of X is not finite \(first: nan in cell 'cell3', gene 'gene2'\); write what"
        r" they are"
    ),
    "infinite": (
        r"1 value of X is not finite \(first: inf in cell 'cell3', gene 'gene2'\); write what"
        r" they are"
    ),
    "negative": (
        r"1 value of X is negative \(first: -1 in cell 'cell3', gene 'gene2'\); expression cannot"
        r" be; give counts"
    ),
    "empty": r"X is empty \(0 cells x 8 genes\); give a file with cells",
    "duplicate-gene": (
        r"1 gene name occurs more than once \(first: 'gene3', 2 times\); make them unique"
    ),
    "unnamed-gene": r"gene 4 \(counted from 0\) has an empty name; give every gene a name",
    "wrong-column": (
        r"obs has no column 'perturbation'; set perturbation_key to one it has .*did you mean"
        r" 'perturbations'\?"
    ),
    "all-zero-cell": (
        r"1 of 40 cells expresses none of the 8 genes \(first: cell 'cell5'\); give a copy"
        r" of the file with the others"
    ),
    "counts-but-fractions": (
        r"scale=counts is declared, but 3.. values are not whole .* in cell 'cell0', gene"
        r" 'gene0'\); declare scale"
    ),
    "log1p-but-counts": (
        r"scale=log1p is declared, but every value is a whole number, as counts are .largest: .*;"
        r" declare scale=counts"
    ),
    "log1p-but-large": (
        r"scale=log1p is declared, but 3.. values are above 20, .* in cell 'cell0', gene 'gene0'\);"
        r" declare"
    ),
    "mislabelled-control": (
        r"obs\['perturbation'\]: no cell has 'control'.*set control .*did you mean"
        r" 'unperturbed'. its labels: unperturbed .24"
    ),
    "unlabelled-cell": (
        r"obs\['perturbation'\] has no value for 1 of 40 cells \(first: 'cell7'\); fill it in, or,"
        r" if nobody knows what was perturbed in them, say that they are to be left out"
    ),
    "few-cells": r"has 4 wild-type cells; at least 10 are needed",
    "one-gene": r"has 1 gene; at least 2 are needed",
}


@pytest.mark.parametrize("fault", SENTENCES)
def test_each_broken_file_ends_in_one_sentence(broken_h5ad: Maker, fault: str) -> None:
    """The sentence says which file, what is wrong, where, and what to do."""
    path, parameters = broken_h5ad(fault)
    with pytest.raises(UserError, match=SENTENCES[fault]) as caught:
        h5ad.load(str(path), **parameters)
    message = str(caught.value)
    assert str(path) in message
    assert len(message.splitlines()) == 1
    assert not message.endswith(".")


def test_the_file_without_a_fault_loads(broken_h5ad: Maker) -> None:
    path, parameters = broken_h5ad("none")
    assert h5ad.load(str(path), **parameters).cells.n_obs == 24


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9, 0.99])
def test_truncated_anywhere(written: Maker, share: float) -> None:
    path = Path(written())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="is truncated or damaged"):
        h5ad.load(str(path))


def test_damage_inside_a_file_is_reported(written: Maker) -> None:
    """Bytes overwritten in the middle end in a sentence, whatever the libraries raise.

    Or the file loads as it is.
    """
    path = Path(written())
    sound = path.read_bytes()
    rng = np.random.default_rng(0)
    sentences = []
    for _ in range(40):
        content = bytearray(sound)
        start = int(rng.integers(8, len(sound) - 64))
        content[start : start + 64] = rng.bytes(64)
        path.write_bytes(bytes(content))
        try:
            h5ad.load(str(path))
        except UserError as error:
            sentences.append(str(error))
    assert sentences
    assert all(len(sentence.splitlines()) == 1 for sentence in sentences)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"batch_key": "Batches"},
            r"no column 'Batches'; set batch_key to one it has; did you mean 'batch'\?",
        ),
        ({"cell_type_key": "type"}, "no column 'type'; set cell_type_key"),
        ({"batch_key": "perturbation"}, "is the perturbation, so it cannot be batch or cell type"),
        ({"group_key": "batch+perturbation"}, "is the perturbation, so it cannot be batch"),
        ({"batch_key": "batch+cel_type"}, "no column 'cel_type'; set batch_key"),
        ({"replicate_key": "mouse"}, "no column 'mouse'; set replicate_key"),
        (
            {"totals_key": "n_counts"},
            "no column 'n_counts'; set totals_key.*did you mean 'n_counts_all'",
        ),
        ({"totals_key": "batch"}, r"obs\['batch'\] does not hold numbers"),
        (
            {"totals_key": "half"},
            r"obs\['half'\] says .* counts for cell 'cell0', but its genes in this file sum to",
        ),
        ({"totals_key": "n_counts_all", "scale": "linear"}, "totals serve to normalise counts"),
        ({"totals_key": "n_counts_all", "normalise": "log1p"}, "which uses no totals"),
        ({"scale": "linear", "normalise": "log1p"}, "only counts are normalised"),
        ({"path": ""}, "no h5ad file is given"),
    ],
)
def test_parameters_that_do_not_fit_the_file(
    written: Maker, parameters: dict[str, Any], message: str
) -> None:
    def half(adata: Any) -> None:
        adata.obs["half"] = adata.obs["n_counts_all"] / 4

    with pytest.raises(UserError, match=message):
        h5ad.load(**{"path": written(half), **parameters})


def test_too_few_genes_kept_for_a_cell(written: Maker) -> None:
    def lonely(adata: Any) -> None:
        X = adata.X.toarray()
        X[2, :7] = 0
        X[3, 7] = 0
        adata.X = scipy.sparse.csr_matrix(X)

    path = written(lonely)
    assert h5ad.load(path, genes=0).cells.n_vars == 8
    with pytest.raises(
        UserError,
        match=(
            r"1 of 40 cells expresses none of the 3 genes \(first: cell 'cell2'\); keep more genes"
        ),
    ):
        h5ad.load(path, genes=3)


def test_the_spec_lists_the_loaders_parameters() -> None:
    import inspect

    parameters = inspect.signature(h5ad.load).parameters
    spec = h5ad_spec()
    assert list(parameters) == list(spec.params)
    assert {name: value.default for name, value in parameters.items() if name != "path"} == {
        name: param.default for name, param in spec.params.items() if name != "path"
    }


def test_pbmc_without_scanpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        UserError,
        match=r"package scanpy, which is not installed here; pip install 'kobench\[pbmc\]'",
    ):
        pbmc.load()
