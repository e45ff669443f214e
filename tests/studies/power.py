"""Whether the difference that a board says it would have seen is seen in four boards of five.

Run it as `python -m tests.studies.power` from the repository's root (five minutes). A predictor is
better than the floor by just the difference of which a board says so, and it is counted how often
the verdict is ▲. A board says it by the spread that it has measured, so it errs itself: the table
has the middle of what it says, over what is right, and where four in five of its numbers lie. "To
first order" takes t(0.975) + t(0.80) standard errors, where the noncentral t distribution is exact.

Networks: differences are normal, of each network its own. Planted: the twins of
`tests.studies.splits`, whose differences are what they are, in splits of measured knockouts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator

import numpy as np

from kobench.board.numbers.intervals import Series, combine, mean_interval, t_quantile
from kobench.board.numbers.power import POWER, detectable, errors_needed
from kobench.board.numbers.skill import verdict_of
from tests.studies.splits import NETWORKS, Screen, screen, series_of, with_errors

#: Makes the differences of a board, of which none is there in the long run.
Board = Callable[[np.random.Generator], Series]


def networks(count: int) -> Board:
    """Normal differences over so many networks."""
    return lambda rng: Series(rng.standard_normal(count))


def planted(screens: list[Screen], n: int, splits: int) -> Board:
    """The difference of twins on n knockouts in some splits."""

    def board(rng: np.random.Generator) -> Series:
        found = screens[int(rng.integers(len(screens)))]
        knockouts = rng.integers(0, found.true.shape[1], n)
        chosen = rng.choice(len(found.true), splits, replace=False)
        true, answer = (part[chosen][:, knockouts] for part in (found.true, found.answer))
        seed = int(rng.integers(2**31))
        one, two = (series_of(with_errors(rng, answer), true, seed) for _ in range(2))
        return combine(np.subtract, one, two)

    return board


def line(name: str, board: Board, degrees: float, repeats: int) -> str:
    """One line of the table: `degrees` are those with which a board knows its error."""
    rng = np.random.default_rng(11)
    boards = [board(rng) for _ in range(repeats)]
    error = float(np.sqrt(np.mean([one.mean**2 for one in boards])))  # none is there
    right = errors_needed(degrees) * error
    first = (t_quantile(degrees) + t_quantile(degrees, 2 * POWER - 1)) * error
    seen = []
    for shift in (right, first):
        moved = [combine(lambda x, by=shift: x + by, one) for one in boards]
        seen.append(np.mean([verdict_of(mean_interval(one)) == "better" for one in moved]))
    said = np.array([detectable(one) for one in boards], float) / right
    low, high = np.quantile(said, [0.1, 0.9])
    return (
        f"| {name} | {100 * seen[0]:.0f} % | {100 * seen[1]:.0f} % | {np.median(said):.2f} |"
        f" {low:.2f} to {high:.2f} |"
    )


def lines(repeats: int) -> Iterator[str]:
    """The table."""
    yield (
        "| boards | ▲ | to first order | what a board says, over what is right | four in five of"
        " them |"
    )
    yield "| --- " * 5 + "|"
    for count in (2, 3, 5, 10, 30):
        yield line(f"{count} networks", networks(count), count - 1, 10 * repeats)
    screens = [screen(300, seed) for seed in range(NETWORKS)]
    for n in (15, 40):
        for splits in (1, 8):
            name = f"{n} planted knockouts, {splits} split{'s' if splits > 1 else ''}"
            yield line(name, planted(screens, n, splits), n - 1, repeats)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=400, help="boards of each kind")
    for text in lines(parser.parse_args().repeats):
        print(text, flush=True)


if __name__ == "__main__":
    main()
