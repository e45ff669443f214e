"""Parts of how a trial is scored: when floors are looked at, and what splits have in common."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kobench.question import Answers
from kobench.runner.trial import cells_of, covers_partly


@pytest.mark.parametrize(
    ("answers", "partly"),
    [
        (Answers(), False),
        (Answers(supported=np.ones(3, bool)), False),
        (Answers(supported=np.array([True, False, True])), True),
        (Answers(supported=np.zeros(3, bool)), True),
        (Answers(max_order=1), True),
        (Answers(supported=np.ones(3, bool), max_order=1), True),
        (Answers(supported=np.array([True, False, True]), max_order=2), True),
    ],
)
def test_floors_are_looked_at_where_genes_or_numbers_of_genes_are_left_out(answers, partly):
    assert covers_partly(answers) == partly


def test_networks_are_independent_and_draws_of_real_cells_are_not():
    """The permutations of a real dataset are the same for all its splits and data seeds."""
    dataset = SimpleNamespace(selection="mine:seed=3", group="mine")
    for kind, expected in (("simulated", "mine:seed=3"), ("real", "mine")):
        prepared = SimpleNamespace(dataset=SimpleNamespace(kind=kind))
        assert cells_of(SimpleNamespace(dataset=dataset), prepared) == expected
