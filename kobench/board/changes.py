"""What changed between two boards, by meaning: rows, verdicts, ranks, best floors, versions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kobench.board.board import Board
from kobench.board.changed_records import other_results, run_again, versions_between
from kobench.board.overall import overall
from kobench.board.row import Column, Row
from kobench.board.table import Section
from kobench.board.words import base
from kobench.board.written import number, spoken
from kobench.results.merge import Tolerance
from kobench.results.parts import Record, TaskScores
from kobench.results.records import identity

#: A question of a board: dataset, split, the group that is trained on, and the task's name.
Question = tuple[str, str, str, str]

#: A row: role, selection and distribution.
Who = tuple[str, str, str]

#: What a verdict is called; "" where there is none.
VERDICTS = {"": "no verdict", "same": "not told apart"}


@dataclass(frozen=True)
class Side:
    """One of two boards.

    Attributes
    ----------
    board : Board
        The board.
    records : sequence of Record
        Its records.
    """

    board: Board
    records: Sequence[Record]

    def sections(self) -> dict[Question, Section]:
        """Its sections by their question."""
        return {question_of(section): section for section in self.board.sections}

    def rows(self) -> dict[Who, dict[Question, Row]]:
        """Its rows, each by the questions in which it stands."""
        found: dict[Who, dict[Question, Row]] = defaultdict(dict)
        for question, section in self.sections().items():
            for row in section.rows:
                found[who_of(row)][question] = row
        return found

    def trials(self) -> dict[tuple[Who, Question], dict[str, TaskScores]]:
        """The scores of every trial, by row and question."""
        found: dict[tuple[Who, Question], dict[str, TaskScores]] = defaultdict(dict)
        for record in self.records:
            trial = record.trial
            where = (trial.dataset.group, trial.split.name, trial.split.train or "")
            for label, scores in record.result.scores.items():
                key = (who_ran(record), (*where, base(label)))
                found[key][identity(trial)] = scores
        return found


@dataclass
class Changes:
    """What changed, each in a sentence without a full stop.

    Attributes
    ----------
    added, removed : list of str
        Rows of the new board alone, and of the old one.
    changed : list of str
        Rows whose own results are others, question by question.
    moved : list of str
        Rows of the same results whose verdict or rank is another, because of others.
    floors : list of str
        Questions of which another floor counts, or the same with another score.
    versions : list of str
        Datasets, tasks, metrics, methods and kobench of another version.
    questions : list of str
        Questions of one of the boards alone.
    others : list of str
        What else differs, and changes no number.
    """

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    floors: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())


def changes_of(old: Side, new: Side, tolerance: Tolerance) -> Changes:
    """What changed from one board to another.

    Parameters
    ----------
    old, new : Side
        The boards.
    tolerance : callable
        Metric -> the relative difference by which its values may differ between machines.
    """
    found = Changes()
    before, after = old.rows(), new.rows()
    sections = old.sections(), new.sections()
    found.added += (described(after[who], sections[1]) for who in after if who not in before)
    found.removed += (described(before[who], sections[0]) for who in before if who not in after)
    trials = old.trials(), new.trials()
    for who in (who for who in before if who in after):
        rows = before[who], after[who]
        for question in rows[0].keys() & rows[1].keys() & sections[0].keys() & sections[1].keys():
            pair = tuple(
                Standing(each[question], side[question])
                for each, side in zip(rows, sections, strict=True)
            )
            results = tuple(each.get((who, question), {}) for each in trials)
            words = words_between(pair[0], pair[1])
            what = f"{named(rows[1][question])} on {asked(question)}"
            if other_results(results[0], results[1], tolerance):
                found.changed.append(f"{what}: {', '.join(words) or 'other trials'}")
            elif words:
                found.moved.append(f"{what}: {', '.join(words)}")
        for one, other, verb in ((1, 0, "now"), (0, 1, "no longer")):
            only = [q for q in rows[one] if q not in rows[other] and q in sections[other]]
            if only:
                where = spoken([asked(question) for question in sorted(only)])
                found.changed.append(f"{named(next(iter(rows[one].values())))}: {verb} on {where}")
    found.changed.sort()
    found.moved.sort()
    found.floors += floors_between(*sections)
    found.versions += versions_between((old.board, old.records), (new.board, new.records))
    for one, other, verb in ((1, 0, "added"), (0, 1, "removed")):
        only = sorted(set(sections[one]) - set(sections[other]))
        found.questions += (f"{verb}: {asked(question)}" for question in only)
    if old.board.seeds != new.board.seeds:
        found.others.append("the networks come from other seeds")
    found.others += run_again(old.records, new.records, tolerance)
    return found


@dataclass(frozen=True)
class Standing:
    """A row in a section."""

    row: Row
    section: Section


def question_of(section: Section) -> Question:
    """What a section asks, whatever the versions."""
    return section.dataset, section.split, section.train, base(section.task)


def asked(question: Question) -> str:
    """A question for a reader."""
    dataset, split, train, task = question
    usual = "" if split in ("holdout", "halves") else f", {split}"
    return f"{dataset}{usual}{f', trained on {train}' if train else ''}, {task}"


def who_of(row: Row) -> Who:
    """Who stands in a row."""
    return row.role, row.selection, row.distribution if row.role == "predictor" else ""


def who_ran(record: Record) -> Who:
    """The same of a record."""
    predictor = record.trial.predictor
    distribution = predictor.distribution if record.role == "predictor" else ""
    return record.role, predictor.selection, distribution


def named(row: Row) -> str:
    """A row for a reader."""
    return row.name if row.role == "predictor" else f"{row.name} ({row.role})"


def described(rows: Mapping[Question, Row], sections: Mapping[Question, Section]) -> str:
    """A row that came or went: who it is, and what its verdicts are."""
    first = next(iter(rows.values()))
    verdicts = Counter(
        VERDICTS.get(said, said)
        for question, row in rows.items()
        if question in sections
        for said in [overall(sections[question], row) if row.status == "ok" else row.status]
    )
    of = f" of {first.distribution} {' '.join(first.versions)}".rstrip()
    told = ", ".join(f"{what} in {count}" for what, count in sorted(verdicts.items()))
    count = f"{len(rows)} question{'s' * (len(rows) != 1)}"
    if first.role != "predictor":
        return f"{named(first)}: {count}"
    return f"{named(first)}{of}: {count}, {told}"


def words_between(old: Standing, new: Standing) -> list[str]:
    """What differs of a row: its scores, verdict, rank and status."""
    words = []
    for column in new.section.leading:
        scores = old.row.scores.get(column.name), new.row.scores.get(column.name)
        values = [
            "none" if score is None or score.value is None else number(score.value, column.decimals)
            for score in scores
        ]
        if values[0] != values[1]:
            words.append(f"{column.name} {values[0]} -> {values[1]}")
    verdicts = [overall(one.section, one.row) for one in (old, new)]
    if verdicts[0] != verdicts[1]:
        words.append(" -> ".join(VERDICTS.get(one, one) for one in verdicts))
    if old.row.rank != new.row.rank:
        words.append(f"rank {rank_text(old.row)} -> {rank_text(new.row)}")
    if old.row.status != new.row.status:
        words.append(f"{old.row.status} -> {new.row.status}")
    return words


def rank_text(row: Row) -> str:
    """The ranks that a row may have."""
    if row.rank is None:
        return "none"
    low, high = row.rank
    return f"{low}" if low == high else f"{low} to {high}"


def floors_between(
    old: Mapping[Question, Section], new: Mapping[Question, Section]
) -> Iterator[str]:
    """Where another floor counts, or the same one scores otherwise."""
    for question in sorted(old.keys() & new.keys()):
        known = {column.name: column for column in old[question].primary}
        for column in new[question].primary:
            before = known.get(column.name)
            if before is None:
                continue
            said = [
                floor_text(section, one)
                for section, one in ((old[question], before), (new[question], column))
            ]
            if said[0] != said[1]:
                yield f"{asked(question)} by {column.name}: {said[0]} -> {said[1]}"


def floor_text(section: Section, column: Column) -> str:
    """The floor that counts, and its score."""
    for row in section.floors:
        score = row.scores.get(column.name)
        if row.name == column.floor and score is not None and score.value is not None:
            return f"{row.name} {number(score.value, column.decimals)}"
    return column.floor or "none"
