"""`kobench datasets add`: check an AnnData file of the user's and write its card."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kobench.datasets.card_keys import NAME
from kobench.datasets.card_schema import unsaid
from kobench.datasets.cards import builtin_loaders, card_specs, read_card, user_folder
from kobench.datasets.right import bytes_of, sha256_of_content
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


@dataclass(frozen=True)
class H5adParameters:
    """How the file is read: values for the parameters of the loader `h5ad`.

    Attributes
    ----------
    perturbation_key : str
        Column of obs with the perturbed genes; "none": every cell is wild type.
    control : str, or sequence of str
        What that column says for wild-type cells; `*` stands for any text.
    unassigned : sequence of str
        Labels of cells that are left out; "" stands for cells without a label.
    join, guide_pattern : str, or sequence of str
        What joins genes in that column beside `+`, and how it calls guides.
    labels : mapping of str to str
        What each of its labels means; all of it is copied into the card.
    ignore_case : bool
        Whether labels find genes that are written with other capital letters.
    var_key : str
        Column of var with the genes' names; "" for the index.
    kind_key : str
        Column of obs with what was done to each perturbed cell; "" where that is the same in all.
    cell_type_key, batch_key, group_key, replicate_key : str
        Columns of obs; "" for none. "day+donor" is the combination of two.
    scale, normalise : str
        What the values are, and what is done to counts.
    totals_key : str
        Column of obs with a cell's counts over all genes of the source; "" for none.
    layer : str
        Layer with the values; "" for X.
    raw : bool
        Whether the values are those of `.raw`.
    obs : str
        A table with further columns of the cells; "" for none. The card holds its checksum.
    """

    perturbation_key: str = "perturbation"
    control: str | Sequence[str] = "control"
    unassigned: Sequence[str] = ()
    join: str | Sequence[str] = ""
    guide_pattern: str | Sequence[str] = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ignore_case: bool = False
    var_key: str = ""
    kind_key: str = ""
    cell_type_key: str = ""
    batch_key: str = ""
    group_key: str = ""
    replicate_key: str = ""
    scale: str = "counts"
    normalise: str = "auto"
    totals_key: str = ""
    layer: str = ""
    raw: bool = False
    obs: str = ""

    def scales(self) -> dict[str, str]:
        """What stands at the top of the card; `normalise` only where it was chosen."""
        chosen = {} if self.normalise == "auto" else {"normalise": self.normalise}
        return {"scale": self.scale, **chosen}

    def parameters(self) -> dict[str, Any]:
        """What stands in the card's [parameters]: the others that are not empty."""
        return {
            key: value
            for key, value in asdict(self).items()
            if key not in ("scale", "normalise", "obs") and value not in ("", False, {}, [], ())
        }


@dataclass(frozen=True)
class Origin:
    """Where the data come from, in words; "" for what is not said."""

    organism: str = ""
    source: str = ""
    licence: str = ""
    reference: str = ""


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
    text = _card_text(head, file, reading, origin, dict(dataset.facts), before)
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


def _card_text(
    head: Mapping[str, Any],
    file: Path,
    reading: H5adParameters,
    origin: Origin,
    facts: Mapping[str, Any],
    before: Mapping[str, Any],
) -> str:
    """The card: tables of TOML, each under a comment that says what it is for.

    `before` is what an earlier card said that stays where nothing else is said.
    """
    import tomli_w

    kept = {key: value for key, value in before.items() if key not in ("version", "notes")}
    said = kept | {key: value for key, value in asdict(origin).items() if value}
    beside = {"obs_file": _where(Path(reading.obs))} if reading.obs else {}
    scales = reading.scales()
    notes: dict[str, list[str]] = {"notes": list(before.get("notes", ()))}
    origins = [("Where the data come from.", tomli_w.dumps(said))] if said else []
    parts = [
        (
            "A dataset of kobench, meant to be edited.\n"
            "Raise `version` when cells, genes or values change.",
            tomli_w.dumps(head),
        ),
        (
            "What the values are, and for counts what is done to them (log1p-cp10k when"
            " `normalise` is not given).",
            tomli_w.dumps(scales),
        ),
        *origins,
        (
            "Sentences shown beside every board, for instance what a reader must not conclude.",
            tomli_w.dumps(notes),
        ),
        (
            "What else a card can say, in use when not behind a #.",
            unsaid({*head, *scales, *said, *notes}),
        ),
        (
            "How the file is read; see `kobench info h5ad`.",
            tomli_w.dumps({"parameters": reading.parameters()}),
        ),
        (
            "The file must have this sha256; it is looked for at `path`, then by `name` in the"
            " data folder.",
            tomli_w.dumps({"file": _where(file)}),
        ),
        *([("Further columns of the cells.", tomli_w.dumps(beside))] if beside else []),
        ("What was found when the card was written.", tomli_w.dumps({"facts": facts})),
    ]
    return "\n".join(
        "".join(f"# {line}\n" for line in comment.splitlines()) + text for comment, text in parts
    )


def _where(file: Path) -> dict[str, Any]:
    """What a card says of a file or folder."""
    return {
        "name": file.name,
        "path": str(file),
        "sha256": sha256_of_content(file),
        "bytes": bytes_of(file),
    }
