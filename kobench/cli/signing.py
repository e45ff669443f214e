"""With which key a run signs its results, and the signature that it leaves."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from kobench.cli.output import say
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.results.parts import Record

#: The variable that names the key where `--sign` does not.
VARIABLE = "KOBENCH_SIGNING_KEY"

#: What stands for the key by which git signs.
GIT = "git"


def signing_key(named: str | None) -> str | None:
    """The key that signs a run, None where nobody named one.

    It is tried before anything is fitted.

    Parameters
    ----------
    named : str or None
        What `--sign` says: a file, or "git".

    Raises
    ------
    UserError
        Where it can't sign.
    """
    from kobench.results.signatures import signature_of

    text = os.environ.get(VARIABLE, "") if named is None else named
    if not text:
        return None
    key = key_of_git() if text == GIT else str(Path(text).expanduser())
    signature_of(b"kobench looks whether this key signs\n", key)
    return key


def key_of_git() -> str:
    """The SSH key by which git signs here; UserError where it has none."""
    import subprocess

    from kobench.util.git import git

    def asked(name: str) -> str:
        try:
            return git("config", "--get", name).stdout.decode(errors="replace").strip()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"git can't be asked for its key ({error})") from error

    form, key = asked("gpg.format"), asked("user.signingkey")
    if form != "ssh" or not key or key.startswith(("ssh-", "key::", "ecdsa-", "sk-")):
        raise UserError(
            f"git signs with gpg.format {form or 'openpgp'!r} and user.signingkey {key[:60]!r};"
            " expected ssh and the file of a key; name a file with --sign"
        )
    return str(Path(key).expanduser())


def sign_run(folder: Path, records: Iterable[Record], key: str) -> None:
    """Sign what a run left in its folder, and say so."""
    from kobench.results.records import read_record, record_path
    from kobench.results.signatures import sign

    # as they were written, which is what a reader has
    written = [read_record(record_path(folder, record.trial)) for record in records]
    path = sign(folder, written, key)
    say(f"Signed {len(written)} records: {path}.")
