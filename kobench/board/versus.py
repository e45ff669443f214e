"""Two predictors compared, task by task: the difference that a board's ranks would go by.

What is compared may be two methods, two parameter sets or two versions of one method; here each is
the records of one row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from kobench.board.numbers.intervals import Interval, Series, combine, mean_interval
from kobench.board.numbers.power import detectable
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.skill import verdict_of
from kobench.board.numbers.standings import Standings
from kobench.board.numbers.values import Key
from kobench.board.paired_units import Unit, paired_units
from kobench.board.sections.remarks import label_of
from kobench.board.words import base
from kobench.results.parts import Record, TaskScores
from kobench.results.versions import Spot, spot_of

#: The two sides as rows.
FIRST: Key = ("predictor", "A", "", "0", "")
SECOND: Key = ("predictor", "B", "", "0", "")


@dataclass(frozen=True)
class Contest:
    """Two predictors on one dataset, task and primary metric.

    Attributes
    ----------
    dataset, split, train : str
        The dataset without its seed, the split, and the group that was trained on, if any.
    task, metric : str
        The task's label, and the metric.
    over : str
        What the interval is over.
    first, second : float, or None
        The scores on what both were asked.
    difference : Interval, or None
        Second - first, > 0 where the second is better whatever the direction of the metric.
    detectable : float, or None
        The smallest difference that would have been seen with a power of 80 %.
    verdict : "better", "worse", "same" or ""
        What the interval says of the second; "" where there is none.
    reason : str
        "" or why there is no comparison.
    units : tuple of Unit
        Single genes or perturbations, those that lost most first; of the first primary metric.
    """

    dataset: str
    split: str
    train: str
    task: str
    metric: str
    over: str = ""
    first: float | None = None
    second: float | None = None
    difference: Interval | None = None
    detectable: float | None = None
    verdict: str = ""
    reason: str = ""
    units: tuple[Unit, ...] = ()


@dataclass
class Versus:
    """All that came of comparing two predictors.

    Attributes
    ----------
    contests : list of Contest
        By dataset, split, task and primary metric.
    remarks : list of str
        What could not be compared, and why.
    """

    contests: list[Contest] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def versus(first: Iterable[Record], second: Iterable[Record], basis: Iterable[Record]) -> Versus:
    """Compare the records of two rows, paired over what both were asked.

    Parameters
    ----------
    first, second : iterable of Record
        The records of each, of one version.
    basis : iterable of Record
        Floors and lines. They say what difference is too small to name.

    Returns
    -------
    Versus
    """
    found = Versus()
    sides = by_spot(as_row(record, FIRST) for record in first)
    others = by_spot(as_row(record, SECOND) for record in second)
    floors = by_spot(record for record in basis if record.role != "predictor")
    for name, one, other in (("A", sides, others), ("B", others, sides)):
        for spot in sorted(set(one) - set(other)):
            found.remarks.append(f"{where(spot)}: only {name} was run there.")
    for spot in sorted(set(sides) & set(others)):
        a, b = paired(sides[spot], others[spot], where(spot), found.remarks)
        if a:
            cells = {slot_of(record): record.trial.dataset.digest for record in a}
            same = [
                record
                for record in floors.get(spot, ())
                if cells.get(slot_of(record)) == record.trial.dataset.digest
            ]
            found.contests += contests(spot, a, b, same, found.remarks)
    return found


def as_row(record: Record, key: Key) -> Record:
    """A record of one of the two, named so."""
    trial = record.trial
    predictor = replace(
        trial.predictor, name=key[1], selection=key[1], distribution="", environment=None
    )
    return replace(record, trial=replace(trial, predictor=predictor, threads=0, device=""))


def by_spot(records: Iterable[Record]) -> dict[Spot, list[Record]]:
    """Records by dataset, split and training group."""
    found: dict[Spot, list[Record]] = defaultdict(list)
    for record in records:
        found[spot_of(record.role, record.trial)._replace(row=())].append(record)
    return found


def where(spot: Spot) -> str:
    """A dataset and split, for a reader."""
    trained = f", trained on {spot.train}" if spot.train else ""
    return f"{spot.dataset} ({spot.split}{trained})"


def slot_of(record: Record) -> tuple[str, str, int, str]:
    """The network and the split of a record."""
    trial = record.trial
    split = trial.split
    return trial.dataset.selection, split.name, split.seed, split.train or ""


def paired(
    first: Sequence[Record], second: Sequence[Record], place: str, remarks: list[str]
) -> tuple[list[Record], list[Record]]:
    """The records of networks and splits that both have, of the same cells.

    Others are left out, which is added to `remarks`.
    """
    cells = [
        {slot_of(record): record.trial.dataset.digest for record in records}
        for records in (first, second)
    ]
    both = cells[0].keys() & cells[1].keys()
    same = {slot for slot in both if cells[0][slot] == cells[1][slot]}
    alone = len(cells[0].keys() ^ cells[1].keys())
    if alone:
        remarks.append(f"{place}: {alone} networks or splits that one of the two has alone.")
    if len(both) > len(same):
        remarks.append(
            f"{place}: in {len(both) - len(same)} networks or splits the two were given other"
            " cells; run both on the same data."
        )
    a, b = (
        [record for record in records if slot_of(record) in same] for records in (first, second)
    )
    return a, b


def contests(
    spot: Spot,
    first: Sequence[Record],
    second: Sequence[Record],
    basis: Sequence[Record],
    remarks: list[str],
) -> list[Contest]:
    """The comparisons on one dataset and split; what can't be compared is added to `remarks`."""
    found = []
    labels = [{label for one in side for label in one.result.scores} for side in (first, second)]
    bases = [{base(label) for label in side} for side in labels]
    for name in sorted(bases[0] ^ bases[1]):
        which = "A" if name in bases[0] else "B"
        remarks.append(f"{where(spot)}: only {which} has scores of {name}.")
    for name in sorted((bases[0] & bases[1]) - {base(one) for one in labels[0] & labels[1]}):
        remarks.append(
            f"{where(spot)}: the two were scored on other versions of {name}; score again with the"
            " same command that ran them."
        )
    failed = [
        (which, one)
        for which, side in (("A", first), ("B", second))
        for one in side
        if one.result.status != "ok"
    ]
    for which, one in failed[:5]:
        remarks.append(f"{which} on {one.trial.dataset.selection}: {one.result.status}.")
    for task in sorted(labels[0] & labels[1]):
        records = [one for one in (*first, *second, *basis) if task in one.result.scores]
        others = questions_differ(first, second, task)
        if others:
            remarks.append(
                f"{where(spot)}: {task} asked the two other questions ({others}); run both with"
                " the same flags."
            )
        else:
            found += of_task(spot, task, records, first, second)
    return found


def questions_differ(first: Iterable[Record], second: Iterable[Record], task: str) -> str:
    """What differs of what two were asked in a task; "" where nothing does."""
    asked: dict[tuple[str, str, int, str], TaskScores] = {}
    for record in first:
        if scores := record.result.scores.get(task):
            asked[slot_of(record)] = scores
    for record in second:
        one, other = asked.get(slot_of(record)), record.result.scores.get(task)
        if one is None or other is None:
            continue
        for what in ("asked", "blocks", "blocks_digest", "left_out"):
            if getattr(one, what) != getattr(other, what):
                return what.replace("_", " ")
        for metric in set(one.metrics) & set(other.metrics):
            if one.metrics[metric].version != other.metrics[metric].version:
                return f"version of {metric}"
    return ""


def of_task(
    spot: Spot,
    task: str,
    records: Sequence[Record],
    first: Sequence[Record],
    second: Sequence[Record],
) -> list[Contest]:
    """The comparisons by each primary metric of a task."""
    numbers = Numbers(records, task)
    standings = Standings(numbers)
    kind = records[0].trial.dataset.kind
    found = []
    for place, metric in enumerate(numbers.primary()):
        blank = Contest(spot.dataset, spot.split, spot.train, task, metric)
        one = contest(blank, standings, label_of(numbers, kind))
        if not place:
            sign = standings.columns[metric].sign
            one = replace(one, units=paired_units(first, second, task, metric, sign))
        found.append(one)
    return found


def contest(blank: Contest, standings: Standings, over: str) -> Contest:
    """One comparison, of what both have a score on."""
    metric = blank.metric
    rows = [standings.numbers.measure(key, metric) for key in (FIRST, SECOND)]
    both = sorted(set(rows[0].values) & set(rows[1].values))
    if not both:
        why = next((row.missing for row in rows if row.missing), "nothing in common")
        return replace(blank, reason=f"no score ({why})")
    column = standings.columns[metric]
    measured = [row.within(both) for row in rows]
    gains = [standings.standing_of(row, metric).gain for row in measured]
    scale = column.gap.value if column.gap and not column.reason else 1.0
    if gains[0] is None or gains[1] is None:  # there is no floor: of all that was asked
        gains = [signed(row.series, column.sign) for row in measured]
        scale = 1.0
    difference = scaled(gains[0], gains[1], scale)
    interval = mean_interval(difference)
    verdict = "" if column.greyed else verdict_of(interval, column.smallest)
    return replace(
        blank,
        over=over,
        first=measured[0].series.mean,
        second=measured[1].series.mean,
        difference=interval,
        detectable=detectable(difference, column.smallest),
        verdict=verdict,
        reason="this metric can't tell answers of known quality apart here"
        if column.greyed
        else "",
    )


def signed(series: Series, sign: float) -> Series:
    """Scores of which larger ones are better."""
    return combine(lambda values: sign * values, series)


def scaled(first: Series | None, second: Series | None, scale: float) -> Series:
    """Second - first, in the units of the metric."""
    assert first is not None
    assert second is not None
    return combine(lambda one, other: np.asarray((other - one) * scale), first, second)


def as_json(found: Versus) -> Mapping[str, object]:
    """The same for a machine."""
    from dataclasses import asdict

    return {"contests": [asdict(one) for one in found.contests], "remarks": found.remarks}
