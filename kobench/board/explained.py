"""Why rows above what is possible are there all the same: a file beside the records."""

from __future__ import annotations

from pathlib import Path

from kobench.errors import UserError
from kobench.util.bounded import read_toml
from kobench.util.text import one_line

#: Name of the file in a results folder or a published one: names of rows, each with a sentence.
FILE = "explained.toml"


def read_explained(folder: Path) -> dict[str, str]:
    """Name of a row -> why it may score above what is possible; empty without such a file.

    Parameters
    ----------
    folder : Path
        A folder with records.

    Raises
    ------
    UserError
        For a file that is not TOML, or that says something other than a sentence for each row.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        found = read_toml(path)
    except ValueError as error:
        raise UserError(f"{path} can't be read as TOML: {error}") from None
    for name, why in found.items():
        if not isinstance(why, str) or not why.strip():
            raise UserError(
                f'{path}: {name} is {why!r}, expected a sentence, as in "my-method" = "it was'
                ' given the truth, to show what that looks like"'
            )
    return {name: one_line(" ".join(why.split())) for name, why in found.items()}
