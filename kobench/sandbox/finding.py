"""What of the sandbox this machine allows, found by putting it on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from kobench.errors import UserError
from kobench.sandbox.layers import open_in_words, why_open
from kobench.sandbox.once import run_once
from kobench.sandbox.places import this_interpreter


@cache
def layers_here() -> Mapping[str, Any]:
    """The layers that a program has in the sandbox on this machine.

    A program that does nothing is started to see it, once in the life of this process.

    Returns
    -------
    mapping of str to True or str
        For each layer True, or why it is not there.
    """
    return run_once(this_interpreter(), ["-I", "-S", "-c", ""], seconds=10.0).layers


def refuse_if_open(mode: str, layers: Mapping[str, Any] | None = None) -> None:
    """Refuse to go on where the sandbox is required and something stays open.

    Parameters
    ----------
    mode : str
        One of `kobench.sandbox.MODES`; only "require" refuses.
    layers : mapping of str to True or str, optional
        The layers that there are, those of this machine where None.

    Raises
    ------
    UserError
        Files, network or processes stay open.
    """
    if mode != "require":
        return
    found = layers_here() if layers is None else layers
    if still := open_in_words(found):
        raise UserError(
            f"--sandbox require: this machine leaves {' and '.join(still)} open:"
            f" {why_open(found)}; `kobench doctor` shows every layer, --sandbox auto runs"
            " with those that there are"
        )
