"""How often an answer without error is called too good for this world.

Run it as `python -m tests.studies.possible --cache FOLDER --networks 200`. The line `true-change`
of planted populations is the change without noise, the best that a method can give. It is held
against the ceiling by the test of `kobench.board.numbers.possible`, in single networks and in
groups of several; every time that it is called above what is possible is a false alarm. Prints the
table of docs/intervals.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from kobench.board.numbers.possible import over_ceiling
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.standings import Standings
from kobench.plugins.load import load_registry
from kobench.results.parts import Record
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run

#: Small, so that hundreds take minutes: strong and weak knockouts, few and more cells, batches.
SETTINGS = tuple(
    f"planted:genes=50,cells=200,perturbations=20,{more}"
    for more in (
        "perturbed_cells=40",
        "perturbed_cells=100",
        "absence=modules,perturbed_cells=40",
        "absence=modules,perturbed_cells=100",
        "absence=modules,perturbed_cells=40,batches=3",
    )
)

#: So many networks are taken together.
GROUPS = (1, 2, 3, 5, 10)

LINE = ("line", "true-change")


def records_of(setting: str, networks: int, folder: Path, jobs: int) -> list[Record]:
    """Floors and lines of many planted networks; those that the folder has are read."""
    request = Request(datasets=[setting], predictors=(), tasks=("response",), networks=networks)
    outcome = Run(folder).run(make_plan(load_registry(), request), jobs)
    return list(outcome.records)


def alarms(records: Sequence[Record], size: int) -> tuple[int, int]:
    """How often the line is above the ceiling, and of how many groups of `size` networks."""
    by_network: dict[str, list[Record]] = {}
    for record in records:
        by_network.setdefault(record.trial.dataset.selection, []).append(record)
    names = sorted(by_network)
    raised = asked = 0
    for start in range(0, len(names) - size + 1, size):
        group = [one for name in names[start : start + size] for one in by_network[name]]
        label = next(task for record in group for task in record.result.scores)
        standings = Standings(Numbers(group, label))
        for metric in standings.numbers.primary():
            row = standings.numbers.measure(LINE, metric)
            if row.values and row.ceiling is not None:
                asked += 1
                raised += over_ceiling(row, standings.columns[metric])
    return raised, asked


def table(networks: int, folder: Path, jobs: int) -> Iterator[str]:
    """False alarms by setting and number of networks."""
    yield f"| data set | {' | '.join(f'{size} networks' for size in GROUPS)} |"
    yield "| --- " * (1 + len(GROUPS)) + "|"
    totals = dict.fromkeys(GROUPS, (0, 0))
    for setting in SETTINGS:
        records = records_of(setting, networks, folder, jobs)
        cells = []
        for size in GROUPS:
            raised, asked = alarms(records, size)
            totals[size] = totals[size][0] + raised, totals[size][1] + asked
            cells.append(f"{raised} of {asked}")
        yield f"| `{setting.partition('perturbations=20,')[2]}` | {' | '.join(cells)} |"
    yield f"| all | {' | '.join(f'{raised} of {asked}' for raised, asked in totals.values())} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    for line in table(asked.networks, asked.cache, asked.jobs):
        print(line, flush=True)


if __name__ == "__main__":
    main()
