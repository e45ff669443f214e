"""What was done to each perturbation, where the perturbations of one file differ in kind."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from kobench.builtin.datasets.labels.text import joined, shown
from kobench.errors import UserError
from kobench.specs import PERTURBATIONS

#: The kinds that are asked, each with the words by which files call it, in small letters and digits
#: alone; then those that are not.
WORDS: Mapping[str, tuple[str, ...]] = {
    "knockout": ("knockout", "ko", "crisprko", "crispr", "crisprcas9", "cas9", "deletion"),
    "knockdown": ("knockdown", "kd", "crispri", "dcas9krab", "rnai", "sirna", "shrna"),
    "overexpression": ("overexpression", "oe", "crispra", "activation", "dcas9vpr", "orf"),
    "near-null": ("nearnull",),
}


@dataclass(frozen=True)
class Kinds:
    """What was done to perturbed cells.

    Attributes
    ----------
    most : str
        What was done in most perturbations, of those that are asked if there are any.
    others : dict of str to str
        Perturbations of another kind -> their kind.
    notes : tuple of str
        A sentence where there is more than one kind.
    """

    most: str = "knockout"
    others: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_kinds(
    names: npt.NDArray[np.str_],
    words: npt.NDArray[np.str_],
    where: str,
) -> Kinds:
    """The kind of each perturbation.

    Parameters
    ----------
    names : (n,) str
        What was perturbed in each perturbed cell.
    words : (n,) str
        What was done to it, in the words of the file.
    where : str
        What messages start with: the file and the column.

    Raises
    ------
    UserError
        Where a word is not known, or one perturbation has two kinds.
    """
    pairs = np.unique(np.stack([names, words]), axis=1).T.tolist()
    found: dict[str, set[str]] = defaultdict(set)
    for name, word in pairs:
        found[name].add(_kind(word, where))
    if mixed := sorted(name for name, kinds in found.items() if len(kinds) > 1):
        raise UserError(
            f"{where}: {joined([shown(name) for name in mixed[:3]], len(mixed) - 3)} has cells of"
            f" several kinds ({' and '.join(sorted(found[mixed[0]]))}), which are not one"
            " perturbation; correct the column, or give the cells of one kind another label in a"
            " copy of the file, and leave that label out (`--unassigned LABEL`)"
        )
    kinds = {name: min(each) for name, each in found.items()}
    count = Counter(kinds.values())
    # knockouts and knockdowns before what is not asked
    order = sorted(count, key=lambda kind: (PERTURBATIONS.index(kind) > 1, -count[kind], kind))
    most = order[0] if order else "knockout"
    notes: tuple[str, ...] = ()
    if len(count) > 1 or most != "knockout":
        said = ", ".join(f"{count[kind]:,} {kind}" for kind in order)
        notes = (f"kinds of perturbations: {said}; only knockouts and knockdowns are asked",)
    return Kinds(most, {name: kind for name, kind in kinds.items() if kind != most}, notes)


def _kind(word: str, where: str) -> str:
    """The kind that a word of a file means."""
    plain = re.sub(r"[^a-z0-9]", "", word.casefold())
    for kind, words in WORDS.items():
        if plain in words:
            return kind
    raise UserError(
        f"{where}: {shown(word)} is no kind of perturbation that is known; write"
        f" {', '.join(PERTURBATIONS[:-1])} or {PERTURBATIONS[-1]} (CRISPRi and CRISPRa are"
        " understood)"
    )
