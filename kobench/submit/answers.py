"""Which answers a board can still publish once a row comes to it, or takes another's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from kobench.errors import UserError
from kobench.results.packed_answers import read_sample
from kobench.results.parts import Record
from kobench.results.sample import Sample, name_of_row


def sample_before(
    board: Path, records: Sequence[Record], replaced: Sequence[Record]
) -> Sample | None:
    """The sample of a board's answers, by which rows that stay keep those that they have.

    Parameters
    ----------
    board : Path
        The published folder.
    records : sequence of Record
        Its records.
    replaced : sequence of Record
        Those whose place others take.

    Raises
    ------
    UserError
        Where a row that goes decided which answers of others were kept.
    """
    try:
        sample = read_sample(board)
    except ValueError as error:
        raise UserError(f"{error}; get the board again") from error
    if sample is None:
        return None
    rows = sorted({name_of_row(record) for record in records if record.role == "predictor"})
    together = tuple(rows) if sample.together is None else sample.together
    gone = {name_of_row(record) for record in replaced}
    if sample.of_row is not None and gone & set(together):
        raise UserError(
            f"{board} keeps a sample of its answers that {', '.join(sorted(gone))} had a part in"
            " choosing; pack it anew from its results folder (kobench board RESULTS --pack), then"
            " each row has a sample of its own"
        )
    return replace(sample, together=together)
