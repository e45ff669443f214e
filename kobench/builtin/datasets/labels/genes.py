"""Genes found by the names that labels give them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cached_property

from kobench.builtin.datasets.labels.text import joined, shown, trimmed
from kobench.util.text import hidden_in

#: An Ensembl id with its version.
_VERSIONED = re.compile(r"(ENS[A-Z]*G[0-9]+)\.[0-9]+")

#: What names are made of.
_WORD = re.compile(r"[^\W_]+")


class Genes:
    """The measured genes.

    Parameters
    ----------
    names : iterable of str
        Each once.
    ignore_case : bool
        Whether a label finds a gene that differs from it by case only.
    several : mapping of str to tuple of str
        A name that was asked for and belongs to several genes -> what these are called instead.
    """

    def __init__(
        self,
        names: Iterable[str],
        ignore_case: bool = False,
        several: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        # a plus joins the genes of a label, so no gene is called by a name with one
        self.names = frozenset(name for name in names if "+" not in name)
        self._ignore_case = ignore_case
        self._several = several or {}

    @cached_property
    def without_case(self) -> Genes:
        """The same genes, found without regard to case."""
        return Genes(self.names, True, self._several)

    @cached_property
    def with_signs(self) -> tuple[str, ...]:
        """The genes whose names hold anything but letters and digits."""
        return tuple(name for name in self.names if not name.isalnum())

    @cached_property
    def most_words(self) -> int:
        """Words of letters and digits that a name has at most."""
        return max((len(_WORD.findall(name)) for name in self.with_signs), default=1)

    @cached_property
    def _bare(self) -> dict[str, list[str]]:
        """The genes with an Ensembl id, by that without its version."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            if name.startswith("ENS"):
                found[without_version(name)].append(name)
        return dict(found)

    @cached_property
    def _folded(self) -> dict[str, list[str]]:
        """The genes by their names without case."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            found[name.casefold()].append(name)
        return dict(found)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def find(self, text: str) -> str | None:
        """The one gene that a text names; None where there is none, or more than one.

        Blanks at the ends and the version of an Ensembl id make no difference.
        """
        text = trimmed(text)
        if text in self.names:
            return text
        if text.startswith("ENS"):
            found = self._bare.get(without_version(text), ())
            if len(found) == 1:
                return found[0]
        return self._by_case(text) if self._ignore_case else None

    def why_not(self, text: str) -> str:
        """Why a text finds no gene, where there is more to say than that it is none."""
        text = trimmed(text)
        if text in self._several:
            ids = self._several[text]
            called = joined(list(ids[:3]), len(ids) - 3)
            return f"{shown(text)} is the name of {len(ids)} genes ({called})"
        same = sorted(self._bare.get(without_version(text), ()))
        if len(same) > 1:
            return f"{shown(text)} could be {' or '.join(same[:3])}"
        same = sorted(self._folded.get(text.casefold(), ()))
        if self._ignore_case and len(same) > 1:
            return f"{shown(text)} could be {' or '.join(same[:3])}, which differ by case only"
        if same and not self._ignore_case:
            return f"{shown(text)} differs by case from {' and '.join(map(shown, same[:3]))}"
        return f"{shown(text)} has hidden characters" if hidden_in(text) else ""

    def _by_case(self, text: str) -> str | None:
        """The gene that differs by case only, where it is one."""
        found = self._folded.get(text.casefold(), ())
        return found[0] if len(found) == 1 else None


def without_version(name: str) -> str:
    """An Ensembl id without its version; any other name as it is.

    >>> without_version("ENSG00000102145.15"), without_version("RP11-34.1")
    ('ENSG00000102145', 'RP11-34.1')
    """
    found = _VERSIONED.fullmatch(name)
    return found.group(1) if found else name
