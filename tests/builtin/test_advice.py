"""What messages advise is true of the very file: each advice is followed here, and it works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")
anndata = pytest.importorskip("anndata")

from by_hand import BATCHES, CELLS, GENES, LABELS, annotated, counts, frame, sparse, text  # noqa: E402
from command import kobench  # noqa: E402

from kobench.builtin.datasets import h5ad, table  # noqa: E402
from kobench.dataset import Dataset  # noqa: E402
from kobench.errors import UserError  # noqa: E402


def refused(load: Callable[[], Dataset]) -> str:
    """The one sentence by which something is refused."""
    with pytest.raises(UserError) as caught:
        load()
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    return said


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """`made(X=matrix, **columns)` -> a file with these counts and columns of obs."""

    def make(X: Any = None, layer: Any = None, **columns: Any) -> Path:
        cells = {"perturbation": text(LABELS), "batch": text(BATCHES), **columns}

        def matrices(file: Any) -> None:
            file["X"] = counts() if X is None else X
            if layer is not None:
                sparse(file.create_group("layers"), "raw counts", layer)

        return annotated(
            tmp_path / "mine.h5ad",
            X=matrices,
            obs=lambda file: frame(file, "obs", text(CELLS), cells),
            var=lambda file: frame(file, "var", text(GENES), {}),
        )

    return make


def parameters_in(said: str) -> list[dict[str, Any]]:
    """Each parameter that a message advises."""
    advised = said.rpartition("; no other")[0] or said
    found = re.findall(r"\b(scale|layer|raw)=('[^']*'|[\w.-]+)", advised.rpartition("); ")[2])
    return [{key: value == "true" if key == "raw" else value.strip("'")} for key, value in found]


LOGS = np.log1p(counts())


@pytest.mark.parametrize(
    ("X", "how", "advised"),
    [
        (LOGS, {}, ["log1p-cp10k", "log1p", "linear"]),
        (LOGS * 7, {}, ["log1p", "linear"]),
        (LOGS * 99, {}, ["linear"]),
        (LOGS * 7, {"scale": "log1p-cp10k"}, ["log1p", "linear"]),
        (LOGS * 99, {"scale": "log1p"}, ["linear"]),
        (counts() * 30, {"scale": "log1p"}, ["counts", "linear"]),
        (counts(), {"scale": "log1p"}, ["counts", "linear"]),
    ],
)
def test_each_scale_that_is_advised_is_taken(
    made: Callable[..., Path], X: Any, how: dict[str, Any], advised: list[str]
) -> None:
    path = str(made(X))
    found = parameters_in(refused(lambda: h5ad.load(path, **how)))
    assert [each["scale"] for each in found] == advised
    for each in found:
        h5ad.load(path, **each)


@pytest.mark.parametrize("fault", ["negative", "not finite", "not whole"])
def test_counts_elsewhere_are_named_whatever_is_wrong_with_x(
    made: Callable[..., Path], fault: str
) -> None:
    X = {
        "negative": counts() - counts().mean(0),
        "not finite": np.where(counts() == 2, np.nan, counts()),
        "not whole": LOGS,
    }[fault]
    path = str(made(X, layer=counts()))
    said = refused(lambda: h5ad.load(path))
    assert fault in said
    assert parameters_in(said) == [{"layer": "raw counts"}]
    h5ad.load(path, layer="raw counts")


def test_a_layer_and_raw_that_are_not_there(made: Callable[..., Path]) -> None:
    path = str(made())
    for how in ({"layer": "umi"}, {"raw": True}):
        said = refused(lambda how=how: h5ad.load(path, **how))
        assert said.endswith("leave layer and raw out (X holds whole numbers)")
    h5ad.load(path)


def test_cells_without_expression(made: Callable[..., Path], tmp_path: Path) -> None:
    """The other cells are kept, whichever matrix is read."""
    X = counts()
    X[30] = 0
    path = str(made(counts(), layer=X))
    said = refused(lambda: h5ad.load(path, layer="raw counts"))
    assert "adata[adata.layers['raw counts'].sum(axis=1) > 0].copy()" in said
    adata = anndata.read_h5ad(path)
    adata = adata[adata.layers["raw counts"].sum(axis=1) > 0].copy()
    for column in ("_index",):
        adata.obs = adata.obs.drop(columns=column, errors="ignore")
        adata.var = adata.var.drop(columns=column, errors="ignore")
    adata.write_h5ad(tmp_path / "copy.h5ad")
    assert h5ad.load(str(tmp_path / "copy.h5ad"), layer="raw counts").facts["cells in file"] == 39


def test_cells_that_express_what_no_wild_type_cell_does(made: Callable[..., Path]) -> None:
    """To filter cells by the number of their genes would not help."""
    X = counts()
    X[:24, 3], X[30], X[30, 3] = 0, 0, 2
    said = refused(lambda: h5ad.load(str(made(X))))
    assert "what they express is seen in no wild-type cell" in said
    labels = [*LABELS[:30], "empty", *LABELS[31:]]
    dataset = h5ad.load(str(made(X, perturbation=text(labels))), unassigned=["empty"])
    assert dataset.facts["perturbed cells"] == 15


def test_cells_that_lose_all_by_the_choice_of_genes(made: Callable[..., Path]) -> None:
    X = counts()
    X[30] = 0
    X[30, 5] = 1
    path = str(made(X))
    said = refused(lambda: h5ad.load(path, genes=3))
    assert said.endswith("keep more genes (genes=0 keeps all)")
    h5ad.load(path)


def test_gaps_and_blanks(made: Callable[..., Path]) -> None:
    batches = ["", *BATCHES[1:]]
    said = refused(lambda: h5ad.load(str(made(batch=text(batches))), batch_key="batch"))
    assert said.endswith("fill it in, for instance with 'unknown', or leave batch_key out")
    filled = ["unknown", *BATCHES[1:]]
    assert h5ad.load(str(made(batch=text(filled))), batch_key="batch").cells.n_obs == 24
    path = str(made(perturbation=text([*LABELS[:-1], "  "])))
    said = refused(lambda: h5ad.load(path))
    assert "leave them out by `--unassigned ''`" in said
    assert h5ad.load(path, unassigned=[""]).facts["perturbed cells"] == 15


def test_one_perturbation_of_two_kinds(made: Callable[..., Path]) -> None:
    kinds = ["none"] * 24 + ["KO"] * 4 + ["CRISPRi"] * 4 + ["KO"] * 8
    said = refused(lambda: h5ad.load(str(made(kind=text(kinds))), kind_key="kind"))
    assert "another label in a copy of the file, and leave that label out (`--unassigned" in said
    labels = LABELS[:28] + ["gene0 i"] * 4 + LABELS[32:]
    path = str(made(kind=text(kinds), perturbation=text(labels)))
    assert h5ad.load(path, kind_key="kind", unassigned=["gene0 i"]).facts["perturbed cells"] == 12


def test_matrices_of_other_cells(made: Callable[..., Path]) -> None:
    assert refused(lambda: h5ad.load(str(made(counts().T)))).endswith("so that cells are rows")
    said = refused(lambda: h5ad.load(str(made(counts()[:, :7]))))
    assert "transpose" not in said
    assert said.endswith("it belongs to other ones, so write what belongs together")


def test_a_file_without_columns(tmp_path: Path) -> None:
    path = annotated(tmp_path / "mine.h5ad", obs=lambda file: frame(file, "obs", text(CELLS), {}))
    assert "or bring a table with columns (`--obs FILE.csv`)" in refused(
        lambda: h5ad.load(str(path))
    )
    lines = [f"{cell},{label}" for cell, label in zip(CELLS, LABELS, strict=True)]
    (tmp_path / "calls.csv").write_text("\n".join(["cell,perturbation", *lines]))
    h5ad.load(str(path), obs=str(tmp_path / "calls.csv"))


def test_links_are_followed_by_anndata_alone(made: Callable[..., Path], tmp_path: Path) -> None:
    path = made()
    with h5py.File(path, "r+") as file:
        with h5py.File(tmp_path / "other.h5", "w") as other:
            file.copy("X", other)
        del file["X"]
        file["X"] = h5py.ExternalLink("other.h5", "/X")
        for name in ("obs", "var"):
            file[name].attrs["encoding-type"] = "dataframe"
            file[name].attrs["encoding-version"] = "0.2.0"
    assert "adata.write_h5ad(FILE)" in refused(lambda: h5ad.load(str(path)))
    anndata.read_h5ad(path).write_h5ad(tmp_path / "copy.h5ad")
    h5ad.load(str(tmp_path / "copy.h5ad"))


def test_tables_with_names(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(f"g{i}," + ",".join(map(str, row)) for i, row in enumerate(
        counts().T)))  # fmt: skip
    said = refused(lambda: table.load(str(path)))
    assert "give a copy without it" in said
    lines = [line.partition(",")[2] for line in path.read_text().splitlines()]
    (tmp_path / "copy.csv").write_text("\n".join(lines))
    table.load(str(tmp_path / "copy.csv"))


def add(path: Path, *options: object, code: int) -> str:
    """What `kobench datasets add` says."""
    found = kobench(
        *("datasets", "add", path, "--perturbation-key", "perturbation", "--check"),
        *options,
        code=code,
    )
    return found.stderr if code else found.stdout


def test_add_advises_its_own_options(made: Callable[..., Path], tmp_path: Path) -> None:
    path = made(LOGS, layer=counts())
    said = add(path, code=2)
    assert "set --layer 'raw counts' (the layer holds whole numbers)" in said
    add(path, "--layer", "raw counts", code=0)
    said = add(path, "--layer", "raw counts", "--batch-key", "lane", code=2)
    assert "set --batch-key to one it has; its columns: batch, perturbation" in said
    assert "give one that is there" in add(tmp_path / "nowhere.h5ad", code=2)


def test_no_card_is_to_be_deleted(made: Callable[..., Path], tmp_path: Path) -> None:
    path, options = made(), ("--perturbation-key", "perturbation", "--name", "mine")
    command = ("datasets", "add", path, *options, "--to", tmp_path / "cards")
    kobench(*command)
    said = kobench(*command, code=2).stderr
    assert "choose another --name, or say --replace to write it anew" in said
    os.rename(tmp_path / "cards" / "mine.toml", tmp_path / "kept.toml")
    kobench(*command)
    kobench(*command, "--replace")


def test_no_advice_is_to_delete_or_drop() -> None:
    """Words that would have a user lose cells, genes or files stand in no message."""
    rooms = ("builtin/datasets", "datasets", "audit", "cli")
    root = Path(sys.modules["kobench"].__file__ or "").parent
    harm = re.compile(
        r"delete it|remove (it|them) and|out of the file|from the file(?! of)"
        r"|filter_cells|filter_genes|keep fewer|remove those|\bdrop "
    )
    found = [
        f"{path.relative_to(root)}: {text}"
        for room in rooms
        for path in (root / room).rglob("*.py")
        for text in re.findall(r'f?"([^"\n]*)"', path.read_text())
        if harm.search(text)
    ]
    assert found == []


def test_a_lock_is_waited_for(made: Callable[..., Path]) -> None:
    """A file that another process holds is named as that, and reads once it is closed."""
    path = made()
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        said = refused(lambda: h5ad.load(str(path)))
        assert "close it there, or wait, and try again" in said
        other.communicate(b"\n")
    h5ad.load(str(path))
