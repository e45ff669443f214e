"""What commands print of a submission: that it is proved, or every reason why it is not taken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.output import say
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.plugins.registry import Registry
    from kobench.results.parts import Record
    from kobench.submit.take import Judged
    from kobench.verify.rerun import Rerun

#: Reasons that are shown without -v.
SHOWN = 12


def judged_beside(
    submission: Path,
    board: Path,
    registry: Registry,
    strangers: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    replacing: bool = False,
    rescoring: bool = True,
) -> tuple[Judged, list[Record]]:
    """A submission as it was looked at beside a published board, and the board's records.

    Parameters
    ----------
    submission, board : Path
        Their folders.
    registry : Registry
        Everything that is installed.
    strangers : (tasks, metrics, datasets)
        What other packages bring and may be used, by name.
    replacing : bool
        Whether a row of the board may be replaced.
    rescoring : bool
        Whether answers are scored again.

    Raises
    ------
    UserError
        Where one of them can't be read, or is none.
    """
    from kobench.cli.folders import all_of
    from kobench.results.answer_store import AnswerStore
    from kobench.results.suite_seed import find_seed
    from kobench.runner.recorded import Source
    from kobench.submit.take import judge
    from kobench.verify.known import Known

    if not (board / "records.jsonl.gz").is_file():
        raise UserError(
            f"{board} is no published folder (it has no records.jsonl.gz); pack a results folder"
            f" with `kobench board {board} --pack FOLDER`"
        )
    found = all_of(board)
    if found.remark:
        raise UserError(f"{board} can't be read as a whole: {found.remark}")
    source = Source(registry, AnswerStore(submission), find_seed(board), *strangers)
    known = Known(registry)
    return judge(submission, found.records, source, known, replacing, rescoring), found.records


def say_judged(judged: Judged, board: Path, verbose: bool) -> bool:
    """Print what came of it; whether the submission is proved as far as was looked."""
    name = judged.submission.method.selection
    for note in judged.notes:
        say(f"Note: {note}.", err=True)
    if not judged.refused:
        say(proved(judged), mark=("✓ ", "green"))
        return True
    shown = judged.refused if verbose else judged.refused[:SHOWN]
    say(f"{name} is not what {board} can take:", mark=("✗ ", "red"))
    for sentence in shown:
        say(f"    {sentence}")
    if hidden := len(judged.refused) - len(shown):
        say(f"    and {hidden} more; -v shows them")
    return False


def proved(judged: Judged) -> str:
    """What was shown of a submission."""
    name, count = judged.submission.method.selection, len(judged.records)
    if judged.rescored is None:
        return f"consistent: {name}, {count} records; --rescore scores its answers again"
    done = judged.rescored
    return (
        f"consistent and re-scored: {name}, {len(done.checked)} of {count} records scored again,"
        f" {done.numbers} numbers as it says"
    )


def say_rerun(judged: Judged, again: Rerun) -> bool:
    """Print what came of fitting its method again; whether it gave these answers."""
    name, count = judged.submission.method.selection, len(judged.records)
    wrong = [*again.findings, *again.open]
    if not wrong:
        say(f"re-run: {name}, {len(again.checked)} of {count} records", mark=("✓ ", "green"))
        return True
    say(f"{name} does not give the answers of its records, fitted again:", mark=("✗ ", "red"))
    for finding in wrong[:SHOWN]:
        say(f"    {finding}")
    return False
