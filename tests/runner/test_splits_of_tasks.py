"""Under which split a task is scored on a dataset: never on cells that were trained on."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kobench.runner.plan import split_of

#: What a task asks and what truth it needs: (asks, truth).
PROFILE, IMPACT = ("profile", "wild-type"), ("singles", "counterfactual")
RESPONSE, TRANSFER = ("response", "any"), ("transfer", "wild-type")


@pytest.mark.parametrize(
    ("task", "truth", "splits"),
    [
        # held-out cells of any dataset; with split=all every cell was trained on
        (PROFILE, "counterfactual", {"auto": "holdout", "holdout": "holdout", "all": None}),
        (PROFILE, "population", {"auto": "holdout", "holdout": "holdout", "all": None}),
        (PROFILE, "none", {"auto": "holdout", "holdout": "holdout", "all": None}),
        # what a knockout does to a cell is in no training cell, so all may be asked
        (IMPACT, "counterfactual", {"auto": "holdout", "holdout": "holdout", "all": "all"}),
        (IMPACT, "population", {"auto": None, "all": None}),
        (IMPACT, "none", {"auto": None, "all": None}),
        (RESPONSE, "counterfactual", {"auto": "holdout", "holdout": "holdout", "all": "all"}),
        # half of the wild-type cells are the reference, which nobody trains on
        (RESPONSE, "population", {"auto": "halves", "holdout": None, "all": None}),
        (RESPONSE, "none", {"auto": None, "all": None}),
        (TRANSFER, "none", {"auto": None, "holdout": None, "all": None}),
    ],
)
def test_no_split_asks_what_was_trained_on(task, truth, splits):
    asks, needs = task
    spec = SimpleNamespace(asks=asks, truth=needs)
    dataset = SimpleNamespace(entry=SimpleNamespace(spec=SimpleNamespace(truth=truth)))
    between = {name: name if task is TRANSFER else None for name in ("cell-type", "dataset")}
    for asked, expected in {**splits, **between}.items():
        assert split_of(spec, dataset, SimpleNamespace(split=asked)) == expected, asked
