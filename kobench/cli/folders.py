"""Results folders as commands read them: by the newest version of each method, and older ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.results.parts import Record


def versions_of(folder: Path) -> tuple[list[Record], list[Record], str]:
    """The records of a results folder by the newest version of each method, and older ones.

    With a remark on those that can't be read, "" for none.
    """
    from kobench.results.versions import newest, read_older

    records, remark = records_of(folder)
    shown, before = newest(records)
    return shown, [*before, *(record for _, record in read_older(folder))], remark


def records_of(folder: Path) -> tuple[list[Record], str]:
    """The records of a results folder, and a remark on those that can't be read, "" for none.

    Raises
    ------
    UserError
        Where there are none.
    """
    from kobench.results.left_out import LeftOut, NothingReadableError
    from kobench.results.records import read_records

    left_out = LeftOut()
    records = list(read_records(folder, left_out))
    if records:
        return records, left_out.remark()
    if left_out.count:
        raise NothingReadableError(
            f"there is no record in {folder} that can be read. {left_out.remark()}"
        )
    hint = "make some with `kobench run quick`, or name another folder"
    inside = sorted(str(found.parent) for found in folder.glob("*/records"))
    if inside:
        hint = f"did you mean {' or '.join(inside[:3])}?"
    raise UserError(f"there are no records in {folder}; {hint}")
