"""Which simulated draws of cells are of one network, so that none is counted twice.

A simulator's seeds are networks of their own unless its dataset says that they share one. Where
that can be noticed it counts as one all the same: equal cells, or truths with the same edges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from kobench.board.numbers.intervals import ENOUGH
from kobench.results.parts import Record
from kobench.util.files import canonical_json

#: A (block, replicate), see `kobench.board.numbers.values`.
Slot = tuple[str, str]

#: What shows that draws are of one network: the dataset says so, their truths, their cells.
DECLARED, EDGES, CELLS = "declared", "edges", "cells"


class Networks:
    """The networks of a section's records.

    Where there are several networks, each is a block. Where there is one, its draws of cells are:
    an interval over them speaks of this network alone. Real data are one block.

    Parameters
    ----------
    records : iterable of Record
        Of one dataset, whatever its seeds.

    Attributes
    ----------
    network : mapping of str to str
        Selection with the seed -> the first selection of the same network.
    draw : mapping of str to str
        Selection with the seed -> the first selection with the same cells.
    claimed : mapping of str to int
        How many networks (by `EDGES`) and draws (by `CELLS`) the dataset counts twice.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        found: dict[str, set[tuple[str, str]]] = {}
        for record in records:
            dataset = record.trial.dataset
            if dataset.kind == "simulated":
                found.setdefault(dataset.selection, set()).update(signs_of(record))
        self.network = joined(found)
        self.draw = shared(found, (CELLS,))
        self._declared = shared(found, (DECLARED,))
        said, seen = set(self._declared.values()), shared(found, (DECLARED, EDGES))
        self.claimed = {
            EDGES: len(said) - len(set(seen.values())),
            CELLS: len(found) - self.draws,
        }
        of_block: dict[str, set[str]] = defaultdict(set)
        for selection in found:
            of_block[self.block(selection)].add(selection)
        self._merged = {block for block, selections in of_block.items() if len(selections) > 1}

    @property
    def count(self) -> int:
        """How many different networks there are; 0 for real data."""
        return len(set(self.network.values()))

    @property
    def draws(self) -> int:
        """How many different draws of cells there are; 0 for real data."""
        return len(set(self.draw.values()))

    @property
    def noun(self) -> str:
        """What a block is called."""
        if not self.network:
            return "data set"
        return "network" if self.count >= ENOUGH or self.draws < ENOUGH else "draw"

    def block(self, selection: str) -> str:
        """The block of a draw: its network, or the draw itself where there is one network alone."""
        return (self.network if self.count >= ENOUGH else self.draw)[selection]

    def slot(self, record: Record) -> Slot:
        """The (block, replicate) of a record."""
        dataset = record.trial.dataset
        if dataset.kind == "simulated" and (block := self.block(dataset.selection)) in self._merged:
            return block, draw_of(record)
        return slot_of(record)

    def evidence(self, block: str) -> str:
        """What a block is a part of when evidence is counted: its network, or the data set."""
        return self.network.get(block, block)

    def permuted_alike(self, block: str) -> bool:
        """Whether all draws of the network of a block have the same permutations of names."""
        members = [one for one, network in self.network.items() if network == self.evidence(block)]
        return len({self._declared[one] for one in members}) <= 1


def slot_of(record: Record) -> Slot:
    """The data seed and split of a record, whichever network the seed is of."""
    dataset = record.trial.dataset
    if dataset.kind == "simulated":
        return dataset.selection, str(record.trial.split.seed)
    return dataset.group, draw_of(record)


def draw_of(record: Record) -> str:
    """The replicate of a record in a block that has several draws: its data and split seeds."""
    return canonical_json([record.trial.dataset.selection, record.trial.split.seed])


def signs_of(record: Record) -> set[tuple[str, str]]:
    """What a record has in common with other draws of the same network."""
    told, digest = record.about.dataset.network, record.trial.dataset.digest
    signs = {(CELLS, digest)} if digest else set()
    if told is not None:
        signs |= {(DECLARED, told.name)} if told.name else set()
        signs |= {(EDGES, told.edges)} if told.edges else set()
    return signs


def shared(found: Mapping[str, set[tuple[str, str]]], kinds: Collection[str]) -> dict[str, str]:
    """`joined` by signs of some kinds alone."""
    return joined({one: {sign for sign in found[one] if sign[0] in kinds} for one in found})


def joined(found: Mapping[str, set[tuple[str, str]]]) -> dict[str, str]:
    """Each name with the first name that it shares a sign with, directly or through others.

    >>> joined({"a": {("x", "1")}, "b": {("x", "1"), ("y", "2")}, "c": {("y", "2")}, "d": set()})
    {'a': 'a', 'b': 'a', 'c': 'a', 'd': 'd'}
    """
    first = {name: name for name in sorted(found)}

    def root(name: str) -> str:
        while first[name] != name:
            name = first[name]
        return name

    seen: dict[tuple[str, str], str] = {}
    for name in first:
        for sign in found[name]:
            ends = sorted((root(name), root(seen.setdefault(sign, name))))
            first[ends[1]] = ends[0]
    return {name: root(name) for name in first}
