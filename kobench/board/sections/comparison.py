"""The rows of one section compared: each one's scores, status, and place among the ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kobench.board.numbers.possible import beyond
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.standings import Place, Standing, Standings
from kobench.board.numbers.values import NONE, NOT_ANSWERED, NOT_RUN, Key, RowValues
from kobench.board.row import IMPOSSIBLE
from kobench.board.sections.calibrated import why_greyed
from kobench.board.sections.notes import Note, notes_of, why_unranked
from kobench.results.parts import Record, TaskScores

#: The status of a row that has no score on some of the blocks.
INCOMPLETE = "incomplete"


@dataclass(frozen=True, eq=False)
class Comparison:
    """The rows of one section, by `kobench.board.numbers.series.row_key`.

    Attributes
    ----------
    numbers : Numbers
        The numbers of the records.
    standings : Standings
        The columns, and what rows are compared with.
    kind : "simulated" or "real"
        What the blocks are: networks, or one data set.
    notes : tuple of Note
        What the task says of its truth.
    unranked : str
        Why nobody is ranked, "" where somebody can be.
    scores : mapping of Key to mapping of str to Standing
        Each row by every metric.
    values : mapping of Key to mapping of str to RowValues
        Each row by the primary metrics.
    statuses : mapping of Key to str
        Each row's status.
    places : mapping of Key to Place
        The ranked rows, best first: those that know the cells alone, then those with prior
        knowledge, each ranked among its like.
    beyond : mapping of Key to str
        Why a predictor scores above what is possible, see `kobench.board.numbers.possible`.
    explained : mapping of Key to str
        Why rows may do so.
    priors : mapping of Key to str
        What rows know beside the cells.
    """

    numbers: Numbers
    standings: Standings
    kind: str
    notes: tuple[Note, ...]
    unranked: str
    scores: Mapping[Key, Mapping[str, Standing]]
    values: Mapping[Key, Mapping[str, RowValues]]
    statuses: Mapping[Key, str]
    places: Mapping[Key, Place]
    beyond: Mapping[Key, str]
    explained: Mapping[Key, str]
    priors: Mapping[Key, str]

    def done(self, key: Key) -> set[str]:
        """The blocks where this row has all scores that it must, by the first primary metric."""
        one = next(iter(self.values[key].values()), None)
        if one is None:
            return set()
        owed = self.numbers.owed(key)
        lacking = {slot[0] for slot in owed if slot not in one.values}
        return set(self.numbers.blocks) - lacking

    def answered(self) -> list[Key]:
        """The predictors with a score in full."""
        return [
            key for key in self.statuses if key[0] == "predictor" and self.statuses[key] == "ok"
        ]


def compare(
    records: Sequence[Record],
    task: str,
    kind: str,
    explained: Mapping[Key, str],
    priors: Mapping[Key, str],
    missing: str = "",
) -> Comparison:
    """Compare the rows of a section.

    Parameters
    ----------
    records : sequence of Record
        The records of one dataset, split and training group that belong to the task.
    task : str
        The task's label.
    kind : "simulated" or "real"
        The kind of the dataset.
    explained : mapping of Key to str
        Why rows may score above what is possible, in which case they are ranked.
    priors : mapping of Key to str
        What rows know beside the cells.
    missing : str
        Which floors and lines have no record, so that nobody is ranked; "" for none.
    """
    numbers = Numbers(records, task)
    standings = Standings(numbers)
    reasons = unranked_reasons(records, task)
    notes = notes_of(numbers, reasons)
    unranked = missing or why_unranked(numbers, notes, reasons) or why_greyed(standings.columns)
    scores = {
        key: {metric: standings.standing(key, metric) for metric in numbers.metrics()}
        for key in numbers.records
    }
    values = {
        key: {metric: numbers.measure(key, metric) for metric in numbers.primary()}
        for key in numbers.records
    }
    statuses = {key: status_of(numbers, key, values[key]) for key in numbers.records}
    beyond = beyond_of(standings, statuses, kind)
    statuses.update({key: IMPOSSIBLE for key in beyond if key not in explained})
    places: list[Place] = []
    first = next((name for name, one in standings.columns.items() if one.primary), None)
    if not unranked and first is not None and numbers.metric_slots(first):
        able = [key for key in scores if key[0] == "predictor" and statuses[key] == "ok"]
        for apart in (False, True):
            like = {key: scores[key][first] for key in able if (key in priors) == apart}
            places += standings.places(like, first)
    by_key = {place.key: place for place in places}
    return Comparison(
        numbers=numbers,
        standings=standings,
        kind=kind,
        notes=notes,
        unranked=unranked,
        scores=scores,
        values=values,
        statuses=statuses,
        places=by_key,
        beyond=beyond,
        explained=explained,
        priors=priors,
    )


def beyond_of(standings: Standings, statuses: Mapping[Key, str], kind: str) -> dict[Key, str]:
    """Why predictors with a score in full score above what is possible, by any primary metric."""
    found = {}
    for key, status in statuses.items():
        if key[0] == "predictor" and status == "ok":
            said = [beyond(standings, key, one, kind) for one in standings.numbers.primary()]
            if why := next((one for one in said if one), ""):
                found[key] = why
    return found


def unranked_reasons(records: Iterable[Record], task: str) -> list[str]:
    """Why the truth of a task gives no ranking, each reason once; none where it does."""
    told = (record.about.tasks[task] for record in records if task in record.about.tasks)
    return list(dict.fromkeys(about.unranked for about in told if about.unranked))


def members_of(records: Sequence[Record], task: str) -> list[Record]:
    """The records that have a row in the section of a task: they have scores, or should have."""
    scored = (record.result.scores[task] for record in records if task in record.result.scores)
    example = next(scored, None)
    return [record for record in records if example is None or belongs(record, task, example)]


def belongs(record: Record, task: str, example: TaskScores) -> bool:
    """Whether a record has a row where others have scores like `example`."""
    if task in record.result.scores:
        return True
    failed, name = record.result.status != "ok", record.trial.predictor.name
    if record.role == "floor":
        return failed and name in example.floors
    if record.role == "line":
        return failed and name in example.lines
    asked = record.keys.questions
    return failed or not asked or example.asks in asked


def status_of(numbers: Numbers, key: Key, values: Mapping[str, RowValues]) -> str:
    """What became of a row.

    "ok" with a score on every block, where it may have the first splits alone; else the status of
    its failed trials, "not answered" or "incomplete".
    """
    failed = Counter(
        record.result.status for record in numbers.records[key] if record.result.status != "ok"
    )
    if failed:
        return min(failed, key=lambda status: (-failed[status], status))
    for metric, one in values.items():
        allowed = set(numbers.metric_slots(metric)) & set(numbers.owed(key))
        if not allowed or (not one.values and one.missing == NONE):
            continue
        if not one.values:
            return INCOMPLETE if one.missing == NOT_RUN else one.missing
        if set(one.values) != allowed:
            return INCOMPLETE
    if set(numbers.scores[key]) == set(numbers.owed(key)):
        return "ok"
    return INCOMPLETE if numbers.scores[key] or not values else NOT_ANSWERED
