"""Every key that a card may have, in one table: what it holds, and what it means.

The checks of cards (`card_checks`), the page docs/datasets.md and docs/cards.schema.json are made
from it, so that a key is described once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kobench.specs import PERTURBATIONS

#: What a key may hold.
Holds = Literal["text", "whole number", "true or false", "texts", "table", "facts", "tables"]

#: The type of each in Python.
TYPES: Mapping[Holds, type] = {
    "text": str,
    "whole number": int,
    "true or false": bool,
    "texts": list,
    "table": dict,
    "facts": dict,
    "tables": list,
}

#: The types of the entries of what holds several.
ENTRIES: Mapping[Holds, tuple[type, ...]] = {
    "texts": (str,),
    "tables": (dict,),
    "facts": (str, int, float),
}

#: How a message asks for each.
ASKED: Mapping[Holds, str] = {
    "text": "a text",
    "whole number": "a whole number",
    "true or false": "true or false",
    "texts": "a list of texts",
    "table": "a table",
    "facts": "a table of texts and numbers",
    "tables": "a list of tables",
}


def entries_of(value: Any) -> Iterable[Any]:
    """The entries of a list or table."""
    return value.values() if isinstance(value, dict) else iter(value)


@dataclass(frozen=True)
class Key:
    """One key of a card.

    Attributes
    ----------
    name : str
        The key.
    holds : Holds
        What it holds.
    says : str
        What it means, in one sentence without a full stop.
    required : bool
        Whether a card, or the table that it belongs to, must have it.
    choices : tuple of str
        What it may say; () for anything.
    pattern : str
        A regular expression that all of its text matches; "" for any text.
    example : str
        What it looks like, as TOML writes it; "" for a table.
    otherwise : str
        What holds where it is not given; "" where nothing does.
    low : int or None
        The least that a number may be.
    """

    name: str
    holds: Holds
    says: str
    required: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    example: str = ""
    otherwise: str = ""
    low: int | None = None

    def takes(self, value: Any) -> bool:
        """Whether a value is of the type that the key holds."""
        if type(value) is not TYPES[self.holds]:
            return False
        allowed = ENTRIES.get(self.holds)
        if allowed is None:
            return True
        return all(isinstance(entry, allowed) for entry in entries_of(value))

    def matches(self, value: str) -> bool:
        """Whether a text is as the key's pattern wants it."""
        return not self.pattern or re.fullmatch(self.pattern, value) is not None


#: Working scales that a card may declare.
SCALES = ("counts", "log1p", "log1p-cp10k", "linear")

#: How a dataset may be called.
NAME = "[a-z0-9]+(-[a-z0-9]+)*"

#: Keys at the top of a card.
TOP = (
    Key(
        "name",
        "text",
        "what the dataset is called: lower-case letters, digits and single dashes",
        required=True,
        pattern=NAME,
        example='"my-screen"',
    ),
    Key(
        "version",
        "whole number",
        "raised when cells, genes or values change, because results of another version are not"
        " comparable",
        required=True,
        example="1",
    ),
    Key("summary", "text", "one line for lists", required=True, example='"knockouts of 23 genes"'),
    Key(
        "loader",
        "text",
        "the dataset with parameters that reads the file: `h5ad`, `table` or `pbmc`",
        required=True,
        example='"h5ad"',
    ),
    Key(
        "scale",
        "text",
        "what the values of the file are; this is checked, never guessed",
        required=True,
        choices=SCALES,
        example='"counts"',
    ),
    Key(
        "normalise",
        "text",
        "what is done to counts",
        choices=("auto", "log1p-cp10k", "log1p", "none"),
        example='"log1p"',
        otherwise="log1p-cp10k",
    ),
    Key(
        "truth",
        "text",
        "`population` where other cells had genes perturbed; `none` where all are wild type",
        choices=("population", "none"),
        example='"population"',
        otherwise="none",
    ),
    Key(
        "kind",
        "text",
        "what was done to the perturbed cells; only knockouts and knockdowns are asked",
        choices=PERTURBATIONS,
        example='"knockdown"',
        otherwise="knockout",
    ),
    Key(
        "confounded",
        "true or false",
        "perturbed and wild-type cells differ in more than the gene, as two libraries do, so"
        " population scores give no skill and no rank",
        example="true",
        otherwise="false",
    ),
    Key(
        "near_null",
        "true or false",
        "hardly any effect beyond the target: a predictor that is significant here is suspect, and"
        " the board says so",
        example="true",
        otherwise="false",
    ),
    Key(
        "open",
        "texts",
        "parameters of the loader that a selection may set, as in `my-screen:genes=2000`",
        example='["genes"]',
        otherwise='["genes", "cell_type"]',
    ),
    Key("organism", "text", "the species", example='"human"'),
    Key("licence", "text", "what others may do with the data", example='"CC BY 4.0"'),
    Key("source", "text", "where the file comes from, exactly", example='"GEO GSE130626"'),
    Key(
        "conversion",
        "text",
        "how the file was made from its source",
        example='"both matrices stacked on the genes that they share"',
    ),
    Key("reference", "text", "the paper", example='"doi:10.1016/j.neuron.2019.12.007"'),
    Key(
        "where",
        "text",
        "what to do when the file is missing, added to that message",
        example='"ask our lab"',
    ),
    Key(
        "notes",
        "texts",
        "sentences without a full stop, shown beside every board: what a reader must not conclude",
        example='["one donor"]',
    ),
    Key(
        "same_cells",
        "texts",
        "names of other datasets with some of its cells, in whatever form: with `--sandbox require`"
        " no two strangers' trials run side by side on the same cells, and a row says where these"
        " were shown before",
        example='["my-screen-counts"]',
    ),
    Key(
        "recipe",
        "text",
        "the function of kobench that makes the file of its sources, one in"
        " `kobench/datasets/recipes/`; without it the one source is the file itself",
    ),
    Key(
        "opened",
        "true or false",
        "`false` where nobody has opened the file yet",
        example="false",
        otherwise="true",
    ),
    Key("parameters", "table", "parameters of the loader; `kobench info h5ad` shows them"),
    Key(
        "sources",
        "tables",
        "where `kobench datasets get` gets the file, or what a recipe makes it of",
    ),
    Key(
        "file",
        "table",
        "the file that is read, and its checksum; a loader that reads a file needs it",
    ),
    Key(
        "obs_file",
        "table",
        "a .csv or .tsv file with further columns of the cells (`kobench datasets add --obs`), with"
        " the keys of [file]",
    ),
    Key(
        "facts",
        "facts",
        "numbers for people, shown by `kobench info`",
    ),
)

#: Keys of the table [file].
FILE = (
    Key(
        "name",
        "text",
        "name of the file, or of the folder (zarr, or one with matrix.mtx), without its own folder",
        required=True,
        example='"mine.h5ad"',
    ),
    Key(
        "sha256",
        "text",
        "its checksum, 64 hexadecimal digits: a file with another one is refused (of a folder, the"
        " checksum of the names and checksums of all files in it); it must be there"
        " where the card has neither `content` nor sources",
        pattern="[0-9a-fA-F]{64}",
        example='"9f86d0..."',
    ),
    Key(
        "content",
        "text",
        "`sha256:` and the digest of what it holds, by which a made file is checked in place of"
        " its bytes; of `sha256` and `content` one must agree",
        pattern="sha256:[0-9a-f]{64}",
        example=f'"sha256:{"0" * 64}"',
    ),
    Key(
        "bytes",
        "whole number",
        "its size; no more than that is downloaded",
        example="2771625",
        low=0,
    ),
    Key("folder", "text", "folder inside the data folder where it is kept", example='"my_screen"'),
    Key(
        "path",
        "text",
        "where else it may lie; a relative path starts in the card's folder",
        example='"/data/mine.h5ad"',
    ),
    Key("url", "text", "an http or https address of it", example='"https://example.org/x.h5ad"'),
    Key(
        "package",
        "text",
        "the installed Python package that ships it, in which alone it is looked for",
        example='"scanpy"',
    ),
)
