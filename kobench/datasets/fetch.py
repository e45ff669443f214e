"""Files of datasets: where they lie, and whether they are the right ones."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kobench.datasets.card_checks import OWN
from kobench.datasets.right import check_file_is_right
from kobench.datasets.sources import Checksum
from kobench.errors import UserError


def data_folder() -> Path:
    """Where files of datasets are looked for.

    The environment's KOBENCH_DATA, else `data` in the user's cache folder.
    """
    from platformdirs import user_cache_path

    named = os.environ.get("KOBENCH_DATA", "")
    return Path(named).expanduser() if named else user_cache_path("kobench") / "data"


def target_of(card: Mapping[str, Any]) -> Path:
    """Where a card's file is put that kobench gets."""
    file: Mapping[str, str] = card["file"]
    return data_folder() / file.get("folder", "") / file["name"]


def working_folder() -> Path:
    """Where files lie that are not whole yet: inside the data folder, so on the same disk."""
    return data_folder() / OWN


def places(card: Mapping[str, Any]) -> list[Path]:
    """Where a card's file is looked for, in order; see `find_file`."""
    file = card["file"]
    inside = Path(file.get("folder", "")) / file["name"]
    if file.get("package"):
        spec = importlib.util.find_spec(file["package"])  # does not import it
        if spec is None or not spec.origin:
            origin = _origin(card)
            raise UserError(
                f"dataset {card['name']!r} is part of the Python package {file['package']}, which"
                f" is not installed here{origin}"
            )
        return [Path(spec.origin).parent / inside]
    data = data_folder()
    found = [data / inside, data / file["name"]]
    if file.get("path"):
        found.insert(0, Path(card.get("card", "")).parent / Path(file["path"]).expanduser())
    return list(dict.fromkeys(found))


def obs_file(card: Mapping[str, Any]) -> dict[str, Any]:
    """A card whose file is the table beside the file of this one."""
    others = ("sources", "recipe", "where", "obs_file")
    itself = {key: value for key, value in card.items() if key not in others}
    return {**itself, "file": card["obs_file"]}


def is_there(place: Path) -> bool:
    """Whether a place has a file, or a folder of cells: zarr, or a matrix in text."""
    if not place.is_dir():
        return place.is_file()
    try:
        names = os.listdir(place)
    except OSError:
        return False
    return any(
        name in ("zarr.json", ".zgroup") or name.removesuffix(".gz").endswith("matrix.mtx")
        for name in names
    )


def find_file(card: Mapping[str, Any]) -> Path:
    """The file of a card, with its checksum checked; nothing is downloaded.

    Parameters
    ----------
    card : mapping
        `DatasetSpec.card`. Its file is looked for at the `path` of its [file] (relative ones start
        in the card's folder), at `<data>/<folder>/<name>` and at `<data>/<name>`; with `package`,
        in that installed package only.

    Raises
    ------
    UserError
        Where the file is missing, with where it comes from and where to put it, or has another
        checksum.
    """
    file, looked = card["file"], places(card)
    found = next((place for place in looked if is_there(place)), None)
    if found is None:
        raise UserError(_missing(card, looked))
    remedy = "bring the right file or correct the card"
    if card.get("loader") == "h5ad" and "sources" not in card:
        remedy += (
            "; if the new one is meant, `kobench datasets add ... --name"
            f" {card['name']} --replace` with the options of before writes the card anew"
        )
    if card.get("sources"):
        remedy = (
            f"move it away, and `kobench datasets get {card['name']}` gets the right one, or"
            " correct the card"
        )
    if file.get("package"):
        remedy = f"install a version of {file['package']} that ships it"
    check_file_is_right(card, found, f"the file of dataset {card['name']!r}", remedy)
    return found


def find_whole(card: Mapping[str, Any]) -> Path:
    """The file of a card as `find_file` gives it, where the table beside it is here and right, too.

    UserError for the first of them that is not.
    """
    found = find_file(card)
    find_table(card)
    return found


def find_table(card: Mapping[str, Any]) -> Path | None:
    """The table beside the file of a card, as `find_file` gives it; None where it has none."""
    return find_file(obs_file(card)) if card.get("obs_file") else None


def is_here(card: Mapping[str, Any]) -> bool:
    """Whether there is a file in each place that a card needs one in; none is looked into."""
    tables = [obs_file(card)] if card.get("obs_file") else []
    try:
        return all(
            any(is_there(place) for place in places(each))
            for each in (card, *tables)
            if each.get("file")
        )
    except UserError:  # its package is not installed
        return False


def _missing(card: Mapping[str, Any], looked: list[Path]) -> str:
    """A sentence on a file that is in none of the places."""
    file = card["file"]
    size = f" ({file['bytes']:,} bytes)" if "bytes" in file else ""
    if file.get("package"):
        remedy = f"install {file['package']} again, in a version that has it"
    elif card.get("sources"):
        remedy = f"`kobench datasets get {card['name']}` gets it"
    elif file.get("url"):
        remedy = f"a run that uses the dataset downloads it from {file['url']}"
    else:
        remedy = "put it there, or set KOBENCH_DATA to the folder that has it"
    where = " or ".join(map(str, looked)) + _origin(card)
    return (
        f"dataset {card['name']!r} needs the file {file['name']}{size}, which is not at"
        f" {where}; {remedy}"
    )


def obtain(card: Mapping[str, Any]) -> Path:
    """The file of a card as `find_file` gives it, downloaded first where it has to be.

    A missing file whose card has a `url` comes into the data folder.
    """
    file = card["file"]
    has_url = file.get("url") and not file.get("package")
    if has_url and not any(is_there(place) for place in places(card)):
        if not file.get("sha256"):
            raise UserError(
                f"dataset {card['name']!r}: its card has a url but no sha256, and kobench loads no"
                " unchecked file; add sha256 to the card"
            )
        from kobench.datasets.download import download  # brings all of http: lists need none of it

        download(
            [file["url"]],
            target_of(card),
            Checksum("sha256", file["sha256"].lower()),
            card["name"],
            size=file.get("bytes"),
            folder=working_folder(),
        )
    return find_file(card)


def _origin(card: Mapping[str, Any]) -> str:
    """Where the card says that its file comes from, to be added to a sentence."""
    return f"; {card['where'].rstrip('.')}" if card.get("where") else ""
