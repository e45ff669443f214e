"""The verdict of a board in one plain sentence: who beats the best floor, in how many questions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from kobench.board.contests import Contest, contests_of
from kobench.board.table import Section
from kobench.board.transfer import TransferMatrix
from kobench.board.words import base, is_evidence, no_evidence
from kobench.board.written import sized, spoken

#: How many predictors are named before the others are counted.
NAMED = 3


#: What the best floor is, where it is first spoken of.
FLOOR = "the best floor (the best trivial answer)"

#: How many tasks and datasets are named; of more there is a number.
PLACES = 3

#: In how few questions of several something has to be, for these to be named.
FEW = 2


class Headline(NamedTuple):
    """The verdict of a board.

    Attributes
    ----------
    text : str
        What it says.
    names : tuple of str
        The predictors that it names.
    """

    text: str
    names: tuple[str, ...]


def headline_of(
    sections: Sequence[Section], transfers: Sequence[TransferMatrix] = (), unfinished: str = ""
) -> Headline:
    """Who beats the best floor, and in how many questions: a task on a dataset each.

    Parameters
    ----------
    sections : sequence of Section
        The sections of a board.
    transfers : sequence of TransferMatrix
        Its transfer matrices.
    unfinished : str
        How far the run is, "" for one that is done.

    Returns
    -------
    Headline
        What is suspect first, then knockouts, then unperturbed cells; last what the marks of names
        say whose scores are no evidence.
    """
    contests = contests_of(sections, transfers)
    said, named = suspects(sections, contests)
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
            text, names = clause(asked, len(silent), FLOOR if first else "it", named)
            said.append(f"{what}: {text}.")
            named += names
            first = not asked and first
    if not said:
        return Headline(f"Nobody is ranked here{f' yet: {unfinished}' if unfinished else ''}.", ())
    marks = no_evidence(named)
    said += [f"{marks}."] if marks else []
    return Headline(" ".join(said), tuple(dict.fromkeys(named)))


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


def suspects(
    sections: Sequence[Section], contests: Iterable[Contest]
) -> tuple[list[str], list[str]]:
    """Who is too good to be true, as sentences, and their names; none where nobody is."""
    found: dict[str, list[str]] = defaultdict(list)
    for section in sections:
        for row in section.rows:
            if row.suspect:
                found["above what is possible"].append(row.name)
    for contest in contests:
        if contest.control:
            found["better on a control where hardly anything changes"] += contest.winners
    said, named = [], []
    for why, names in found.items():
        if names:
            listed = few(list(dict.fromkeys(names)))
            said.append(
                f"Suspect: {spoken(listed)} {'is' if len(set(names)) == 1 else 'are'} {why}."
            )
            named += [name for name in listed if name in names]
    return said, named


def clause(
    contests: Sequence[Contest], silent: int, floor: str, known: Collection[str] = ()
) -> tuple[str, list[str]]:
    """Who beats the best floor in questions of one kind, and the names in that.

    Parameters
    ----------
    contests : sequence of Contest
        The questions in which predictors are ranked.
    silent : int
        In how many others nobody can be ranked.
    floor : str
        What the best floor is called.
    known : collection of str
        Predictors that the verdict has named before.
    """
    count = len(contests)
    if not count:
        return "nobody can be ranked", []
    won: dict[str, list[Contest]] = defaultdict(list)
    for contest in contests:
        for name in contest.winners:
            won[name].append(contest)
    named: list[str] = []
    if won:
        text, named = winners(won, contests, floor, known)
        parts = [text]
        if lost := [contest for contest in contests if not contest.winners]:
            where = f"in {len(lost)}" if len(lost) > FEW else which(lost, contests)
            parts.append(f"nobody {where}")
    else:
        parts = [f"nobody beats {floor}{f' in any of {count} questions' if count > 1 else ''}"]
    if silent:
        parts.append(f"nobody can be ranked in {silent} more")
    if all(contest.few for contest in contests):
        parts.append("one network only, which says nothing of others")
    return "; ".join(parts), named


def which(some: Sequence[Contest], contests: Sequence[Contest]) -> str:
    """A few of several questions by what tells them apart: their task, their dataset, or both."""
    tasks = {one.task for one in contests}
    places = {one.place for one in contests}
    if len(tasks) == 1:
        return f"on {spoken([one.place for one in some])}"
    if len(places) == 1:
        return f"in {spoken([base(one.task) for one in some])}"
    if len({one.place for one in some}) == 1:
        return f"in {spoken([base(one.task) for one in some])} on {some[0].place}"
    return f"in {spoken([f'{base(one.task)} on {one.place}' for one in some])}"


def winners(
    won: dict[str, list[Contest]],
    contests: Sequence[Contest],
    floor: str,
    known: Collection[str] = (),
) -> tuple[str, list[str]]:
    """Who beats the best floor, the most often first, those that do so equally often together.

    Of the first ones it says where, if that is in a few of several questions, and how much better
    the best of them is. Of many those are named that were before, and those whose scores are no
    evidence stand behind the others; of many in a later part of the verdict the best alone is.

    Returns
    -------
    text : str
        For instance `b beats it in 3 of 4 (skill 0.10 to 0.32), a and c in 2`.
    names : list of str
        The names in it.
    """
    by_times: dict[int, list[str]] = defaultdict(list)
    for name in sorted(won, key=lambda name: (not is_evidence(name), name not in known, name)):
        by_times[len(won[name])].append(name)
    said: list[str] = []
    named: list[str] = []
    counted, count = 0, len(contests)
    for times in sorted(by_times, reverse=True):
        names = by_times[times]
        if not said:
            best, size = best_of(names, won)
            names = [best, *(name for name in names if name != best)] if best else names
            verb = "beats" if len(names) == 1 else "beat"
            listed = few(names, NAMED if floor == FLOOR else 1)
            questions = " questions" if floor == FLOOR else ""
            of = f" in {times} of {count}{questions}" if count > 1 else ""
            alike = all(won[name] == won[names[0]] for name in names)
            named_where = alike and times < count and times <= FEW
            more = [which(won[names[0]], contests)] if named_where else []
            more += [size] if size else []
            inside = "; ".join(more)
            how = f" ({inside})" if more and of else f"; {inside}" if more else ""
            said.append(f"{spoken(listed)} {verb} {floor}{of}{how}")
        elif counted + len(names) > NAMED:
            break
        else:
            listed = names
            said.append(f"{spoken(names)} in {times}")
        counted += len(names)
        named += [name for name in listed if name in won]
    rest = len(won) - counted
    return ", ".join([*said, *([f"{rest} more in fewer"] if rest > 0 else [])]), named


def best_of(names: Sequence[str], won: dict[str, list[Contest]]) -> tuple[str, str]:
    """The best of some, and in words how much better it is; nothing where that is not known.

    By its skill, or where it has none anywhere, by how far its score is above the best floor.
    """
    like = [name for name in names if is_evidence(name)] or list(names)
    kinds: tuple[tuple[str, Callable[[Contest], Mapping[str, float]]], ...] = (
        ("skill {}", lambda one: one.skills),
        ("scores {} better", lambda one: one.differences),
    )
    for words, of in kinds:
        sizes = {name: [of(one)[name] for one in won[name] if name in of(one)] for name in like}
        most = max(map(len, sizes.values()))
        if most:
            # over as many questions as any of them, or their means could not be compared
            means = {name: sum(each) for name, each in sizes.items() if len(each) == most}
            best = max(means, key=means.__getitem__)
            ends = dict.fromkeys(map(sized, (min(sizes[best]), max(sizes[best]))))
            text = words.format(" to ".join(ends))
            text += f" in {most} of these" if most < len(won[best]) else ""
            return best, text if len(names) == 1 else f"{best}: {text}"
    return "", ""


def few(names: Sequence[str], most: int = NAMED) -> list[str]:
    """Names as in a sentence, of many the first ones and how many more there are."""
    if len(names) <= NAMED + 1:
        return list(names)
    return [*names[:most], f"{len(names) - most} more"]
