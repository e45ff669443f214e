"""Whether the name of a submitted method may be its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kobench.errors import UserError
from kobench.plugins.ours import PREDICTORS, owner_of
from kobench.plugins.sources import OWN, normalise
from kobench.results.parts import PredictorInfo
from kobench.util.grammar import parse
from kobench.verify.known import Known

#: What a method and its distribution may be called: what nobody can take for other letters.
NAME = re.compile(r"(file:)?[A-Za-z0-9][A-Za-z0-9._/-]*")
DISTRIBUTION = re.compile(r"(file:)?[A-Za-z0-9_][A-Za-z0-9._-]*")

#: The most letters of a setting.
LONGEST = 400


def name_faults(predictor: PredictorInfo, known: Known) -> Iterator[str]:
    """Why a method can't be called so, each in a sentence without a full stop.

    Parameters
    ----------
    predictor : PredictorInfo
        The method as its records name it.
    known : Known
        What is installed here.
    """
    name, selection = predictor.name, predictor.selection
    if not NAME.fullmatch(name) or not DISTRIBUTION.fullmatch(predictor.distribution):
        yield (
            f"it is called {name[:60]!r} of {predictor.distribution[:60]!r}; expected letters"
            " of ASCII, digits and . _ - /"
        )
        return
    try:
        named = parse(selection).name
    except UserError as error:
        yield f"its selection can't be read ({error})"
        return
    if named != name or not selection.isprintable() or len(selection) > LONGEST:
        yield f"its selection is {selection[:60]!r}, expected {name} with its parameters"
    yield from ours(predictor, known)


def ours(predictor: PredictorInfo, known: Known) -> Iterator[str]:
    """Whether it takes a name of kobench's own, or says that it is one of these and is not."""
    distribution, bare = normalise(predictor.distribution), predictor.name.rpartition("/")[2]
    if distribution in PREDICTORS or distribution == OWN:
        try:
            entry = known.registry.find("predictors", f"{distribution}/{bare}")
        except UserError:
            yield (
                f"it says that it is {bare} of {distribution}, which is developed with kobench;"
                " install it here, so that its code can be compared"
            )
            return
        if entry.digest != predictor.digest:
            yield (
                f"it says that it is {bare} of {distribution}, which has the code"
                f" {entry.digest[:12]} here and {predictor.digest[:12]} in its records"
            )
        return
    entries = known.registry.predictors.get(predictor.name, ())
    if owner := owner_of("predictors", predictor.name, entries):
        yield (
            f"{predictor.name} is a name of {owner}; results of another package have it as"
            f" {predictor.distribution}/{predictor.name}"
        )
