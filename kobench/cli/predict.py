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
    type=click.Choice(["impact", "keystone", "profile", "response"]),
    required=True,
    help=(
        "impact: of every knockout of every cell; keystone: a ranking of genes; profile: of every"
        " cell from its assemblage; response: mean change of every gene by removed gene."
    ),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="A .csv, .csv.gz or .npz file.",
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
    from kobench.predict.predict import predict
    from kobench.runner.request import Request

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
        if done["left_out"]:
            many = done["left_out"]
            say(
                f"{many} gene{'s' * (many > 1)} left out: {done['predictor']} does not support"
                f" removing {'them' if many > 1 else 'it'}."
            )
