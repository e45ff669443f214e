"""Settings are chosen inside the cells that boards train on, and confirmed on cells kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.nested import CHOOSE, CONFIRM, nested_rows
from kobench.datasets.split import rows_of


def real(groups: int = 0) -> Dataset:
    rng = np.random.default_rng(0)
    values = rng.poisson(3.0, (150, 6)).astype(np.float32) + 1
    obs = {"donor": np.array([f"d{i % groups}" for i in range(150)])} if groups else {}
    cells = Cells(values, obs=obs, var_names=[f"G{i}" for i in range(6)])
    return Dataset(cells, "counts", "real", group_key="donor" if groups else None)


@pytest.mark.parametrize("groups", [0, 15])
def test_no_cell_that_boards_ask_is_seen_and_none_that_confirms_chooses(groups):
    dataset = real(groups)
    training, asked = rows_of(dataset, "holdout", 0)
    confirmed = nested_rows(dataset, CONFIRM, 0)
    seen = set()
    for seed in range(3):
        train, ask = nested_rows(dataset, CHOOSE, seed)
        assert set(train) | set(ask) <= set(training) - set(asked)
        assert not set(train) & set(ask)
        assert not (set(train) | set(ask)) & set(confirmed[1])
        seen.add(tuple(ask))
    assert len(seen) == 3
    assert set(confirmed[0]) | set(confirmed[1]) <= set(training)
    assert set(confirmed[0]) == set(train) | set(ask)


def test_groups_of_cells_stay_on_one_side():
    dataset = real(15)
    donors = dataset.cells.obs["donor"]
    for name in (CHOOSE, CONFIRM):
        train, ask = nested_rows(dataset, name, 0)
        assert not set(donors[train]) & set(donors[ask])
