"""The whole page: from the board to what its templates lay out.

Tables of single units are inside, as data; pictures lie beside the page and are loaded when they
are seen. Nothing else is loaded, and everything that comes from a record is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.render.html.contents import contents_of
from kobench.board.render.html.first import first_grid
from kobench.board.render.html.glance import glance_of
from kobench.board.render.html.growth import growth_card
from kobench.board.render.html.made import facts_of, recipe_of
from kobench.board.render.html.notes import shared_notes
from kobench.board.render.html.section import Card, card_of
from kobench.board.render.html.table import MEANINGS
from kobench.board.render.html.templates import environment, file_text
from kobench.board.render.html.transfer import transfer_cards
from kobench.board.render.pictured import CLOSE, OPEN
from kobench.board.render.text.legend import (
    TITLE,
    about,
    answer_parts,
    kept_secret,
    notices,
    purpose,
)
from kobench.board.render.text.marks import HOLLOW, HOLLOW_LEGEND, MARKS, has_hollow
from kobench.board.render.text.overview import first_of, questions_of
from kobench.board.row import VERDICTS

#: What the marks say, short.
PLAIN = {
    "better": "better than the best floor",
    "same": "not told apart from it",
    "worse": "worse",
    "": "no verdict",
}

#: Nothing may be loaded but pictures that lie beside the page, whatever a name in a record tries;
#: `file:` is what "beside" is where the page is opened from a disk.
POLICY = (
    "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'; script-src"
    " 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def render(board: Board, pictures: Sequence[Drawn] = (), files: Sequence[str] = ()) -> str:
    """A page with contents, filters, the summary and a sortable table a section.

    Parameters
    ----------
    board : Board
        The leaderboard.
    pictures : sequence of Drawn
        Its pictures, which lie in the folder `pictures` beside it. They stand between the marks of
        `kobench.board.render.pictured`, as do the links of `files`.
    files : sequence of str
        Names of files beside it, to download.

    Returns
    -------
    str
        HTML, with styles and script inside.
    """
    return environment().get_template("page.html").render(context(board, pictures, files))


def context(board: Board, pictures: Sequence[Drawn], files: Sequence[str]) -> dict[str, Any]:
    """What the template of the page lays out."""
    anchors = {id(section): f"s{i}" for i, section in enumerate(board.sections, 1)}
    first = first_of(board)
    transfers = transfer_cards(board.transfers)
    links = {key: f"#{anchor}" for key, anchor in anchors.items()}
    glances = [glance_of(matrix, f"g{i}", links) for i, matrix in enumerate(board.matrices, 1)]
    growths = [growth_card(growth, f"c{i}") for i, growth in enumerate(board.growths, 1)]
    shared = shared_notes(board.sections)
    cards = [
        card_of(
            board,
            section,
            anchors[id(section)],
            shared.get(section.dataset_name),
            [one for one in pictures if one.section is section],
        )
        for section in board.sections
    ]
    return {
        "title": TITLE,
        "about": about(board),
        "first": first_grid(first),
        "questions": questions_of(first.overview),
        "words": first.words,
        "policy": POLICY,
        "css": file_text("page.css"),
        "js": file_text("page.js"),
        "open": Markup(OPEN),
        "close": Markup(CLOSE),
        "headline": board.headline,
        "purpose": purpose(board),
        "marks": marks_of(board),
        "answers": [answer_parts(text) for text in board.answer],
        "notices": notices(board),
        "ran": board.remarks,
        "facts": facts_of(board.made),
        "recipe": recipe_of(board.made),
        "seeds": kept_secret(board),
        "files": files,
        "contents": contents_of(transfers, glances, growths, cards),
        "filters": [
            ("dataset", "Dataset", {section.dataset: section.short for section in board.sections}),
            ("task", "Task", {task: task for task in sorted({one.task for one in cards})}),
        ],
        "transfers": transfers,
        "glances": glances,
        "growths": growths,
        "pictures": [one for one in pictures if one.section is None],
        "cards": cards,
        "data": list(shared.values()),
        "meanings": meanings_of(cards),
    }


def marks_of(board: Board) -> list[tuple[list[tuple[str, str]], str]]:
    """The marks, each with its style, and what they mean."""
    found = [([(verdict or "missing", MARKS[verdict])], text) for verdict, text in PLAIN.items()]
    if has_hollow(board):
        hollow = [(f"{verdict} hollow", HOLLOW[verdict]) for verdict in VERDICTS]
        found.append((hollow, HOLLOW_LEGEND))
    return found


def meanings_of(cards: Sequence[Card]) -> list[tuple[str, str]]:
    """What the columns mean that some table of the page has."""
    heads = {head.text for card in cards if card.table for head in card.table.heads}
    return [(text, says) for text, says in MEANINGS.items() if heads & set(text.split(", "))]
