"""The board's answer: who is better than trivial, in one line a task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kobench.board.sections.sentences import decimals_for, number, skill_digits, spoken
from kobench.board.table import Row, Score, Section
from kobench.board.transfer import TransferMatrix
from kobench.board.words import base

#: So many predictors are named in the answer, and so many datasets; of more only counts are given.
NAMED, FEW_NAMED = 6, 4


@dataclass(frozen=True)
class Contest:
    """A task on a dataset, and which of its ranked predictors are better than trivial.

    Attributes
    ----------
    task : str
        The label of the task.
    won : mapping of str to bool
        Name of a predictor -> whether it is better than trivial.
    metrics : int
        How many primary metrics it has to be better by.
    place : str
        The dataset.
    gains : mapping of str to str
        Name -> how much better, in words.
    skills : mapping of str to float
        Name -> its skill, of those that have one.
    control : bool
        Whether being better is suspect here.
    simulated : bool
        Whether the dataset is simulated.
    """

    task: str
    won: Mapping[str, bool]
    metrics: int = 1
    place: str = ""
    gains: Mapping[str, str] = field(default_factory=dict)
    skills: Mapping[str, float] = field(default_factory=dict)
    control: bool = False
    simulated: bool = False

    @property
    def winners(self) -> list[str]:
        """Who is better than trivial, by name."""
        return sorted(name for name, won in self.won.items() if won)


def answer_of(
    sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()
) -> tuple[str, ...]:
    """Who is better than trivial.

    Parameters
    ----------
    sections : sequence of Section
        The sections of a board.
    transfers : sequence of TransferMatrix
        Its transfer matrices.

    Returns
    -------
    tuple of str
        One line a task, the most demanding first; none where no task can say.
    """
    contests: dict[str, list[Contest]] = defaultdict(list)
    for contest in contests_of(sections, transfers):
        contests[contest.task].append(contest)
    if not contests:
        return ()
    silent: dict[str, list[str]] = defaultdict(list)
    for section in sections:
        if section.unranked_why:
            silent[section.task].append(section.place)
    words: dict[str, str] = {}
    order: dict[str, tuple[float, str]] = {}
    for section in sections:
        words.setdefault(section.task, section.words)
        order.setdefault(section.task, section.order)
    tasks = sorted({*contests, *silent}, key=lambda task: order.get(task, (0.0, task)))
    return tuple(
        task_line(task, words.get(task, task), contests[task], silent[task]) for task in tasks
    )


def contests_of(
    sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()
) -> list[Contest]:
    """What can say whether a predictor is better than trivial.

    Parameters
    ----------
    sections : sequence of Section
        Those with ranks and a floor count.
    transfers : sequence of TransferMatrix
        Of a transfer the mean over all pairs of different groups counts, and not the sections of
        single training groups: their intervals say nothing of other training cells.

    Returns
    -------
    list of Contest
        Sections first, then transfers.
    """
    found = [
        section_contest(section)
        for section in sections
        if section.ranked
        and section.primary
        and section.primary[0].floor
        and not (section.train and transfers)
    ]
    means: dict[tuple[str, str, str], list[TransferMatrix]] = defaultdict(list)
    for matrix in transfers:
        if matrix.other is not None:
            means[matrix.task, matrix.dataset, matrix.split].append(matrix)
    return found + [transfer_contest(group) for _, group in sorted(means.items())]


def section_contest(section: Section) -> Contest:
    """What a section says of its ranked predictors."""
    scores = {row.name: row.scores[section.primary[0].name] for row in section.ranked}
    return Contest(
        task=section.task,
        won={row.name: better(section, row) for row in section.ranked},
        metrics=len(section.primary),
        place=section.place,
        gains={name: gain_of(score) for name, score in scores.items()},
        skills={name: score.skill for name, score in scores.items() if score.skill is not None},
        control=section.control,
        simulated=section.kind == "simulated",
    )


def transfer_contest(group: Sequence[TransferMatrix]) -> Contest:
    """What the matrices of one dataset say of their predictors."""
    others = {matrix.predictor: matrix.other for matrix in group if matrix.other is not None}
    skills = {name: other.value for name, other in others.items()}
    return Contest(
        task=group[0].task,
        won={name: other.above for name, other in others.items()},
        place=group[0].dataset.partition(":")[0],
        gains={name: f"explains {number(value, 2)}" for name, value in skills.items()},
        skills=skills,
        simulated=group[0].kind == "simulated",
    )


def better(section: Section, row: Row) -> bool:
    """Whether a predictor is better than trivial.

    It has to be so by every primary metric, and not just as well with permuted answers.
    """
    scores = [row.scores.get(column.name) for column in section.primary]
    return row.rank is not None and all(
        score and score.verdict == "better" and not score.unproven for score in scores
    )


def gain_of(score: Score) -> str:
    """How much better: `skill 0.25`, or how far above the floor where no skill is printed."""
    if score.skill is not None:
        return f"skill {skill_digits(score.skill, score.verdict)}"
    if score.difference is None:
        return ""
    difference = score.difference.value
    return f"by {number(difference, max(3, decimals_for([difference], 2)))}"


def task_line(task: str, words: str, contests: Sequence[Contest], silent: Sequence[str]) -> str:
    """The answer by one task.

    For instance `How each gene's mean changes (response): nobody beats the best trivial predictor
    on hipsc-ko. On the near-null control k562-crispri: nobody.`

    Parameters
    ----------
    task : str
        The label of the task.
    words : str
        What it asks; its label where it does not say.
    contests : sequence of Contest
        Its datasets with ranks.
    silent : sequence of str
        Its datasets where nobody can be ranked.

    Returns
    -------
    str
        Task and answer, with a colon between them.
    """
    counted = [contest for contest in contests if not contest.control]
    said = [winners_text(counted)] if counted else []
    said += [control_text(contest) for contest in contests if contest.control]
    if silent:
        where = spoken(silent) if len(silent) <= NAMED else f"{len(silent)} datasets"
        who = "its section says" if len(silent) == 1 else "their sections say"
        said.append(f"on {where} nobody can be ranked; {who} why.")
    first, *others = said
    head = task if words == task else f"{words} ({base(task)})"
    return f"{head}: {' '.join([first, *(text[:1].upper() + text[1:] for text in others)])}"


def control_text(contest: Contest) -> str:
    """Who is better on a control, where that is suspect."""
    who = contest.winners
    found = "nobody"
    if who:
        found = f"{spoken(who)}, which makes {'it' if len(who) == 1 else 'them'} suspect"
    return f"on the near-null control {contest.place}: {found}."


def winners_text(contests: Sequence[Contest]) -> str:
    """Who is better by one task: dataset by dataset where these are few, else how often."""
    if len(contests) > FEW_NAMED:
        return counts_text(contests)
    said = [place_text(contest) for contest in contests if contest.winners]
    lost = [contest.place for contest in contests if not contest.winners]
    if lost:
        by = by_all_metrics(contests)
        said.append(f"nobody beats the best trivial predictor on {spoken(lost)}{by}")
    return f"{'; '.join(said)}."


def place_text(contest: Contest) -> str:
    """Who is better on one dataset, with how much better, the best first."""
    won = sorted(contest.winners, key=lambda name: -contest.skills.get(name, 0.0))
    named = [
        f"{name} ({contest.gains[name]})" if contest.gains.get(name) else name
        for name in won[:NAMED]
    ]
    if len(won) > NAMED:
        named.append(f"{len(won) - NAMED} more")
    verb = "beats" if len(won) == 1 else "beat"
    by = by_all_metrics([contest])
    return f"{spoken(named)} {verb} the best trivial predictor on {contest.place}{by}"


def counts_text(contests: Sequence[Contest]) -> str:
    """How often each predictor is better, the most often first.

    For instance `linear beats the best trivial predictor on 192 of 192 simulated datasets (mean
    skill 0.25 over the 107 with headroom); ...`.
    """
    wins, asked = wins_of(contests)
    winners = sorted(
        (name for name in wins if wins[name]), key=lambda name: (-wins[name] / asked[name], name)
    )
    simulated = all(contest.simulated for contest in contests)
    what = "simulated datasets" if simulated else "datasets"
    by = by_all_metrics(contests)
    if not winners:
        return f"nobody beats the best trivial predictor on any of {len(contests)} {what}{by}."
    said: list[str] = []
    for name in winners[:NAMED]:
        beats = "" if said else "beats the best trivial predictor "
        times = f"on {wins[name]} of {asked[name]} {what}"
        said.append(f"{name} {beats}{times}{mean_skill_text(name, contests, asked[name])}")
    rest = f", and {len(winners) - NAMED} more" if len(winners) > NAMED else ""
    return f"{'; '.join(said)}{rest}{by}."


def mean_skill_text(name: str, contests: Sequence[Contest], asked: int) -> str:
    """A predictor's mean skill over the datasets where one is printed, out of `asked`."""
    skills = [contest.skills[name] for contest in contests if name in contest.skills]
    if not skills:
        return ""
    over = f" over the {len(skills)} with headroom" if len(skills) < asked else ""
    return f" (mean skill {number(sum(skills) / len(skills), 2)}{over})"


def by_all_metrics(contests: Sequence[Contest]) -> str:
    """That a task is won by all of its metrics, where there are several."""
    most = max(contest.metrics for contest in contests)
    if most < 2:
        return ""
    return " by both metrics" if most == 2 else f" by all {most} metrics"


def wins_of(contests: Sequence[Contest]) -> tuple[Counter[str], Counter[str]]:
    """Name -> on how many datasets it is better than trivial, and on how many it is ranked."""
    wins, asked = Counter[str](), Counter[str]()
    for contest in contests:
        for name, won in contest.won.items():
            asked[name] += 1
            wins[name] += won
    return wins, asked
