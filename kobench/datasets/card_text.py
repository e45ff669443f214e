"""The card of an AnnData file, as `kobench datasets add` writes it: its values, and its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kobench.datasets.card_schema import unsaid
from kobench.datasets.right import bytes_of, sha256_of_content


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


def card_text(
    head: Mapping[str, Any],
    file: Path,
    reading: H5adParameters,
    origin: Origin,
    facts: Mapping[str, Any],
    before: Mapping[str, Any],
) -> str:
    """The card: tables of TOML, each under a comment that says what it is for.

    Parameters
    ----------
    head : mapping
        What stands at its top: name, version, summary, loader, truth and kind.
    file : Path
        What is read.
    reading : H5adParameters
        How it is read.
    origin : Origin
        Where the data come from.
    facts : mapping
        What was found.
    before : mapping
        What an earlier card said that stays where nothing else is said.
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
