"""The whole page: nothing is loaded, everything that comes from a record is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.render.html.elements import esc
from kobench.board.render.html.growth import growth_cards
from kobench.board.render.html.matrix import matrix_card
from kobench.board.render.html.section import section_card
from kobench.board.render.html.transfer import transfer_cards
from kobench.board.render.pictured import enclosed
from kobench.board.render.text.legend import TITLE, answer_parts, notices, purpose
from kobench.board.render.text.marks import HOLLOW, HOLLOW_LEGEND, MARKS, has_hollow
from kobench.board.row import VERDICTS

#: What the marks say, short.
PLAIN = {
    "better": "better than every trivial predictor",
    "same": "no better",
    "worse": "worse",
    "": "not ranked, or no interval to judge by",
}

#: Nothing may be loaded from anywhere, whatever a name in a record tries.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'"
)


def render(board: Board, pictures: Sequence[Drawn] = ()) -> str:
    """A page with filters, the summary and a sortable table a section.

    Parameters
    ----------
    board : Board
        The leaderboard.
    pictures : sequence of Drawn
        Its pictures, put between the marks of `kobench.board.render.pictured`.

    Returns
    -------
    str
        HTML, with styles and script inside.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{esc(TITLE)}</title>
<style>
{stylesheet(board)}
</style>
</head>
<body>
{chr(10).join([header(board), *main(board, pictures)])}
</main>
<footer class="soft"><p>Bars show scores with their 95 % interval, better to the right; \
the dashed line is the best floor.
Click a column's head to sort by it.</p></footer>
<script>
{file_text("page.js")}
</script>
</body>
</html>
"""


def file_text(name: str) -> str:
    """The text of a file beside this module."""
    file = resources.files("kobench.board.render.html").joinpath(name)
    return file.read_text(encoding="utf-8").strip()


def stylesheet(board: Board) -> str:
    """The styles that the page needs."""
    names = ["page.css", "transfer.css"] if board.transfers or board.growths else ["page.css"]
    return "\n".join(map(file_text, names))


def main(board: Board, pictures: Sequence[Drawn]) -> list[str]:
    """What stands below the page's header, from the whole board to the single sections."""
    anchors = {id(section): f"s{i}" for i, section in enumerate(board.sections, 1)}
    found = ["<main>"]
    if board.transfers:
        found.append(transfer_cards(board.transfers))
    if board.matrices:
        glances = [matrix_card(matrix, anchors) for matrix in board.matrices]
        found += ['<div class="glances">', *glances, "</div>"]
    if board.growths:
        found.append(growth_cards(board.growths))
    found[-1] += gallery([one for one in pictures if one.section is None])
    for section in board.sections:
        own = gallery([one for one in pictures if one.section is section])
        found.append(section_card(board, section, anchors[id(section)]) + own)
    return found


def gallery(pictures: Sequence[Drawn]) -> str:
    """A card of pictures, each folded away; those of a section are hidden with it."""
    if not pictures:
        return ""
    section = pictures[0].section
    where = ""
    if section is not None:
        where = f' data-dataset="{esc(section.dataset)}" data-task="{esc(section.task)}"'
    return enclosed(f'\n<div class="card pictures"{where}>{"".join(map(figure, pictures))}</div>')


def figure(one: Drawn) -> str:
    """A picture, folded away."""
    caption = esc(one.caption)
    return f"""
<details data-task="{esc(one.task)}"><summary>{caption}</summary>
<figure role="img" aria-label="{caption}">{one.svg.strip()}</figure></details>"""


def header(board: Board) -> str:
    """Title, what the marks mean, who is better than trivial, filters."""
    ran = "".join(f"\n<p>{esc(text)}</p>" for text in board.remarks)
    return f"""<header>
<h1>{esc(TITLE)}</h1>
<p>{esc(purpose(board))}</p>
<ul class="legend">{legend_items(board)}</ul>
{answer(board)}
<p class="soft">Each predictor is compared with the <b>best floor</b>: the best of the trivial \
predictors that a method has to beat, on the
same data.
<b>Skill</b> is 0 at that floor and 1 at the truth itself. A rank is an interval: predictors that \
can't be told apart share it.
{esc(" ".join(notices(board)))}</p>{ran}
{filters(board)}
</header>"""


def legend_items(board: Board) -> str:
    """The marks with what they mean, as items of a list."""
    items = [
        f'<li><span class="mark {verdict or "missing"}">{MARKS[verdict]}</span> {esc(text)}</li>'
        for verdict, text in PLAIN.items()
    ]
    if has_hollow(board):
        spans = " ".join(
            f'<span class="mark {verdict} hollow">{HOLLOW[verdict]}</span>' for verdict in VERDICTS
        )
        items.append(f"<li>{spans} {esc(HOLLOW_LEGEND)}</li>")
    return "".join(items)


def answer(board: Board) -> str:
    """Who is better than trivial, a line a task."""
    items = "".join(
        f"<li><b>{esc(task)}</b> {esc(who)}</li>" for task, who in map(answer_parts, board.answer)
    )
    return f'<ul class="answers">{items}</ul>' if items else ""


def filters(board: Board) -> str:
    """What chooses the sections and rows to be seen."""
    datasets = {section.dataset: section.short for section in board.sections}
    tasks = {task: task for task in sorted({section.task for section in board.sections})}
    every = '<option value="">all</option>'
    return f"""<div class="filters">
<label>Dataset <select id="dataset">{every}{options(datasets)}</select></label>
<label>Task <select id="task">{every}{options(tasks)}</select></label>
<label>Predictor <input id="predictor" type="search" placeholder="part of a name"></label>
</div>"""


def options(named: dict[str, str]) -> str:
    """Options of a select: value -> text."""
    return "".join(
        f'<option value="{esc(value)}">{esc(text)}</option>' for value, text in named.items()
    )
