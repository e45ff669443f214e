"""`kobench predict --what cells`: counted cells of predicted changes, for the challenge."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas
import pytest
import scipy.sparse
from command import kobench
from counted_screens import made_screen

from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.predict.cells import COLUMN, CONTROL, CellsFile
from kobench.predict.predict import predict
from kobench.runner.request import Request

#: A predictor that says of every knockout that odd genes rise and even ones fall.
PLUGIN = '''
import numpy as np
from kobench.api import PredictorSpec, hookimpl


class Known:
    """The change of each gene's share: a tenth of it, up for odd genes and down for even ones."""

    def fit(self, cells, context):
        self.mean = cells.profiles().mean(axis=0)
        odd = [int(name[1:]) % 2 == 1 for name in cells.var_names]
        self.sign = np.where(odd, 1.0, -1.0)

    def supports(self, names):
        return np.asarray(names) != "g004"

    def predict_response(self, cells, knockouts):
        return np.tile(0.1 * self.sign * self.mean, (len(knockouts), 1))


class Direction(Known):
    pass


@hookimpl
def kobench_predictors():
    return [
        PredictorSpec("known", make=Known),
        PredictorSpec("direction", make=Direction, response="direction"),
    ]
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.mktemp("plugin") / "some.py"
    file.write_text(PLUGIN)
    return load_registry(plugin_files=[file])


@pytest.fixture(scope="module")
def controls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Control cells alone, labelled as in the challenge."""
    screen = made_screen(0)
    counts = scipy.sparse.csr_matrix(screen.control.astype(np.float32))
    obs = pandas.DataFrame(
        {"target": ["non-targeting"] * len(screen.control)},
        index=[f"c{i}" for i in range(len(screen.control))],
    )
    path = tmp_path_factory.mktemp("controls") / "controls.h5ad"
    var = pandas.DataFrame(index=screen.genes.tolist())
    anndata.AnnData(counts, obs=obs, var=var).write_h5ad(path)
    return path


def dataset(path: Path) -> str:
    return f"h5ad:path={path},perturbation_key=target,control=non-targeting"


def ask(registry, controls: Path, out: Path, predictor: str = "known", genes=(), **more):
    selection = dataset(controls)
    request = Request([selection], [predictor])
    return predict(
        registry, selection, predictor, "cells", out, genes=genes, request=request, **more
    )


def test_the_file_is_what_the_challenge_takes(registry, controls: Path, tmp_path: Path) -> None:
    screen, out = made_screen(0), tmp_path / "cells.h5ad"
    done = ask(registry, controls, out, genes=("g010", "g002"), each=30)
    cells = anndata.read_h5ad(out)
    labels = cells.obs[COLUMN].astype(str).to_numpy()
    n = len(screen.control)
    assert labels.tolist() == [CONTROL] * n + ["g002"] * 30 + ["g010"] * 30
    assert (done["rows"], done["unchanged"]) == (n + 60, [])
    # the loader leaves out genes that no control cell has
    kept = screen.genes[screen.control.sum(axis=0) > 0]
    assert len(kept) < len(screen.genes)
    assert cells.var_names.tolist() == kept.tolist()
    assert cells.obs_names.is_unique
    counts = cells.X.toarray()
    assert cells.X.dtype == np.float32
    assert (counts == counts.round()).all()
    assert counts.min() == 0
    seen = screen.control[:, screen.control.sum(axis=0) > 0]
    np.testing.assert_array_equal(counts[:n], seen)
    for gene in ("g002", "g010"):
        assert not counts[labels == gene, cells.var_names.get_loc(gene)].any()
    # shares of even genes were said to fall, those of odd ones to rise
    number = np.array([int(name[1:]) for name in cells.var_names])
    often = seen.mean(axis=0) > 2
    share = counts[labels != CONTROL].mean(axis=0) / seen.mean(axis=0)
    assert (share[often & (number % 2 == 1)] > 1).mean() > 0.9
    assert (share[often & (number % 2 == 0) & ~np.isin(number, (2, 10))] < 1).mean() > 0.9


def test_the_columns_may_be_said(registry, controls: Path, tmp_path: Path) -> None:
    screen, out, columns = made_screen(0), tmp_path / "cells.h5ad", tmp_path / "genes.txt"
    wanted = [*screen.genes[::-1].tolist(), "never heard of"]
    columns.write_text("\n".join(wanted) + "\n\n")
    ask(registry, controls, out, genes=("g010",), each=20, columns=columns)
    cells = anndata.read_h5ad(out)
    assert cells.var_names.tolist() == wanted
    n = len(screen.control)
    np.testing.assert_array_equal(cells.X[:n, :-1].toarray(), screen.control[:, ::-1])
    assert cells.X[:, -1].nnz == 0
    plain = tmp_path / "plain.h5ad"
    ask(registry, controls, plain, genes=("g010",), each=20)
    other = anndata.read_h5ad(plain)
    np.testing.assert_array_equal(cells[:, other.var_names].X.toarray(), other.X.toarray())
    columns.write_text("\n".join(wanted[1:]))
    with pytest.raises(UserError, match=r"has no line .*, which the dataset has"):
        ask(registry, controls, out, genes=("g010",), columns=columns)
    columns.write_text("g000\ng000\n")
    with pytest.raises(UserError, match="has the line g000 2 times"):
        ask(registry, controls, out, genes=("g010",), columns=columns)
    with pytest.raises(UserError, match="can't be read"):
        ask(registry, controls, out, genes=("g010",), columns=tmp_path / "nowhere.txt")


def test_the_same_seed_gives_the_same_cells(registry, controls: Path, tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        ask(registry, controls, tmp_path / f"{name}.h5ad", genes=("g010",), each=9, cell_seed=seed)
        found.append(anndata.read_h5ad(tmp_path / f"{name}.h5ad").X.toarray())
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_a_target_without_an_answer_has_cells_in_which_nothing_else_changes(
    registry, controls: Path, tmp_path: Path
) -> None:
    out = tmp_path / "cells.h5ad"
    done = ask(registry, controls, out, genes=("g004", "g010"), each=20)
    assert done["unchanged"] == ["g004"]
    cells = anndata.read_h5ad(out)
    labels = cells.obs[COLUMN].astype(str).to_numpy()
    known = cells.X.toarray()[labels == CONTROL]
    known[:, cells.var_names.get_loc("g004")] = 0
    rows = {tuple(row) for row in known.tolist()}
    assert all(tuple(row) in rows for row in cells.X.toarray()[labels == "g004"].tolist())


def test_what_has_no_counts_or_no_size_is_refused(registry, controls: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="answers with a direction, which has no size"):
        ask(registry, controls, tmp_path / "x.h5ad", "direction", genes=("g010",))
    with pytest.raises(UserError, match=r"on grn.*: the dataset has no counts"):
        predict(
            registry,
            "grn:cells=30,genes=20",
            "known",
            "cells",
            tmp_path / "x.h5ad",
            request=Request(["grn:cells=30,genes=20"], ["known"]),
        )
    with pytest.raises(UserError, match=r"has no known ending; expected one of .h5ad"):
        ask(registry, controls, tmp_path / "x.csv", genes=("g010",))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    out = tmp_path / "x.h5ad"
    with pytest.raises(ValueError, match="later"), CellsFile(out):
        raise ValueError("later")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(controls: Path, tmp_path: Path) -> None:
    plugin, out = tmp_path / "some.py", tmp_path / "cells.h5ad"
    plugin.write_text(PLUGIN)
    asked = ("predict", dataset(controls), "-p", "known", "--plugin", plugin)
    done = kobench(
        *(*asked, "--what", "cells", "--format", "vcc", "--cells", 5),
        *("--gene", "g004", "--gene", "g010", "-o", out),
    )
    assert f"Wrote {out}: {len(made_screen(0).control) + 10} rows (cells by known" in done.stdout
    assert "1 target without an answer, in whose cells nothing else changes: g004." in done.stdout
    wrong = kobench(*asked, "--what", "cells", "-o", out, code=2)
    assert "--what cells needs --format vcc" in wrong.stderr
    wrong = kobench(*asked, "--what", "response", "--cells", 5, "-o", "x.csv", code=2)
    assert "--cells is for --what cells; leave it out with response" in wrong.stderr
