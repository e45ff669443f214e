"""Where tests find things: the repository, its helpers, and the predictors that tests bring."""

from __future__ import annotations

from pathlib import Path

#: The folder of the repository.
REPOSITORY = Path(__file__).resolve().parents[2]

#: The folder that tests import their helpers from.
HELPERS = Path(__file__).resolve().parent

#: Predictors, metrics and tasks that tests bring as a plugin file.
PREDICTORS = HELPERS / "predictors.py"

#: Real data, where a folder above the repository has them.
DATA = next(
    (
        folder / "shared" / "data"
        for folder in REPOSITORY.parents
        if (folder / "shared" / "data" / "README.md").is_file()
    ),
    REPOSITORY / "no" / "data",
)
