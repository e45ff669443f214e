"""TOML cards: a named dataset made of a loader, its parameters, a file with its checksum, and the
facts about it.

A card (only the keys marked * must be there)::

    name* = "my-screen"               lower case, digits, dashes
    version* = 1                      raise it when cells, genes or values change
    summary* = "one line"
    loader* = "h5ad"                  a dataset that takes parameters: h5ad, table, pbmc
    scale* = "counts"                 counts | log1p | log1p-cp10k | linear; checked, never guessed
    normalise = "log1p"               for counts: log1p-cp10k (when not given), log1p, none
    truth = "population"              population | none
    confounded = true                 the perturbed cells are another library: population scores give no skill and no rank
    near_null = true                  hardly any effect beyond the target: a predictor "significant" here is suspect
    open = ["genes", "cell_type"]     parameters that a selection may set (`my-screen:genes=2000`); these two when not given
    organism, licence, source, conversion, reference, where = "..."
    notes = ["sentence shown beside every board", ...]
    [parameters]                      the loader's parameters
    [file] name*, sha256*, bytes; folder (inside the data folder), path, url, or package (an
    installed one that ships it)
    [facts]                           numbers for people: cells, genes, ...

Reading cards imports nothing beyond the standard library, so that `kobench list` is quick.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobench.errors import UserError
from kobench.specs import DatasetSpec, Param, Reference
from kobench.util.resolve import resolve_reference
from kobench.util.text import suggestion

if TYPE_CHECKING:
    from kobench.dataset import Dataset

#: The built-in loaders, named and not imported: only the hooks know `builtin`.
LOADERS = tuple(f"kobench.builtin.specs.datasets:{name}_spec" for name in ("h5ad", "table", "pbmc"))

#: Keys of a card with their types; those in REQUIRED must be there.
KEYS: dict[str, type] = {
    "name": str,
    "version": int,
    "summary": str,
    "loader": str,
    "scale": str,
    "normalise": str,
    "truth": str,
    "confounded": bool,
    "near_null": bool,
    "open": list,
    "organism": str,
    "licence": str,
    "source": str,
    "conversion": str,
    "reference": str,
    "where": str,
    "notes": list,
    "parameters": dict,
    "file": dict,
    "facts": dict,
}
FILE_KEYS: dict[str, type] = {
    "name": str,
    "sha256": str,
    "bytes": int,
    "folder": str,
    "path": str,
    "url": str,
    "package": str,
}
REQUIRED = ("name", "version", "summary", "loader", "scale")
OPEN = ("genes", "cell_type")

SCALES = ("counts", "log1p", "log1p-cp10k", "linear")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")

#: What a task says in place of a score, where a card is flagged as confounded.
CONFOUNDED = "perturbed and wild-type cells differ in more than the gene"

CAVEATS = {
    "confounded": (
        "confounded: perturbed and wild-type cells differ in more than the gene, so population"
        " scores give no skill and no rank"
    ),
    "near_null": (
        "near-null: hardly any effect beyond the target, so a predictor that scores significantly"
        " on its perturbations is suspect"
    ),
}


def builtin_loaders() -> dict[str, DatasetSpec]:
    """The datasets that cards may build on, by name."""
    specs: list[DatasetSpec] = [resolve_reference(reference)() for reference in LOADERS]
    return {spec.name: spec for spec in specs}


def builtin_folder() -> Path:
    """Where the cards of this kobench lie: `cards` inside the package, or `datasets` beside it in a
    checkout.
    """
    package = Path(__file__).parents[1]
    inside = package / "cards"
    return inside if inside.is_dir() else package.parent / "datasets"


def user_folder() -> Path:
    """Where `kobench datasets add` writes and cards are always looked for."""
    from platformdirs import user_config_path

    return user_config_path("kobench") / "datasets"


def card_folders(folders: Iterable[str | os.PathLike[str]] = ()) -> list[Path]:
    """The folders that are read, in order: built-in, the user's, those in KOBENCH_DATASETS, those
    given.
    """
    named = [part for part in os.environ.get("KOBENCH_DATASETS", "").split(os.pathsep) if part]
    everything = [
        builtin_folder(),
        user_folder(),
        *(Path(part).expanduser() for part in (*named, *folders)),
    ]
    return list(dict.fromkeys(everything))


def card_specs(
    folders: Iterable[str | os.PathLike[str]] = (), loaders: Mapping[str, DatasetSpec] | None = None
) -> tuple[list[DatasetSpec], list[str]]:
    """Every dataset that a card in `card_folders(folders)` makes, by name; and a sentence for each
    card that cannot be used.

    loaders : the datasets that cards may build on, by name; None takes the built-in ones. Of two
    cards with one name the first is used. Nothing is raised: a broken card costs its own dataset
    only.
    """
    specs: dict[str, DatasetSpec] = {}
    problems: list[str] = []
    standard = {builtin_folder(), user_folder()}
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
                first = specs[spec.name].card["card"]
                problems.append(
                    f"two cards are called {spec.name!r}: {first} (used) and {path} (not used);"
                    " rename one of them"
                )
            else:
                specs[spec.name] = spec
    return [specs[name] for name in sorted(specs)], problems


def read_card(path: Path, loaders: Mapping[str, DatasetSpec] | None = None) -> DatasetSpec:
    """The dataset that one card makes; UserError, one sentence that names the file, where the card
    is not right.
    """
    try:
        card = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UserError(
            f"card {path} cannot be read ({str(error).splitlines()[0]}); correct it"
        ) from error
    where = f"card {path}"
    _check_keys(card, KEYS, where, REQUIRED)
    loader = _loader(card["loader"], loaders, where)
    file, fixed = card.get("file", {}), card.get("parameters", {})
    _check_values(card, loader, where)
    if file:
        _check_keys(file, FILE_KEYS, f"{where}, [file]", ("name", "sha256"))
        if not re.fullmatch(r"[0-9a-fA-F]{64}", file["sha256"]):
            raise UserError(
                f"{where}, [file]: sha256 is {file['sha256']!r}; give 64 hexadecimal digits"
            )
    elif "path" in loader.params:
        raise UserError(
            f"{where} has no [file], which loader {loader.name!r} needs; add it with name and"
            " sha256"
        )
    set_here = {"scale": card["scale"], "normalise": card.get("normalise")}
    fixed = {
        **fixed,
        **{
            key: value
            for key, value in set_here.items()
            if key in loader.params and value is not None
        },
    }
    for key, value in fixed.items():
        _check_parameter(key, value, loader, where)
    opened = [key for key in card.get("open", OPEN) if key in loader.params]
    params = {
        key: dataclasses.replace(
            loader.params[key], default=fixed.get(key, loader.params[key].default)
        )
        for key in opened
    }
    about = {
        **card,
        "parameters": fixed,
        "card": str(path),
        "loader_parameters": sorted(loader.params),
    }
    about["digest"] = _digest(card["loader"], fixed, file.get("sha256", "").lower())
    return DatasetSpec(
        name=card["name"],
        load=partial(load_card, about, loader.load),
        summary=card["summary"],
        params=params,
        version=card["version"],
        truth=card.get("truth", "none"),
        reference=card.get("reference", ""),
        card=about,
    )


def load_card(card: Mapping[str, Any], load: Reference, /, **params: Any) -> Dataset:
    """Load the dataset of a card: find and check its file, call the loader, put the card's notes
    before the loader's.

    card : `DatasetSpec.card` as `read_card` made it: the card's keys, `card` (its path) and
    `digest` (of what decides the cells). load : the loader's `load`. params : values of the open
    parameters.
    """
    arguments = {**card["parameters"], **params}
    if "path" in card["loader_parameters"]:
        from kobench.datasets.fetch import obtain

        arguments["path"] = str(obtain(card))
    dataset: Dataset = (resolve_reference(load) if isinstance(load, str) else load)(**arguments)
    caveats = [text for flag, text in CAVEATS.items() if card.get(flag)]
    facts = {
        **dataset.facts,
        **{flag.replace("_", "-"): True for flag in CAVEATS if card.get(flag)},
    }
    confounded = CONFOUNDED if card.get("confounded") else dataset.confounded
    return dataclasses.replace(
        dataset,
        notes=(*card.get("notes", ()), *caveats, *dataset.notes),
        facts=facts,
        confounded=confounded,
    )


def _digest(*parts: Any) -> str:
    """sha256 of what decides the cells beside the open parameters: loader, fixed parameters,
    file.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _loader(name: str, loaders: Mapping[str, DatasetSpec] | None, where: str) -> DatasetSpec:
    if loaders is None:
        loaders = builtin_loaders()
    if name not in loaders:
        raise UserError(
            f"{where}: loader {name!r} is not known; {suggestion(name, loaders, 'loaders')}"
        )
    return loaders[name]


def _check_keys(
    table: Mapping[str, Any], known: Mapping[str, type], where: str, required: Iterable[str]
) -> None:
    """UserError for a key that is not known, is missing, or has a value of another type."""
    for key, value in table.items():
        if key not in known:
            raise UserError(f"{where} has the unknown key {key!r}; {suggestion(key, known)}")
        if type(value) is not known[key]:
            raise UserError(
                f"{where}: {key} is {value!r}; it must be of type {known[key].__name__}"
            )
    missing = [key for key in required if key not in table]
    if missing:
        raise UserError(
            f"{where} lacks {', '.join(missing)}; add {'it' if len(missing) == 1 else 'them'}"
        )


def _check_values(card: Mapping[str, Any], loader: DatasetSpec, where: str) -> None:
    """UserError for values outside what a key may say, and for keys that are set in two places."""
    if not NAME.fullmatch(card["name"]):
        raise UserError(
            f"{where}: name {card['name']!r} must be of lower-case letters, digits and single"
            " dashes; rename it"
        )
    for key, choices in (("scale", SCALES), ("truth", ("population", "none"))):
        if card.get(key, choices[-1]) not in choices:
            raise UserError(f"{where}: {key} is {card[key]!r}; choose one of {', '.join(choices)}")
    for key in ("notes", "open"):
        if not all(isinstance(entry, str) for entry in card.get(key, ())):
            raise UserError(f"{where}: {key} must be a list of texts")
    for key, value in card.get("facts", {}).items():
        if not isinstance(value, str | int | float):
            raise UserError(f"{where}, [facts]: {key} is {value!r}; give a text or a number")
    for key in card.get("open", ()):
        if key not in loader.params:
            raise UserError(
                f"{where}: open has {key!r}, which loader {loader.name!r} lacks;"
                f" {suggestion(key, loader.params, 'its parameters')}"
            )
    for key in card.get("parameters", {}):
        if key in ("path", "scale", "normalise"):
            place = "[file]" if key == "path" else "the top of the card"
            raise UserError(f"{where}: {key} does not belong into [parameters]; set it at {place}")


def _check_parameter(key: str, value: Any, loader: DatasetSpec, where: str) -> None:
    """UserError where the loader does not take this parameter or this value."""
    if key not in loader.params:
        raise UserError(
            f"{where}: loader {loader.name!r} has no parameter {key!r};"
            f" {suggestion(key, loader.params, 'its parameters')}"
        )
    param: Param = loader.params[key]
    if param.default is not None and type(value) is not type(param.default):
        raise UserError(
            f"{where}: parameter {key} is {value!r}; it must be of type"
            f" {type(param.default).__name__}"
        )
    if param.choices is not None and value not in param.choices:
        raise UserError(
            f"{where}: parameter {key} is {value!r}; choose one of"
            f" {', '.join(map(str, param.choices))}"
        )
    if (param.low is not None and value < param.low) or (
        param.high is not None and value > param.high
    ):
        raise UserError(
            f"{where}: parameter {key} is {value!r}; it must lie between {param.low} and"
            f" {param.high}"
        )
