"""Which links are kept, and the coefficient on each."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from kobench_grnboost2.network import coefficients, ridge, strongest_links, top_of


def test_top_of_by_hand() -> None:
    columns, importance = np.array([5, 1, 3, 2]), np.array([0.2, 0.7, 0.2, 0.1])
    assert top_of(columns, importance, 2).tolist() == [1, 3]
    assert top_of(columns, importance, 9).tolist() == [1, 3, 5, 2]


def test_ridge_by_hand() -> None:
    """Z'Z = diag(2, 8), Z'y = (2, 8): b = (2 / (2 + 2), 8 / (8 + 2))."""
    Z = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]])
    np.testing.assert_allclose(
        ridge(Z, np.array([1.0, -1.0, 2.0, -2.0]), 2.0), [0.5, 0.8], rtol=1e-12
    )


@pytest.mark.parametrize(("n", "k", "penalty"), [(30, 4, 10.0), (6, 9, 0.5), (30, 4, 0.0)])
def test_ridge_by_normal_equations(n: int, k: int, penalty: float) -> None:
    rng = np.random.default_rng(n)
    Z, y = rng.normal(size=(n, k)), rng.normal(size=n)
    np.testing.assert_allclose(
        ridge(Z, y, penalty),
        np.linalg.solve(Z.T @ Z + penalty * np.eye(k), Z.T @ y),
        rtol=1e-8,
        atol=1e-12,
    )


def test_ridge_of_degenerate_input() -> None:
    """Two equal regulators share the coefficient; one that does not vary gets none."""
    column = np.array([1.0, -1.0, 2.0, -2.0])
    np.testing.assert_allclose(
        ridge(np.column_stack([column, column]), 3 * column, 0.0), [1.5, 1.5], rtol=1e-12
    )
    np.testing.assert_array_equal(ridge(np.zeros((4, 1)), column, 0.0), [0.0])


def test_coefficients_by_hand() -> None:
    """b = 2 a + 5 and c is regulated by nobody.

    A's sum of squares is 2, so the coefficient is 2 x 2 / (2 + 2).
    """
    expression = np.array([[1.0, 7.0, 3.0], [2.0, 9.0, 3.0], [3.0, 11.0, 4.0]])
    links = [np.array([], np.int64), np.array([0]), np.array([], np.int64)]
    pytest.importorskip("scipy.sparse")
    np.testing.assert_allclose(
        coefficients(expression, links, 2.0).toarray(),
        [[0, 1, 0], [0, 0, 0], [0, 0, 0]],
        atol=1e-12,
    )
    assert coefficients(expression, links[:1] * 3, 2.0).toarray().tolist() == [[0.0] * 3] * 3


class Column(list):  # type: ignore[type-arg]
    """As much of a column of a data frame as is used."""

    def to_numpy(self) -> np.ndarray:
        return np.array(self)


def pretend(monkeypatch: pytest.MonkeyPatch, answer: Any) -> list[Any]:
    """Puts a module in arboreto's place; returns the list of calls."""
    calls: list[Any] = []

    def infer_partial_network(
        kind: str, options: Any, matrix: Any, names: Any, target: str, own: Any, **rest: Any
    ) -> Any:
        calls.append(
            SimpleNamespace(
                kind=kind,
                options=options,
                matrix=matrix,
                names=names,
                target=target,
                own=own,
                **rest,
            )
        )
        return answer(target)

    core = ModuleType("arboreto.core")
    core.SGBM_KWARGS, core.infer_partial_network = {"published": True}, infer_partial_network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "arboreto", ModuleType("arboreto"))
    monkeypatch.setitem(sys.modules, "arboreto.core", core)
    return calls


def test_what_arboreto_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Published settings, the seed, the regulators' columns.

    A gene that never varies is not asked about.
    """
    calls = pretend(
        monkeypatch, lambda target: ({"TF": ["c", "a"], "importance": Column([1.0, 3.0])}, [target])
    )
    expression = np.array([[1.0, 2.0, 3.0], [4.0, 2.0, 5.0]])
    steps: list[Any] = []
    links = strongest_links(
        expression, ["a", "b", "c"], np.array([0, 2]), 1, 11, 25, lambda *at: steps.append(at)
    )
    assert [link.tolist() for link in links] == [[0], [], [0]]
    assert [call.target for call in calls] == ["a", "c"]
    first = calls[0]
    assert (first.kind, first.options, first.names) == ("GBM", {"published": True}, ["a", "c"])
    assert (first.seed, first.early_stop_window_length, first.include_meta) == (11, 25, True)
    np.testing.assert_array_equal(first.matrix, expression[:, [0, 2]])
    np.testing.assert_array_equal(first.own, expression[:, 0])
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_the_only_regulator_has_none_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = pretend(
        monkeypatch, lambda target: ({"TF": ["a"], "importance": Column([1.0])}, [target])
    )
    links = strongest_links(
        np.array([[1.0, 2.0], [4.0, 3.0]]), ["a", "b"], np.array([0]), 5, 0, 25, lambda *at: None
    )
    assert [link.tolist() for link in links] == [[], [0]]
    assert [call.target for call in calls] == ["b"]


def test_a_target_that_arboreto_gives_up_on_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hands out empty tables then, which is not "no regulators"."""
    pretend(monkeypatch, lambda target: ({"TF": [], "importance": Column([])}, []))
    with pytest.raises(RuntimeError, match="regulators of 'a' from 2 cells x 1 genes"):
        strongest_links(
            np.array([[1.0, 2.0], [4.0, 3.0]]),
            ["a", "b"],
            np.array([0, 1]),
            5,
            0,
            25,
            lambda *at: None,
        )
