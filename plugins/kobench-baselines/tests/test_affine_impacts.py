"""Impacts of the network in closed form.

They are compared with numbers by hand, with the formula one event at a time, and with what
kobench derives.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from kobench_baselines import affine_impacts
from kobench_baselines.affine_impacts import AffineImpacts, in_order_of_genes
from kobench_baselines.mlp import MLP
from kobench_baselines.network import Layers

from benchmarks.plain.impacts import Network, impacts
from kobench.api import Cells, Context, Knockouts
from kobench.worker.derive import Asker

#: Both ways of working, whatever the amount of work.
WAYS = {"rows": 10**18, "kernel": 0}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Each of the two ways of working."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(affine_impacts, "MUCH_WORK", WAYS[request.param])
        yield request.param


def network_of(genes: int, hidden: int = 3, seed: int = 0) -> Network:
    """Some values of either sign, some genes whose values are 0 whatever is on."""
    rng = np.random.default_rng(seed)
    W2, b2 = rng.normal(size=(genes, hidden)), rng.normal(size=genes)
    silent = rng.random(genes) < 0.15
    W2[silent], b2[silent] = 0, 0
    return Network(rng.normal(size=(hidden, genes)), rng.normal(size=hidden), W2, b2)


def closed_form(network: Network, threads: int = 1) -> AffineImpacts:
    layers = Layers(
        *(torch.from_numpy(array) for array in (network.W1, network.b1, network.W2, network.b2))
    )
    return AffineImpacts(layers, threads)


def cells_on(on: npt.NDArray[np.bool_]) -> Cells:
    return Cells(on.astype(np.float32), np.array([f"g{gene}" for gene in range(on.shape[1])]))


def plainly(
    network: Network, on: npt.NDArray[np.bool_], events: Knockouts
) -> npt.NDArray[np.float64]:
    assert events.cells is not None
    return (
        np.array(
            [
                impacts(network, on[cell], genes)
                for cell, genes in zip(events.cells, events.genes, strict=True)
            ]
        )
        .reshape(-1, 2)
        .T
    )


def assert_as_plain(
    network: Network, on: npt.NDArray[np.bool_], events: Knockouts, threads: int = 1
) -> None:
    answer = closed_form(network, threads)(cells_on(on), events)
    np.testing.assert_allclose(
        [answer.raw, answer.propagated], plainly(network, on, events), rtol=1e-9, atol=1e-14
    )


def test_by_hand(way: str) -> None:
    """Three genes on of four, z = 1/3. W2 W1 = W2 as W1 is the identity; b1 = 0.

    U = (3 + 0 + 3) / 3 + 0, (0 + 3 + 3) / 3 - 3, (3 + 0 + 0) / 3 + 0 = 2, -1, 1: the profile is (2,
    1, 1) / 4. Without gene 2, z = 1/2: U = 3/2, 3/2 - 3, . = 3/2, -3/2: the profile is (1/2, 1/2,
    0); the null is (2/3, 1/3, 0). raw = (0 + 1/4 + 1/4) / 2 = 1/4; propagated = (1/6 + 1/6) / 2 =
    1/6.
    """
    W = np.array([[3.0, 0, 3, 9], [0, 3, 3, 9], [3, 0, 0, 9], [9, 9, 9, 9]])
    network = Network(np.eye(4), np.zeros(4), W, np.array([0.0, -3, 0, 9]))
    answer = closed_form(network)(
        cells_on(np.array([[True, True, True, False]])), Knockouts([[2]], [0])
    )
    np.testing.assert_allclose(answer.raw, [1 / 4], rtol=1e-14)
    np.testing.assert_allclose(answer.propagated, [1 / 6], rtol=1e-14)


@settings(deadline=None, max_examples=150)
@given(
    genes=st.integers(1, 9),
    cells=st.integers(1, 6),
    order=st.integers(0, 3),
    density=st.sampled_from([0.0, 0.2, 0.7, 1.0]),
    seed=st.integers(0, 10**6),
    way=st.sampled_from(sorted(WAYS)),
    small=st.booleans(),
)
def test_as_one_event_at_a_time(
    genes: int, cells: int, order: int, density: float, seed: int, way: str, small: bool
) -> None:
    """Events of any order, in any order of cells.

    Genes are on, off or named twice; there are empty cells, a single gene, and all genes removed.
    """
    rng = np.random.default_rng(seed)
    on = rng.random((cells, genes)) < density
    events = Knockouts(rng.integers(0, genes, (30, order)), rng.integers(0, cells, 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(affine_impacts, "MUCH_WORK", WAYS[way])
        if small:  # several cells a block, several blocks, columns of W in strips of two genes
            patch.setattr(affine_impacts, "CELLS_A_TASK", 2)
            patch.setattr(affine_impacts, "CELLS_A_BLOCK", 3)
            patch.setattr(affine_impacts, "TABLE_BYTES", 16 * genes)
            patch.setattr(affine_impacts, "ROW_ENTRIES", {"cpu": 5 * genes})
        assert_as_plain(network_of(genes, seed=seed), on, events, threads=1 + seed % 2)


@pytest.mark.parametrize("order", [1, 2])
def test_as_one_event_at_a_time_with_many_genes(way: str, order: int) -> None:
    """Cells with 0 to 260 genes on of 300, so that all lengths of the compiled loops are met."""
    rng = np.random.default_rng(order)
    on = rng.random((60, 300)) < np.linspace(0, 0.85, 60)[:, None]
    events = Knockouts(rng.integers(0, 300, (400, order)), rng.integers(0, 60, 400))
    assert_as_plain(network_of(300, hidden=20), on, events, threads=2)


@pytest.mark.parametrize(
    ("W", "b", "gene", "raw", "propagated"),
    [
        (
            [0, 0, 0],
            [0, 0, 0],
            0,
            1 / 3,
            0,
        ),  # uniform before and after: the own share, and nothing responds
        (
            [0, 0, 0],
            [1, 0, 0],
            0,
            1,
            1,
        ),  # all there was is removed: uniform over the rest after, 0 in the null
        ([0, 0, 0], [1, 0, 0], 1, 0, 0),  # a gene without a value
        ([0, -3, -3], [2, 1, 1], 0, 1, 1),  # (2, 0, 0) before, (., 1/2, 1/2) after
        (
            [0, -2, -2],
            [3, 1, 1],
            0,
            9 / 11,
            0,
        ),  # (9, 1, 1) / 11 before; 1 - 2/2 = 0 after, which thirds miss by rounding
        ([3, 3, -3], [-1, -1, 1], 0, 1 / 3, 0),  # 0 before, so uniform; (., 1/2, 1/2) after
    ],
)
def test_rows_of_zeros(
    way: str, W: list[float], b: list[float], gene: int, raw: float, propagated: float
) -> None:
    """Where all values vanish the profile is uniform over what is on.

    W2 W1 has W in its diagonal, 3 genes are on.
    """
    network = Network(np.eye(3), np.zeros(3), np.diag(W).astype(float), np.asarray(b, float))
    on, event = np.ones((1, 3), bool), Knockouts([[gene]], [0])
    answer = closed_form(network)(cells_on(on), event)
    np.testing.assert_allclose(
        [answer.raw, answer.propagated], [[raw], [propagated]], rtol=1e-12, atol=1e-15
    )
    np.testing.assert_allclose(
        plainly(network, on, event), [[raw], [propagated]], rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("order", [1, 2, 3])
def test_as_derived_from_profiles(way: str, draw: Callable[..., Cells], order: int) -> None:
    """A fitted network's impacts are those that kobench derives from its profiles.

    Rounded to 9 decimals they are equal.
    """
    train, asked = draw(n=80), draw(seed=1, n=40)
    predictor = MLP(hidden=6, steps=40)
    predictor.fit(train, Context(device="cpu"))
    on = asked.assemblages()
    rng = np.random.default_rng(order)
    cells = np.repeat(np.flatnonzero(on.sum(axis=1) > order), 8)
    events = Knockouts(
        np.array([rng.choice(np.flatnonzero(on[cell]), order, replace=False) for cell in cells]),
        cells,
    )
    none, all_genes = np.zeros(0, np.int64), np.ones(asked.n_vars, bool)
    derived = Asker(predictor, ("expression",)).singles(asked, events, none, all_genes)
    own = Asker(predictor, ("expression", "impact")).singles(asked, events, none, all_genes)
    for name in ("raw", "propagated"):
        mine, theirs = getattr(own, name), getattr(derived, name)
        assert theirs.min() > 1e-6
        np.testing.assert_allclose(mine, theirs, rtol=1e-11)
        np.testing.assert_array_equal(mine.round(9), theirs.round(9))
    np.testing.assert_array_equal(own.wild_type, derived.wild_type)


def test_small_impacts_keep_their_digits() -> None:
    """Changes of 1e-11 of the values, where differences of rows would have lost five digits.

    The kernel is exact to 1e-9.
    """
    rng = np.random.default_rng(0)
    W, b = rng.normal(size=(5, 5)), rng.uniform(1, 2, 5)
    on = np.ones((1, 5), bool)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(affine_impacts, "MUCH_WORK", 0)
        found = [
            closed_form(Network(np.eye(5), np.zeros(5), scale * W, b))(
                cells_on(on), Knockouts([[2]], [0])
            ).propagated[0]
            / scale
            for scale in (1e-7, 1e-11)
        ]
    # linear in the changes while no sign changes, up to the square of their size
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)
    slow = impacts(Network(np.eye(5), np.zeros(5), 1e-7 * W, b), on[0], [2])[1] / 1e-7
    np.testing.assert_allclose(found[0], slow, rtol=1e-7)


def test_blocks_threads_and_order_do_not_show(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    on, network = rng.random((50, 20)) < 0.5, network_of(20)
    events = Knockouts.singles(on)
    whole = closed_form(network)(cells_on(on), events)
    order = rng.permutation(len(events))
    monkeypatch.setattr(affine_impacts, "CELLS_A_TASK", 3)
    monkeypatch.setattr(affine_impacts, "CELLS_A_BLOCK", 7)
    monkeypatch.setattr(affine_impacts, "TABLE_BYTES", 8 * 20 * 6)
    parts = closed_form(network, threads=3)(cells_on(on), events[order])
    np.testing.assert_allclose(parts.raw, whole.raw[order], rtol=1e-12)
    np.testing.assert_allclose(parts.propagated, whole.propagated[order], rtol=1e-12)


def test_asked_twice_the_same_bytes(way: str) -> None:
    on = np.random.default_rng(4).random((40, 15)) < 0.6
    ask = closed_form(network_of(15), threads=2)
    first, second = (ask(cells_on(on), Knockouts.singles(on)) for _ in range(2))
    assert (
        first.raw.tobytes() + first.propagated.tobytes()
        == second.raw.tobytes() + second.propagated.tobytes()
    )


def test_sparse_cells(way: str) -> None:
    on = np.random.default_rng(5).random((20, 15)) < 0.6
    dense = cells_on(on)
    sparse = Cells(scipy.sparse.csr_matrix(dense.X), dense.var_names)
    ask, events = closed_form(network_of(15)), Knockouts.singles(on)
    np.testing.assert_array_equal(ask(dense, events).raw, ask(sparse, events).raw)


def test_nothing_asked(way: str) -> None:
    answer = closed_form(network_of(4))(
        cells_on(np.ones((2, 4), bool)), Knockouts(np.zeros((0, 1)), np.zeros(0))
    )
    assert answer.raw.shape == answer.propagated.shape == (0,)


def test_no_more_columns_than_allowed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where W is too large, its columns are worked out in strips, once for single knockouts."""
    on = np.random.default_rng(6).random((30, 12)) < 0.7
    seen: list[int] = []
    columns = AffineImpacts.columns
    monkeypatch.setattr(affine_impacts, "TABLE_BYTES", 8 * 12 * 5)
    monkeypatch.setattr(
        AffineImpacts,
        "columns",
        lambda self, genes: (seen.append(len(genes)), columns(self, genes))[1],
    )
    closed_form(network_of(12))(cells_on(on), Knockouts.singles(on))
    assert seen == [5, 5, 2]


def test_columns_are_kept_where_there_is_room(way: str) -> None:
    on, ask = np.ones((3, 6), bool), closed_form(network_of(6))
    ask(cells_on(on), Knockouts.singles(on)[:3])
    assert ask.kept is None  # fewer events than genes: only the columns asked
    ask(cells_on(on), Knockouts.singles(on))
    assert ask.kept is not None
    assert ask.kept.shape == (6, 6)


def test_names_what_is_wrong() -> None:
    ask = closed_form(network_of(4))
    with pytest.raises(ValueError, match="name no cells"):
        ask(cells_on(np.ones((2, 4), bool)), Knockouts([[1]]))
    with pytest.raises(ValueError, match="have 3 genes; expected 4"):
        ask(cells_on(np.ones((2, 3), bool)), Knockouts([[1]], [0]))


def test_order_of_genes_is_stable() -> None:
    genes = np.array([[3, 1], [70_000, 0], [3, 0], [0, 5]])
    np.testing.assert_array_equal(in_order_of_genes(genes), [3, 0, 2, 1])
    np.testing.assert_array_equal(in_order_of_genes(genes[:, :0]), [0, 1, 2, 3])


def test_little_work_needs_no_numba() -> None:
    code = (
        "import sys, numpy as np; from kobench.api import Cells, Context, Knockouts; from"
        " kobench_baselines.mlp import MLP;cells = Cells(np.eye(6) + 1, np.array(list('abcdef')));"
        " predictor = MLP(steps=10); predictor.fit(cells,"
        " Context(device='cpu'));predictor.predict_impact(cells,"
        " Knockouts.singles(cells.assemblages())); print('numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_kernel_without_a_folder_for_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where compiled code can't be kept it is compiled anew."""
    import numba
    from kobench_baselines.affine_kernel import compiled

    njit: Any = numba.njit

    def refusing(**options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function 'f': no locator available for file")
        return njit(**options)

    monkeypatch.setattr(numba, "njit", refusing)
    assert compiled(lambda x: x + 1)(1) == 2


def test_the_gpu_agrees() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here: the GPU is not tested")
    on, network = np.random.default_rng(7).random((50, 30)) < 0.6, network_of(30)
    on_gpu = AffineImpacts(
        Layers(
            *(
                torch.from_numpy(array).cuda()
                for array in (network.W1, network.b1, network.W2, network.b2)
            )
        )
    )
    events = Knockouts.singles(on)
    answer = on_gpu(cells_on(on), events)
    np.testing.assert_allclose(
        [answer.raw, answer.propagated], plainly(network, on, events), rtol=1e-9, atol=1e-14
    )
