"""Which predictors are better than trivial, task by task and dataset by dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kobench.board.numbers.rules import NAMED
from kobench.board.numbers.skill import verdict_of
from kobench.board.overall import MIXED, overall
from kobench.board.row import Score
from kobench.board.table import Section
from kobench.board.transfer import TransferMatrix
from kobench.board.written import decimals_for, number


@dataclass(frozen=True)
class Contest:
    """A task on a dataset, and which of its ranked predictors are better than trivial.

    Attributes
    ----------
    task : str
        The label of the task.
    won : mapping of str to bool
        Name of a predictor -> whether it is better than trivial.
    prior : frozenset of str
        The names of those with prior knowledge.
    metrics : int
        How many primary metrics it has to be better by.
    place : str
        The dataset.
    gains : mapping of str to str
        Name -> how much better, in words.
    skills : mapping of str to float
        Name -> its skill, of those that have one.
    differences : mapping of str to float
        Name -> how far its score by the first metric is above the best floor.
    unseen : mapping of str to float
        Name -> the difference by the first metric that would have been seen, of those that are
        neither above the floor nor below it.
    mixed : frozenset of str
        The names of those that are better by one metric and not by another.
    control : bool
        Whether being better is suspect here.
    simulated : bool
        Whether the dataset is simulated.
    of_knockouts : bool
        Whether the task asks for what removing genes does.
    few : bool
        Whether this is one simulated network, so that it says nothing of others.
    """

    task: str
    won: Mapping[str, bool]
    metrics: int = 1
    place: str = ""
    gains: Mapping[str, str] = field(default_factory=dict)
    skills: Mapping[str, float] = field(default_factory=dict)
    differences: Mapping[str, float] = field(default_factory=dict)
    unseen: Mapping[str, float] = field(default_factory=dict)
    mixed: frozenset[str] = frozenset()
    control: bool = False
    simulated: bool = False
    prior: frozenset[str] = frozenset()
    of_knockouts: bool = True
    few: bool = False

    def among(self, prior: bool) -> Contest:
        """The same of predictors with prior knowledge alone, or of the others."""
        won = {name: won for name, won in self.won.items() if (name in self.prior) == prior}
        return replace(self, won=won)

    @property
    def winners(self) -> list[str]:
        """Who is better than trivial, by name."""
        return sorted(name for name, won in self.won.items() if won)


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
    suspect = {
        (section.task, row.name) for section in sections for row in section.rows if row.suspect
    }
    for matrix in transfers:
        if matrix.other is not None and (matrix.task, matrix.predictor) not in suspect:
            means[matrix.task, matrix.dataset, matrix.split].append(matrix)
    return found + [transfer_contest(group) for _, group in sorted(means.items())]


def section_contest(section: Section) -> Contest:
    """What a section says of its ranked predictors."""
    verdicts = {row.name: overall(section, row) for row in section.ranked}
    scores = {row.name: row.scores[section.primary[0].name] for row in section.ranked}
    return Contest(
        task=section.task,
        won={name: verdict == "better" for name, verdict in verdicts.items()},
        mixed=frozenset(name for name, verdict in verdicts.items() if verdict == MIXED),
        metrics=len(section.primary),
        place=section.place,
        gains={name: gain_of(score) for name, score in scores.items()},
        skills={name: score.skill for name, score in scores.items() if score.skill is not None},
        differences={
            name: score.difference.value for name, score in scores.items() if score.difference
        },
        unseen={name: one.unseen for name, one in scores.items() if one.unseen is not None},
        control=section.control,
        simulated=section.kind == "simulated",
        prior=frozenset(row.name for row in section.with_prior),
        of_knockouts=section.of_knockouts,
        few=section.few,
    )


def transfer_contest(group: Sequence[TransferMatrix]) -> Contest:
    """What the matrices of one dataset say of their predictors."""
    others = {matrix.predictor: matrix.other for matrix in group if matrix.other is not None}
    skills = {name: other.value for name, other in others.items()}
    return Contest(
        task=group[0].task,
        won={name: verdict_of(other, NAMED) == "better" for name, other in others.items()},
        place=group[0].dataset.partition(":")[0],
        gains={name: f"skill {number(value, 2)}" for name, value in skills.items()},
        skills=skills,
        simulated=group[0].kind == "simulated",
        prior=frozenset(matrix.predictor for matrix in group if matrix.prior),
        of_knockouts=False,
        few=group[0].few,
    )


def gain_of(score: Score) -> str:
    """How much better: `skill 0.25`, or how far above the floor where no skill is printed."""
    if score.skill is not None:
        return f"skill {number(score.skill, 2)}"
    if score.difference is None:
        return ""
    difference = score.difference.value
    return f"by {number(difference, max(3, decimals_for([difference], 2)))}"
