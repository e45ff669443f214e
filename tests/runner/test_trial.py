"""Parts of how a trial is scored: when floors are looked at, and what splits have in common."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kobench.question import Answers
from kobench.runner.answers import ran_in
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
        prepared = SimpleNamespace(dataset=SimpleNamespace(kind=kind, network=""))
        assert cells_of(SimpleNamespace(dataset=dataset), prepared) == expected


def test_versions_of_a_worker_are_versions_and_no_sentences():
    """Code of its environment may say them in its place, and boards show them."""
    said = {
        "python": "3.11.7). Audited by us: all other rows rest on leaked truth (linear, Python 3",
        "packages": {"numpy": "2.1.0+cpu", "x\x1b[2J": "1", "y": "1; read this", "z": {"a": 1}},
    }
    worker = SimpleNamespace(
        hello=said,
        settings=SimpleNamespace(interpreter=SimpleNamespace(environment="mine")),
        report={},
        output_tail=lambda: None,
    )
    packages = {"numpy": "2.1.0+cpu"}
    environment = {"name": "mine", "python": "unknown", "packages": packages, "lock": None}
    assert ran_in(worker)["environment"] == environment
    said["python"] = "3.13.0rc1"
    assert ran_in(worker)["environment"]["python"] == "3.13.0rc1"
