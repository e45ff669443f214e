"""The board at a glance: who is better than trivial in one line, and a matrix of each task over its datasets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kobench.board.summary import spoken
from kobench.board.table import Matrix, Row, Section
from kobench.board.transfer import TransferMatrix

#: So many datasets stand side by side; more stand below each other, and of more than MANY only their parameters are summed up.
FEW, MANY = 8, 40

#: So many predictors are named in the answer.
NAMED = 6

Layout = Literal["across", "down", "grouped"]


def better(section: Section, row: Row) -> bool:
    """Whether a predictor is better than trivial on a question: by every primary metric, and not just as well with permuted answers."""
    scores = [row.scores.get(column.name) for column in section.primary]
    return row.rank is not None and all(score and score.verdict == "better" and not score.unproven for score in scores)


@dataclass(frozen=True)
class Question:
    """A task on a dataset, and which of its ranked predictors are better than trivial, by how many primary metrics."""

    task: str
    won: Mapping[str, bool]
    metrics: int = 1


def questions_of(sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()) -> list[Question]:
    """What can say whether a predictor is better than trivial: sections with ranks and a floor; of transfers the mean over all pairs of
    different groups, because a single training group's interval says nothing of other training cells."""
    means: dict[tuple[str, str, str], dict[str, bool]] = defaultdict(dict)
    for matrix in transfers:
        if matrix.other is not None:
            means[matrix.task, matrix.dataset, matrix.split][matrix.predictor] = matrix.other.above
    found = [
        Question(section.task, {row.name: better(section, row) for row in section.ranked}, len(section.primary))
        for section in sections
        if section.ranked and section.primary and section.primary[0].floor and not (section.train and transfers)
    ]
    return found + [Question(task, won) for (task, _, _), won in sorted(means.items())]


def answer_of(sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()) -> tuple[str, ...]:
    """Who is better than trivial: in one line over all questions (a question is a task on a dataset), then in one a task."""
    questions = questions_of(sections, transfers)
    if not questions:
        return ()
    by_task: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        by_task[question.task].append(question)
    wins, asked = wins_of(questions)
    unranked = sum(1 for section in sections if section.unranked_why)
    also = (
        f" On {unranked} more nobody can be ranked; {'its section says' if unranked == 1 else 'their sections say'} why."
        if unranked
        else ""
    )
    if not any(wins.values()):
        lines = [f"Nobody is better than trivial on {the_questions(len(questions))}.{also}"]
    else:
        ordered = sorted((name for name in wins if wins[name]), key=lambda name: (-wins[name] / asked[name], name))
        share = [f"{name} on {wins[name]} of {asked[name]}" for name in ordered[:NAMED]]
        named = f"{', '.join(share)} questions" if len(questions) > 1 else ", ".join(ordered[:NAMED])
        rest = f", and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
        nowhere = [name for name in sorted(asked) if not wins[name]]
        never = f" {'Nowhere' if len(questions) > 1 else 'Not'}: {spoken(nowhere)}." if 0 < len(nowhere) <= NAMED else ""
        lines = [f"Better than trivial: {named}{rest}.{never}{also}"]
    if len(questions) > 1:
        lines += [f"{task}{both(members)}: {winners(members)}" for task, members in by_task.items()]
    return tuple(lines)


def both(questions: Sequence[Question]) -> str:
    """That a task is won by all of its metrics, where there are several."""
    most = max(question.metrics for question in questions)
    return "" if most < 2 else " (by both metrics)" if most == 2 else f" (by all {most} metrics)"


def the_questions(count: int) -> str:
    """As in `nobody is better on ...`."""
    return "the one question asked" if count == 1 else f"any of the {count} questions asked"


def wins_of(questions: Sequence[Question]) -> tuple[Counter[str], Counter[str]]:
    """Name -> on how many of these questions it is better than trivial, and on how many it is ranked."""
    wins, asked = Counter[str](), Counter[str]()
    for question in questions:
        for name, won in question.won.items():
            asked[name] += 1
            wins[name] += won
    return wins, asked


def winners(questions: Sequence[Question]) -> str:
    """Who is better than trivial by one task: `gbm and linear on 2 of 2 datasets, mlp on 1 of 2`, or `nobody`."""
    wins, asked = wins_of(questions)
    groups: dict[tuple[int, int], list[str]] = defaultdict(list)
    for name in sorted(wins):
        if wins[name]:
            groups[wins[name], asked[name]].append(name)
    if not groups:
        return "nobody"
    ordered = sorted(groups, key=lambda counts: (-counts[0] / counts[1], groups[counts]))
    if len(questions) == 1:
        return spoken(groups[ordered[0]])
    said = [f"{spoken(groups[counts])} on {counts[0]} of {counts[1]}" for counts in ordered]
    return f"{said[0]} datasets{''.join(f', {more}' for more in said[1:])}"


def layout_of(matrix: Matrix) -> Layout:
    """How a matrix is shown: datasets side by side, below each other, or summed up by their parameters."""
    count = len(matrix.datasets)
    return "across" if count <= FEW else "down" if count <= MANY or not groups_of(matrix) else "grouped"


@dataclass(frozen=True)
class Tally:
    """What a predictor does on several datasets: how often each verdict, by the first primary metric, and the mean of the printed skills.

    skills : of how many datasets a skill is printed. rest : datasets without a verdict.
    """

    better: int
    same: int
    worse: int
    rest: int
    skill: float | None
    skills: int
    hollow: bool


def groups_of(matrix: Matrix) -> list[tuple[str, list[int]]]:
    """What tells the datasets apart -> which of them: `sigma=0.3`, ... for every parameter with a few values; all of them first."""
    values: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, section in enumerate(matrix.datasets):
        for key, value in {"dataset": section.dataset_name, **section.params, "trained on": section.train}.items():
            if value != "":
                values[key][shown(value)].append(i)
    groups = [
        (f"{key}={value}" if key not in ("dataset", "trained on") else f"{key} {value}".removeprefix("dataset "), places)
        for key, by_value in values.items()
        if 1 < len(by_value) <= MANY // 2
        for value, places in sorted(by_value.items(), key=lambda pair: order_of(pair[0]))
    ]
    return [(f"all {len(matrix.datasets)} datasets", list(range(len(matrix.datasets)))), *groups] if groups else []


def shown(value: Any) -> str:
    """A parameter's value as text, 3.0 as 3."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def order_of(text: str) -> tuple[int, float, str]:
    """Numbers by size, then words."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def tally(matrix: Matrix, predictor: int, places: Sequence[int]) -> Tally:
    """One predictor on the datasets at these places."""
    verdicts: Counter[str] = Counter()
    skills, hollow = [], True
    for place in places:
        section, row = matrix.datasets[place], matrix.cells[predictor][place]
        score = row.scores.get(section.primary[0].name) if row and row.rank is not None else None
        verdicts[score.verdict if score else ""] += 1
        if score and score.skill is not None:
            skills.append(score.skill)
        hollow = hollow and (row is None or row.hollow)
    skill = sum(skills) / len(skills) if skills else None
    return Tally(verdicts["better"], verdicts["same"], verdicts["worse"], verdicts[""], skill, len(skills), hollow)


def matrices_of(sections: Sequence[Section]) -> tuple[Matrix, ...]:
    """For each task and split seen on several datasets: predictors x datasets, those better than trivial most often first."""
    groups: dict[tuple[str, str], list[Section]] = defaultdict(list)
    for section in sections:
        if section.primary:
            groups[section.task, section.split].append(section)
    matrices = []
    for (task, split), members in groups.items():
        rows = [{row.name: row for row in section.rows if row.role == "predictor"} for section in members]
        predictors = in_order(members, rows)
        if len(members) > 1 and predictors:
            cells = tuple(tuple(row.get(name) for row in rows) for name in predictors)
            matrices.append(Matrix(task, split, tuple(members), predictors, cells))
    return tuple(matrices)


def in_order(sections: Sequence[Section], rows: Sequence[Mapping[str, Row]]) -> tuple[str, ...]:
    """Names of the rows: by the number of wins, where few networks count for none, then by mean skill, then by mean rank.

    Where others have a skill, a row without one counts as the worst of them: failing must not raise a mean.
    """
    predictors = sorted({name for named in rows for name in named})
    wins: Counter[str] = Counter()
    skills: dict[str, list[float]] = defaultdict(list)
    ranks: dict[str, list[float]] = defaultdict(list)
    for section, named in zip(sections, rows, strict=True):
        metric = section.primary[0].name
        scores = {name: row.scores[metric] for name, row in named.items() if row.rank is not None}
        known = {name: score.skill for name, score in scores.items() if score.skill is not None}
        for name in predictors:
            row = named.get(name)
            wins[name] += name in scores and scores[name].verdict == "better" and not named[name].hollow
            if row:
                ranks[name].append(sum(row.rank) / 2 if row.rank else len(predictors) + 1.0)
            if known:
                skills[name].append(known.get(name, min(known.values())))

    def order(name: str) -> tuple[float, float, float, str]:
        skill = sum(skills[name]) / max(1, len(skills[name]))
        return -wins[name], -skill, sum(ranks[name]) / len(ranks[name]), name

    return tuple(sorted(predictors, key=order))
