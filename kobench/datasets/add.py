"""`kobench datasets add`: check an AnnData file of the user's and write its card."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobench.datasets.card_keys import NAME
from kobench.datasets.card_text import H5adParameters, Origin, card_text
from kobench.datasets.cards import builtin_loaders, card_specs, read_card, user_folder
from kobench.errors import UserError
from kobench.util.bounded import MOST_TOML, size_text
from kobench.util.files import write_atomically
from kobench.util.resolve import resolve_reference

if TYPE_CHECKING:
    from kobench.dataset import Dataset

#: The loader of the card, which reads the file.
LOADER = "h5ad"

#: What a card says of the data by an editor's hand, and keeps where it is written anew.
KEPT = (
    *("organism", "source", "licence", "reference", "conversion", "where", "notes"),
    *("confounded", "near_null", "open"),
)


def add_dataset(
    file: str | Path,
    name: str,
    reading: H5adParameters | None = None,
    origin: Origin | None = None,
    *,
    summary: str = "",
    kind: str = "",
    seen: Callable[[Dataset], None] = lambda dataset: None,
    out_folder: str | Path | None = None,
    folders: Iterable[str | Path] = (),
    taken: Mapping[str, str] | None = None,
    write: bool = True,
    anew: bool = False,
) -> Path:
    """Load a file as `kobench run` would, and write its card `<out_folder>/<name>.toml`.

    The file stays where it is; the card holds its absolute path and sha256.

    Parameters
    ----------
    file : path
        A file or folder of cells.
    name : str
        Name of the dataset; may be "" where nothing is written.
    reading : H5adParameters, or None for the defaults
        How the file is read.
    origin : Origin, or None
        Where the data come from.
    summary : str
        One line for lists; "" for the numbers of cells and genes.
    kind : str
        What was done to the perturbed cells, one of `kobench.specs.PERTURBATIONS`; "" for
        knockouts, or for what the column `kind_key` says.
    seen : callable
        Is given the loaded dataset before anything is written; what it raises ends all.
    out_folder : path, or None for the user's own folder, which is always read
        Where the card is written.
    folders : paths
        Further folders of cards in use, whose names are taken.
    taken : mapping of str to str, or None
        Names of other datasets that are there -> where each comes from.
    write : bool
        False checks the file and writes nothing, whatever cards there are.
    anew : bool
        Whether a card that exists is written anew, its version raised; what it says of the data and
        no option says stays.

    Returns
    -------
    Path
        The card, or where it would be.

    Raises
    ------
    UserError
        Where the file fails a check, the name is taken, or the card exists and is not to be written
        anew. Nothing is written.
    """
    reading, origin = reading or H5adParameters(), origin or Origin()
    file = Path(file).expanduser().resolve()
    if reading.obs:
        reading = replace(reading, obs=str(Path(reading.obs).expanduser().resolve()))
    folder = Path(out_folder).expanduser() if out_folder else user_folder()
    card = folder / f"{name}.toml"
    if kind and reading.kind_key:
        raise UserError(
            f"both --kind {kind} and --kind-key {reading.kind_key} are given; give one of them"
        )
    if name or write:
        _must_be_a_name(name)
    before = _card_before(card) if write and anew else {}
    if write:  # a check is in nobody's way
        _must_be_free(name, card, folders, taken or {}, bool(before))
    load = resolve_reference(str(builtin_loaders()[LOADER].load))
    dataset: Dataset = load(path=str(file), **asdict(reading))
    if kind:
        dataset = replace(dataset, perturbation=kind)
    if not summary:
        cells = dataset.cells
        summary = f"{cells.n_obs:,} wild-type cells x {cells.n_vars:,} genes from {file.name}"
    head = {
        "name": name,
        "version": before.get("version", 0) + 1,
        "summary": summary,
        "loader": LOADER,
        "truth": "none" if dataset.perturbed is None else "population",
    }
    if dataset.perturbed is not None and not reading.kind_key:
        head["kind"] = dataset.perturbation
    text = card_text(head, file, reading, origin, dict(dataset.facts), before)
    if len(text.encode()) > MOST_TOML:
        raise UserError(
            f"the card would hold more than {size_text(MOST_TOML)}, the most that is read of one,"
            f" with the {len(reading.labels):,} lines of the table of labels; write the genes into"
            " a column of obs and name it with --perturbation-key"
        )
    seen(dataset)
    if write:
        write_atomically(card, text.encode())
        read_card(card)  # what was written can be read
    return card


def _must_be_a_name(name: str) -> None:
    """UserError where a name is none."""
    if not re.fullmatch(NAME, name):
        raise UserError(
            f"dataset name {name!r} must be of lower-case letters, digits and single dashes, as"
            " 'my-screen'; choose another --name"
        )


def _card_before(card: Path) -> dict[str, Any]:
    """What a card says that is to be written anew; nothing where there is none."""
    if not card.exists():
        return {}
    found = read_card(card).card
    return {"version": found["version"]} | {key: found[key] for key in KEPT if key in found}


def _must_be_free(
    name: str, card: Path, folders: Iterable[str | Path], others: Mapping[str, str], anew: bool
) -> None:
    """UserError where the card exists and is not to be written anew, or a loader, a card in use, or
    another dataset that is there is called so.
    """
    if card.exists() and not anew:
        raise UserError(
            f"{card} exists already and is not overwritten; choose another --name, or say --replace"
            " to write it anew with a higher version"
        )
    taken = dict(others)
    taken |= {loader: "a loader of kobench" for loader in builtin_loaders()}
    in_use = [*folders, card.parent] if card.parent.is_dir() else folders
    cards = {spec.name: Path(spec.card["card"]) for spec in card_specs(in_use)[0]}
    taken |= {each: f"the card {path}" for each, path in cards.items()}
    if anew and (name not in cards or cards[name].resolve() == card.resolve()):
        taken.pop(name, None)
    if name in taken:
        raise UserError(f"a dataset {name!r} exists already ({taken[name]}); choose another --name")
