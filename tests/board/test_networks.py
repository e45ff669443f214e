"""A network counts once, however many draws of its cells there are, and whoever says otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from command import kobench
from factories import metric, record, scores
from sections import only, row

VALUES = (0.30, 0.42, 0.36)


def draw(seed, value, *, name=None, edges=None, digest=None, predictor="mlp", **more):
    """A record of one seed of a simulator, with what it tells of its network."""
    found = record(
        predictor, scores({"spearman": metric(value)}), dataset="mine", seed=seed, **more
    )
    found["schema"] = 2
    told = None if name is None and edges is None else {"name": name or "", "edges": edges}
    about = {"near_null": "", "params": []} | ({"network": told} if told else {})
    found["about"] = {"dataset": about, "tasks": {}}
    if digest:
        found["trial"]["dataset"]["digest"] = digest
    return found


def section(**signs):
    """The section of three seeds; `signs` are given to each, a list one by one."""
    records = []
    for seed, value in enumerate(VALUES):
        own = {key: each[seed] if isinstance(each, list) else each for key, each in signs.items()}
        records += [draw(seed, value, **own), draw(seed, 0.1, predictor="abundance", **own)]
        records[-1]["role"] = "floor"
    return only(records)


def words(found):
    said = (*found.remarks, *found.warnings, found.sentence, found.label)
    return " ".join([*said, *(one for each in found.rows for one in each.remarks)])


def width(found):
    score = row(found, "mlp").scores["spearman"]
    return None if score.low is None else score.high - score.low


def test_seeds_are_networks_unless_somebody_says_otherwise():
    found = section()
    assert (found.blocks, found.label, found.few) == (3, "3 networks", False)
    assert not found.warnings
    apart = section(edges=["x", "y", "z"], name=["a", "b", "c"])
    assert (apart.blocks, apart.label, apart.warnings) == (3, "3 networks", ())
    assert width(apart) == width(found)


def test_draws_of_one_network_are_never_called_networks():
    found = section(name="ecoli")
    assert (found.blocks, found.few) == (1, True)
    assert found.label == "3 draws of the cells of 1 network; they say nothing of other networks"
    assert not found.warnings  # it was declared
    assert "3 networks" not in words(found)
    assert row(found, "mlp").hollow
    assert row(found, "mlp").blocks_done == 1
    assert width(found) == pytest.approx(width(section()))  # over draws, and said so


def test_several_networks_with_several_draws_each_are_as_many_as_they_are():
    records = []
    for seed, (value, name) in enumerate(zip((0.3, 0.4, 0.5, 0.6), "aabb", strict=True)):
        records.append(draw(seed, value, name=name))
    found = only(records)
    assert (found.blocks, found.label) == (2, "2 networks, 4 draws of cells")
    score = row(found, "mlp").scores["spearman"]
    assert score.value == pytest.approx(0.45)
    # two networks of 0.35 and 0.55: t(1) = 12.706, s / sqrt(2) = 0.1; cut at 1 above
    assert score.low == pytest.approx(0.45 - 12.706 * 0.1, rel=1e-3)
    everyone = only([draw(seed, value) for seed, value in enumerate((0.3, 0.4, 0.5, 0.6))])
    assert width(found) > 2 * width(everyone)


# how the author of a simulator could try to have more networks than there are


@pytest.mark.parametrize("name", [None, ["a", "b", "c"]])
def test_attack_truths_with_the_same_edges_are_one_network_and_it_is_said(name):
    found = section(edges="same", name=name) if name else section(edges="same")
    assert found.blocks == 1
    assert "3 networks" not in words(found)
    (said,) = found.warnings
    assert said.startswith("Each of 2 networks has the same edges as another one")


def test_attack_the_same_cells_again_give_no_interval():
    found = section(digest="the same")
    assert found.blocks == 1
    assert width(found) is None
    (said,) = found.warnings
    assert said.startswith("Each of 2 draws has the very same cells as another one")
    assert "3 networks" not in words(found)
    # nor where they are called draws of one network
    declared = section(digest="the same", name="ecoli")
    assert width(declared) is None


def test_attack_two_seeds_with_the_same_cells_count_as_one_of_two():
    found = section(digest=["x", "x", "y"])
    assert (found.blocks, found.label) == (2, "2 networks")
    both = only([draw(0, 0.36), draw(2, 0.36)])
    assert row(found, "mlp").scores["spearman"].value == pytest.approx(0.36)
    assert both.blocks == 2
    assert [one for one in found.warnings if one.startswith("1 draw has the very same cells")]


def test_permuted_answers_on_draws_of_one_network_are_one_piece_of_evidence():
    from kobench.board.numbers.permuted import permuted_of
    from kobench.board.numbers.series import Numbers
    from kobench.results.parts import Record

    def numbers(**signs):
        rng = np.random.default_rng(0)
        records = []
        for seed in range(8):
            kept = rng.normal(0.0, 0.1, 100).round(4).tolist()
            one = metric(0.15)
            one["permuted"] = {
                "mean": 0.0, "sd": 0.1, "low": -0.2, "high": 0.2, "p": 0.07, "draws": 1000,
                "scores": kept, "names": [f"g{i}" for i in range(20)],
            }  # fmt: skip
            made = draw(seed, 0.0, **signs)
            made["result"]["scores"] = scores({"spearman": one})
            records.append(Record.from_json(made))
        return Numbers(records, "knockout-impact@1")

    p = {}
    for what, signs in {"networks": {}, "edges": {"edges": "same"}}.items():
        found = numbers(**signs)
        p[what] = permuted_of(found, ("predictor", "mlp", "kobench-baselines", "1", "cpu"),
                              "spearman", 1.0).p  # fmt: skip
    assert p["networks"] < 1e-3  # eight independent ones
    assert p["edges"] > 0.05  # one, whatever it is called


PLUGIN = """
import numpy as np
from kobench.api import Cells, Dataset, DatasetSpec, Param, hookimpl

class Truth:
    # each gene has a rate of its own, and what its regulators that are on add to it

    def __init__(self, on, rates, edges):
        self.on, self.rates, self.edges = on, rates, edges

    def expressed(self, on, rates):
        values = rates.copy()
        for regulator, target in self.edges:
            values[:, target] += 2.0 * on[:, regulator]
        return values * on

    def wild_type(self, cells):
        return self.expressed(self.on[cells], self.rates[cells])

    def knockout(self, knockouts):
        on = self.on[knockouts.cells].copy()
        np.put_along_axis(on, knockouts.genes.astype(int), False, axis=1)
        return self.expressed(on, self.rates[knockouts.cells])

def load(cells=60, genes=15, seed=0):
    network = np.random.default_rng(7)  # the same for every seed
    codes = network.choice(genes * genes, 2 * genes, replace=False)
    edges = np.stack([codes // genes, codes % genes], axis=1)
    edges = edges[edges[:, 0] != edges[:, 1]]
    rng = np.random.default_rng(seed)
    on = rng.random((cells, genes)) < 0.7
    on[:, :2] = True
    truth = Truth(on, rng.lognormal(0, 0.3, (cells, genes)), edges)
    names = np.array([NAMES for i in range(genes)])
    return Dataset(Cells(truth.wild_type(np.arange(cells)), names), "linear", "simulated", truth,
                   network=NETWORK)

@hookimpl
def kobench_datasets():
    params = {"cells": Param(60), "genes": Param(15), "seed": Param(0)}
    yield DatasetSpec("mine", load, truth="counterfactual", seeded=True, params=params)
"""


@pytest.mark.parametrize(
    ("network", "names"),
    [("'one'", "f'g{i}'"), ("''", "f'g{i}'"), ("f'network {seed}'", "f's{seed}g{i}'")],
    ids=["declared", "not declared", "claimed to differ, genes renamed"],
)
def test_a_simulator_whose_seeds_share_a_network_never_has_three(network, names, tmp_path):
    plugin = tmp_path / "mine_plugin.py"
    plugin.write_text(PLUGIN.replace("NETWORK", network).replace("NAMES", names))
    out = tmp_path / "out"
    kobench(
        *("run", "-d", "mine", "--networks", 3, "-t", "double-knockout", "-t", "keystone"),
        *("--plugin", plugin, "--out", out),
    )
    board = kobench("board", out, "--format", "markdown").stdout
    assert "3 networks" not in board
    assert "3 draws of the cells of 1 network" in board
    noticed = "Each of 2 networks has the same edges as another one" in board
    assert noticed == (network != "'one'")
    assert "linked" in board  # edges are in use
