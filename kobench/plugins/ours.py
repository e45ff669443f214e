"""Whose a bare name is: kobench's own come first, whatever strangers call theirs.

Decided by what a stranger can't set: which code is kobench's, and a fixed list of the names that
the distributions beside it offer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kobench.plugins.entry import Entry
from kobench.plugins.sources import OWN, normalise
from kobench.specs import kind_of

#: The predictors of the distributions that are developed with kobench. A suite, and a bare name,
#: mean these and no other.
PREDICTORS = {
    "kobench-baselines": (
        "mlp",
        "linear",
        "gbm",
        "mlp-anchored",
        "linear-anchored",
        "covariance-shift",
        "knn",
        "partial-correlation",
        "steady-state",
        "additive",
        "state-contrast",
        "state-contrast-prior",
        "twofold",
    ),
    "kobench-cipher": ("cipher",),
    "kobench-example": ("nearest-cells",),
    "kobench-genki": ("genki",),
    "kobench-grnboost2": ("grnboost2",),
    "kobench-sctenifold": ("sctenifoldknk",),
}

#: Rows of a board that are no predictors: the lines that kobench's tasks draw. (Its floors are
#: predictors of its own.)
LINES = ("truth", "replicate", "gene-oracle", "true-change", "one-direction", "size-only")

#: Whose a name of a predictor is.
OWNERS = {
    **{name: owner for owner, names in PREDICTORS.items() for name in names},
    **dict.fromkeys(LINES, OWN),
}


def owner_of(kind: str, name: str, entries: Iterable[Entry]) -> str:
    """The distribution that a name alone means; "" where the name is nobody's in particular.

    Parameters
    ----------
    kind : str
        "predictors", "datasets", "metrics" or "tasks".
    name : str
        The name.
    entries : iterable of Entry
        Everything of this kind and name.

    Returns
    -------
    str
        kobench, where it offers the name, or draws a line by it; else one of the distributions
        above, also where it is not installed; else the user's own cards. These are trusted:
        kobench's code loads them.
    """
    trusted = {entry.distribution for entry in entries if entry.trusted}
    if OWN in trusted:
        return OWN
    if kind == "predictors" and name in OWNERS:
        return OWNERS[name]
    return min(trusted, default="")


def told_apart(entries: Iterable[Entry]) -> list[Entry]:
    """The entries of one kind and name, with those marked that the bare name does not mean."""
    entries = list(entries)
    if not entries:
        return []
    owner = owner_of(kind_of(entries[0].spec), entries[0].spec.name, entries)
    return [replace(entry, shadowed=not is_owners(entry, owner)) for entry in entries]


def is_owners(entry: Entry, owner: str) -> bool:
    """Whether an entry is of the owner of its name; everybody's is where nobody owns it.

    What claims to be kobench's own must be trusted: a stranger's distribution may have any name.
    """
    if not owner:
        return True
    if owner in PREDICTORS:
        return normalise(entry.distribution) == owner
    return entry.trusted and entry.distribution == owner
