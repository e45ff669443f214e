"""What commands print of a submission: that it is proved, or every reason why it is not taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.output import say
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.plugins.registry import Registry
    from kobench.results.parts import Record
    from kobench.runner.recorded import Source
    from kobench.submit.take import Judged
    from kobench.verify.rerun import Rerun
    from kobench.verify.signed import Signatures

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


def looked_at(
    submission: Path,
    board: Path,
    registry: Registry,
    strangers: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    rescoring: bool,
    rerun: Callable[[list[Record], Source], Rerun] | None,
    signers: Path | None,
    verbose: bool,
) -> bool:
    """Look at a submission as far as is asked, and print what came of it; whether it is proved.

    Parameters
    ----------
    submission, board, registry, strangers, rescoring
        See `judged_beside`.
    rerun : callable or None
        Fits the method of records again; None where that is not asked.
    signers : Path or None
        Whose keys are known; None where signatures are not asked for.
    verbose : bool
        Whether to print every reason.
    """
    from kobench.verify.signed import check_signatures

    judged, _ = judged_beside(submission, board, registry, strangers, True, rescoring)
    proved = say_judged(judged, board, verbose)
    if proved and rerun is not None and judged.source is not None:
        proved = say_rerun(judged, rerun(judged.records, judged.source))
    if signers is not None:
        signed = check_signatures(submission, judged.records, signers)
        proved = say_signed(signed, judged) and proved
    return proved


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


def say_signed(signed: Signatures, judged: Judged) -> bool:
    """Print who signed the records; whether no signature is wrong."""
    from kobench.results.evidence import by_place

    for place, members in by_place(judged.records).items():
        words = signed.words(place, len(members))
        say(f"{place.row[1]} on {place.dataset}, {place.split}: {words}")
    for finding in signed.findings:
        say(f"{finding}", mark=("✗ ", "red"))
    return not signed.findings
