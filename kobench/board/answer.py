"""The board's answer: who is better than trivial, in one line a task."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from kobench.board.contests import Contest, contests_of
from kobench.board.table import Section
from kobench.board.transfer import TransferMatrix
from kobench.board.words import PRIOR, base
from kobench.board.written import number, sized, spoken

#: How what is said of predictors with prior knowledge begins, after what is said of the others.
WITH_PRIOR = f"with prior knowledge ({PRIOR})"

#: How many predictors are named in the answer, and how many datasets; of more it gives counts.
NAMED, FEW_NAMED = 6, 4


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
    suspects = suspects_of(sections)
    if not contests:
        return suspects
    silent: dict[str, list[str]] = defaultdict(list)
    for section in sections:
        if section.unranked_reason:
            silent[section.task].append(section.place)
    words: dict[str, str] = {}
    order: dict[str, tuple[float, str]] = {}
    for section in sections:
        words.setdefault(section.task, section.words)
        order.setdefault(section.task, section.order)
    tasks = sorted({*contests, *silent}, key=lambda task: order.get(task, (0.0, task)))
    return *suspects, *(
        task_line(task, words.get(task, task), contests[task], silent[task]) for task in tasks
    )


def suspects_of(sections: Sequence[Section]) -> tuple[str, ...]:
    """Who scores above what is possible, in one line; none where nobody does."""
    found: dict[str, list[str]] = defaultdict(list)
    for section in sections:
        for row in section.rows:
            if row.suspect:
                found[row.name].append(f"{base(section.task)} on {section.place}")
    if not found:
        return ()
    named = [
        f"{name} ({spoken(where[:NAMED])}{' and more' if len(where) > NAMED else ''})"
        for name, where in sorted(found.items())
    ]
    return (
        f"Above what is possible, so not ranked until somebody says why: {spoken(named)}. Its"
        " section has the numbers.",
    )


def task_line(task: str, words: str, contests: Sequence[Contest], silent: Sequence[str]) -> str:
    """The answer by one task.

    For instance `How each gene's mean changes (response): nobody beats the best floor
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
    said = []
    for prior, start in ((False, ""), (True, f"{WITH_PRIOR}: ")):
        like = [one for contest in counted if (one := contest.among(prior)).won]
        said += [f"{start}{winners_text(like)}"] if like else []
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
    lost = [contest.place + unseen_text(contest) for contest in contests if not contest.winners]
    if lost:
        by = by_all_metrics(contests)
        said.append(f"nobody beats the best floor on {spoken(lost)}{by}")
    return f"{'; '.join(said)}."


def unseen_text(contest: Contest) -> str:
    """What would have been seen where nobody is better; "" where everybody is told apart.

    Where some are better by one metric and not by another, these are named instead: what the first
    metric would have shown says nothing of them.
    """
    mixed = sorted(contest.mixed & contest.won.keys())
    if mixed:
        more = len(mixed) - NAMED
        named = [*mixed[:NAMED], f"{more} more"] if more > 0 else mixed
        return f" ({spoken(named)} by one metric alone)"
    sizes = [size for name, size in contest.unseen.items() if name in contest.won]
    if not sizes:
        return ""
    low, high = sized(min(sizes)), sized(max(sizes))
    return f" (where a gain of {low if low == high else f'{low} to {high}'} would have been seen)"


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
    return f"{spoken(named)} {verb} the best floor on {contest.place}{by}"


def counts_text(contests: Sequence[Contest]) -> str:
    """How often each predictor is better, the most often first.

    For instance `linear beats the best floor on 192 of 192 simulated datasets (mean
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
        return f"nobody beats the best floor on any of {len(contests)} {what}{by}."
    said: list[str] = []
    for name in winners[:NAMED]:
        beats = "" if said else "beats the best floor "
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
