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


#: Rows that a sentence names.
NAMED = 3


def consistent(records: list[Record]) -> tuple[list[Record], str]:
    """The records of a board as it may show them, and what is wrong with them, "" for nothing.

    Those that contradict themselves, or each other, have no scores any more, and say why.
    """
    from kobench.cli.options import load
    from kobench.util.text import one_line
    from kobench.verify.consistent import check_consistent, without
    from kobench.verify.known import Known

    findings = check_consistent(records, Known(load((), ())))
    single = [finding for finding in findings if finding.record is not None]
    # boards say themselves which floors are missing
    several = [one for one in findings if one.record is None and not one.task]
    sentences = [f"{finding}." for finding in several]
    if single:
        rows = list(dict.fromkeys(finding.what for finding in single))
        named = "; ".join(dict.fromkeys(str(finding) for finding in single[:NAMED]))
        more = f"; and {len(single) - NAMED} more" if len(single) > NAMED else ""
        sentences.append(
            f"{len(rows)} row{'s' * (len(rows) != 1)} can't be what a run left, so no score of"
            f" theirs is shown: {named}{more}. `kobench verify` says all of it."
        )
    return without(records, single), one_line(" ".join(sentences))
