"""Records of several folders as one: of the same cells, tasks and metrics, each trial once.

The first folder's own record wins. What differs from it beyond the tolerance of the metric is
named, and so is what could not be taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from kobench.results.agreement import VALUE, same
from kobench.results.parts import Record, TaskScores
from kobench.results.records import identity
from kobench.results.versions import Row, Spot, code_of, row_of, spot_of, version_key

#: Gives the relative difference by which a metric may differ between machines.
Tolerance = Callable[[str], float]

#: Cells and split: the dataset with its seed, and the split's name, seed and training group.
Slot = tuple[str, str, int, str]

#: How many differences and rows a remark names.
NAMED = 6


@dataclass
class Merged:
    """What came of taking several folders together.

    Attributes
    ----------
    records : list of Record
        Each trial once.
    clashes : list of str
        Where the folders disagree about one trial, in sentences.
    left_out : list of str
        What was not taken, and why.
    elsewhere : set of Row
        Rows that the first folder does not have, of other machines than it names.
    """

    records: list[Record] = field(default_factory=list)
    clashes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    elsewhere: set[Row] = field(default_factory=set)

    def remarks(self) -> list[str]:
        """The same for a board: a sentence of each kind."""
        said = []
        if self.clashes:
            more = len(self.clashes) - NAMED
            said.append(
                f"Different scores of the same trial: {'; '.join(self.clashes[:NAMED])}"
                f"{f'; and {more} more' if more > 0 else ''}. The first of two is shown."
            )
        if self.left_out:
            more = len(self.left_out) - NAMED
            said.append(
                f"Not taken: {'; '.join(self.left_out[:NAMED])}"
                f"{f'; and {more} more' if more > 0 else ''}."
            )
        return said


def merge(
    sources: Sequence[tuple[str, Sequence[Record]]], tolerance: Tolerance, within: bool = False
) -> Merged:
    """Take the records of several folders together.

    Parameters
    ----------
    sources : sequence of (str, sequence of Record)
        What each folder is called, and its records of one version a row.
    tolerance : callable
        Metric -> the relative difference by which its values may differ between machines.
    within : bool
        Whether to take of the others only what is on cells, splits and tasks of the first.
    """
    taken = Taken(sources[0][0], within, tolerance)
    for record in sources[0][1]:
        taken.add(record)
    hosts = {record.run.host for _, record in taken.found.values()}
    rows = {row_of(record.role, record.trial) for _, record in taken.found.values()}
    for name, records in sources[1:]:
        taken.others(name, records)
    merged = taken.merged
    merged.records = [record for _, record in taken.found.values()]
    for record in merged.records:
        row = row_of(record.role, record.trial)
        if row not in rows and record.run.host not in hosts:
            merged.elsewhere.add(row)
    return merged


def slot_of(record: Record) -> Slot:
    """The cells and the split of a record."""
    trial = record.trial
    split = trial.split
    return trial.dataset.selection, split.name, split.seed, split.train or ""


class Taken:
    """The records that were taken so far.

    Attributes
    ----------
    found : dict of str to (str, Record)
        By trial the folder, and its record.
    cells : dict of Slot to (str, str)
        The digest of the cells, and what scored there first.
    versions : dict of Spot to tuple of str
        The version of each row on each dataset and split.
    metrics : dict of (str, str) to int
        By task and metric its version.
    merged : Merged
        What there is to say.
    """

    def __init__(self, first: str, within: bool, tolerance: Tolerance) -> None:
        self.first, self.within, self.tolerance = first, within, tolerance
        self.found: dict[str, tuple[str, Record]] = {}
        self.cells: dict[Slot, str] = {}
        self.versions: dict[Spot, tuple[str, ...]] = {}
        self.metrics: dict[tuple[str, str], int | None] = {}
        self.tasks: dict[Slot, set[str]] = {}
        self.merged = Merged()

    def add(self, record: Record, name: str = "") -> None:
        """Take a record."""
        slot = slot_of(record)
        self.found[record.role + identity(record.trial)] = name or self.first, record
        self.cells.setdefault(slot, record.trial.dataset.digest)
        self.versions[spot_of(record.role, record.trial)] = version_key(record.trial.predictor)
        self.tasks.setdefault(slot, set()).update(record.result.scores)
        for label, scores in record.result.scores.items():
            for metric, score in scores.metrics.items():
                self.metrics.setdefault((label, metric), score.version)

    def others(self, name: str, records: Iterable[Record]) -> None:
        """Take what another folder has of the same cells, tasks and metrics."""
        reasons: Counter[str] = Counter()
        new: list[Record] = []
        own = set(self.cells)
        for record in records:
            slot, dataset = slot_of(record), record.trial.dataset
            twin = self.found.get(record.role + identity(record.trial))
            if slot not in own and self.within:
                reasons[f"{dataset.group}: networks or splits that only {name} has"] += 1
            elif slot in own and self.cells[slot] != dataset.digest:
                reasons[f"{dataset.selection}: {name} has other cells of it"] += 1
            elif twin is not None:
                self.twin(twin, name, record)
            elif self.versions.get(
                spot_of(record.role, record.trial), own_version(record)
            ) != own_version(record):
                code = code_of(record.trial.predictor)
                reasons[
                    f"{row_of(record.role, record.trial)[1]} on {dataset.group}: {name} has it of"
                    f" another version (code {code})"
                ] += 1
            else:
                new.append(self.fitting(name, record, reasons))
        for record in new:
            self.add(record, name)
        self.merged.left_out += sorted(reasons)

    def fitting(self, name: str, record: Record, reasons: Counter[str]) -> Record:
        """A record with the scores alone that are by metrics as the first folder has them."""
        kept: dict[str, TaskScores] = {}
        wanted = self.tasks.get(slot_of(record), set()) if self.within else None
        for label, scores in record.result.scores.items():
            other = [
                metric
                for metric, score in scores.metrics.items()
                if self.metrics.get((label, metric), score.version) != score.version
            ]
            if wanted is not None and label not in wanted:
                continue
            if other:
                reasons[f"{label} of {name}: {other[0]} is of another version there"] += 1
            else:
                kept[label] = scores
        return replace(record, result=replace(record.result, scores=kept))

    def twin(self, known: tuple[str, Record], name: str, record: Record) -> None:
        """Compare two records of one trial; of one fit each adds the tasks that the other lacks."""
        where, own = known
        trial = record.trial
        row = f"{row_of(record.role, trial)[1]} on {trial.dataset.selection}"
        if record.result.status != own.result.status:
            self.merged.clashes.append(
                f"{row}: {own.result.status} in {where}, {record.result.status} in {name}"
            )
            return
        for label in sorted(set(own.result.scores) & set(record.result.scores)):
            found = differing(own.result.scores[label], record.result.scores[label], self.tolerance)
            self.merged.clashes += [
                f"{row}, {label} by {metric}: {one} in {where}, {other} in {name}"
                for metric, one, other in found
            ]
        lacking = set(record.result.scores) - set(own.result.scores)
        if lacking and not self.within and own.keys.fit == record.keys.fit:
            self.add(together(own, record), where)


def own_version(record: Record) -> tuple[str, ...]:
    """The version of a record's method."""
    return version_key(record.trial.predictor)


def differing(
    one: TaskScores, other: TaskScores, tolerance: Tolerance
) -> list[tuple[str, str, str]]:
    """Where two scorings of one trial differ: metric or count, and what each says."""
    found = []
    for what in ("asked", "answered"):
        if getattr(one, what) != getattr(other, what):
            found.append((what, f"{getattr(one, what)}", f"{getattr(other, what)}"))
    for metric in sorted(set(one.metrics) & set(other.metrics)):
        a, b = one.metrics[metric], other.metrics[metric]
        allowed = tolerance(metric.partition("[")[0])
        if a.version == b.version and not same(
            a.value, b.value, max(allowed, VALUE) if allowed else 0.0
        ):
            found.append((metric, f"{a.value}", f"{b.value}"))
    return found


def together(one: Record, other: Record) -> Record:
    """Two records of one fit that were scored on different tasks, as one."""
    return replace(
        one,
        keys=replace(
            one.keys,
            questions={**other.keys.questions, **one.keys.questions},
            scores={**other.keys.scores, **one.keys.scores},
        ),
        result=replace(
            one.result,
            answers={**other.result.answers, **one.result.answers},
            scores=dict(sorted({**other.result.scores, **one.result.scores}.items())),
        ),
        about=replace(one.about, tasks={**other.about.tasks, **one.about.tasks}),
    )
