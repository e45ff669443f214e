"""The folder of all environments, and its locks: no two processes change the same at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from kobench.errors import UserError


def environments_folder() -> Path:
    """The folder of all environments.

    It is the one that KOBENCH_ENVIRONMENTS names, else `environments` in the user's data folder.
    """
    from platformdirs import user_data_path

    if named := os.environ.get("KOBENCH_ENVIRONMENTS", ""):
        return Path(os.path.abspath(Path(named).expanduser()))
    return user_data_path("kobench") / "environments"


def making_folder() -> Path:
    """The folder of locks, and of the logs of what is being made."""
    return environments_folder() / ".making"


@contextlib.contextmanager
def locked(name: str, wait: bool = False) -> Iterator[None]:
    """Hold a lock.

    Parameters
    ----------
    name : str
        Its name. An environment is made and removed under the lock of its own name.
    wait : bool
        Whether to wait for another process that has it.

    Raises
    ------
    UserError
        Another process has it, and `wait` is False.
    """
    making_folder().mkdir(parents=True, exist_ok=True)
    with open(making_folder() / f"{name}.lock", "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise UserError(
                f"environment {name!r} is being made or changed by another process; wait until it"
                " is done"
            ) from None
        yield


def is_locked(name: str) -> bool:
    """Whether some process has a lock now."""
    try:
        with open(making_folder() / f"{name}.lock", "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
