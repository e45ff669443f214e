"""What every metric tells apart, on screens and on simulated networks.

Run it as `python -m tests.studies.calibration`; it writes the tables of docs/calibration.md.
Controls of known quality are made of the truth of a data set and scored by each metric: the other
half of the cells, it with noise in steps, and answers that know no perturbation. Without the real
data it says so and writes nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kobench.api import NotComputed, Responses, ResponseUnits, TaskView
from kobench.board.numbers.intervals import Interval, Series, mean_interval
from kobench.checks.metrics.calibration import NOISE, Ladder, climb
from kobench.checks.metrics.on_dataset import units_of
from kobench.dataset import Dataset
from kobench.datasets.split import rows_of
from kobench.plugins.chosen import choose
from kobench.plugins.entry import Entry
from kobench.plugins.load import load_registry, resolve
from kobench.plugins.registry import Registry
from kobench.runner.load import load
from kobench.scoring.bootstrap import Redraw
from kobench.scoring.calibration import calibrate
from kobench.truth.build import Material, build
from kobench.truth.references import line_answers

REPOSITORY = Path(__file__).parents[2]

PAGE = REPOSITORY / "docs" / "calibration.md"

#: The line of the page after which its tables stand.
TABLES = "<!-- tables -->"

#: Metrics of responses, those that rank first.
RESPONSE = (
    "pearson-delta-centred",
    "pearson-delta-centred-unit",
    "centroid-accuracy",
    "pearson-delta",
    "cosine-delta",
    "spearman-delta",
    "sign-accuracy",
    "auprc-responding",
)

#: Those of which it is looked at how many cells they need.
RANKING = RESPONSE[:2]

#: Shares of the perturbed cells.
SHARES = (0.125, 0.25, 0.5, 1.0)

#: Metrics by which screens are looked at in which there is nothing to tell, and how many screens.
NOTHING, MADE = ("pearson-delta-centred", "pearson-delta"), 400

#: More perturbations are not counted.
MANY = 1000

#: Tasks without noise in their truth, with what is asked of a network.
EXACT = ("profile", "knockout-profile", "knockout-impact", "keystone", "double-knockout")

#: The network that these are asked of.
NETWORK = "grn:genes=40,cells=200"

WORDS = {
    "permuted": "permuted",
    "mean": "mean response",
    "direction": "one direction, true sizes",
    "nothing": "no change",
}


@dataclass(frozen=True)
class Setting:
    """Screens of one kind.

    Attributes
    ----------
    title : str
        What the page calls them.
    datasets : tuple of str
        The data sets.
    splits : tuple of int
        Seeds of the splits of each.
    variant : str
        "" for the detectable perturbations, or "all".
    """

    title: str
    datasets: tuple[str, ...]
    splits: tuple[int, ...] = (0,)
    variant: str = ""


def settings(networks: int, splits: int) -> list[Setting]:
    """What the page is about."""
    seeds = tuple(range(splits))
    planted = "planted:perturbations=40,perturbed_cells=200"
    several = tuple(f"{planted},seed={seed}" for seed in range(networks))
    return [
        Setting("hipsc-ko, detectable perturbations", ("hipsc-ko",), seeds),
        Setting("hipsc-ko, all perturbations", ("hipsc-ko",), seeds, "all"),
        Setting("k562-crispri, all perturbations", ("k562-crispri",), seeds, "all"),
        Setting(f"{planted}, detectable perturbations", several),
        Setting(f"{planted}, all perturbations", several, variant="all"),
    ]


def with_share(dataset: Dataset, share: float, seed: int = 0) -> Dataset:
    """A screen with a share of the perturbed cells of each perturbation, one at least."""
    if share == 1 or dataset.perturbed is None:
        return dataset
    labels = np.asarray(dataset.perturbed.obs["perturbation"])
    rng = np.random.default_rng([seed, 41])
    kept: list[int] = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        kept += rows[: max(1, round(share * len(rows)))].tolist()
    return replace(dataset, perturbed=dataset.perturbed[np.sort(kept)])


def question_of(dataset: Dataset, seed: int) -> Responses:
    """The population question of one split."""
    training, reference = rows_of(dataset, "halves", seed)
    material = Material(dataset, training, training, reference, split_seed=seed)
    question = build("response", material)
    assert isinstance(question, Responses)
    return question


def ladders(
    registry: Registry, question: Responses, variant: str, metrics: Sequence[str]
) -> dict[str, Ladder]:
    """What each metric gives to controls; those without a value are left out."""
    given = units_of(registry, question).variants.get(variant)
    redraw = Redraw("perturbation", names=question.block_names("perturbation"))
    found: dict[str, Ladder] = {}
    for name in metrics if given is not None else ():
        entry = registry.find("metrics", name, of="response")
        try:
            found[name] = climb(entry.spec, resolve(entry), given, redraw)
        except NotComputed:
            continue
    return found


def apart(several: Sequence[Sequence[Ladder]]) -> Interval:
    """How far the best control is above what knows nothing, by the rule of boards.

    Parameters
    ----------
    several : sequence of sequence of Ladder
        By data set the ladders of its splits.
    """
    values = [float(np.mean([one.whole.value for one in splits])) for splits in several]
    if len(values) > 1:
        return mean_interval(Series(np.array(values)))
    ends = [(one.whole.low, one.whole.high) for one in several[0]]
    if any(low is None for low, _ in ends):
        return Interval(values[0])
    low, high = np.mean(np.array(ends, float), axis=0).tolist()
    return Interval(values[0], low, high)


def table(registry: Registry, setting: Setting) -> list[str]:
    """The table of one setting, as lines of Markdown."""
    found: dict[str, list[list[Ladder]]] = {name: [] for name in RESPONSE}
    for text in setting.datasets:
        dataset = load(choose(registry, "datasets", text))
        by_metric: dict[str, list[Ladder]] = {}
        for seed in setting.splits:
            question = question_of(dataset, seed)
            for name, ladder in ladders(registry, question, setting.variant, RESPONSE).items():
                by_metric.setdefault(name, []).append(ladder)
        for name, several in by_metric.items():
            found[name].append(several)
    out = [
        "| metric | n | other half | best that knows nothing | difference | range | wins"
        " | steps told | needs | |",
        "|---" * 10 + "|",
    ]
    for name, several in found.items():
        if not several:
            out.append(f"| `{name}` | – | – | – | – | – | – | – | – | no value |")
            continue
        out.append(row_of(f"`{name}`", several))
    return out


def row_of(name: str, several: Sequence[Sequence[Ladder]]) -> str:
    """One line of a table, a mean over splits and networks."""
    flat = [one for splits in several for one in splits]
    whole = apart(several)
    told = [sum(gap.above for gap in one.gaps) for one in flat]
    controls = [one.known[0][0] for one in flat]
    most = max(sorted(set(controls)), key=controls.count)
    needs = [one.needs for one in flat]
    blocks = [one.whole.blocks for one in flat]
    cells = [
        name,
        spread(blocks),
        mean_text(one.steps[0][1].value for one in flat),
        f"{mean_text(one.known[0][1].value for one in flat)} ({WORDS[most]})",
        interval_text(whole),
        percent(one.share for one in flat),
        percent(one.wins for one in flat),
        f"{np.mean(told):.1f} of {len(NOISE)}",
        needs_text(needs),
        verdict_of(whole),
    ]
    return f"| {' | '.join(cells)} |"


def verdict_of(whole: Interval) -> str:
    """What such a difference says."""
    if whole.low is None:
        return "too few to say"
    return "tells" if whole.above else "**can't tell**"


def cells_table(registry: Registry, setting: Setting) -> list[str]:
    """How many cells the metrics that rank need on one setting."""
    found: dict[str, dict[float, list[list[Ladder]]]] = {
        name: {share: [] for share in SHARES} for name in RANKING
    }
    cells: dict[float, list[float]] = {share: [] for share in SHARES}
    for text in setting.datasets:
        whole = load(choose(registry, "datasets", text))
        for share in SHARES:
            dataset = with_share(whole, share)
            by_metric: dict[str, list[Ladder]] = {}
            for seed in setting.splits:
                question = question_of(dataset, seed)
                cells[share].append(float(np.median(question.perturbed)))
                made = ladders(registry, question, setting.variant, RANKING)
                for name, ladder in made.items():
                    by_metric.setdefault(name, []).append(ladder)
            for name, several in by_metric.items():
                found[name][share].append(several)
    heads = " | ".join(f"{np.mean(cells[share]):.0f} cells" for share in SHARES)
    out = [f"| metric | {heads} |", "|---" * (1 + len(SHARES)) + "|"]
    for name, by_share in found.items():
        out.append(f"| `{name}` | {' | '.join(share_text(by_share[one]) for one in SHARES)} |")
    return out


def share_text(several: Sequence[Sequence[Ladder]]) -> str:
    """The difference, and whether it is told; "–" without a value."""
    if not several:
        return "–"
    found = apart(several)
    flat = [one for splits in several for one in splits]
    blocks = spread([one.whole.blocks for one in flat])
    greyed = "" if found.low is None or found.above else ", **can't tell**"
    return f"{interval_text(found)} over {blocks}{greyed}"


def made_screen(
    seed: int = 0,
    k: int = 20,
    g: int = 40,
    signal: float = 1.0,
    shared: float = 0.0,
    splits: int = 5,
    noise: float = 0.7,
) -> ResponseUnits:
    """Made-up units of a measured screen of k perturbations and g genes.

    Parameters
    ----------
    seed, k, g, splits : int
        One seed, one screen; halves in so many splits.
    signal, shared : float
        How strong what each perturbation does alone is, and what all do alike.
    noise : float
        Of the mean of both halves, and as much again between them.
    """
    rng = np.random.default_rng(seed)
    clean = signal * rng.normal(size=(k, g)) + shared * rng.normal(size=g)
    measured = clean + noise * rng.normal(size=(k, g))
    apart = noise * rng.normal(size=(splits, k, g))
    halves = np.stack([measured + apart, measured - apart], axis=1)
    ids = np.arange(k)
    measured[ids, ids % g] = np.nan
    halves[:, :, ids, ids % g] = np.nan
    return ResponseUnits(
        np.where(np.isnan(measured), np.nan, 0.0),
        measured,
        ids,
        halves=halves,
        responds=np.abs(measured) > 1,
    )


def nothing_rows(registry: Registry) -> Iterator[str]:
    """How often a metric is said to tell, where no perturbation has a change of its own."""
    kinds = {"no effect at all": {"shared": 0.0}, "one effect of all": {"shared": 1.0}}
    yield f"| made screens | {' | '.join(f'`{name}`' for name in NOTHING)} |"
    yield "|---" * (1 + len(NOTHING)) + "|"
    for words, made in kinds.items():
        shares = []
        for name in NOTHING:
            entry = registry.find("metrics", name, of="response")
            told = 0
            for seed in range(MADE):
                units = made_screen(seed, k=10, signal=0.0, **made)
                score, redraw = resolve(entry), Redraw("perturbation")
                found = calibrate(entry.spec, score, units, redraw)
                told += found is not None and found.low is not None and found.low > 0
            shares.append(f"{100 * told / MADE:.2f} %")
        yield f"| {words} | {' | '.join(shares)} |"


def exact_rows(registry: Registry) -> Iterator[str]:
    """What metrics of exact truths give to controls, of the tasks that have them."""
    heads = " | ".join(f"noise {level:g}" for level in NOISE)
    yield f"| task | metric | truth | {heads} | best that knows nothing | steps told | needs | |"
    yield "|---" * (7 + len(NOISE)) + "|"
    dataset = load(choose(registry, "datasets", NETWORK))
    for task in EXACT:
        entry = registry.find("tasks", task)
        training, asked = rows_of(dataset, "holdout", 0)
        material = Material(dataset, training, asked, split_seed=0)
        question = build(entry.spec.asks, material)
        answers = line_answers("truth", entry.spec.asks, question, material)
        assert answers is not None
        units = resolve(entry)(TaskView(question, answers))
        for shown in entry.spec.primary:
            name, _, variant = shown.partition("[")
            metric = registry.find("metrics", name, of=entry.spec.of)
            given = units.variants.get(variant.rstrip("]"))
            names = question.block_names(entry.spec.block)
            redraw = Redraw(entry.spec.block, names=names)
            yield exact_row(task, shown, metric, given, redraw)


def exact_row(task: str, shown: str, metric: Entry, given: object, redraw: Redraw) -> str:
    """The line of one metric."""
    try:
        ladder = climb(metric.spec, resolve(metric), given, redraw)  # type: ignore[arg-type]
    except NotComputed as why:
        return f"| `{task}` | `{shown}` | {why} |"
    values = [f"{level.value:.2f}" for _, level in ladder.steps]
    control, floor = ladder.known[0]
    told = sum(gap.above for gap in ladder.gaps)
    cells = [
        f"`{task}`",
        f"`{shown}`",
        *values,
        f"{floor.value:.2f} ({control})",
        f"{told} of {len(NOISE)}",
        f"{needs_text([ladder.needs])} {redraw.block}s",
        "tells" if ladder.tells else "**can't tell**",
    ]
    return f"| {' | '.join(cells)} |"


def mean_text(values: Iterator[float]) -> str:
    """A mean with two decimals."""
    return f"{np.mean(list(values)):.2f}"


def interval_text(found: Interval) -> str:
    """A difference with its interval."""
    if found.low is None or found.high is None:
        return f"{found.value:.2f}"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def percent(values: Iterator[float | None]) -> str:
    """A mean share, "–" without any."""
    known = [one for one in values if one is not None]
    return f"{round(100 * float(np.mean(known))) + 0} %" if known else "–"


def spread(numbers: Sequence[int]) -> str:
    """A range of numbers."""
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low} to {high}"


def needs_text(needs: Sequence[int | None]) -> str:
    """The median of how many are needed; "–" where half of them can't be had."""
    known = sorted(10**9 if one is None else one for one in needs)
    middle = known[len(known) // 2]
    if middle > MANY:
        return "–" if middle >= 10**9 else f"over {MANY:,}"
    return f"{middle:,}"


def page(text: str, made: Mapping[str, Sequence[str]]) -> str:
    """The page with these tables in the place of its own, each under its title."""
    out = [text.partition(TABLES)[0] + TABLES, ""]
    for title, lines in made.items():
        out += [f"## {title}", "", *lines, ""]
    return "\n".join(out)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=4, help="simulated screens")
    parser.add_argument("--splits", type=int, default=4, help="splits of each real data set")
    given = parser.parse_args()
    os.environ.setdefault("KOBENCH_DATA", str(REPOSITORY.parent / "shared" / "data"))
    if not Path(os.environ["KOBENCH_DATA"]).is_dir():
        raise SystemExit(
            f"the real data are not at {os.environ['KOBENCH_DATA']}, so the page is left as it is;"
            " set KOBENCH_DATA to the folder that has them"
        )
    registry = load_registry()
    made: dict[str, list[str]] = {}
    for setting in settings(given.networks, given.splits):
        made[f"What is told apart: {setting.title}"] = table(registry, setting)
        print("\n".join(made[f"What is told apart: {setting.title}"]), flush=True)
    for setting in settings(given.networks, min(given.splits, 4)):
        made[f"Cells it needs: {setting.title}"] = cells_table(registry, setting)
        print("\n".join(made[f"Cells it needs: {setting.title}"]), flush=True)
    made["Screens in which there is nothing to tell"] = list(nothing_rows(registry))
    made["Truths without noise"] = list(exact_rows(registry))
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
