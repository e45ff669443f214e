"""Which labels say that nothing was perturbed: the declared controls, however they are spelt."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Set

from kobench.builtin.datasets.labels.templates import ANY, fits
from kobench.builtin.datasets.labels.text import trimmed

#: Parts beside a gene that say that nothing else was perturbed, declared or not.
NOTHING = ("control", "ctrl")

#: What controls are usually called in this field, in small letters and digits alone.
USUAL = frozenset(
    (
        *("control", "controls", "ctrl", "ctl", "ntc", "nt", "nontargeting", "nontarget"),
        *("nontargetingcontrol", "nontargetingguide", "negctrl", "negcontrol", "negativecontrol"),
        *("neg", "scramble", "scrambled", "scr", "safetargeting", "safeharbor", "safeharbour"),
        *("aavs1", "rosa26", "wt", "wildtype", "unperturbed", "untreated", "mock", "vehicle"),
        *("noguide", "nogrna", "nosgrna", "emptyvector", "luciferase", "lacz", "egfp", "gfp"),
        *("intergenic", "parental"),
    )
)

#: What the number at the end of a control's name may be called.
_NUMBER = ("sgrna", "grna", "guide", "sg", "g")


#: Words that say so also where other words stand beside them, as in `3x_neg_ctrl_1`.
CLEAR = frozenset(
    (
        *("control", "controls", "ctrl", "negctrl", "nontargeting", "scramble", "scrambled"),
        *("intergenic", "unperturbed", "ntc"),
    )
)


def is_usual(text: str, genes: Container[str] = ()) -> bool:
    """Whether a label is one of the usual words for a control, numbered or not.

    Where it has the name of one of the `genes` in it, it is only as a whole.

    >>> is_usual("Non-targeting_003"), is_usual("NT2"), is_usual("WT1"), is_usual("GATA1")
    (True, True, False, False)
    >>> is_usual("p_INTERGENIC393"), is_usual("GATA1_ctrl"), is_usual("GATA1_ctrl", ["GATA1"])
    (True, True, False)
    """
    if _is_word(text, USUAL):
        return True
    words = re.findall(r"[^\W_]+", text)
    return not any(word in genes for word in words) and any(_is_word(word, CLEAR) for word in words)


def _is_word(text: str, words: Set[str]) -> bool:
    """Whether a text is one of the words, numbered or not."""
    word = re.sub(r"[^a-z0-9]", "", text.casefold())
    bare = word.rstrip("0123456789")
    without = {bare.removesuffix(number) for number in _NUMBER} if bare != word else set()
    return word != "wt1" and not words.isdisjoint({word, bare, *without})


class Controls:
    """The declared controls.

    Parameters
    ----------
    declared : iterable of str
        Labels of wild-type cells; a `*` in one stands for any text.
    genes : container of str
        Names of the measured genes: one of them is a control only where that is declared letter by
        letter.
    """

    def __init__(self, declared: Iterable[str], genes: Container[str]) -> None:
        self.declared = tuple(declared)
        self._genes = genes
        self._exact = {trimmed(each): each for each in reversed(self.declared)}
        self._folded = {trimmed(each).casefold(): each for each in reversed(self.declared)}
        self._patterns = [trimmed(each) for each in self.declared if ANY in each]

    def of(self, text: str) -> str | None:
        """The declared control that a label, or a part of one, is; None where it is none."""
        text = trimmed(text)
        if text in self._exact:
            return self._exact[text]
        return None if text in self._genes else self._loosely(text)

    def is_in(self, text: str) -> bool:
        """Whether a declared control is one part of a longer text, as in `GATA1_ctrl`.

        Not so in the usual words for a control, numbered or not, as in `NT_2`.
        """
        if _is_word(text, USUAL):
            return False
        plain = [each for each in self._folded if ANY not in each]
        written = "|".join(map(re.escape, plain)) or "(?!)"
        if re.search(rf"(?<![^\W_])(?:{written})(?![^\W_])", trimmed(text).casefold()):
            return True
        return any(self.of(word) is not None for word in re.findall(r"[^\W_]+", text))

    def is_gene_too(self, text: str) -> bool:
        """Whether a label would be a control, were it no gene of the file."""
        text = trimmed(text)
        return text in self._genes and text not in self._exact and self._loosely(text) is not None

    def _loosely(self, text: str) -> str | None:
        """The control that differs by case only, or whose pattern fits."""
        if text.casefold() in self._folded:
            return self._folded[text.casefold()]
        return next((pattern for pattern in self._patterns if fits(pattern, text)), None)
