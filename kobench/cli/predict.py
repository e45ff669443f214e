"""`kobench predict`: answers without a score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from kobench.cli.options import (
    complete_names,
    json_option,
    limit_options,
    load,
    plugin_options,
    request_options,
)
from kobench.cli.output import say
from kobench.cli.tell import tell_unopened

EXAMPLES = """
\b
Examples:
  kobench predict grn -p linear --what impact -o impacts.csv.gz
  kobench predict pbmc68k -p mlp --what keystone -o keystones.csv
  kobench predict pbmc68k -p gbm --what keystone --events 20000 -o keystones.csv
  kobench predict h5ad:path=mine.h5ad,scale=counts -p linear --what response \
--gene SOX2 -o response.csv
  kobench predict h5ad:path=mine.h5ad -p linear --what cells --format vcc --gene SOX2 \
-o cells.h5ad
"""


@click.command("predict", epilog=EXAMPLES)
@click.argument("dataset", shell_complete=complete_names("datasets"))
@click.option(
    "-p",
    "--predictor",
    required=True,
    metavar="NAME[:KEY=VALUE,...]",
    shell_complete=complete_names("predictors"),
    help="A predictor.",
)
@click.option(
    "--what",
    type=click.Choice(["impact", "keystone", "profile", "response", "cells"]),
    required=True,
    help=(
        "impact: of every knockout of every cell; keystone: a ranking of genes; profile: of every"
        " cell from its assemblage; response: mean change of every gene by removed gene; cells:"
        " counted cells by removed gene, made of the response."
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="A .csv, .csv.gz or .npz file; of cells an .h5ad file.",
)
@click.option(
    "--split",
    type=click.Choice(["all", "holdout"]),
    default="all",
    show_default=True,
    help="all: train on and ask all cells. holdout: train on 80 %, ask the rest.",
)
@click.option(
    "--gene", "genes", multiple=True, metavar="NAME", help="Remove only this gene; may be repeated."
)
@click.option(
    "--events",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="impact and keystone: about N knockouts, as many cells of each gene (one at least).",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["vcc"]),
    default=None,
    help="cells: vcc, what the Virtual Cell Challenge 2026 takes.",
)
@click.option(
    "--cells",
    type=click.IntRange(1),
    default=None,
    metavar="N",
    help="cells: how many of each removed gene (400).",
)
@click.option(
    "--cell-seed",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="cells: seed by which they are drawn.",
)
@click.option(
    "--columns",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="FILE",
    help=(
        "cells: a text file of all genes that the file is to have, one a line; those that the"
        " dataset has not are 0."
    ),
)
@click.option(
    "--fit-seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of the fit."
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Threads the predictor may use.",
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where it may compute.",
)
@limit_options
@json_option
@plugin_options
def predict_command(
    dataset: str,
    predictor: str,
    what: str,
    output: Path,
    split: str,
    genes: tuple[str, ...],
    events: int | None,
    form: str | None,
    cells: int | None,
    cell_seed: int,
    columns: Path | None,
    fit_seed: int,
    threads: int,
    device: str,
    as_json: bool,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
    **limits: Any,
) -> None:
    """Fit a predictor on the wild-type cells of DATASET and write its answers to a file."""
    from kobench.plugins.chosen import choose
    from kobench.predict.cells import CELLS
    from kobench.predict.predict import predict
    from kobench.runner.request import Request

    given = "--format" if form else "--cells" if cells else "--columns" if columns else ""
    if what != "cells" and given:
        raise click.UsageError(f"{given} is for --what cells; leave it out with {what}")
    if what == "cells" and form is None:
        raise click.UsageError("--what cells needs --format vcc, the one format of cells")
    registry = load(plugin_files, dataset_folders, limits["sandbox"])
    tell_unopened([choose(registry, "datasets", dataset).entry])
    request = Request(
        [dataset],
        [predictor],
        threads=threads,
        device=device,
        events=events,
        **request_options(limits),
    )
    done = predict(
        registry,
        dataset,
        predictor,
        what,
        output,
        split,
        genes,
        request,
        fit_seed,
        cards=dataset_folders,
        each=cells or CELLS,
        cell_seed=cell_seed,
        columns=columns,
    )
    if as_json:
        say(json.dumps(done))
    else:
        cost = (
            f"fit {done['fit_seconds']:.1f} s, predict {done['predict_seconds']:.1f} s, peak"
            f" {done['peak_mb']:.0f} MB"
        )
        say(
            f"Wrote {output}: {done['rows']} rows ({what} by {done['predictor']} on {done['cells']}"
            f" cells; {cost})."
        )
        if done["unchanged"]:
            few = done["unchanged"]
            say(
                f"{len(few)} target{'s' * (len(few) > 1)} without an answer, in whose cells nothing"
                f" else changes: {', '.join(few[:10])}{', ...' * (len(few) > 10)}."
            )
        if done["left_out"]:
            many = done["left_out"]
            say(
                f"{many} gene{'s' * (many > 1)} left out: {done['predictor']} does not support"
                f" removing {'them' if many > 1 else 'it'}."
            )
