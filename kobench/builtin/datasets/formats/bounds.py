"""What a file may claim: no array much larger than what is stored of it, no more than memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kobench.errors import UserError
from kobench.util.bounded import size_text
from kobench.util.machine import available_mb

if TYPE_CHECKING:
    from kobench.builtin.datasets.formats.source import Part

#: What to do where a file is larger than memory: what is asked must stay in it.
SMALLER = (
    "use a machine with more, or a copy of the file with fewer perturbed cells (all control cells"
    " and all genes stay in it)"
)

#: Bytes that an array may claim, however little is stored of it.
HARMLESS = 64 << 20

#: How many times what is stored an array may claim beyond that. Gzip reaches 1,032.
MOST_PACKED = 4096


def check_storage(part: Part, claimed: int, stored: int) -> None:
    """UserError where an array claims far more than what is stored of it.

    Parameters
    ----------
    part : Part
        The array, for the message.
    claimed, stored : int
        Bytes that its values take in memory and in the file.
    """
    if claimed > HARMLESS and claimed > MOST_PACKED * stored:
        shape = " x ".join(f"{length:,}" for length in part.shape)
        raise UserError(
            f"{part.file}: {part.name} claims {shape} values ({size_text(claimed)}), but"
            f" {size_text(stored)} are stored of it, so most of it was never written; write the"
            " file again"
        )


def check_names(part: Part) -> None:
    """UserError where an array claims more names than a file of this size can hold."""
    count = part.shape[0] if part.shape else 0
    if count > max(part.file_size, 1 << 16):
        raise UserError(
            f"{part.file}: {part.name} claims {count:,} names, which a file of"
            f" {size_text(part.file_size)} can't hold; write the file again"
        )


def check_memory(path: str, needed: int) -> None:
    """UserError where a matrix needs more bytes than there are for this process."""
    there = available_mb()
    if needed > max(HARMLESS, there << 20):
        raise UserError(
            f"{path} needs {size_text(needed)} of memory, and there are {there:,} MB for this"
            f" process; {SMALLER}"
        )
