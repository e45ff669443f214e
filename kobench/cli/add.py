"""`kobench datasets add`: check a file of the user's as a run would, and write its card."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import json_option, load
from kobench.cli.output import say
from kobench.cli.tell import as_options, must_name_genes, tell
from kobench.specs import PERTURBATIONS

if TYPE_CHECKING:
    from kobench.audit.overview import Overview
    from kobench.dataset import Dataset

EXAMPLES = """
\b
Examples:
  kobench datasets add mine.h5ad --name mine --perturbation-key gene --control WT
  kobench datasets add atlas.h5ad --name atlas --perturbation-key none --cell-type-key cell_type
  kobench datasets add mine.h5ad --perturbation-key gene --check
  kobench datasets add screen.h5ad --name screen --perturbation-key target --control NT \
--batch-key library --to cards
  kobench datasets add tissue.h5ad --name tissue --perturbation-key target --control NT \
--batch-key day --batch-key library --group-key donor

\b
After that, `kobench run -d mine -p linear` uses it.
"""


def joined_columns(_: click.Context, __: click.Parameter, names: tuple[str, ...]) -> str:
    """Columns as the loader has their combination; "" for none."""
    return "+".join(names)


def one_or_several(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> str | list[str]:
    """What was given as a card has it: one alone is a text, none is ""."""
    return list(values) if len(values) > 1 else "".join(values)


def controls_given(
    _: click.Context, __: click.Parameter, values: tuple[str, ...]
) -> str | list[str]:
    """The controls as a card has them: one alone is a text, but for ""."""
    return values[0] if len(values) == 1 and values[0] else list(values)


@click.command("add", epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What it will be called; must be given to write a card.")
@click.option(
    "--perturbation-key",
    default="",
    show_default=False,
    help="Column of obs that names the knocked-out gene; `none` when all cells are wild type.",
)
@click.option(
    "--control",
    multiple=True,
    default=("control",),
    show_default="control",
    callback=controls_given,
    help=(
        "The label of unperturbed cells in that column; `*` stands for any text ('NT*'), '' for"
        " cells without a label. May be given several times."
    ),
)
@click.option(
    "--unassigned",
    multiple=True,
    help=(
        "A label of cells of which nobody knows what was perturbed: they are left out. '' for cells"
        " without a label. May be repeated."
    ),
)
@click.option(
    "--join",
    multiple=True,
    callback=one_or_several,
    help="What joins several genes in that column, beside `+`: `_` for A_B. May be repeated.",
)
@click.option(
    "--guide-pattern",
    multiple=True,
    callback=one_or_several,
    help=(
        "How that column calls guides: '{gene}_g{n}', with {n} for digits and `*` for any text."
        " Several times for more."
    ),
)
@click.option(
    "--labels",
    "label_table",
    type=click.Path(path_type=Path),
    default=None,
    help=(
        "Table that says what each label means: columns `label` and `genes` (joined by `+`). It is"
        " copied into the card."
    ),
)
@click.option(
    "--ignore-case",
    is_flag=True,
    help="Labels find genes that are written with other capital letters.",
)
@click.option("--var-key", default="", help="Column of var with the genes' names, not the index.")
@click.option("--cell-type-key", default="", help="Column of obs with the cell type.")
@click.option(
    "--batch-key",
    multiple=True,
    callback=joined_columns,
    help=(
        "Column of obs with the batch: library, time, donor; `@barcode-suffix` for the number at"
        " the end of each barcode. Given several times: their combination."
    ),
)
@click.option(
    "--group-key",
    multiple=True,
    callback=joined_columns,
    help=(
        "Column of obs with groups of cells that belong together (donors, simulation runs): splits"
        " keep each on one side, intervals draw groups."
    ),
)
@click.option(
    "--replicate-key",
    multiple=True,
    callback=joined_columns,
    help="Column of obs with the biological replicate.",
)
@click.option(
    "--scale",
    type=click.Choice(["counts", "log1p-cp10k", "log1p", "linear"]),
    default="counts",
    show_default=True,
    help="What the values are; counts are normalised to log1p of counts per 10,000.",
)
@click.option(
    "--totals-key",
    default="",
    help=(
        "Column of obs with the counts over all genes of the source, when the file keeps only some."
    ),
)
@click.option(
    "--kind",
    type=click.Choice(PERTURBATIONS),
    default=None,
    show_default="knockout",
    help="What was done to the perturbed cells; only knockouts and knockdowns are asked.",
)
@click.option(
    "--kind-key",
    default="",
    help="Column of obs with that, where perturbations differ in kind.",
)
@click.option("--layer", default="", help="Read this layer instead of X.")
@click.option("--raw", is_flag=True, help="Read the values and genes of .raw instead of X.")
@click.option(
    "--obs",
    default="",
    metavar="FILE.csv",
    help=(
        "Table with further columns of the cells, such as the label of each: barcodes in its first"
        " column. Cells that are not in it are left out."
    ),
)
@click.option("--summary", default="", help="One line for `kobench list`.")
@click.option("--organism", default="", help="Species.")
@click.option("--source", default="", help="Where the file comes from.")
@click.option("--licence", default="", help="Its licence.")
@click.option(
    "--to",
    "out_folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Folder of the card. Default: your own folder of cards, which is always read.",
)
@click.option(
    "--check", "only_check", is_flag=True, help="Say all that is found, and write nothing."
)
@click.option(
    "--replace",
    "anew",
    is_flag=True,
    help=(
        "Write a card that exists anew, with a higher version; what it says of the data (notes,"
        " licence, ...) stays where no option says otherwise."
    ),
)
@json_option
def add_command(
    file: Path,
    name: str,
    only_check: bool,
    anew: bool,
    as_json: bool,
    summary: str,
    organism: str,
    source: str,
    licence: str,
    kind: str | None,
    label_table: Path | None,
    out_folder: Path | None,
    **reading: Any,
) -> None:
    """Check FILE as a run would, say what can be asked, and write its card."""
    from kobench.audit.overview import overview
    from kobench.datasets.add import add_dataset
    from kobench.datasets.card_text import H5adParameters, Origin
    from kobench.datasets.label_table import read_label_table
    from kobench.errors import UserError

    if not name and not only_check:
        raise click.UsageError("Missing option '--name'; or give --check, which writes nothing.")
    chosen = click.get_current_context().get_parameter_source("scale")
    assumed = chosen == click.core.ParameterSource.DEFAULT
    labels = read_label_table(label_table) if label_table else {}
    origin = Origin(organism=organism, source=source, licence=licence)
    there = load((), ()).datasets
    found: list[tuple[Dataset, Overview]] = []

    def look(dataset: Dataset) -> None:
        """Say what can be asked; UserError where labels name no gene, before a card is written."""
        found.append((dataset, overview(dataset)))
        if not as_json:
            tell(*found[0])
        if not only_check:
            must_name_genes(file, dataset)

    try:
        card = add_dataset(
            file,
            name,
            H5adParameters(labels=labels, **reading),
            origin,
            summary=summary,
            kind=kind or "",
            seen=look,
            out_folder=out_folder,
            taken={each: f"of {entries[0].distribution}" for each, entries in there.items()},
            write=not only_check,
            anew=anew,
        )
    except UserError as error:
        raise UserError(as_options(str(error), assumed)) from error
    dataset, seen = found[0]
    if as_json:
        written = None if only_check else str(card)
        about = {"card": written, "notes": list(dataset.notes), **seen.to_json()}
        say(json.dumps(about, indent=1))
        return
    if seen.perturbed and not kind and not reading["kind_key"]:
        say("The kind is not given and taken as knockout; CRISPRi is --kind knockdown.")
    if seen.perturbed and not seen.askable:
        say("NO PERTURBATION CAN BE ASKED; the line `not askable` says why.", bold=True)
    if only_check:
        say("Nothing was written: --check.")
        return
    say(f"Wrote {card}.")
    hint = f" --datasets {shlex.quote(str(out_folder))}" if out_folder else ""
    say(f"Try `kobench info {name}{hint}` and `kobench run -d {name}{hint} -p linear`.")
