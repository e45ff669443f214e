"""How often intervals over cells hold the long-run value where cells come in groups (donors).

Run it as `python -m tests.studies.groups` from the repository's root. Groups differ by a share of
the variance of single cells' scores, and the long-run value is that of all groups. Each sample is
drawn again as kobench draws it, by cells and by groups. Prints a table of docs/intervals.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from math import sqrt

import numpy as np

from kobench.api import Parts, ProfileUnits
from kobench.board.numbers.intervals import Series, mean_interval
from kobench.cells import FloatArray, IntArray
from kobench.runner.keys import DRAWS
from kobench.scoring.bootstrap import draws
from kobench.scoring.grouped import CellGroups
from tests.studies.coverage import Tally

#: Cells of each group.
SIZES = {
    "2 of 100": [100] * 2,
    "3 of 100": [100] * 3,
    "5 of 60": [60] * 5,
    "10 of 50": [50] * 10,
    "30 of 20": [20] * 30,
    "140 and 60": [140, 60],
    "200, 100, 50, 25, 25": [200, 100, 50, 25, 25],
    "300 and 9 of 30": [300] + [30] * 9,
    "400 and 20 of 10": [400] + [10] * 20,
    "950 and 50 of 1": [950] + [1] * 50,
}

#: Share of the variance that is between groups.
BETWEEN = (0.0, 0.1, 0.5)


def mean(units: ProfileUnits) -> Parts:
    """The mean over cells."""
    values = units.predicted[:, 0]
    return Parts("cell", units.cells, values, np.ones(len(values)))


def sample(
    sizes: list[int], between: float, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """One number for each cell, and the group of each; the long-run mean is 0."""
    group = np.repeat(np.arange(len(sizes)), sizes)
    shift = rng.normal(0, sqrt(between), len(sizes))
    return shift[group] + rng.normal(0, sqrt(1 - between), len(group)), group


def rows(repeats: int) -> Iterator[str]:
    """Coverage and median width: drawn by cells, by groups as if all had one size, by groups."""
    yield (
        "| cells of the groups | worth | between groups | drawn by cells | by groups, each counted"
        " as one | by groups |\n" + "| --- " * 6 + "|"
    )
    for name, sizes in SIZES.items():
        for between in BETWEEN:
            rng = np.random.default_rng(len(sizes))
            by_cells, counted, by_groups = Tally(), Tally(), Tally()
            worth = None
            for repeat in range(repeats):
                values, group = sample(sizes, between, rng)
                units = ProfileUnits(
                    values[:, None], values[:, None], values[:, None] > 0, np.arange(len(values))
                )
                groups = CellGroups("donor", group.astype(np.str_))
                worth = groups.worth(units.cells)
                value = np.array([values.mean()])
                plain = draws(mean, units, "cell", DRAWS, repeat)[None, :]
                drawn = draws(mean, units, "cell", DRAWS, repeat, groups=groups)[None, :]
                by_cells.add(mean_interval(Series(value, plain, len(values))), 0.0)
                counted.add(mean_interval(Series(value, drawn, len(sizes))), 0.0)
                by_groups.add(mean_interval(Series(value, drawn, worth or 1.0)), 0.0)
            said = by_groups if by_groups.held else "none given"
            yield (f"| {name} | {worth or '-'} | {between:.0%} | {by_cells} | {counted} | {said} |")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=1000)
    for line in rows(parser.parse_args().repeats):
        print(line, flush=True)


if __name__ == "__main__":
    main()
