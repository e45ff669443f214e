"""The board at a glance: who is better than trivial in one line a task, and a matrix of each task
over its datasets.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kobench.board.sections.sentences import decimals_for, number, skill_digits, spoken
from kobench.board.table import Matrix, Row, Score, Section
from kobench.board.transfer import TransferMatrix
from kobench.board.words import base

#: So many datasets stand side by side; more stand below each other, and of more than MANY only
#: their parameters are summed up.
FEW, MANY = 8, 40

#: So many predictors are named in the answer, and so many datasets; of more only counts are given.
NAMED, FEW_NAMED = 6, 4

Layout = Literal["across", "down", "grouped"]


def better(section: Section, row: Row) -> bool:
    """Whether a predictor is better than trivial on a question: by every primary metric, and not
    just as well with permuted answers.
    """
    scores = [row.scores.get(column.name) for column in section.primary]
    return row.rank is not None and all(
        score and score.verdict == "better" and not score.unproven for score in scores
    )


@dataclass(frozen=True)
class Question:
    """A task on a dataset, and which of its ranked predictors are better than trivial, by how many
    primary metrics.

    place : the dataset. won : name -> whether it is better. gains : name -> its skill in words.
    skills : name -> its skill as a number. control : whether being better is suspect there.
    """

    task: str
    won: Mapping[str, bool]
    metrics: int = 1
    place: str = ""
    gains: Mapping[str, str] = field(default_factory=dict)
    skills: Mapping[str, float] = field(default_factory=dict)
    control: bool = False
    simulated: bool = False


def question_of(section: Section) -> Question:
    """What a section says of its ranked predictors."""
    scores = {row.name: row.scores[section.primary[0].name] for row in section.ranked}
    return Question(
        section.task,
        {row.name: better(section, row) for row in section.ranked},
        len(section.primary),
        section.place,
        {name: gain_of(score) for name, score in scores.items()},
        {name: score.skill for name, score in scores.items() if score.skill is not None},
        section.control,
        section.kind == "simulated",
    )


def gain_of(score: Score) -> str:
    """How much better: `skill 0.25`, or how far above the floor where no skill is printed."""
    if score.skill is not None:
        return f"skill {skill_digits(score.skill, score.verdict)}"
    return (
        f"by {number(score.difference.value, max(3, decimals_for([score.difference.value], 2)))}"
        if score.difference
        else ""
    )


def questions_of(
    sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()
) -> list[Question]:
    """What can say whether a predictor is better than trivial: sections with ranks and a floor; of
    transfers the mean over all pairs of different groups, because a single training group's
    interval says nothing of other training cells.
    """
    means: dict[tuple[str, str, str], list[TransferMatrix]] = defaultdict(list)
    for matrix in transfers:
        if matrix.other is not None:
            means[matrix.task, matrix.dataset, matrix.split].append(matrix)
    found = [
        question_of(section)
        for section in sections
        if section.ranked
        and section.primary
        and section.primary[0].floor
        and not (section.train and transfers)
    ]
    for (task, dataset, _), group in sorted(means.items()):
        others = {matrix.predictor: matrix.other for matrix in group if matrix.other is not None}
        skills = {name: other.value for name, other in others.items()}
        gains = {name: f"explains {number(value, 2)}" for name, value in skills.items()}
        won = {name: other.above for name, other in others.items()}
        found.append(
            Question(
                task,
                won,
                1,
                dataset.partition(":")[0],
                gains,
                skills,
                simulated=group[0].kind == "simulated",
            )
        )
    return found


def answer_of(
    sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()
) -> tuple[str, ...]:
    """Who is better than trivial: in one line a task, the most demanding first; nothing where no
    task can say.
    """
    by_task: dict[str, list[Question]] = defaultdict(list)
    for question in questions_of(sections, transfers):
        by_task[question.task].append(question)
    silent: dict[str, list[str]] = defaultdict(list)
    for section in sections:
        if section.unranked_why:
            silent[section.task].append(section.place)
    if not by_task:
        return ()
    told = {section.task: section for section in reversed(sections)}
    order = {
        task: told[task].order if task in told else (0.0, task) for task in [*by_task, *silent]
    }
    return tuple(
        task_line(task, told[task].words if task in told else task, by_task[task], silent[task])
        for task in sorted(order, key=order.__getitem__)
    )


def task_line(task: str, words: str, questions: Sequence[Question], silent: Sequence[str]) -> str:
    """`How ...

    (response): nobody beats the best trivial predictor on hipsc-ko. On the near-null control
    k562-crispri: nobody.`
    """
    counted = [question for question in questions if not question.control]
    said = [winners(counted)] if counted else []
    for question in questions:
        if question.control:
            who = sorted(name for name in question.won if question.won[name])
            found = (
                f"{spoken(who)}, which makes {'it' if len(who) == 1 else 'them'} suspect"
                if who
                else "nobody"
            )
            said.append(f"on the near-null control {question.place}: {found}.")
    if silent:
        where = spoken(silent) if len(silent) <= NAMED else f"{len(silent)} datasets"
        said.append(
            f"on {where} nobody can be ranked;"
            f" {'its section says' if len(silent) == 1 else 'their sections say'} why."
        )
    head = task if words == task else f"{words} ({base(task)})"
    return f"{head}: {' '.join([said[0], *(text[:1].upper() + text[1:] for text in said[1:])])}"


def both(questions: Sequence[Question]) -> str:
    """That a task is won by all of its metrics, where there are several."""
    most = max(question.metrics for question in questions)
    return "" if most < 2 else " by both metrics" if most == 2 else f" by all {most} metrics"


def winners(questions: Sequence[Question]) -> str:
    """Who is better than trivial by one task, with how much better: dataset by dataset where these
    are few, else how often.
    """
    if len(questions) > FEW_NAMED:
        return counts(questions)
    lost = [question.place for question in questions if not any(question.won.values())]
    said = []
    for question in questions:
        won = sorted(
            (name for name in question.won if question.won[name]),
            key=lambda name: (-question.skills.get(name, 0.0), name),
        )
        named = [
            f"{name} ({question.gains[name]})" if question.gains.get(name) else name
            for name in won[:NAMED]
        ]
        rest = [f"{len(won) - NAMED} more"] if len(won) > NAMED else []
        if won:
            verb = "beats" if len(won) == 1 else "beat"
            said.append(
                f"{spoken([*named, *rest])} {verb} the best trivial predictor on"
                f" {question.place}{both([question])}"
            )
    said += (
        [f"nobody beats the best trivial predictor on {spoken(lost)}{both(questions)}"]
        if lost
        else []
    )
    return f"{'; '.join(said)}."


def counts(questions: Sequence[Question]) -> str:
    """`linear beats the best trivial predictor on 192 of 192 simulated datasets (mean skill 0.25
    over the 107 with headroom); ...`.
    """
    wins, asked = wins_of(questions)
    ordered = sorted(
        (name for name in wins if wins[name]), key=lambda name: (-wins[name] / asked[name], name)
    )
    what = "simulated datasets" if all(question.simulated for question in questions) else "datasets"
    if not ordered:
        return (
            f"nobody beats the best trivial predictor on any of {len(questions)}"
            f" {what}{both(questions)}."
        )
    said: list[str] = []
    for name in ordered[:NAMED]:
        skills = [question.skills[name] for question in questions if name in question.skills]
        over = f" over the {len(skills)} with headroom" if len(skills) < asked[name] else ""
        mean = f" (mean skill {number(sum(skills) / len(skills), 2)}{over})" if skills else ""
        said.append(
            f"{name} {'beats the best trivial predictor ' if not said else ''}on {wins[name]} of"
            f" {asked[name]} {what}{mean}"
        )
    rest = f", and {len(ordered) - NAMED} more" if len(ordered) > NAMED else ""
    return f"{'; '.join(said)}{rest}{both(questions)}."


def wins_of(questions: Sequence[Question]) -> tuple[Counter[str], Counter[str]]:
    """Name -> on how many of these questions it is better than trivial, and on how many it is
    ranked.
    """
    wins, asked = Counter[str](), Counter[str]()
    for question in questions:
        for name, won in question.won.items():
            asked[name] += 1
            wins[name] += won
    return wins, asked


def layout_of(matrix: Matrix) -> Layout:
    """How a matrix is shown: datasets side by side, below each other, or summed up by their
    parameters.
    """
    count = len(matrix.datasets)
    return (
        "across"
        if count <= FEW
        else "down"
        if count <= MANY or not groups_of(matrix)
        else "grouped"
    )


@dataclass(frozen=True)
class Tally:
    """What a predictor does on several datasets: how often each verdict, by the first primary
    metric, and the mean of the printed skills.

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
    """What tells the datasets apart -> which of them: `sigma=0.3`, ... for every parameter with a
    few values; all of them first.
    """
    values: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, section in enumerate(matrix.datasets):
        for key, value in {
            "dataset": section.dataset_name,
            **section.params,
            "trained on": section.train,
        }.items():
            if value != "":
                values[key][shown(value)].append(i)
    groups = [
        (
            (
                f"{key}={value}"
                if key not in ("dataset", "trained on")
                else f"{key} {value}".removeprefix("dataset ")
            ),
            places,
        )
        for key, by_value in values.items()
        if 1 < len(by_value) <= MANY // 2
        for value, places in sorted(by_value.items(), key=lambda pair: order_of(pair[0]))
    ]
    return (
        [(f"all {len(matrix.datasets)} datasets", list(range(len(matrix.datasets)))), *groups]
        if groups
        else []
    )


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
    return Tally(
        verdicts["better"],
        verdicts["same"],
        verdicts["worse"],
        verdicts[""],
        skill,
        len(skills),
        hollow,
    )


def matrices_of(sections: Sequence[Section]) -> tuple[Matrix, ...]:
    """For each task and split seen on several datasets: predictors x datasets, those better than
    trivial most often first.
    """
    groups: dict[tuple[str, str], list[Section]] = defaultdict(list)
    for section in sections:
        if section.primary:
            groups[section.task, section.split].append(section)
    matrices = []
    for (task, split), members in sorted(
        groups.items(), key=lambda item: (item[1][0].order, item[0][1])
    ):
        rows = [
            {row.name: row for row in section.rows if row.role == "predictor"}
            for section in members
        ]
        predictors = in_order(members, rows)
        if len(members) > 1 and predictors:
            cells = tuple(tuple(row.get(name) for row in rows) for name in predictors)
            matrices.append(Matrix(task, split, tuple(members), predictors, cells))
    return tuple(matrices)


def in_order(sections: Sequence[Section], rows: Sequence[Mapping[str, Row]]) -> tuple[str, ...]:
    """Names of the rows: by the number of wins, where few networks count for none, then by mean
    skill, then by mean rank.

    Where others have a skill, a row without one counts as the worst of them: failing must not raise
    a mean.
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
            wins[name] += (
                name in scores and scores[name].verdict == "better" and not named[name].hollow
            )
            if row:
                ranks[name].append(sum(row.rank) / 2 if row.rank else len(predictors) + 1.0)
            if known:
                skills[name].append(known.get(name, min(known.values())))

    def order(name: str) -> tuple[float, float, float, str]:
        skill = sum(skills[name]) / max(1, len(skills[name]))
        return -wins[name], -skill, sum(ranks[name]) / len(ranks[name]), name

    return tuple(sorted(predictors, key=order))
