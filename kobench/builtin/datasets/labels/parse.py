"""One label, cut into the genes that it names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kobench.builtin.datasets.labels.controls import NOTHING, Controls
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.templates import ANY, Template
from kobench.builtin.datasets.labels.text import trimmed

#: What joins the genes of a label in every file, and in the labels that this reading gives.
JOIN = "+"

#: What a name is made of: letters and digits. Anything else may part two of them.
_WORD = re.compile(r"[^\W_]+")

#: Signs that may join genes and stand in no name, so that no `*` takes one of them.
_SIGNS = ("|", ";", ",", "&", JOIN)

#: Pieces of a label, and of a name in it: the time grows with both. A label of more is one name.
MOST_PIECES, MOST_IN_NAME = 100, 12

#: Readings of the beginning of a label that are followed; the others cost more.
MOST_READINGS = 4


@dataclass(frozen=True)
class Reading:
    """What a label says.

    Attributes
    ----------
    genes : tuple of str
        Measured genes as the file calls them, each once, sorted.
    unknown : tuple of str
        Parts that are neither gene nor control, each once, sorted.
    controls : tuple of (str, str)
        Parts that are declared controls, and which these are.
    words : tuple of str
        Parts that say "control" or "ctrl", and are not declared.
    respelt : tuple of (str, str)
        Parts and the genes that they were found as, where these are not written alike.
    cost : (int, int, int)
        Unknown pieces, characters taken for the names of guides, and parts.
    """

    genes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    controls: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    respelt: tuple[tuple[str, str], ...] = ()
    cost: tuple[int, int, int] = (0, 0, 0)

    @property
    def names(self) -> tuple[str, ...]:
        """All that the label says was perturbed, sorted."""
        return tuple(sorted((*self.genes, *self.unknown)))

    @property
    def is_control(self) -> bool:
        """Whether it says that nothing was perturbed, in declared words alone."""
        return bool(self.controls) and not (self.genes or self.unknown or self.words)

    @classmethod
    def of(cls, parts: Sequence[Reading]) -> Reading:
        """What several parts say together."""
        costs = tuple(map(sum, zip(*(part.cost for part in parts), strict=True)))
        return cls(
            tuple(sorted({gene for part in parts for gene in part.genes})),
            tuple(sorted({name for part in parts for name in part.unknown})),
            tuple(pair for part in parts for pair in part.controls),
            tuple(word for part in parts for word in part.words),
            tuple(pair for part in parts for pair in part.respelt),
            (costs[0], costs[1], costs[2]),
        )


class Parser:
    """Reads labels.

    Parameters
    ----------
    controls : Controls
    genes : Genes
    join : sequence of str
        What joins the genes of a label, beside `+`.
    templates : sequence of Template
        How guides are called.

    Attributes
    ----------
    hidden : dict of str to str
        Parts that are no guide or control, because `*` would stand for this gene or
        sign.
    """

    def __init__(
        self,
        controls: Controls,
        genes: Genes,
        join: Sequence[str] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        self._controls, self._genes, self._templates = controls, genes, templates
        joins = sorted({JOIN, *join}, key=len, reverse=True)
        self._separator = re.compile(f"({'|'.join(map(re.escape, joins))})")
        compounds = self._names_with(joins)
        self._compounds = {name.casefold() for name in compounds}
        # of how many pieces a part may be
        in_name = max(map(self._separators, compounds), default=0)
        around = max((self._separators(template.text) for template in templates), default=0)
        self._longest = min(in_name + around + 1, MOST_IN_NAME)
        self._words: dict[str, Reading] = {}
        self.hidden: dict[str, str] = {}

    def read(self, label: str) -> list[Reading]:
        """The readings of a label, the best first; one has the names of another only once.

        What is a control or a measured gene as a whole is that. Otherwise the best reading has the
        fewest unknown parts, takes the fewest characters for the name of a guide, and is of the
        fewest parts.
        """
        # with even numbers words, with odd ones separators
        pieces = self._separator.split(trimmed(label))
        if len(pieces) > 2 * MOST_PIECES:
            pieces = [trimmed(label).replace(JOIN, " ")]
        words = [self._word(word) for word in pieces[::2]]
        if len(words) == 1:
            return [words[0]]
        wider = self._wider(pieces)
        # the name of a guide, as GATA1_+_1.2, may have a plus, also where the gene is not known
        of_guides = any(JOIN in template.text for template in self._templates)
        if wider or (of_guides and any(word.unknown for word in words)):
            return self._cheapest(pieces, words, wider)
        return [self._joined(pieces, words)]

    def _word(self, text: str) -> Reading:
        """What a part without a separator says; it is remembered."""
        if text not in self._words:
            self._words[text] = self._known(text) or self._unknown(text, 1)
        return self._words[text]

    def _wider(self, pieces: Sequence[str]) -> dict[tuple[int, int], Reading]:
        """Known parts with separators in them, by the places of their first and last piece."""
        found: dict[tuple[int, int], Reading] = {}
        for start in range(0, len(pieces), 2):
            for end in range(start + 2, min(start + 2 * self._longest, len(pieces)), 2):
                text = "".join(pieces[start : end + 1])
                may_be = self._templates or trimmed(text).casefold() in self._compounds
                known = self._known(text) if may_be else None
                if known is not None:
                    found[start, end] = known
        return found

    def _joined(self, pieces: Sequence[str], words: Sequence[Reading]) -> Reading:
        """The only reading where no known part is wider than a word: unknown neighbours are one.

        This is what `_cheapest` finds, in a time that dozens of genes in each cell allow.
        """
        parts: list[Reading] = []
        start = 0
        while start < len(words):
            end = start + 1
            while (
                words[start].unknown
                and end < min(start + self._longest, len(words))
                and words[end].unknown
                and pieces[2 * end - 1] != JOIN
            ):
                end += 1
            text = "".join(pieces[2 * start : 2 * end - 1])
            parts.append(words[start] if end == start + 1 else self._unknown(text, end - start))
            start = end
        return Reading.of(parts)

    def _cheapest(
        self,
        pieces: Sequence[str],
        words: Sequence[Reading],
        wider: Mapping[tuple[int, int], Reading],
    ) -> list[Reading]:
        """The readings of least cost, by those of each beginning of the label."""
        readings: list[list[Reading]] = [[Reading()]]
        for end in range(0, len(pieces), 2):
            found: dict[tuple[str, ...], Reading] = {}
            for start in range(end, max(-1, end - 2 * self._longest), -2):
                part = words[end // 2] if start == end else wider.get((start, end))
                if part is None:
                    if not all(word.unknown for word in words[start // 2 : end // 2 + 1]):
                        continue
                    part = self._unknown("".join(pieces[start : end + 1]), (end - start) // 2 + 1)
                if JOIN in "".join(part.unknown):
                    continue
                for before in readings[start // 2]:
                    whole = Reading.of((before, part))
                    if whole.names not in found or whole.cost < found[whole.names].cost:
                        found[whole.names] = whole
            best = sorted(found.values(), key=lambda reading: (reading.cost, reading.names))
            readings.append(best[:MOST_READINGS])
        return readings[-1]

    def _known(self, text: str) -> Reading | None:
        """A part that is empty, a control or a measured gene, with its guide or without."""
        text = trimmed(text)
        if not text:
            return Reading()
        if found := self._plain(text):
            return found
        for template, gene in self._guides(text):
            if found := self._plain(gene):
                rest = " ".join(text.split(gene, 1))
                # what a template took off may be the end of a gene's name: NKX2-1 with {gene}-{n}
                stars = [control for _, control in found.controls if ANY in control]
                if not (
                    self._hides_gene(text, rest, template.text, gene)
                    or any(self._hides_gene(text, text, control) for control in stars)
                ):
                    return replace(found, cost=(0, len(text) - len(gene), 1))
        return None

    def _plain(self, text: str) -> Reading | None:
        """A part that is a control or a measured gene."""
        if control := self._control(text):
            cost = (0, max(0, len(text) - len(control)) if ANY in control else 0, 1)
            return Reading(controls=((text, control),), cost=cost)
        one = (0, 0, 1)
        if gene := self._genes.find(text):
            respelt = () if gene == text else ((text, gene),)
            return Reading(genes=(gene,), respelt=respelt, cost=one)
        if text.lower() in NOTHING:
            return Reading(words=(text,), cost=one)
        return None

    def _control(self, text: str) -> str | None:
        """The declared control that a part is; a `*` stands for no separator and for no gene."""
        control = self._controls.of(text)
        if control is None or ANY not in control or trimmed(control) == text:
            return control
        if self._separators(text) != self._separators(control):
            return None
        return None if self._hides_gene(text, text, control) else control

    def _guides(self, text: str) -> Iterator[tuple[Template, str]]:
        """What may be the gene in a guide, by which template, the longest first."""
        for template in self._templates:
            for gene in template.genes_in(text):
                parts = self._separators(template.text) + self._separators(gene)
                if parts == self._separators(text):
                    yield template, gene

    def _hides_gene(self, text: str, rest: str, pattern: str, gene: str = "") -> bool:
        """Whether `*` of a pattern would stand for another measured gene, or for a sign that joins.

        `rest` is what is left of the text without the `gene` that was found in it.
        """
        if ANY not in pattern:
            return False
        signs = [sign for sign in _SIGNS if rest.count(sign) > pattern.count(sign)]
        if inside := self._gene_inside(rest, gene):
            self.hidden[text] = f"the gene {inside}"
        elif signs:
            self.hidden[text] = f"the sign {signs[0]!r}, which may join genes (`--join`),"
        return bool(inside or signs)

    def _gene_inside(self, text: str, but: str) -> str:
        """A measured gene whose name stands in a text as whole words, `but` one; "" for none."""
        words = [found.span() for found in _WORD.finditer(text)]
        spans = {
            text[start:end]
            for place, (start, _) in enumerate(words)
            for _, end in words[place : place + self._genes.most_words]
        }
        return min(filter(self._genes.find, spans - {but}), default="")

    def _unknown(self, text: str, pieces: int) -> Reading:
        """A part that is nothing known; a guide by the shortest name that its gene may have."""
        named = trimmed(text)
        if named not in self.hidden:
            *_, named = named, *filter(None, (trimmed(gene) for _, gene in self._guides(named)))
        return Reading(unknown=(named,), cost=(pieces, 0, 1))

    def _names_with(self, joins: Sequence[str]) -> list[str]:
        """The genes and controls in whose names there is a separator."""
        names = (*self._genes.with_signs, *map(trimmed, self._controls.declared))
        return [name for name in names if any(join in name for join in joins)]

    def _separators(self, text: str) -> int:
        """How many separators there are in a text."""
        return len(self._separator.findall(text))
