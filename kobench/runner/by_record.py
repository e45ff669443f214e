"""Datasets that a record names, which may be anyone's: only what the user allows is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, choose, named_files
from kobench.plugins.load import Registry
from kobench.util.grammar import parse


def dataset_by_record(
    registry: Registry,
    text: str,
    named: Collection[str] = (),
    extra: Mapping[str, Any] | None = None,
) -> Chosen:
    """The dataset that a record names.

    A stranger's dataset is code, and a file may be any of the user's: neither runs nor is opened
    because a record says so.

    Parameters
    ----------
    registry : Registry
        Everything that is installed.
    text : str
        The selection in the record.
    named : collection of str
        The names of datasets, or whole selections, that the user named.
    extra : mapping or None
        Parameters that overrule those in the text.

    Raises
    ------
    UserError
        Where it is not here, and where the user has to name it.
    """
    selection, allowed = parse(text), set(named)
    entry = registry.find("datasets", selection.full_name)
    if not entry.trusted and not {entry.shown_name, entry.full_name, text} & allowed:
        raise UserError(
            f"the dataset {entry.shown_name} of {entry.distribution} would run here because a"
            f" record names it; name it with -d {entry.shown_name} to have it"
        )
    # before anything is completed: that opens what is named
    if named_files(entry, selection.params) and text not in allowed:
        raise UserError(
            f"a record names a file of yours ({text}); name the dataset with -d '{text}' to have it"
            " read"
        )
    return choose(registry, "datasets", text, extra)
