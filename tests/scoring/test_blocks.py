"""What a record says of the blocks that are drawn again, by hand."""

from __future__ import annotations

import numpy as np

from kobench.api import ImpactUnits, RankingUnits, ResponseUnits, TaskUnits
from kobench.scoring.blocks import blocks_digest, blocks_of, drawn_groups
from kobench.scoring.bootstrap import Redraw, ids_of
from kobench.scoring.grouped import CellGroups

NAMES = np.array(["A", "B", "C", "D", "E"])


def changes(*ids):
    return ResponseUnits(np.zeros((len(ids), 2)), np.zeros((len(ids), 2)), np.array(ids))


def digest(seed=0, names=NAMES, **variants):
    units = TaskUnits(variants, 1, 1)
    return blocks_digest(Redraw("perturbation", 10, seed, names), units)


def test_a_digest_is_that_of_the_names_of_each_variant_and_of_the_seed():
    found = digest(one=changes(0, 3, 2), two=None)
    assert len(found) == 16
    assert found == digest(one=changes(2, 0, 3, 3), two=None)  # in any order, each once
    assert found == digest(one=changes(4, 2, 1), two=None, names=np.array([*"xCDyA"]))
    for other in (
        digest(one=changes(0, 3), two=None),
        digest(one=changes(0, 3, 2), two=changes(0)),
        digest(one=changes(0, 3, 2)),
        digest(two=changes(0, 3, 2), one=None),
        digest(1, one=changes(0, 3, 2), two=None),
        digest(one=changes(0, 3, 1), two=None),
    ):
        assert other != found
    assert digest(names=None, one=changes(0, 3, 2)) is None


def test_how_many_blocks_there_are():
    assert blocks_of(None, "gene") == 0
    assert blocks_of(changes(7, 7, 2), "perturbation") == 2
    assert blocks_of(changes(7, 7, 2), "gene") == 0  # these units have none
    ranked = RankingUnits(np.zeros(3), np.zeros(3), np.array([5, 6, 7]))
    assert ids_of(ranked, "perturbation").tolist() == ids_of(ranked, "gene").tolist() == [5, 6, 7]
    assert ids_of(None, "perturbation") is None
    cells = ImpactUnits(np.zeros(4), np.zeros(4), np.array([0, 1, 2, 0]), np.array([0, 0, 0, 1]))
    groups = CellGroups("donor", np.array(["x", "y", "x"]))
    assert (blocks_of(cells, "cell"), blocks_of(cells, "cell", groups)) == (3, 2)


def test_groups_of_ids_that_a_task_made_are_not_known():
    groups = CellGroups("donor", np.array(["x", "y", "x"]))
    assert groups.of(np.array([2, 0])).tolist() == ["x", "x"]
    for ids in ([3], [-1], []):
        assert groups.of(np.array(ids, int)) is None
        assert groups.count(np.array(ids, int)) == 0
        assert groups.worth(np.array(ids, int)) is None


def test_groups_are_worth_something_from_one_and_a_half_on():
    def worth(*sizes):
        names = np.repeat([*"abcdef"][: len(sizes)], sizes)
        return CellGroups("donor", names).worth(np.arange(len(names)))

    assert worth(1, 1) == 2.0
    assert worth(3, 1) == 1.6  # 16 / 10
    assert worth(4, 1) is None  # 25 / 17
    assert worth(6, 6, 6) == 3.0
    shown = ImpactUnits(np.zeros(4), np.zeros(4), np.array([0, 1, 0, 0]), np.zeros(4, int))
    # of units one has three of four, of cells each has one: the less counts
    assert CellGroups("donor", np.array(["a", "b"])).worth(shown.cells) == 1.6
    units = TaskUnits({"": shown}, 1, 1)
    found = drawn_groups(CellGroups("donor", np.array(["a", "b"])), units)
    assert (found.column, found.worth) == ("donor", 1.6)
    alone = drawn_groups(CellGroups("donor", np.array(["a", "a"])), units)
    assert alone.worth is None
