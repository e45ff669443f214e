"""`kobench tune`: settings of a predictor, chosen where no board ranks."""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import (
    complete_names,
    limit_options,
    load,
    plugin_options,
    request_options,
)
from kobench.cli.output import say
from kobench.errors import UserError
from kobench.util.text import one_line

if TYPE_CHECKING:
    from kobench.board.tuned import Tried, Tuned
    from kobench.runner.run import Outcome
    from kobench.runner.tune import Sweep

EXAMPLES = """
\b
Examples:
  kobench tune --plugin mine.py -p 'mine:alpha=[0.1,0.2],depth=[2,3]' -d grn:genes=50 -t response
  kobench tune -p 'linear:penalty=log:0.01..100' --draws 8 --seed 1 -d grn:genes=50 -t keystone
  kobench tune -p 'linear:penalty=[1,10]' -d hipsc-ko -t profile

\b
A list stands for its values; LOW..HIGH and log:LOW..HIGH are ranges to draw from (--draws).
Simulated networks have seeds of their own, which no published board has. On real data settings
are chosen by held-out wild-type cells inside those that boards train on, never by perturbed ones.
"""


@click.command("tune", epilog=EXAMPLES)
@click.option(
    "-p",
    "--predictor",
    required=True,
    metavar="NAME:KEY=[VALUES],...",
    help="The predictor, with several values of some parameters.",
)
@click.option(
    "-d",
    "--dataset",
    "datasets",
    multiple=True,
    required=True,
    shell_complete=complete_names("datasets"),
    help="A dataset to tune on; may be repeated.",
)
@click.option(
    "-t",
    "--task",
    "tasks",
    multiple=True,
    required=True,
    shell_complete=complete_names("tasks"),
    help="A task to choose by; may be repeated.",
)
@click.option(
    "--draws",
    type=click.IntRange(2, 1000),
    metavar="N",
    help="Draw N settings at random, not every combination.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of --draws."
)
@click.option(
    "--networks",
    type=click.IntRange(2),
    default=5,
    show_default=True,
    help="Development networks to choose by, and fresh ones to confirm on.",
)
@click.option(
    "--splits",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="Splits of real data to choose by.",
)
@click.option(
    "--fit-seeds",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Fits of each setting; their spread is a column.",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Trials at a time."
)
@click.option(
    "--threads", type=click.IntRange(1), default=1, show_default=True, help="Threads a trial."
)
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where predictors may compute.",
)
@limit_options
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("kobench-tune"),
    show_default=True,
    help="Folder of the results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine to read.")
@plugin_options
def tune_command(**flags: Any) -> None:
    """Compare settings of a predictor, and say how good the best is where it was not chosen.

    What was tuned on what is written beside the plugin file (NAME.tuned.json), else into this
    folder; a run of such a setting carries it, and boards warn where they rank on it.
    """
    from kobench.board.tuned import compare_settings
    from kobench.results.tuned import add_sweep
    from kobench.runner.request import Request
    from kobench.runner.tune import make_sweep, plan_choice, plan_confirmation, used

    notes: list[str] = []
    registry = load(flags["plugin_files"], flags["dataset_folders"], flags["sandbox"])
    request = Request(
        flags["datasets"],
        (),
        tasks=flags["tasks"],
        networks=flags["networks"],
        fit_seeds=flags["fit_seeds"],
        threads=flags["threads"],
        device=flags["device"],
        jobs=flags["jobs"],
        **request_options(flags, flags["jobs"]),
    )
    sweep = make_sweep(
        registry, flags["predictor"], request, flags["splits"], flags["draws"], flags["seed"]
    )
    groups = plan_choice(registry, sweep, notes.append)
    # before anything is run: what has been looked at counts, whether a setting comes of it or not
    path = written_at(sweep, flags["plugin_files"])
    entry = sweep.chosen[0].entry
    add_sweep(
        path,
        {
            "predictor": entry.shown_name,
            "distribution": entry.distribution,
            "settings": sorted(sweep.settings),
            "used": used(groups),
            "tasks": sorted(flags["tasks"]),
        },
    )
    tuned = compare_settings(ran(registry, flags, groups, notes).records)
    if tuned.winner is None:
        show_table(tuned)
        raise UserError("no setting has a score on all of it, so none is chosen")
    plain = entry.shown_name
    confirmed = compare_settings(
        ran(
            registry,
            flags,
            plan_confirmation(
                registry, sweep, named(sweep, [tuned.winner.selection, plain]), notes.append
            ),
            notes,
        ).records
    )
    for note in dict.fromkeys(notes):
        say(f"Note: {note}", err=True)
    if flags["as_json"]:
        said = {
            "settings": [asdict(one) for one in tuned.tried],
            "best": tuned.winner.selection,
            "level": tuned.level,
            "fresh": [asdict(one) for one in confirmed.tried],
            "written": str(path),
        }
        say(json.dumps(said, indent=1, allow_nan=False))
        return
    show_table(tuned)
    show_winner(tuned, confirmed, plain)
    say(f"What was tuned on what is in {path}: runs of these settings carry it.")
    words = ["kobench", "run", "quick", "-p", tuned.winner.selection]
    words += [word for file in flags["plugin_files"] for word in ("--plugin", str(file))]
    say(f"Run it, in this suite or another: {shlex.join(words)}")


def named(sweep: Sweep, selections: list[str]) -> list[str]:
    """Selections with the home of the predictor where that was given, each once."""
    home, slash, _ = sweep.predictor.rpartition("/")
    return list(dict.fromkeys(f"{home}{slash}{one}" for one in selections))


def written_at(sweep: Sweep, plugin_files: tuple[str, ...]) -> Path:
    """Where what is tuned is written down: beside the predictor's own file, else here."""
    from kobench.results.tuned import tuned_path

    own = sweep.chosen[0].entry.plugin_file
    return tuned_path(own if own is not None and plugin_files else None)


def ran(registry: Any, flags: dict[str, Any], groups: Any, notes: list[str]) -> Outcome:
    """Run trials into the folder of the sweep; what is known is not run again."""
    from kobench.runner.progress import make_watcher
    from kobench.runner.run import Run

    try:
        with make_watcher() as watcher:
            run = Run(
                flags["out"],
                watcher=watcher,
                cards=flags["dataset_folders"],
                sources=registry.sources,
                note=notes.append,
            )
            return run.run(groups, flags["jobs"])
    except KeyboardInterrupt:
        raise click.Abort(
            "Stopped; what was finished is kept, the same command goes on from there."
        ) from None


def show_table(tuned: Tuned) -> None:
    """Print the settings, the best first: scores, how far behind, spread over fits, costs."""
    heads = ["setting", "score", "behind the best", "spread", "fit s", "pred s", "MB"]
    rows = [heads, *(cells_of(one, place == 0) for place, one in enumerate(tuned.tried))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    for row in rows:
        say(
            one_line(
                "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            ).rstrip()
        )
    parts = {
        part for one in tuned.tried for part in ((p.dataset, p.task, p.metric) for p in one.parts)
    }
    by = "; ".join(f"{task} by {metric} on {dataset}" for dataset, task, metric in sorted(parts))
    if by:
        say(
            one_line(
                f"Scores: {by}. Chosen by the mean of their skill, or of the score above the best"
                f" floor where there is none; behind the best counts{unit_of(tuned.tried[0])}."
                if unit_of(tuned.tried[0])
                else f"Scores: {by}. Chosen by the mean of the score above the best floor."
            )
        )


def cells_of(one: Tried, is_best: bool) -> list[str]:
    """The cells of a setting's row."""
    from kobench.board.render.text.values import seconds
    from kobench.board.written import sized, with_interval

    scores = "; ".join(with_interval(part.score) for part in one.parts) or one.problem
    gap = "best" if is_best and one.gain is not None else "-"
    if not is_best and one.behind is not None:
        gap = with_interval(one.behind)
    return [
        one.selection,
        scores,
        gap,
        "-" if one.spread is None else sized(one.spread),
        seconds(one.fit_seconds),
        seconds(one.predict_seconds),
        "-" if one.peak_mb is None else f"{one.peak_mb:,.0f}",
    ]


def unit_of(one: Tried) -> str:
    """What a difference between settings counts, where that is not the score itself.

    >>> from kobench.board.tuned import Part, Tried
    >>> from kobench.board.numbers.intervals import Interval
    >>> part = Part("grn", "keystone@2", "spearman", Interval(0.5), 0.1, True)
    >>> unit_of(Tried("mine", (part,)))
    ' in skill (0 the best floor, 1 the truth)'
    """
    skilled = {part.skilled for part in one.parts}
    if True not in skilled:
        return ""
    return f" in skill{' and scores' if False in skilled else ''} (0 the best floor, 1 the truth)"


def show_winner(tuned: Tuned, confirmed: Tuned, plain: str) -> None:
    """Print what is chosen, and what it scores where it was not chosen."""
    from kobench.board.written import number, with_interval

    best = tuned.winner
    assert best is not None
    if tuned.level:
        more = f" and {len(tuned.level) - 6} more" if len(tuned.level) > 6 else ""
        say(one_line(f"Not told apart from the best: {', '.join(tuned.level[:6])}{more}."))
    fresh = {one.selection: one for one in confirmed.tried}
    again = fresh.get(best.selection)
    say(one_line(f"Best: {best.selection}."), bold=True)
    if again is None or not again.parts:
        say("It has no score on fresh data.")
        return
    for part, before in zip(again.parts, best.parts, strict=False):
        say(
            one_line(
                f"On fresh data, which did not choose it: {part.task} {with_interval(part.score)}"
                f" (where it was chosen {number(before.score.value)}, the best of"
                f" {len(tuned.tried)}, which flatters)."
            )
        )
    other = fresh.get(plain)
    if other is None or other is again or other.gain is None or again.gain is None:
        return
    gap = confirmed.tried[-1].behind if confirmed.tried[-1].behind else None
    if gap is not None:
        ahead = confirmed.tried[0].selection
        what = "told apart" if gap.above or gap.below else "not told apart"
        say(
            one_line(
                f"Against {plain} as it is, on the same fresh data: {ahead} is ahead by"
                f" {with_interval(gap)}{unit_of(again)}, {what}."
            )
        )
