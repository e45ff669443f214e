"""TOML cards: named datasets, each made of a loader, its parameters and a file with its checksum.

What a card may say stands in one table, `kobench.datasets.card_keys`.

Reading cards imports nothing beyond the standard library, so that `kobench list` is quick.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kobench.datasets.card_checks import (
    OPEN,
    check_card,
    check_file,
    check_parameter,
    check_values,
)
from kobench.datasets.card_load import load_card
from kobench.datasets.opened import is_copy
from kobench.datasets.own_places import taken
from kobench.datasets.right import identity
from kobench.errors import UserError
from kobench.specs import DatasetSpec
from kobench.util.bounded import read_toml
from kobench.util.resolve import resolve_reference
from kobench.util.text import suggestion

#: The built-in loaders, named and not imported: only the hooks know `builtin`.
LOADERS = tuple(f"kobench.builtin.specs.datasets:{name}_spec" for name in ("h5ad", "table", "pbmc"))


def builtin_loaders() -> dict[str, DatasetSpec]:
    """The datasets that cards may build on, by name."""
    specs: list[DatasetSpec] = [resolve_reference(reference)() for reference in LOADERS]
    return {spec.name: spec for spec in specs}


def builtin_folder() -> Path:
    """Where the cards of this kobench lie.

    In `cards` inside the package, or in `datasets` beside it in a checkout.
    """
    package = Path(__file__).parents[1]
    inside = package / "cards"
    return inside if inside.is_dir() else package.parent / "datasets"


def public_folder() -> Path:
    """Where the cards of public screens lie, apart from those that boards stand on."""
    return builtin_folder() / "public"


def user_folder() -> Path:
    """Where `kobench datasets add` writes and cards are always looked for."""
    from platformdirs import user_config_path

    return user_config_path("kobench") / "datasets"


def card_folders(folders: Iterable[str | os.PathLike[str]] = ()) -> list[Path]:
    """The folders that are read, in order.

    The built-in ones, the user's, those named in KOBENCH_DATASETS, those given.
    """
    named = [part for part in os.environ.get("KOBENCH_DATASETS", "").split(os.pathsep) if part]
    everything = [
        builtin_folder(),
        public_folder(),
        user_folder(),
        *(Path(part).expanduser() for part in (*named, *folders)),
    ]
    return list(dict.fromkeys(everything))


def card_specs(
    folders: Iterable[str | os.PathLike[str]] = (), loaders: Mapping[str, DatasetSpec] | None = None
) -> tuple[list[DatasetSpec], list[str]]:
    """Every dataset that a card in `card_folders(folders)` makes.

    Nothing is raised: a broken card costs its own dataset only.

    Parameters
    ----------
    folders : paths
        Folders that are read beside the usual ones.
    loaders : mapping of str to DatasetSpec, or None for the built-in ones
        The datasets that cards may build on, by name.

    Returns
    -------
    list of DatasetSpec
        Sorted by name. Of two cards with one name the first is used, and none that would put its
        file in the way of another one's.
    list of str
        A sentence for each card that cannot be used.
    """
    specs: dict[str, DatasetSpec] = {}
    problems: list[str] = []
    standard = {builtin_folder(), public_folder(), user_folder()}
    for folder in card_folders(folders):
        if not folder.is_dir():
            if folder not in standard:
                problems.append(
                    f"dataset folder {folder} does not exist; correct KOBENCH_DATASETS or"
                    " --datasets"
                )
            continue
        for path in sorted(folder.glob("*.toml")):
            try:
                spec = read_card(path, loaders)
            except UserError as error:
                problems.append(str(error))
                continue
            if spec.name in specs:
                before = specs[spec.name]
                first = before.card["card"]
                if merged := _verified(before, spec):
                    specs[spec.name] = merged
                    continue
                problems.append(
                    f"two cards are called {spec.name!r}: {first} (used) and {path} (not used);"
                    " rename one of them"
                )
            else:
                specs[spec.name] = spec
    for name, problem in taken(specs).items():
        problems.append(problem)
        del specs[name]
    return [specs[name] for name in sorted(specs)], problems


def read_card(path: Path, loaders: Mapping[str, DatasetSpec] | None = None) -> DatasetSpec:
    """The dataset that one card makes.

    Parameters
    ----------
    path : Path
        The card.
    loaders : mapping of str to DatasetSpec, or None for the built-in ones
        The datasets that cards may build on, by name.

    Raises
    ------
    UserError
        One sentence that names the file, where the card is not right.
    """
    where = f"card {path}"
    try:
        card = read_toml(path)
    except PermissionError as error:
        raise UserError(
            f"{where} cannot be read ({error.strerror}); see to it that you may read it"
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{where} cannot be read ({str(error).splitlines()[0]}); correct it"
        ) from error
    check_card(card, where)
    loader = _loader(card["loader"], loaders, where)
    check_values(card, loader, where)
    check_file(card, loader, where)
    fixed = _fixed_parameters(card, loader)
    for key, value in fixed.items():
        check_parameter(key, value, loader, where)
    about = {
        **card,
        "parameters": fixed,
        "card": str(path),
        "loader_parameters": sorted(loader.params),
        "digest": _digest(card["loader"], fixed, identity(card), *_beside(card)),
    }
    return DatasetSpec(
        name=card["name"],
        load=partial(load_card, about, loader.load),
        summary=card["summary"],
        params={
            key: dataclasses.replace(
                loader.params[key], default=fixed.get(key, loader.params[key].default)
            )
            for key in card.get("open", OPEN)
            if key in loader.params
        },
        version=card["version"],
        truth=card.get("truth", "none"),
        reference=card.get("reference", ""),
        card=about,
        same_cells=tuple(card.get("same_cells", ())),
    )


def _verified(first: DatasetSpec, second: DatasetSpec) -> DatasetSpec | None:
    """The dataset of two cards, if one is a verified copy of the other in the user's own folder."""
    for copy, original in ((first, second), (second, first)):
        path = Path(copy.card["card"])
        if path.parent == user_folder() and is_copy(path, Path(original.card["card"])):
            return with_found(original, copy)
    return None


def _beside(card: Mapping[str, Any]) -> list[str]:
    """What stands for the content of the table beside the file in keys; nothing without one."""
    table = card.get("obs_file")
    return [table["sha256"].lower()] if table else []


def with_found(original: DatasetSpec, copy: DatasetSpec) -> DatasetSpec:
    """A dataset whose file somebody has opened who could not write its card.

    Parameters
    ----------
    original : DatasetSpec
        The dataset of the card, which decides which file is the right one and how it is read.
    copy : DatasetSpec
        That of the verified copy, of which only what was found is believed.
    """
    about = {
        **original.card,
        "opened": True,
        "facts": copy.card.get("facts", {}),
        "verified": copy.card["card"],
    }
    load: Any = original.load
    return dataclasses.replace(original, load=partial(load_card, about, load.args[1]), card=about)


def _fixed_parameters(card: Mapping[str, Any], loader: DatasetSpec) -> dict[str, Any]:
    """The values that the card gives to its loader, some of them at the top of the card."""
    at_top = {"scale": card["scale"], "normalise": card.get("normalise")}
    taken = {
        key: value for key, value in at_top.items() if key in loader.params and value is not None
    }
    return {**card.get("parameters", {}), **taken}


def _digest(*parts: Any) -> str:
    """sha256 of what decides the cells beside the open parameters: loader, values, file."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _loader(name: str, loaders: Mapping[str, DatasetSpec] | None, where: str) -> DatasetSpec:
    """The loader that a card names; UserError where there is no such loader."""
    if loaders is None:
        loaders = builtin_loaders()
    if name not in loaders:
        raise UserError(
            f"{where}: loader {name!r} is not known; {suggestion(name, loaders, 'loaders')}"
        )
    return loaders[name]
