"""The folder of all environments, and its locks: no two processes change the same at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from kobench.errors import UserError
from kobench.util import lock
from kobench.util.lock import BusyError
from kobench.util.lock_file import NoLockError


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
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(lock.locked(_file(name), None if wait else 0.0))
        except BusyError as busy:
            raise UserError(
                f"environment {name!r} is being made or changed by another process ({busy}); wait"
                " until it is done"
            ) from None
        except NoLockError as error:
            raise UserError(f"{error}; remove it and try again") from None
        yield


def is_locked(name: str) -> bool:
    """Whether some process has a lock now."""
    try:
        return lock.is_held(_file(name))
    except (OSError, NoLockError):
        return False


def _file(name: str) -> Path:
    """The file of a lock."""
    return making_folder() / f"{name}.lock"
