"""What of the scores of responses can be had by knowing one thing.

Run it as `python -m tests.studies.oracles`; it writes the tables of docs/oracles.md. Oracles are
made of the truth and know one thing of it: who is strong, one direction, sizes, one knockout. They
are scored by the metrics of the task `response`, on real knockouts over several splits, and on
simulated ones without noise and as a screen measures them. Where the real data are not at hand, it
says so and writes nothing.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kobench.api import Answers, NotComputed, Responses, ResponseUnits, TaskView
from kobench.builtin.metrics import response as metrics
from kobench.builtin.metrics.delta import unit_length
from kobench.builtin.tasks.response import response
from kobench.cells import FloatArray
from kobench.datasets.split import rows_of
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.runner.load import load
from kobench.scoring.permutations import orders_by_name
from kobench.truth.build import Material, build
from kobench.truth.references import line_answers

REPOSITORY = Path(__file__).parents[2]

PAGE = REPOSITORY / "docs" / "oracles.md"

#: Column -> the metric, and the variant of the units that it is over.
COLUMNS = {
    "`pearson-delta-centred`": (metrics.pearson_delta_centred, ""),
    "`[all]`": (metrics.pearson_delta_centred, "all"),
    "`pearson-delta-centred-unit`": (metrics.pearson_delta_centred_unit, ""),
}

#: Random answers, and permutations, that a value is the mean over.
REPEATS = 50

#: The line of the page after which its tables stand.
TABLES = "<!-- tables -->"

ROWS = {
    "nothing": "random numbers",
    "size": "the true sizes alone (line `size-only`)",
    "direction": "one direction, and the true sizes (line `one-direction`)",
    "bit": "one bit each, strong or weak, and one direction; the best cut",
    "strongest": "the change of the strongest one alone",
    "permuted": "the true changes, each of another one",
    "half": "the change measured in half of the cells",
    "exact": "the change without noise (line `true-change`)",
    "truth": "the truth itself",
}


@dataclass(frozen=True)
class Setting:
    """Questions of one kind.

    Attributes
    ----------
    title : str
        What the page calls them.
    datasets : tuple of str
        The data sets, each with one split for every seed in `splits`.
    splits : tuple of int
        Seeds of the splits.
    split : "halves" or "holdout"
        With a truth that is measured in other cells, or without noise.
    """

    title: str
    datasets: tuple[str, ...]
    splits: tuple[int, ...] = (0,)
    split: str = "halves"


def settings(networks: int, splits: int) -> list[Setting]:
    """What the page is about."""
    seeds = tuple(range(splits))
    planted = "planted:perturbations=40,perturbed_cells=200"
    return [
        Setting("hipsc-ko", ("hipsc-ko",), seeds),
        Setting("k562-crispri", ("k562-crispri",), seeds),
        *(
            Setting(
                f"{planted}{absence}{said}",
                tuple(f"{planted}{absence},seed={seed}" for seed in range(networks)),
                split=split,
            )
            for absence in ("", ",absence=modules")
            for split, said in (("halves", ", measured"), ("holdout", ", without noise"))
        ),
    ]


def questions(setting: Setting) -> Iterator[tuple[Responses, Material]]:
    """The question of every data set and split."""
    registry = load_registry()
    for text in setting.datasets:
        dataset = load(choose(registry, "datasets", text))
        for seed in setting.splits:
            training, asked = rows_of(dataset, setting.split, seed)
            measured = setting.split == "halves"
            material = Material(
                dataset,
                training,
                training if measured else asked,
                asked if measured else None,
                split_seed=seed,
            )
            question = build("response", material)
            assert isinstance(question, Responses)
            yield question, material


def units_of(question: Responses, answer: FloatArray) -> Mapping[str, ResponseUnits]:
    """The units of answers (k, G), 0 at the targets, by variant; without noise "" is "all"."""
    of_rows = np.nan_to_num(answer)[question.row_perturbation]
    supported = np.ones(question.cells.n_vars, bool)
    view = TaskView(question, Answers(response=of_rows, supported=supported))
    found = {
        name: units
        for name, units in response(view).variants.items()
        if isinstance(units, ResponseUnits)
    }
    return {"all": found[""], **found} if "" in found else {"": found["all"], **found}


def score(question: Responses, answer: FloatArray | None) -> dict[str, float]:
    """What an answer scores in each column; NaN where it has none."""
    found = dict.fromkeys(COLUMNS, float("nan"))
    if answer is None:
        return found
    units = units_of(question, answer)
    for name, (metric, variant) in COLUMNS.items():
        try:
            found[name] = metric(units[variant]).value
        except NotComputed:
            continue
    return found


def best(several: Sequence[dict[str, float]]) -> dict[str, float]:
    """The best of several answers of one kind in each column, NaN where none has a value."""
    found = {}
    for name in COLUMNS:
        known = [one[name] for one in several if np.isfinite(one[name])]
        found[name] = max(known, default=float("nan"))
    return found


def mean_of(several: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of several answers of one kind in each column."""
    return {name: float(np.mean([one[name] for one in several])) for name in COLUMNS}


def bits(question: Responses) -> Iterator[FloatArray]:
    """Every oracle that calls the strongest of the detectable ones strong, and one direction.

    That is what the strong ones have on average and the others have not, of changes as they are and
    of changes of unit length; an answer is it, or minus it.
    """
    true = np.nan_to_num(question.change)
    size = np.sqrt((true**2).sum(axis=1))
    rows = np.flatnonzero(question.detectable)
    if len(rows) < 2:
        rows = np.arange(len(true))
    for least in np.unique(size[rows])[1:]:
        strong = size >= least
        for changes in (true, unit_length(true)):
            direction = changes[rows][strong[rows]].mean(axis=0)
            direction = direction - changes[rows][~strong[rows]].mean(axis=0)
            yield np.where(strong[:, None], direction, -direction)


def permuted(question: Responses) -> dict[str, float]:
    """The true changes given to one another at random."""
    orders = orders_by_name(question.names, 0, REPEATS)
    units = units_of(question, question.change)
    found = {}
    for name, (metric, variant) in COLUMNS.items():
        one = units[variant]
        places = np.argsort(np.argsort(orders[:, one.perturbations], axis=1), axis=1)
        try:
            found[name] = float(metric.permuted(one, places).mean())
        except NotComputed:
            found[name] = float("nan")
    return found


def rows_of_table(question: Responses, material: Material) -> dict[str, dict[str, float]]:
    """What every oracle scores."""
    true = np.nan_to_num(question.change)
    rng = np.random.default_rng(0)

    def line(name: str) -> FloatArray | None:
        answers = line_answers(name, "response", question, material)
        return None if answers is None else question.of_perturbations(answers.response)

    strongest = np.zeros_like(true)
    top = int((true**2).sum(axis=1).argmax())
    strongest[top] = true[top]
    found = {
        "nothing": mean_of(
            [score(question, rng.normal(size=true.shape)) for _ in range(REPEATS // 5)]
        ),
        "size": score(question, line("size-only")),
        "direction": score(question, line("one-direction")),
        "bit": best([score(question, one) for one in bits(question)]),
        "strongest": score(question, strongest),
        "permuted": permuted(question),
        "truth": score(question, true),
    }
    if question.halves is not None:
        found["half"] = mean_of(
            [score(question, half) for pair in question.halves[:5] for half in pair]
        )
        found["exact"] = score(question, question.expected)
    return found


def counts(question: Responses) -> tuple[int, int, int]:
    """How many perturbations each column is over."""
    units = units_of(question, question.change)
    shaped = metrics.pearson_delta_centred_unit
    try:
        scaled = len(shaped.compare(units[""]).kept)
    except NotComputed:
        scaled = 0
    detectable = int(np.sum(question.detectable))
    return (detectable if detectable >= 5 else 0, len(question.names), scaled)


def table(setting: Setting) -> list[str]:
    """The table of one setting, as lines of Markdown."""
    found: dict[str, dict[str, list[float]]] = {
        row: {column: [] for column in COLUMNS} for row in ROWS
    }
    over = []
    for question, material in questions(setting):
        over.append(counts(question))
        for row, values in rows_of_table(question, material).items():
            for column, value in values.items():
                found[row][column].append(value)
    out = [f"| it knows | {' | '.join(COLUMNS)} |", "|---" * (1 + len(COLUMNS)) + "|"]
    out.append(f"| *perturbations* | {' | '.join(map(spread_of, zip(*over, strict=True)))} |")
    for row, words in ROWS.items():
        cells = [shown(values) for values in found[row].values()]
        if any(cell != "–" for cell in cells):
            out.append(f"| {words} | {' | '.join(cells)} |")
    return out


def spread_of(numbers: Sequence[int]) -> str:
    """The range of how many perturbations a column is over, and in how many questions."""
    known = [number for number in numbers if number]
    if not known:
        return "too few"
    low, high = min(known), max(known)
    each = f"{low}" if low == high else f"{low} to {high}"
    return each if len(known) == len(numbers) else f"{each}, in {len(known)} of {len(numbers)}"


def shown(values: Sequence[float]) -> str:
    """A mean and, of several, the range; "–" without any."""
    known = [value for value in values if np.isfinite(value)]
    if not known:
        return "–"
    mean, low, high = np.mean(known), min(known), max(known)
    text = f"{mean:.2f}"
    return text if high - low < 0.005 else f"{text} ({low:.2f} to {high:.2f})"


def page(text: str, made: Sequence[tuple[Setting, list[str]]]) -> str:
    """The page with these tables in the place of its own."""
    out = [text.partition(TABLES)[0] + TABLES, ""]
    for setting, lines in made:
        kind, several = (
            ("networks", len(setting.datasets))
            if len(setting.datasets) > 1
            else ("splits", len(setting.splits))
        )
        out += [f"## {setting.title}", "", f"Means over {several} {kind}; the range in brackets."]
        out += ["", *lines, ""]
    return "\n".join(out)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=10, help="networks of each simulation")
    parser.add_argument("--splits", type=int, default=8, help="splits of each real data set")
    given = parser.parse_args()
    folder = REPOSITORY.parent / "shared" / "data"
    os.environ.setdefault("KOBENCH_DATA", str(folder))
    if not Path(os.environ["KOBENCH_DATA"]).is_dir():
        raise SystemExit(
            f"the real data are not at {os.environ['KOBENCH_DATA']}, so the page is left as it is;"
            " set KOBENCH_DATA to the folder that has them"
        )
    made = []
    for setting in settings(given.networks, given.splits):
        made.append((setting, table(setting)))
        print(f"{setting.title}\n" + "\n".join(made[-1][1]), flush=True)
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()
