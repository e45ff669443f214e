"""What stands above all tables: what the benchmark asks, and what marks, skill and ranks mean."""

from __future__ import annotations

from kobench.board.board import Board
from kobench.board.numbers.skill import NO_CEILING, NO_HEADROOM
from kobench.board.numbers.values import NONE
from kobench.board.overall import MIXED, UNPROVEN, overall
from kobench.board.render.text.marks import HOLLOW_LEGEND, has_hollow
from kobench.board.render.text.values import has_permuted
from kobench.board.sections.seeds import KEPT_SECRET
from kobench.board.table import Section
from kobench.board.words import NO_EVIDENCE, OF_PROFILES, PRIOR, PURPOSE, base, signs_of
from kobench.board.written import spoken

TITLE = "kobench leaderboard"

#: How many tasks and datasets a title names; of more it has a number.
NAMED = 3

#: What the marks say, in one line.
KEY = "▲ better than the best floor, ≈ not told apart from it, ▼ worse, · no verdict"

LEGEND = (
    "Floor: a trivial answer, which a method has to beat; the best one counts. Interval: [low,"
    " high], at 95 %; ▲ and ▼ stand where that of the difference from the best floor is all on one"
    " side of 0, and a difference under 1 % of the way to the truth counts as none. Skill: 0 is the"
    " best floor, 1 the truth. Predictors that can't be told apart share a rank."
)

#: What a word in place of a mark says.
WORDS = {
    MIXED: "mixed: better than the best floor by one metric of the task, and not by another.",
    UNPROVEN: (
        "unproven: better, but just as well where its answers are given to the wrong genes, so it"
        " doesn't count."
    ),
}

#: What the column with permuted answers holds.
KNOWS_LEGEND = (
    "Knows which gene: yes where the same answers, given to the wrong genes, score worse (p at most"
    " 0.05, corrected for the number of predictors). Who knows the gene may still be no better than"
    " the floor."
)

#: What is said of the tables at a glance.
GLANCE = (
    "At a glance a number stands with ▲ and ▼ alone: the order of rows without one means nothing."
)

#: What a row is that scores above what is possible.
SUSPECT = (
    "‼ above what is possible: a score that no answer reaches which does not know the truth. Such a"
    " row is not ranked until somebody says why."
)

#: What the mark of prior knowledge says, and what its absence doesn't.
PRIOR_LEGEND = (
    f"{PRIOR} prior knowledge: as its maker declares, such a predictor knows more than the"
    f" unperturbed cells; it is ranked among its like alone. That a name has no {PRIOR} is its"
    " maker's word, too: knowledge of genes that somebody hides can't be found in answers."
)

#: What an impact is where nothing is said beside its metric.
IMPACTS = (
    "Impacts are propagated, the change beyond the removed gene's own share. "
    "Raw ones, [raw], hold that share, too, and have columns of their own."
)

#: What tells the two metrics of responses apart.
DETECTABLE = (
    "the detectable perturbations, those whose measured change two halves of the cells agree on"
    " (correlation 0.2 or more)"
)


def about(board: Board) -> str:
    """What the board is of: its tasks and its datasets, in a few words."""
    tasks = list(dict.fromkeys(base(section.task) for section in board.sections))
    names = list(dict.fromkeys(section.dataset_name for section in board.sections))
    datasets = len({section.dataset for section in board.sections})
    what = spoken(tasks) if len(tasks) <= NAMED else f"{len(tasks)} tasks"
    where = spoken(names) if len(names) <= NAMED else f"{len(names)} kinds of data"
    return f"{what} on {where}{f' ({datasets} datasets)' if datasets > NAMED else ''}"


def kept_secret(board: Board) -> str:
    """That nobody could know the networks, with the commitment; "" where somebody could."""
    return board.seeds if board.seeds.startswith(KEPT_SECRET) else ""


def purpose(board: Board) -> str:
    """What the benchmark asks, which of its data are simulated, and that their truth is known."""
    open_seeds = "" if kept_secret(board) else board.seeds
    return " ".join(text for text in (asked(board), open_seeds) if text)


def asked(board: Board) -> str:
    """What the benchmark asks, and which of its data are simulated."""
    simulated = [section for section in board.sections if section.kind == "simulated"]
    question = PURPOSE if any(one.of_knockouts for one in board.sections) else OF_PROFILES
    if not simulated:
        return question
    names = ", ".join(sorted({section.dataset_name for section in simulated}))
    if len(simulated) == len(board.sections):
        return f"{question} All data here are simulated ({names})."
    return f"{question} Simulated data: {names}."


def legend(board: Board) -> str:
    """What marks, skill and ranks mean."""
    hollow = [f"△ ≈ ▽ {HOLLOW_LEGEND}."] if has_hollow(board) else []
    return " ".join([LEGEND, *notices(board), *hollow])


def words_here(board: Board) -> list[str]:
    """What the words in place of marks mean that are on this board, and its tables at a glance."""
    verdicts = {
        overall(section, row) for section in board.sections for row in section.predictors.values()
    }
    said = [text for word, text in WORDS.items() if word in verdicts]
    return [*said, GLANCE] if board.matrices else said


def marks_here(board: Board) -> list[str]:
    """What the marks of rows say whose scores are no evidence, and which rows these are."""
    names = list(dict.fromkeys(row.name for section in board.sections for row in section.rows))
    found = {sign: [name for name in names if sign in signs_of(name)] for sign in NO_EVIDENCE}
    return [
        f"{sign} {NO_EVIDENCE[sign]}, so its scores are no evidence: {spoken(rows)}."
        for sign, rows in found.items()
        if rows
    ]


def notices(board: Board) -> list[str]:
    """Sentences that the legend needs for what is on this board."""
    said = words_here(board)
    ranked = [(section, row) for section in board.sections for row in section.ranked]
    scores = [score for _, row in ranked for score in row.scores.values()]
    first = [row.scores[section.primary[0].name] for section, row in ranked if section.primary]
    if any(score.skill_reason == NO_HEADROOM for score in first):
        said.append(
            "No headroom: floor and truth are too close for a skill, and the score itself stands in"
            " its place."
        )
    if any(score.skill_reason == NO_CEILING for score in scores):
        said.append(
            "Ceiling unknown: what an answer without error would score can't be estimated, so there"
            " is no skill."
        )
    if any(row.prior for section in board.sections for row in section.rows):
        said.append(PRIOR_LEGEND)
    said += marks_here(board)
    if any(column.greyed for section in board.sections for column in section.columns):
        said.append(
            "Can't tell: by this metric half of the cells is no better here than an answer that"
            " knows no perturbation, or its strength alone; its scores stand in brackets, without"
            " skill, verdict or rank."
        )
    if any(row.suspect for section in board.sections for row in section.rows):
        said.append(SUSPECT)
    if any(score.missing == NONE for score in scores):
        said.append("Constant: the same answer for all, which gives no ranking.")
    return said


def explained(board: Board, section: Section) -> list[str]:
    """What the heads of a section's table mean, where no earlier section has said it."""

    def first_with(text: str) -> Section:
        return next(one for one in board.sections if text in explanations(one))

    return [text for text in explanations(section) if first_with(text) is section]


def explanations(section: Section) -> list[str]:
    """What the heads of a section's table mean."""
    said = []
    if any(column.name.endswith("[raw]") for column in section.columns):
        said.append(IMPACTS)
    if any(has_permuted(section, column) for column in section.leading):
        said.append(KNOWS_LEGEND)
    return said


def answer_parts(text: str) -> tuple[str, str]:
    """A line of the board's answer cut in two: the task, and who is better than trivial by it."""
    task, _, who = text.partition(": ")
    return f"{task}:", who
