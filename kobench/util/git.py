"""Calls git so that nothing runs that the folder of a stranger asks for in its configuration."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

#: Ways by which git may fetch what somebody asks for; others start programs that an address names.
FETCHING = "file:git:http:https:ssh"

#: Settings by which a repository has programs started: hooks, what watches files, what shows pages.
SAFE = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "core.pager=cat")


def git(
    *words: str, folder: Path | None = None, fetches: bool = False, patience: float = 60.0
) -> subprocess.CompletedProcess[bytes]:
    """Call git, which asks nobody and starts no program that a repository names.

    Parameters
    ----------
    *words : str
        A command and its arguments. Of what can start a program by other settings, such as
        filters and signatures, nothing is to be called: `cat-file` does neither.
    folder : Path or None
        Where it is called; None: here.
    fetches : bool
        Whether it may fetch from elsewhere. What a repository lacks is never fetched unasked.
    patience : float
        Seconds that it may take.

    Raises
    ------
    OSError, subprocess.TimeoutExpired
        git is not there, or takes too long.
    """
    settings = [part for setting in SAFE for part in ("-c", setting)]
    return subprocess.run(
        ["git", *settings, *(("-C", str(folder)) if folder else ()), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=patience,
        env={
            **os.environ,
            "GIT_ALLOW_PROTOCOL": FETCHING if fetches else "none",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        },
    )
