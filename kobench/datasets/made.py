"""The file that a recipe makes of sources, which may come from anyone."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobench.datasets.recipes.common import MissingPackageError
from kobench.datasets.recipes.names import RECIPES
from kobench.errors import UserError
from kobench.util.bounded import size_text
from kobench.util.memory import allocating
from kobench.util.resolve import resolve_reference
from kobench.util.text import one_line

#: Bytes that a recipe may allocate, and how many times the size of its sources beyond that. What
#: its libraries import takes 2 GB of addresses, and the recipes here 64 times their sources.
MOST_MEMORY, MOST_TIMES = 4 << 30, 200


def made_of(card: Mapping[str, Any], files: Mapping[str, Path], folder: Path) -> Path:
    """The file that the recipe of a card makes.

    Parameters
    ----------
    card : mapping
        The card.
    files : mapping of str to Path
        Its sources by name.
    folder : Path
        Where the file is written.

    Raises
    ------
    UserError
        Where the recipe does not make it of these sources, or would take far more memory than they
        can need.
    """
    number, name = tempfile.mkstemp(dir=folder, prefix=".made-", suffix=".h5ad")
    os.close(number)
    made = Path(name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            most = MOST_MEMORY + MOST_TIMES * sum(file.stat().st_size for file in files.values())
            with allocating(most):
                resolve_reference(RECIPES[card["recipe"]])(files).write_h5ad(
                    made, compression="gzip"
                )
    except MissingPackageError:
        made.unlink(missing_ok=True)
        raise
    except MemoryError as error:
        made.unlink(missing_ok=True)
        raise UserError(
            f"dataset {card['name']!r}: recipe {card['recipe']} takes more than {size_text(most)}"
            " of memory for its sources, or than there is; tell who wrote the card"
        ) from error
    # a recipe reads files of others with libraries of others, which have no common error
    except Exception as error:
        made.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            raise
        said = one_line(str(error) or type(error).__name__)[:300]
        raise UserError(
            f"dataset {card['name']!r}: recipe {card['recipe']} cannot make its file of the sources"
            f" ({said}); tell who wrote the card"
        ) from error
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made
