"""What boards say of settings that were chosen among several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from kobench.board.numbers.series import row_key
from kobench.board.numbers.values import Key
from kobench.board.written import spoken
from kobench.results.parts import Record

#: Said of a row whose setting was chosen by what it is ranked on.
TUNED_HERE = (
    "its setting was tuned on the networks or cells that it is scored on, so its scores here are no"
    " evidence"
)


def tuned_here(record: Record) -> bool:
    """Whether a record's setting was chosen on its own network or cells."""
    return record.trial.dataset.selection in (record.run.tuned_on or ())


def on_tuning(fits: Sequence[Record]) -> tuple[str, ...]:
    """What a row says of the choice of its setting; nothing where none is known."""
    if any(tuned_here(fit) for fit in fits):
        return (TUNED_HERE,)
    used = {name for fit in fits for name in fit.run.tuned_on or ()}
    if not used:
        return ()
    real = sorted(name for name in used if name.endswith(", training cells"))
    networks = len(used) - len(real)
    what = [f"{networks} other networks"] if networks else []
    return (f"its setting was tuned on {spoken([*what, *real])}",)


def tuned_remark(records: Iterable[Record], names: Mapping[Key, str]) -> tuple[str, ...]:
    """A warning that names the rows whose settings were tuned on what they are ranked on."""
    rows = sorted({names[row_key(record)] for record in records if tuned_here(record)})
    if not rows:
        return ()
    return (
        f"Tuned on the networks or cells that they are ranked on, so no evidence: {spoken(rows)}.",
    )
