"""How a worker ended that was not asked to end, as a failure of its trial."""

from __future__ import annotations

import signal

from kobench.errors import TrialFailed
from kobench.sandbox.start import Launch
from kobench.util.processes import signal_name
from kobench.util.text import visible


def failure_of(launch: Launch, stage: str, tail: str | None) -> TrialFailed:
    """How a trial ends whose worker has ended by itself.

    Parameters
    ----------
    launch : Launch
        The worker's launcher.
    stage : str
        What the worker was doing.
    tail : str or None
        The end of what it printed.
    """
    if launch.not_started is not None:
        why = f"its interpreter can't be executed: {visible(launch.not_started)}"
        return TrialFailed("failed", stage, why)
    message = _sentence(launch)
    exited = launch.ended is not None and launch.ended >= 0
    if exited and tail and stage == "start":
        message += f": {tail.splitlines()[-1]}"
    return TrialFailed("failed", stage, message, tail)


def _sentence(launch: Launch) -> str:
    """How a worker ended that was started."""
    code = launch.ended
    if code is None:
        if launch.lost:
            return "what watches over the worker was ended from outside"
        return "the worker closed its pipe to kobench"
    if code < 0:
        hint = " (often the system running out of memory)" if code == -signal.SIGKILL else ""
        return f"the process was ended by {signal_name(-code)}{hint}"
    return f"the process exited with code {code}"
