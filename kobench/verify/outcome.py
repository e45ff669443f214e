"""What became of each row that was looked at: the level that it has reached, or what is wrong."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kobench import __version__
from kobench.errors import UNVERIFIABLE, WRONG
from kobench.results.evidence import LEVELS, RERUN, RESCORED, Evidence, Place, by_place, digest_of
from kobench.results.parts import Record
from kobench.verify.finding import Finding, by_record
from kobench.verify.rerun import Rerun
from kobench.verify.rescored import Rescored

#: What is said of a row beside a level and `WRONG`: nobody looked further, or could not, or only
#: some of its tasks were scored again.
CONSISTENT, NOT_RESCORED, NOT_RERUN = "consistent", "not re-scored", "not re-run"
PARTLY = "partly re-scored"


@dataclass(frozen=True)
class Outcome:
    """What became of a row.

    Attributes
    ----------
    place : Place
        The row.
    records : sequence of Record
        Its records.
    word : str
        `CONSISTENT`, a level, `PARTLY`, `NOT_RESCORED`, `NOT_RERUN` or `WRONG`.
    wrong, open : list of str
        What is wrong, and why it could not be looked at.
    checked : int
        How many of its records have reached the level.
    without : tuple of str
        The tasks that it has scores of and that were scored again on no record of it.
    sampled : bool
        Whether answers to some were not.
    no_answers : str
        Why there are no answers of which to make its scores; "" where there are.
    """

    place: Place
    records: Sequence[Record]
    word: str
    wrong: Sequence[str] = ()
    open: Sequence[str] = ()
    checked: int = 0
    without: tuple[str, ...] = ()
    sampled: bool = False
    no_answers: str = ""


def outcomes(
    records: Iterable[Record],
    findings: Iterable[Finding],
    again: Rescored | None,
    fitted: Rerun | None = None,
) -> list[Outcome]:
    """What became of each row.

    Parameters
    ----------
    records : iterable of Record
        The records that were looked at.
    findings : iterable of Finding
        What is wrong with them.
    again : Rescored or None
        What came of scoring them again; None where that was not asked.
    fitted : Rerun or None
        What came of fitting them again; None where that was not asked.
    """
    wrong, unknown = by_record(findings), by_record(again.open if again else ())
    never = by_record(fitted.open if fitted else ())
    return [
        outcome_of(place, members, wrong, unknown, again)
        if fitted is None
        else raised(
            outcome_of(place, members, wrong, unknown, again),
            [str(one) for record in members for one in never.get(id(record), ())],
            sum(id(record) in fitted.checked for record in members),
        )
        for place, members in by_place(records).items()
    ]


def raised(found: Outcome, open_: Sequence[str], checked: int) -> Outcome:
    """What became of a row that was scored again, once it was fitted again, too.

    Parameters
    ----------
    found : Outcome
        What came of scoring.
    open_ : sequence of str
        Why it could not be fitted again.
    checked : int
        How many of its records came out as recorded.
    """
    if found.word == WRONG or not (open_ or checked):
        return found
    if open_:
        return replace(found, word=NOT_RERUN, open=[*found.open, *unique(open_)])
    sampled = checked < len(found.records)
    return replace(found, word=RERUN, checked=checked, sampled=sampled, without=())


def outcome_of(
    place: Place,
    members: Sequence[Record],
    wrong: Mapping[int, Sequence[Finding]],
    unknown: Mapping[int, Sequence[Finding]],
    again: Rescored | None,
) -> Outcome:
    """What became of one row."""
    bad = unique(str(one) for record in members for one in wrong.get(id(record), ()))
    left = unique(str(one) for record in members for one in unknown.get(id(record), ()))
    done = again or Rescored()
    checked = sum(id(record) in done.checked for record in members)
    out = [done.sampled_out.get(id(record), []) for record in members]
    lacking = [why for record in members if (why := done.no_answers.get(id(record)))]
    made = {label for record in members for label in done.labels.get(id(record), ())}
    owned = {label for record in members for label in record.result.scores}
    without = tuple(sorted(owned - made)) if checked else ()
    reached = CONSISTENT if not checked else PARTLY if without else RESCORED
    return Outcome(
        place,
        members,
        WRONG if bad else NOT_RESCORED if left else reached,
        bad,
        left,
        checked,
        without,
        any(out),
        lacking[0] if lacking else "",
    )


def unique(sentences: Iterable[str]) -> list[str]:
    """Each sentence once, in their order."""
    return list(dict.fromkeys(sentences))


def evidence_of(found: Iterable[Outcome], by: str, on: str) -> dict[Place, Evidence]:
    """What to keep beside the records: who looked at which row, and what came of it.

    Of rows that could not be looked at for what is not here, such as the data, nothing is kept: it
    says nothing of them.
    """
    import numpy as np

    multiplies = blas()
    kept = {}
    for one in found:
        word = RESCORED if one.word == PARTLY else one.word
        outcome = UNVERIFIABLE if one.no_answers and word != WRONG else word
        if outcome not in (WRONG, UNVERIFIABLE, *LEVELS):
            continue
        reason = one.wrong[0] if outcome == WRONG else one.no_answers
        kept[one.place] = Evidence(
            **one.place._asdict(),
            records=digest_of(one.records),
            outcome=outcome,
            checked=one.checked,
            of=len(one.records),
            without=list(one.without) or None,
            reason=reason,
            by=by,
            on=on,
            kobench=__version__,
            python=platform.python_version(),
            numpy=np.__version__,
            blas=multiplies,
        )
    return kept


def blas() -> str:
    """Which library numpy multiplies matrices with here, as far as it says.

    >>> bool(blas())
    True
    """
    import numpy as np

    found = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    return " ".join(filter(None, (found.get("name"), found.get("version")))) or "unknown BLAS"
