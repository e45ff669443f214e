"""Labels of whole files: as GEARS, scPerturb and guide libraries write them, and by other names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from screens import CONTROLS, GENES, PERTURBED, screen, written

from kobench.builtin.datasets import h5ad
from kobench.dataset import Dataset
from kobench.datasets.digest import digest
from kobench.datasets.split import rows_of
from kobench.errors import UserError
from kobench.truth.population import why_unasked

pytest.importorskip("anndata")


def asked(dataset: Dataset) -> list[str]:
    """The perturbations that can be asked."""
    assert dataset.perturbed is not None
    named = set(dataset.perturbed.obs["perturbation"].tolist())
    return sorted(named - set(why_unasked(dataset, *rows_of(dataset, "halves", 0))))


def load(tmp_path: Path, change: Callable[[str], object] = str, **how: Any) -> Dataset:
    return h5ad.load(written(screen(change), tmp_path), **how)


def joined(control: str) -> Callable[[str], str]:
    """Labels as GEARS has them: a control beside every single gene."""
    return lambda x: control if x == "control" else x if "+" in x else f"{x}+{control}"


def in_turn(*words: str) -> Callable[[str], str]:
    """Labels in which control cells have these words in turn."""
    turn = iter(range(10**6))
    return lambda x: words[next(turn) % len(words)] if x == "control" else x


@pytest.mark.parametrize(
    ("change", "how"),
    [
        (str, {}),
        (joined("ctrl"), {"control": "ctrl"}),
        (joined("NT"), {"control": "NT"}),
        (lambda x: "+".join(reversed(joined("NT")(x).split("+"))), {"control": "NT"}),
        (lambda x: "NT+NT" if x == "control" else f"NT+{x}", {"control": "NT"}),
        (in_turn("NT1", "NT2", "NT1+NT2"), {"control": ["NT1", "NT2"]}),
        (in_turn("NT1", "NT2", "NT17"), {"control": "NT*"}),
        (lambda x: x if x == "control" else f"safe+{x}", {"control": ["control", "safe"]}),
        (in_turn("ctrl", "ctrl ", "Ctrl"), {"control": "ctrl"}),
        (lambda x: f" {x} ", {}),
        (lambda x: x.replace("+", "_"), {"join": "_"}),
        (lambda x: x.replace("+", "|"), {"join": "|"}),
        (lambda x: x.replace("+", ", "), {"join": ","}),
        (lambda x: f"{x.replace('+', '_')}_g1", {"guide_pattern": "{gene}_g{n}", "join": "_"}),
        (
            lambda x: "+".join(f"sg{part}-3" for part in x.split("+")),
            {"guide_pattern": "sg{gene}-*"},
        ),
        (lambda x: "+".join(part.capitalize() for part in x.split("+")), {"ignore_case": True}),
    ],
)
def test_all_perturbations_of_a_screen_are_asked(
    tmp_path: Path, change: Callable[[str], object], how: dict[str, Any]
) -> None:
    dataset = load(tmp_path, change, **how)
    assert dataset.cells.n_obs == CONTROLS
    assert asked(dataset) == list(PERTURBED)
    plain = h5ad.load(written(screen(), tmp_path, "plain.h5ad"))
    assert digest(dataset.cells) == digest(plain.cells)
    assert dataset.perturbed is not None
    assert plain.perturbed is not None
    assert digest(dataset.perturbed) == digest(plain.perturbed)


@pytest.mark.parametrize(
    ("change", "how", "advice"),
    [
        (lambda x: x.replace("+", "_"), {}, "did you mean `--join '_'`? then 4 of 4"),
        (lambda x: x.replace("+", "|"), {}, "did you mean `--join '|'`? then 4 of 4"),
        (
            lambda x: f"{x.replace('+', '_')}_g1",
            {"control": "control_g1"},
            "did you mean `--guide-pattern '{gene}_g{n}'` and `--join '_'`? then 4 of 4",
        ),
        (
            lambda x: "+".join(part.capitalize() for part in x.split("+")),
            {"control": "Control"},
            "did you mean `--ignore-case`? then 4 of 4",
        ),
        (lambda x: x.lower().replace("+", "_"), {}, "`--join '_'` and `--ignore-case`"),
        (
            lambda x: x if x == "control" else "+".join(f"{part}-KO" for part in x.split("+")),
            {},
            "did you mean `--guide-pattern '{gene}-*'`? then 4 of 4",
        ),
    ],
)
def test_what_was_meant_is_offered_and_following_it_works(
    tmp_path: Path, change: Callable[[str], str], how: dict[str, Any], advice: str
) -> None:
    notes = load(tmp_path, change, **how).notes
    (offer,) = (note for note in notes if note.startswith("did you mean"))
    assert set(re.findall("`.*?`", advice)) <= set(re.findall("`.*?`", offer))
    followed: dict[str, Any] = {}
    for option, value in re.findall(r"`--([a-z-]+)(?: '(.*?)')?`", offer):
        followed[option.replace("-", "_")] = value or True
    if "guide_pattern" in followed:
        how = {}
    assert asked(load(tmp_path, change, **how, **followed)) == list(PERTURBED)


def by_id(twice: bool = False) -> Any:
    """A screen whose genes have Ensembl ids, with symbols beside them."""
    adata = screen()
    adata.var["gene_name"] = list(GENES)
    adata.var["gene_ids"] = [f"ENSG{i:011d}.{i}" for i in range(len(GENES))]
    adata.var_names = list(adata.var["gene_ids"])
    if twice:
        adata.var["gene_name"] = ["GATA1", "TAL1", "TAL1", None, *GENES[4:]]
    return adata


def test_symbols_in_var(tmp_path: Path) -> None:
    path = written(by_id(), tmp_path)
    dataset = h5ad.load(path)
    assert asked(dataset) == []
    assert "did you mean `--var-key gene_name`? then 4 of 4 perturbations" in " ".join(
        dataset.notes
    )
    dataset = h5ad.load(path, var_key="gene_name")
    assert asked(dataset) == list(PERTURBED)
    assert dataset.cells.var_names.tolist() == list(GENES)
    with pytest.raises(UserError, match=r"var has no column 'gene_nam'.*did you mean 'gene_name'"):
        h5ad.load(path, var_key="gene_nam")


def test_ids_in_labels_and_symbols_as_genes(tmp_path: Path) -> None:
    adata = by_id()
    ids = dict(zip(GENES, adata.var["gene_ids"], strict=True))
    adata.obs["perturbation"] = [
        "+".join(ids.get(part, part).split(".")[0] for part in label.split("+"))
        for label in adata.obs["perturbation"]
    ]
    assert len(asked(h5ad.load(written(adata, tmp_path)))) == 4  # with versions, or without
    adata.var_names = list(GENES)
    path = written(adata, tmp_path)
    assert "`--var-key gene_ids`? then 4 of 4" in " ".join(h5ad.load(path).notes)
    assert len(asked(h5ad.load(path, var_key="gene_ids"))) == 4
    # and the other way round: a key that was too much
    adata.obs["perturbation"] = screen().obs["perturbation"].to_numpy()
    path = written(adata, tmp_path)
    assert "did you mean no `--var-key`? then 4 of 4" in " ".join(
        h5ad.load(path, var_key="gene_ids").notes
    )


def test_symbols_that_are_there_twice_keep_their_ids_and_are_said(tmp_path: Path) -> None:
    dataset = h5ad.load(written(by_id(twice=True), tmp_path), var_key="gene_name")
    kept = [name for name in dataset.cells.var_names.tolist() if name.startswith("ENSG")]
    assert kept == [f"ENSG{i:011d}.{i}" for i in (1, 2, 3)]
    assert asked(dataset) == ["GATA1"]
    heard = " | ".join(dataset.notes)
    assert "1 names in var['gene_name'] belong to 2 genes ('TAL1')" in heard
    assert "their values are not summed" in heard
    assert "1 genes have no name in var['gene_name'] and keep the names of the index" in heard
    assert f"'TAL1' is the name of 2 genes ({kept[0]}, {kept[1]})" in heard
    adata = by_id()
    adata.var["all"] = "gene"
    with pytest.raises(UserError, match=r"var\['all'\] names no gene alone \(1 names for 12 genes"):
        h5ad.load(written(adata, tmp_path), var_key="all")


def test_mouse_and_human_genes_in_one_file(tmp_path: Path) -> None:
    adata = screen()
    adata.var_names = [*GENES[:4], "Gata1", "Tal1", *GENES[6:]]
    adata.obs["perturbation"] = [x.lower() if x == "TAL1" else x for x in adata.obs["perturbation"]]
    dataset = h5ad.load(written(adata, tmp_path), ignore_case=True)
    assert asked(dataset) == ["GATA1", "GATA1+SPI1", "KLF1"]
    assert "'tal1' could be TAL1 or Tal1, which differ by case only" in " ".join(dataset.notes)


def test_a_table_of_labels(tmp_path: Path) -> None:
    number = {"control": "0", "GATA1": "1", "GATA1+SPI1": "2", "KLF1": "3", "TAL1": "4"}
    table = {"1": "GATA1", "2": "SPI1+GATA1", "3": "KLF1", "4": "TAL1"}
    dataset = load(tmp_path, lambda x: number[x], control="0", labels=table)
    assert asked(dataset) == list(PERTURBED)
    del table["3"]
    with pytest.raises(UserError, match=r"1 of 5 labels are not in the table.*'3' \(40 cells\)"):
        load(tmp_path, lambda x: number[x], control="0", labels=table)


def test_numbers_as_labels(tmp_path: Path) -> None:
    number = {"control": 0, "GATA1": 1, "GATA1+SPI1": 2, "KLF1": 3, "TAL1": 4}
    table = {"1": "GATA1", "2": "SPI1+GATA1", "3": "KLF1", "4": "TAL1"}
    for kind in (int, float, np.int8):
        dataset = load(tmp_path, lambda x, kind=kind: kind(number[x]), control="0", labels=table)
        assert asked(dataset) == list(PERTURBED)


def test_categories_and_bytes_as_labels(tmp_path: Path) -> None:
    import h5py
    import pandas

    adata = screen()
    adata.obs["perturbation"] = pandas.Categorical(adata.obs["perturbation"])
    assert asked(h5ad.load(written(adata, tmp_path))) == list(PERTURBED)
    path = written(screen(), tmp_path)
    with h5py.File(path, "r+") as file:
        text = np.array(screen().obs["perturbation"], dtype="S")
        attributes = dict(file["obs/perturbation"].attrs)
        del file["obs/perturbation"]
        file["obs/perturbation"] = text
        file["obs/perturbation"].attrs.update({**attributes, "encoding-type": "array"})
    assert asked(h5ad.load(path)) == list(PERTURBED)


def test_a_label_with_a_line_end_is_shown_in_one_row(tmp_path: Path) -> None:
    dataset = load(tmp_path, lambda x: "K\nLF1" if x == "KLF1" else x)
    assert asked(dataset) == ["GATA1", "GATA1+SPI1", "TAL1"]
    assert r"'K\nLF1' has hidden characters" in dataset.notes
    with pytest.raises(UserError) as caught:
        load(tmp_path, lambda x: "no\nne" if x == "control" else x)
    assert str(caught.value).isprintable()


def test_cells_without_a_label_are_refused(tmp_path: Path) -> None:
    for nothing in (None, float("nan"), "", " ", "\u200b"):
        with pytest.raises(UserError, match="40 of 280 cells"):
            load(tmp_path, lambda x, nothing=nothing: nothing if x == "KLF1" else x)


def underscored(label: str) -> str:
    """Labels as GEARS has them, with another sign, one of them turned, and an unmeasured gene."""
    gene = "LYL1" if label == "KLF1" else label
    if gene == "control":
        return "ctrl"
    return gene.replace("+", "_") if "+" in gene else f"{gene}_ctrl"


def test_where_a_join_is_offered_no_label_is_offered_as_a_control(tmp_path: Path) -> None:
    adata = screen(underscored)
    labels = np.asarray(adata.obs["perturbation"], dtype=object)
    labels[np.flatnonzero(labels == "TAL1_ctrl")[::2]] = "ctrl_TAL1"
    adata.obs["perturbation"] = labels
    path = written(adata, tmp_path)
    notes = h5ad.load(path, control="ctrl").notes
    assert not [note for note in notes if "may be controls" in note]
    (offer,) = (note for note in notes if note.startswith("did you mean"))
    assert "`--join '_'`? then 3 of 4 " in offer  # ctrl_TAL1 and TAL1_ctrl are one
    read = h5ad.load(path, control="ctrl", join="_")
    assert asked(read) == ["GATA1", "GATA1+SPI1", "TAL1"]
    assert "LYL1" in read.perturbed.obs["perturbation"]
    assert any("5 labels of perturbed cells are 4 perturbations" in note for note in read.notes)


@pytest.mark.parametrize("column", ["batch", "Lane", "gem_group", "library"])
def test_a_column_that_looks_like_the_batch_is_offered(tmp_path: Path, column: str) -> None:
    adata = screen()
    adata.obs[column] = ["a", "b"] * (adata.n_obs // 2)
    adata.obs["cell_cycle"] = ["a", "b"] * (adata.n_obs // 2)
    path = written(adata, tmp_path)
    (note,) = (note for note in h5ad.load(path).notes if "no batch column is given" in note)
    assert f"then --batch-key {column}" in note
    assert not [each for each in h5ad.load(path, batch_key=column).notes if "batch" in each]
    adata.obs[column] = "a"
    path = written(adata, tmp_path)
    assert not [each for each in h5ad.load(path).notes if "batch" in each]
