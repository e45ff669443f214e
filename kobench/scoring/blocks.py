"""What a record says of the blocks that are drawn again: how many, of which groups, which ones."""

from __future__ import annotations

import numpy as np

from kobench.results.parts import DrawnGroups
from kobench.scoring.bootstrap import Redraw, block_of, ids_of
from kobench.scoring.grouped import CellGroups
from kobench.units import Block, TaskUnits, Units
from kobench.util.files import hash_of


def blocks_of(units: Units | None, block: Block, groups: CellGroups | None = None) -> int:
    """How many blocks carry the primary units: groups of cells where these are drawn.

    0 where they were not answered.
    """
    ids = ids_of(units, block)
    if ids is None:
        return 0
    return len(np.unique(ids)) if groups is None else groups.count(ids)


def drawn_groups(groups: CellGroups, units: TaskUnits) -> DrawnGroups:
    """What a record says of groups of cells.

    They are worth what those of the variant are worth that has the fewest, of all that have draws.
    """
    worth = [groups.worth(block_of(shown, "cell")) for shown in units.variants.values()]
    known = [one for one in worth if one is not None]
    return DrawnGroups(column=groups.column, worth=min(known, default=None))


def blocks_digest(redraw: Redraw, units: TaskUnits) -> str | None:
    """Hash of the named blocks that each variant's draws take, and of their seed.

    None where blocks have no names, as cells.
    """
    names = redraw.names
    if names is None:
        return None
    drawn = {}
    for variant, shown in units.variants.items():
        ids = ids_of(shown, redraw.block)
        drawn[variant] = [] if ids is None else sorted({str(name) for name in names[ids]})
    return hash_of([redraw.seed, drawn])[:16]
