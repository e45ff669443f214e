"""What was tuned on what: a file that `kobench tune` writes and `kobench run` reads.

Records of a setting that was chosen so carry what it was chosen on, and boards warn where that is
what they rank on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kobench.errors import UserError
from kobench.util.bounded import read_bounded
from kobench.util.files import parse_json, write_atomically

#: The file where the predictor is of an installed package; that of a plugin file lies beside it.
FILE = "kobench-tuned.json"

#: Bytes of such a file that are read.
MOST = 8 << 20


def tuned_path(plugin: str | Path | None) -> Path:
    """Where what was tuned is written down: beside a plugin file, else in this folder.

    >>> str(tuned_path("mine.py"))
    'mine.tuned.json'
    """
    return Path(FILE) if plugin is None else Path(plugin).with_suffix(".tuned.json")


def read_tuned(path: Path) -> list[dict[str, Any]]:
    """The sweeps that a file tells of; none where there is none.

    Raises
    ------
    UserError
        For what is no such file: a run would forget what its settings were chosen on.
    """
    try:
        said = parse_json(read_bounded(path, MOST).decode())
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read ({error}); put it back as tune wrote it") from error
    sweeps = said.get("sweeps") if isinstance(said, dict) else None
    texts = ("predictor", "distribution")
    lists = ("settings", "used")
    if not isinstance(sweeps, list) or not all(
        isinstance(one, dict)
        and all(isinstance(one.get(key), str) for key in texts)
        and all(is_texts(one.get(key)) for key in lists)
        for one in sweeps
    ):
        raise UserError(f"{path} is not what tune writes; put it back, or move it away")
    return sweeps


def is_texts(value: object) -> bool:
    """Whether a JSON value is a list of texts."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def add_sweep(path: Path, sweep: Mapping[str, Any]) -> None:
    """Write down one more sweep; the same one again takes the place of the earlier."""
    import json

    known = [one for one in read_tuned(path) if not same_sweep(one, sweep)]
    text = json.dumps({"sweeps": [*known, dict(sweep)]}, indent=1, sort_keys=True)
    write_atomically(path, f"{text}\n".encode())


def same_sweep(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two sweeps are of the same settings on the same cells."""
    keys = ("predictor", "distribution", "settings", "used")
    return all(one.get(key) == other.get(key) for key in keys)


def used_by(sweeps: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """By distribution and setting all that it was chosen on, or was among those to choose from."""
    found: dict[tuple[str, str], set[str]] = {}
    for sweep in sweeps:
        for setting in sweep["settings"]:
            found.setdefault((sweep["distribution"], setting), set()).update(sweep["used"])
    return {key: tuple(sorted(used)) for key, used in found.items()}
