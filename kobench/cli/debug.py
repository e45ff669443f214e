"""`kobench run --debug`: pdb where a predictor raised, in this process."""

from __future__ import annotations

import pdb
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from kobench.cli.output import say
from kobench.cli.request import planned

if TYPE_CHECKING:
    from kobench.runner.debug import Stopped

#: What is said before anything of a predictor's is imported.
WARNING = (
    "Debug: predictors run in kobench's own process, without sandbox and limits: their code can"
    " read and change all that you can, the truth and secret seeds too. Nothing is kept: no record,"
    " no answers, no score."
)


class AtOwnCode(pdb.Pdb):
    """A debugger that stands at the deepest call of the predictor's own code.

    Parameters
    ----------
    own : str
        What that code is called, see `kobench.worker.failures.code_of`.
    """

    def __init__(self, own: str) -> None:
        super().__init__()
        self.own = own

    def get_stack(
        self, f: FrameType | None, t: TracebackType | None
    ) -> tuple[list[tuple[FrameType, int]], int]:
        """The calls, and which one of them is shown first."""
        from kobench.worker.failures import is_of

        stack, deepest = super().get_stack(f, t)
        mine = [
            place
            for place, (frame, _) in enumerate(stack)
            if is_of(Path(frame.f_code.co_filename), self.own)
        ]
        return stack, mine[-1] if mine else deepest


def debug(flags: dict[str, Any], notes: list[str]) -> int:
    """Ask the predictors of a run here, and stop in pdb where one raises.

    Parameters
    ----------
    flags : dict
        The values of the options of `kobench run`.
    notes : list of str
        What a reader should know of the plan is added here.

    Returns
    -------
    int
        The exit code: 1 where one raised.
    """
    from kobench.runner.debug import Asked, ask_here

    say(WARNING, err=True)
    groups = planned(flags, notes)
    for note in notes:
        say(f"Note: {note}", err=True)
    asked = Asked()

    def log(message: str, done: int, total: int) -> None:
        say(f"  {message}" + (f" {done}/{total}" if total else ""), err=True)

    stopped = ask_here(groups, log, asked)
    if stopped is None:
        say(
            f"Nothing was raised: {asked.trials} trials, {asked.questions} questions. What a"
            " sandbox, limits or a process of its own change was not tried. Run it without --debug"
            " for scores."
        )
        return 0
    stop(stopped)
    say("Nothing was kept. Run it without --debug for a record.", err=True)
    return 1


def stop(stopped: Stopped) -> None:
    """Say what was raised, and hand over to pdb."""
    from kobench.worker.failures import failure

    error = stopped.error
    message = failure(error, stopped.own)["message"]
    say(f"{stopped.trial.label}: raised in {stopped.stage}: {message}", err=True)
    say("pdb: `w` shows all calls, `u` and `d` go up and down, `p NAME`, `q` ends.", err=True)
    debugger = AtOwnCode(stopped.own)
    debugger.reset()
    debugger.interaction(None, error.__traceback__)
