"""Whether scores of measured knockouts can be trusted, tried where the answer is known.

Run it as `python tests/studies/planted.py --cache FOLDER`. It runs kobench itself on planted
populations (other cells of the simulator with the gene knocked out) and reads what its boards say.
skill: the change without noise should score about 1, the best floor 0, `linear` in between. nulls:
with labels shuffled, scores should cover their chance value, and no skill be printed. Prints the
tables of docs/planted.md; results are kept in FOLDER.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from kobench.api import TaskUnits, TaskView
from kobench.board.make import make_board
from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.builtin.tasks.response import response
from kobench.builtin.tasks.response_size import response_size
from kobench.plugins.load import Registry, load_registry
from kobench.results.records import Record
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run

PREDICTORS = ("linear", "covariance-shift")

#: What skill is read of, with the name it has in the tables.
PRIMARY = {
    "pearson-delta-centred": "detectable",
    "pearson-delta-centred-unit": "detectable, five genes respond",
}

#: The planted populations on which the true change should score about 1; the first four are
#: kobench's default size.
SETTINGS = (
    "planted",
    "planted:batches=3",
    "planted:absence=modules",
    "planted:absence=modules,batches=3",
    "planted:perturbed_cells=50",
    "planted:perturbed_cells=400",
    "planted:absence=modules,perturbed_cells=50",
    "planted:absence=modules,perturbed_cells=400",
    "planted:absence=modules,cells=200",
    "planted:absence=modules,cells=1500",
    "planted:absence=modules,dropout=0.3",
)

#: Small, so that hundreds take minutes.
SMALL = "genes=50,cells=200,perturbations=20,perturbed_cells=40"

#: (task, metric without its variant) -> value by chance. Without centring there is none once all
#: perturbations do the same.
CENTRED = {
    ("response", "pearson-delta-centred"): 0.0,
    ("response", "centroid-accuracy"): 0.5,
    ("response-size", "spearman"): 0.0,
}
CHANCE = {
    **CENTRED,
    **{("response", name): 0.0 for name in ("pearson-delta", "spearman-delta", "cosine-delta")},
}


def of_one_kind(
    task: Callable[[TaskView], TaskUnits], variant: str | None
) -> Callable[[TaskView], TaskUnits]:
    """The task with all its metrics primary.

    So each has an interval and a comparison with the floor.

    Parameters
    ----------
    task : callable
        The task's function.
    variant : str or None
        The only variant that is left, under its own name, as a record knows the number of units of
        one variant alone; None for all.
    """

    def units(view: TaskView) -> TaskUnits:
        made = task(view)
        kept = {name: units for name, units in made.variants.items() if variant in (None, name)}
        names = sorted({metric for _, metric in CHANCE})
        leading = tuple(f"{name}[{kind}]" if kind else name for kind in kept for name in names)
        return replace(made, variants=kept, primary=leading)

    return units


def registry(nulls: bool = False) -> Registry:
    """What is installed.

    For nulls it has only the metrics with a chance value, all of them primary, and no lines. The
    task `response` is then two: one over the detectable perturbations and one over all.
    """
    found = load_registry()
    if not nulls:
        return found
    names = {metric for _, metric in CHANCE}
    tasks = {}
    for name, old, function, variant in (
        ("response-detectable", "response", response, ""),
        ("response-all", "response", response, "all"),
        ("response-size", "response-size", response_size, None),
    ):
        (entry,) = found.tasks[old]
        spec = replace(
            entry.spec, name=name, units=of_one_kind(function, variant), primary=(), lines=()
        )
        tasks[name] = [replace(entry, spec=spec)]
    return replace(
        found,
        tasks=tasks,
        metrics={name: entries for name, entries in found.metrics.items() if name in names},
    )


def run(
    known: Registry,
    tasks: Sequence[str],
    datasets: Sequence[str],
    networks: int,
    folder: Path,
    jobs: int,
) -> list[Record]:
    """Records of the predictors, floors and lines on some data sets.

    They are run where the folder does not have them yet.
    """
    plan = make_plan(
        known, Request(datasets=datasets, predictors=PREDICTORS, tasks=tasks, networks=networks)
    )
    outcome = Run(folder).run(plan, jobs)
    if outcome.failed:
        raise SystemExit(
            f"{len(outcome.failed)} trials failed, the first with:"
            f" {outcome.failed[0]['result']['message']}"
        )
    return outcome.records


def section_of(records: list[Record], task: str) -> Section:
    """The one section of a task on a board of these records."""
    return next(
        section
        for section in make_board(records, cost=False).sections
        if section.task.partition("@")[0] == task
    )


def by_network(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records of each network alone."""
    found: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        found[record["trial"]["dataset"]["selection"]].append(record)
    return found


@dataclass(frozen=True)
class Standing:
    """A row of one board.

    Attributes
    ----------
    score : float
        Its score.
    skill : float
        Its skill, worked out even where the board says that there is no headroom.
    """

    score: float
    skill: float


def standing(column: Column, row: Row) -> Standing | None:
    """The standing of a row; None where the row, the floor or the ceiling has no value."""
    shown = row.scores.get(column.name)
    if shown is None or shown.value is None or shown.difference is None or column.gap is None:
        return None
    return Standing(shown.value, shown.difference.value / column.gap.value)


# --- skill ---


def skill_table(networks: int, folder: Path, jobs: int) -> Iterator[str]:
    """Skill of the true change and of `linear` over networks.

    There is one line for each setting and set of perturbations.
    """
    known = registry()
    yield (
        "| data set | perturbations | networks | floor | ceiling | true change | its skill | in"
        " single networks | `linear` | its skill | board |"
    )
    yield "| --- " * 11 + "|"
    for setting in SETTINGS:
        records = run(known, ("response",), [setting], networks, folder, jobs)
        section = section_of(records, "response")
        single = [section_of(own, "response") for own in by_network(records).values()]
        for column in section.columns:
            if column.name in PRIMARY and column.gap is not None:
                yield skill_line(setting, section, column, single)


def skill_line(setting: str, section: Section, column: Column, single: Sequence[Section]) -> str:
    """One line of that table."""
    rows = {row.name: row for row in section.rows}
    truth, linear = (standing(column, rows[name]) for name in ("true-change", "linear"))
    assert truth is not None
    assert linear is not None
    assert column.gap is not None
    printed = rows["true-change"].scores[column.name]
    interval = (
        "" if printed.skill_low is None else f" [{printed.skill_low:.2f}, {printed.skill_high:.2f}]"
    )
    alone = []
    for one in single:
        own = {mine.name: mine for mine in one.columns}.get(column.name)
        if own is None:
            continue
        found = standing(own, next(row for row in one.rows if row.name == "true-change"))
        alone += [] if found is None else [found.skill]
    floor = column.ceiling - column.gap.value if column.ceiling is not None else float("nan")
    spread = (
        f"{np.median(alone):.2f} ({np.quantile(alone, 0.1):.2f} to {np.quantile(alone, 0.9):.2f})"
    )
    return (
        f"| `{setting}` | {PRIMARY[column.name]} | {len(alone)} | {floor:.3f} ({column.floor}) |"
        f" {column.ceiling:.3f} | {truth.score:.3f} | {truth.skill:.2f}{interval} | {spread} |"
        f" {linear.score:.3f} | {linear.skill:.2f} | {column.reason or 'skill'} |"
    )


# --- nulls ---


@dataclass
class Tally:
    """What boards of shuffled labels said by one metric: one entry a row and repeat."""

    held: list[bool] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    p: list[float] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    skills: list[bool] = field(default_factory=list)

    def add(self, column: Column, row: Row, chance: float) -> None:
        """Add what a board said of one row by one metric."""
        score = row.scores.get(column.name)
        if score is None or score.value is None or score.low is None or score.high is None:
            return
        self.held.append(score.low <= chance <= score.high)
        self.values.append(score.value - chance)
        self.skills.append(score.skill is not None)
        if score.permuted is not None:
            self.p.append(score.permuted.p)
        if row.role == "predictor":
            self.verdicts.append(score.verdict)

    @classmethod
    def together(cls, several: Sequence[Tally]) -> Tally:
        """The entries of several tallies."""
        whole = cls()
        for one in several:
            for name in ("held", "values", "p", "verdicts", "skills"):
                getattr(whole, name).extend(getattr(one, name))
        return whole


def null_tallies(
    shuffle: str, batches: int, repeats: int, networks: int, folder: Path, jobs: int
) -> dict[tuple[str, str], dict[str, Tally]]:
    """What boards of shuffled labels said.

    Parameters
    ----------
    shuffle : str
        What is shuffled.
    batches : int
        Number of batches.
    repeats : int
        Number of boards.
    networks : int
        Networks of each board, its own.
    folder, jobs
        See `run`.

    Returns
    -------
    dict
        (task, metric) -> row -> Tally.
    """
    known = registry(nulls=True)
    datasets = [
        f"planted:{SMALL},batches={batches},shuffle={shuffle},seed={seed}"
        for seed in range(repeats * networks)
    ]
    records = list(by_network(run(known, tuple(known.tasks), datasets, 1, folder, jobs)).values())
    found: dict[tuple[str, str], dict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
    for start in range(0, len(records), networks):
        together = [record for own in records[start : start + networks] for record in own]
        for task in known.tasks:
            section = section_of(together, task)
            for column in section.columns:
                metric = column.name.partition("[")[0]
                kind = "response-size" if task == "response-size" else "response"
                chance = (CHANCE if shuffle == "labels" else CENTRED).get((kind, metric))
                for row in section.rows if chance is not None else ():
                    if row.role in ("predictor", "floor"):
                        found[task, column.name][row.name].add(column, row, chance)
    return found


def share(values: Sequence[Any]) -> str:
    """A share in percent; "-" of nothing."""
    return f"{100 * np.mean(values):.1f}" if len(values) else "-"


def null_table(repeats: int, networks: int, folder: Path, jobs: int) -> Iterator[str]:
    """How often intervals held the chance value, and what else the boards said."""
    yield (
        "| shuffled | batches | task | metric | scores | held chance % | from row to row | mean -"
        " chance | p < 0.05 % | better % | skill printed % |"
    )
    yield "| --- " * 11 + "|"
    for shuffle in ("labels", "perturbed"):
        for batches in (1, 3):
            tallies = null_tallies(shuffle, batches, repeats, networks, folder, jobs)
            for (task, metric), rows in sorted(tallies.items()):
                whole = Tally.together(list(rows.values()))
                if not whole.held:
                    continue
                by_row = [
                    100 * np.mean(one.held) for one in rows.values() if len(one.held) >= repeats / 4
                ]
                spread = f"{min(by_row):.1f} to {max(by_row):.1f}" if by_row else "-"
                better = share([verdict == "better" for verdict in whole.verdicts])
                yield (
                    f"| {shuffle} | {batches} | {task} | {metric} | {len(whole.held)} |"
                    f" {share(whole.held)} | {spread} | {np.mean(whole.values):+.3f} |"
                    f" {share([p < 0.05 for p in whole.p])} | {better} | {share(whole.skills)} |"
                )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder of the results, outside the repository"
    )
    parser.add_argument("--part", choices=("skill", "nulls", "both"), default="both")
    parser.add_argument("--networks", type=int, default=20, help="networks of each setting")
    parser.add_argument("--repeats", type=int, default=200, help="null boards of each kind")
    parser.add_argument("--board", type=int, default=1, help="networks on a null board")
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    if given.part != "nulls":
        for line in skill_table(given.networks, given.cache / "skill", given.jobs):
            print(line, flush=True)
    if given.part != "skill":
        for line in null_table(given.repeats, given.board, given.cache / "nulls", given.jobs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
