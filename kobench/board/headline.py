"""The verdict of a board in one plain sentence: who beats the best floor, in how many questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from kobench.board.contests import Contest, contests_of
from kobench.board.table import Section
from kobench.board.transfer import TransferMatrix
from kobench.board.words import base
from kobench.board.written import spoken

#: How many predictors are named before the others are counted.
NAMED = 4


#: What the best floor is, where it is first spoken of.
FLOOR = "the best floor (the best trivial answer)"

#: How many tasks and datasets are named; of more there is a number.
PLACES = 2


def headline_of(sections: Sequence[Section], transfers: Sequence[TransferMatrix] = ()) -> str:
    """Who beats the best floor, and in how many questions: a task on a dataset each.

    Parameters
    ----------
    sections : sequence of Section
        The sections of a board.
    transfers : sequence of TransferMatrix
        Its transfer matrices.

    Returns
    -------
    str
        What is suspect first, then knockouts, then unperturbed cells.
    """
    contests = contests_of(sections, transfers)
    said = suspects(sections, contests)
    first = True
    for of_knockouts in (True, False):
        asked = [one for one in contests if one.of_knockouts == of_knockouts and not one.control]
        silent = [
            (section.task, section.place, section.kind == "simulated")
            for section in sections
            if section.unranked_reason
            and section.of_knockouts == of_knockouts
            and not section.control
        ]
        about = [(one.task, one.place, one.simulated) for one in asked]
        if about or silent:
            what = subject(about or silent, of_knockouts)
            said.append(f"{what}: {clause(asked, len(silent), FLOOR if first else 'it')}.")
            first = not asked and first
    return " ".join(said) or "Nobody is ranked here."


def subject(about: Sequence[tuple[str, str, bool]], of_knockouts: bool) -> str:
    """What is asked: knockouts of real or simulated cells, or unperturbed cells, and where.

    Parameters
    ----------
    about : sequence of (str, str, bool)
        Task, dataset and whether it is simulated of each question.
    of_knockouts : bool
        Whether these ask what removing genes does.

    Examples
    --------
    >>> subject([("response@2", "hipsc-ko", False)], True)
    'Real knockouts (response on hipsc-ko)'
    """
    made = {simulated for _, _, simulated in about}
    kind = "" if len(made) > 1 else "simulated " if True in made else "real "
    text = f"{kind}{'knockouts' if of_knockouts else 'unperturbed cells'}"
    tasks = list(dict.fromkeys(base(task) for task, _, _ in about))
    places = list(dict.fromkeys(place for _, place, _ in about))
    what = spoken(tasks) if len(tasks) <= PLACES else f"{len(tasks)} tasks"
    where = spoken(places) if len(places) <= PLACES else f"{len(places)} datasets"
    return f"{text[:1].upper()}{text[1:]} ({what} on {where})"


def suspects(sections: Sequence[Section], contests: Iterable[Contest]) -> list[str]:
    """Who is too good to be true, as a sentence; none where nobody is."""
    found: dict[str, list[str]] = defaultdict(list)
    for section in sections:
        for row in section.rows:
            if row.suspect:
                found["above what is possible"].append(row.name)
    for contest in contests:
        if contest.control:
            found["better on a control where hardly anything changes"] += contest.winners
    return [
        f"Suspect: {few(list(dict.fromkeys(names)))} {'is' if len(set(names)) == 1 else 'are'}"
        f" {why}."
        for why, names in found.items()
        if names
    ]


def clause(contests: Sequence[Contest], silent: int, floor: str) -> str:
    """Who beats the best floor in questions of one kind.

    Parameters
    ----------
    contests : sequence of Contest
        The questions in which predictors are ranked.
    silent : int
        In how many others nobody can be ranked.
    floor : str
        What the best floor is called.
    """
    count = len(contests)
    if not count:
        return "nobody can be ranked"
    wins: dict[str, int] = defaultdict(int)
    for contest in contests:
        for name in contest.winners:
            wins[name] += 1
    if wins:
        parts = [winners(wins, count, floor)]
        if lost := sum(not contest.winners for contest in contests):
            parts.append(f"nobody in {lost}")
    else:
        parts = [f"nobody beats {floor}{f' in any of {count}' if count > 1 else ''}"]
    if silent:
        parts.append(f"nobody can be ranked in {silent} more")
    if all(contest.few for contest in contests):
        parts.append("one network only, which says nothing of others")
    return "; ".join(parts)


def winners(wins: dict[str, int], count: int, floor: str) -> str:
    """Who beats the best floor, the most often first, those that do so equally often together.

    >>> winners({"a": 2, "b": 3, "c": 2}, 4, "it")
    'b beats it in 3 of 4, a and c in 2'
    """
    by_times: dict[int, list[str]] = defaultdict(list)
    for name in sorted(wins):
        by_times[wins[name]].append(name)
    said: list[str] = []
    named = 0
    for times in sorted(by_times, reverse=True):
        names = by_times[times]
        if not said:
            verb = "beats" if len(names) == 1 else "beat"
            of = f" in {times} of {count}" if count > 1 else ""
            said.append(f"{few(names)} {verb} {floor}{of}")
        elif named + len(names) > NAMED:
            break
        else:
            said.append(f"{spoken(names)} in {times}")
        named += len(names)
    rest = len(wins) - named
    return ", ".join([*said, *([f"{rest} more in fewer"] if rest > 0 else [])])


def few(names: Sequence[str]) -> str:
    """Names as in a sentence, of many the first ones and how many more there are."""
    if len(names) <= NAMED + 2:
        return spoken(names)
    return spoken([*names[:NAMED], f"{len(names) - NAMED} more"])
