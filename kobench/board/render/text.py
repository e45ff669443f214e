"""What all renderings share: marks, arrows, and cells as plain text."""

from __future__ import annotations

from kobench.board.glance import Tally, groups_of, layout_of
from kobench.board.numbers.series import NONE
from kobench.board.numbers.standings import NO_CEILING, NO_HEADROOM
from kobench.board.sections.sentences import bracket, number, on_networks, p_text, skill_digits
from kobench.board.table import (
    CONTROL,
    VERDICTS,
    Board,
    Column,
    Cost,
    Matrix,
    Problem,
    Row,
    Score,
    Section,
)
from kobench.board.words import PURPOSE, reason

MARKS = {"better": "▲", "same": "≈", "worse": "▼", "": "·"}

#: The same where a verdict rests on one network.
HOLLOW = {"better": "△", "same": "≈", "worse": "▽", "": "·"}

HOLLOW_LEGEND = "hollow: one network only, which says nothing of other networks"

#: What an impact is where nothing is said beside its metric.
IMPACTS = (
    "Impacts are propagated, the change beyond the removed gene's own share. "
    "Raw ones, [raw], hold that share, too, and have columns of their own."
)

#: The longest reason that stands in a table's cell.
LONGEST = "not answered"

#: The line that the matrices show: what another draw of the same cells scores.
REPLICATE = "replicate"

TITLE = "kobench leaderboard"

#: What the marks say, in one line.
KEY = (
    "▲ better than every trivial predictor, ≈ no better, ▼ worse, · not ranked or no interval to"
    " judge by"
)

LEGEND = (
    "Each predictor is compared with the best floor: the best of the trivial predictors that a"
    " method has to beat. ▲ better than it (95 % interval of the paired difference above 0), ≈"
    " can't be told apart from it, ▼ worse. Skill: 0 is that floor, 1 the truth itself. A rank is"
    " an interval: predictors that can't be told apart share it."
)

#: The head of the column with permuted answers, and what it holds.
KNOWS_HEAD = "knows which gene?"
KNOWS_LEGEND = (
    "Knows which gene: whether a score is above that of the same answers permuted among the"
    " perturbations, and p, how often a permutation scores as well; over several networks by a"
    " normal approximation. ▲? marks a predictor above the floor whose permuted answers do as well"
    " (p > 0.05): it does not count as better. Above permuted does not mean better than the floor."
)

#: What tells the two metrics of responses apart.
DETECTABLE = (
    "the detectable perturbations, those whose measured change two halves of the cells agree on"
    " (correlation 0.2 or more)"
)

#: What a reader of the matrices should not read into them.
ORDER = "A number stands with ▲ and ▼ only; the order of rows with ≈ means nothing."


def verdict_of(row: Row, metric: str) -> str:
    """What a predictor's comparison with the best floor says by a metric; nothing for floors and
    lines.
    """
    score = row.scores.get(metric)
    return score.verdict if score and row.role == "predictor" else ""


def mark(row: Row, metric: str) -> str:
    """The mark of a predictor's verdict, with a question mark where permuted answers do as well;
    nothing for floors and lines.
    """
    if row.role != "predictor":
        return ""
    score = row.scores.get(metric)
    return (HOLLOW if row.hollow else MARKS)[verdict_of(row, metric)] + (
        "?" if score and score.unproven else ""
    )


def verdict_text(row: Row, metric: str) -> str:
    """A verdict in words, with how far it reaches."""
    text = VERDICTS.get(verdict_of(row, metric), "")
    return (
        f"{text} {on_networks(row.blocks_done)} ({HOLLOW_LEGEND})" if text and row.hollow else text
    )


def has_hollow(board: Board) -> bool:
    """Whether any mark on the board is hollow."""
    shown = (
        (row, column.name)
        for section in board.sections
        for row in section.rows
        for column in section.primary
    )
    return any(row.hollow and verdict_of(row, metric) for row, metric in shown)


def notices(board: Board) -> list[str]:
    """Sentences that the legend needs for what is on this board."""
    scores = [
        score
        for section in board.sections
        for row in section.ranked
        for score in row.scores.values()
    ]
    rows = [(section, row) for section in board.sections for row in section.ranked]
    said = []
    if any(
        row.scores[section.primary[0].name].skill_note == NO_HEADROOM
        for section, row in rows
        if section.primary
    ):
        said.append(
            "No headroom: floor and truth are too close for a skill, and the score itself stands in"
            " its place."
        )
    if any(score.skill_note == NO_CEILING for score in scores):
        said.append(
            "Ceiling unknown: what an answer without error would score can't be estimated, so there"
            " is no skill."
        )
    if any(score.missing == NONE for score in scores):
        said.append("Constant: the same answer for all, which gives no ranking.")
    return said


def purpose(board: Board) -> str:
    """What the benchmark asks, and which of its data are simulated."""
    simulated = sorted(
        {section.dataset_name for section in board.sections if section.kind == "simulated"}
    )
    every = all(section.kind == "simulated" for section in board.sections)
    said = (
        f" All data here are simulated ({', '.join(simulated)})."
        if every
        else f" Simulated data: {', '.join(simulated)}."
    )
    return PURPOSE + (said if simulated else "")


def explained(board: Board, section: Section) -> list[str]:
    """What the heads of a section's table mean, where no earlier section has said it."""

    def needed(one: Section) -> list[str]:
        raw = any(column.name.endswith("[raw]") for column in one.columns)
        knows = any(has_permuted(one, column) for column in one.leading)
        return ([IMPACTS] if raw else []) + ([KNOWS_LEGEND] if knows else [])

    return [
        text
        for text in needed(section)
        if next(one for one in board.sections if text in needed(one)) is section
    ]


def answer_parts(text: str) -> tuple[str, str]:
    """A line of the answer: the task, and who is better than trivial by it."""
    task, _, who = text.partition(": ")
    return f"{task}:", who


def legend(board: Board) -> str:
    """What marks, skill and ranks mean."""
    hollow = [f"△ ≈ ▽ {HOLLOW_LEGEND}."] if has_hollow(board) else []
    return " ".join([LEGEND, *notices(board), *hollow])


def has_permuted(section: Section, column: Column) -> bool:
    """Whether any row of a section has permuted answers by a metric."""
    return any((score := row.scores.get(column.name)) and score.permuted for row in section.rows)


def knows_text(score: Score | None, column: Column, control: bool = False) -> str:
    """`above permuted: p = 0.001 (mean 0.020)`, nothing where nothing was permuted; on a control
    that is suspect.

    >>> from kobench.board.table import Permuted
    >>> knows_text(Score(0.4, permuted=Permuted(0.1, 0.3)), Column("a", 1, "higher", 1.0, 0.0, 1.0, True))
    'not above permuted: p = 0.30 (mean 0.100)'
    """
    if score is None or score.permuted is None:
        return ""
    one = score.permuted
    if control:
        return f"{p_text(one.p)}{' (suspect: control)' if one.knows else ''}"
    return (
        f"{'above' if one.knows else 'not above'} permuted: {p_text(one.p)} (mean"
        f" {number(one.mean, column.decimals)})"
    )


def arrow(column: Column) -> str:
    """The metric's name with the direction that is better."""
    return f"{column.name} {'↓' if column.direction == 'lower' else '↑'}"


def value_text(score: Score | None, column: Column, interval: bool = True) -> str:
    """`0.617 [0.588, 0.645]`, or why there is no value."""
    if score is None:
        return "-"
    if score.value is None:
        return (
            reason(score.missing) if 0 < len(score.missing) <= len(LONGEST) else "-"
        )  # a longer reason stands below the table
    ends = (
        bracket(score.low, score.high, column.decimals)
        if interval and score.low != score.high
        else ""
    )
    return f"{number(score.value, column.decimals)} {ends}".strip()


def skill_text(score: Score | None, interval: bool = True) -> str:
    """`0.33 [0.30, 0.36]`, or why no skill is printed."""
    if score is None:
        return "-"
    if score.skill is None:
        return reason(score.skill_note) or "-"
    return (
        f"{skill_number(score)}"
        f" {skill_bracket(score) if interval and score.skill_low != score.skill_high else ''}".strip()
    )


def glance_text(section: Section, row: Row) -> str:
    """A cell of the matrix: a mark for each primary metric, and the first's skill, or its value
    where there is no skill.

    `▲ 0.33`, `▲≈ 0.33`, `▲ score 0.981 ↑` where no skill is printed, `≈` alone, because its number
    would be read as a rank; the row's status where that is not "ok".
    """
    column = section.primary[0]
    score = row.scores.get(column.name)
    if row.status != "ok" or score is None:
        return row.status
    marks = "".join(mark(row, one.name) for one in section.primary)
    if verdict_of(row, column.name) == "same":
        return marks
    if score.skill is not None or score.value is None:
        return f"{marks} {skill_text(score, interval=False)}"
    return (
        f"{marks} score {number(score.value, column.decimals)}"
        f" {'↓' if column.direction == 'lower' else '↑'}"
    )


def line_texts(matrix: Matrix, name: str) -> list[str]:
    """A reference line's skill or score in each dataset of a matrix, "" where there is none."""
    found = [
        next((row for row in section.lines if row.name == name), None)
        for section in matrix.datasets
    ]
    return [
        glance_text(section, row).strip() if row else ""
        for section, row in zip(matrix.datasets, found, strict=True)
    ]


def glance_about(matrix: Matrix) -> str:
    """What the cells of a matrix hold, and what tells its datasets apart: `skill by a; marks by a,
    then b`.
    """
    metrics = dict.fromkeys(
        tuple(column.name for column in section.primary) for section in matrix.datasets
    )
    said = "; elsewhere ".join(about_metrics(names) for names in metrics)
    params = matrix.params_say(
        key.partition("=")[0]
        for key in dict.fromkeys(title.partition("=")[0] for title, _ in groups_of(matrix))
    )
    words = matrix.words
    parts = [f"{words}." if words != matrix.task else "", f"{said[:1].upper()}{said[1:]}."]
    parts += [
        f"{params[:1].upper()}{params[1:]}." if params and layout_of(matrix) == "grouped" else ""
    ]
    return " ".join(
        part for part in [*parts, ORDER if layout_of(matrix) != "grouped" else ""] if part
    )


def about_metrics(names: tuple[str, ...]) -> str:
    """What marks and numbers are by, with the metrics' names."""
    first = names[0].partition("[")[0]
    if names == (first, f"{first}[all]"):
        return f"first mark and skill by {first} over {DETECTABLE}; second mark: over all"
    if names == (f"{first}[all]",):
        return f"mark and skill by {first} over all perturbations"
    return f"skill by {names[0]}" + (
        f"; marks by {', then '.join(names)}" if len(names) > 1 else ""
    )


def skill(value: float) -> str:
    """Two decimals, without a negative zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def skill_number(score: Score) -> str:
    """A skill; one that is told apart from 0 is not printed as 0.

    >>> [skill_number(Score(skill=x, verdict=v)) for x, v in ((0.004, "better"), (-0.004, "worse"), (0.004, "same"), (0.33, "better"))]
    ['<0.01', '>-0.01', '0.00', '0.33']
    """
    if score.skill is None:
        return "-"
    return skill_digits(score.skill, score.verdict)


def skill_bracket(score: Score) -> str:
    """`[low, high]` of a skill."""
    if score.skill_low is None or score.skill_high is None:
        return ""
    return f"[{skill(score.skill_low)}, {skill(score.skill_high)}]"


def rank_text(row: Row) -> str:
    """`1`, `2-4`, or nothing where not ranked."""
    if row.rank is None:
        return ""
    low, high = row.rank
    return str(low) if low == high else f"{low}-{high}"


def coverage_text(row: Row) -> str:
    """Whole percent; 100 % only where nothing was left out.

    >>> from types import SimpleNamespace
    >>> [coverage_text(SimpleNamespace(coverage=c)) for c in (1.0, 0.999, 0.5, None)]
    ['100%', '99.9%', '50%', '-']
    """
    if row.coverage is None:
        return "-"
    percent = 100 * row.coverage
    if percent < 100 and round(percent) == 100:
        return f"{min(percent, 99.9):.1f}%"
    return f"{percent:.0f}%"


def seconds(value: float | None) -> str:
    """Two significant digits below 10 seconds, whole ones above."""
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def cost_texts(cost: Cost | None) -> list[str]:
    """Fit seconds, predict seconds and peak MB as texts."""
    if cost is None:
        return ["-", "-", "-"]
    return [
        seconds(cost.fit_seconds),
        seconds(cost.predict_seconds),
        "-" if cost.peak_mb is None else f"{cost.peak_mb:,.0f}",
    ]


COSTS = ("fit s", "pred s", "MB")


def secondary(section: Section, limit: int) -> list[Column]:
    """The first few other metrics worth a column: variants of the primary ones (raw impacts), then
    the rest by name.
    """
    primary = {column.name for column in section.primary}
    others = [column for column in section.columns if column not in section.leading]

    def order(column: Column) -> tuple[bool, bool, bool]:
        name, _, variant = column.name.partition("[")
        return name not in primary, variant != "raw]", bool(variant)

    return sorted(others, key=order)[:limit]


def problem_text(problem: Problem) -> str:
    """`failed in fit: message (3 trials: seed 0, fit seed 0; ...)`."""
    stage = f" in {problem.stage}" if problem.stage else ""
    message = one_line(problem.message) or one_line(last_line(problem.traceback)) or "no message"
    shown = "; ".join(problem.where[:3]) + ("; ..." if len(problem.where) > 3 else "")
    count = f"{len(problem.where)} trials: " if len(problem.where) > 1 else ""
    return f"{problem.status}{stage}: {message} ({count}{shown})"


def one_line(text: str) -> str:
    """Text on one line, without characters that would steer a terminal."""
    return "".join(
        character if character.isprintable() else "?" for character in " ".join(text.split())
    )


def last_line(text: str) -> str:
    """The last line of a traceback that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def why_unranked(row: Row) -> str:
    """Everything that explains why a row has no rank."""
    said = [problem_text(problem) for problem in row.problems] + list(row.remarks)
    return "; ".join(said or [row.status])


def unranked(section: Section) -> dict[str, list[str]]:
    """Why rows have no rank -> the names of those rows."""
    found: dict[str, list[str]] = {}
    for row in section.unranked:
        found.setdefault(why_unranked(row), []).append(row.name)
    return found


def heading(section: Section) -> str:
    """Task, dataset and split in one line, with the group that was trained on."""
    words = section.words
    asked = f": {words[:1].lower()}{words[1:]}" if words != section.task else ""
    return (
        f"{section.task} on {section.dataset}{CONTROL if section.near_null else ''}, split"
        f" {section.split}{trained_on(section)}{asked}"
    )


def trained_on(section: Section) -> str:
    """`, trained on rod`, or nothing."""
    return f", trained on {section.train}" if section.train else ""


def tally_text(one: Tally) -> str:
    """`▲ 20, ≈ 2, ▼ 2 of 24; mean skill 0.41 over the 12 with headroom`, verdicts that nobody has
    left out.
    """
    marks = HOLLOW if one.hollow else MARKS
    counts = {"better": one.better, "same": one.same, "worse": one.worse, "": one.rest}
    said = (
        ", ".join(f"{marks[verdict]} {count}" for verdict, count in counts.items() if count)
        + f" of {sum(counts.values())}"
    )
    part = (
        ""
        if one.skills == one.better + one.same + one.worse
        else f" over the {one.skills} with headroom"
    )
    return f"{said}; mean skill {skill(one.skill)}{part}" if one.skill is not None else said


def notes_here(board: Board, section: Section) -> tuple[str, ...]:
    """A dataset's notes, below the first of its sections only: they are the same for all."""
    first = next(
        other
        for other in board.sections
        if (other.dataset, other.notes) == (section.dataset, section.notes)
    )
    return section.notes if section is first else ()


def interval_line(section: Section) -> str:
    """What the intervals stand for, and what was asked."""
    over = (
        "No intervals"
        if section.label.endswith("so no interval")
        else f"Intervals (95 %) over {section.label}"
    )
    return "; ".join([over, *section.facts])


def said_of(section: Section) -> list[str]:
    """What the intervals stand for and what was asked, then what the task says of the truth."""
    return [interval_line(section), *section.said]
