"""The pages of a site: from boards to texts by their paths."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kobench.board.board import Board
from kobench.board.figures import Drawn
from kobench.board.render.html.glance import glance_of
from kobench.board.render.html.growth import growth_card
from kobench.board.render.html.made import facts_of, recipe_of
from kobench.board.render.html.notes import shared_notes
from kobench.board.render.html.page import meanings_of
from kobench.board.render.html.section import card_of
from kobench.board.render.html.templates import environment, file_text
from kobench.board.render.html.transfer import transfer_cards
from kobench.board.render.text.legend import kept_secret, purpose
from kobench.board.row import Row
from kobench.board.site.places import Place, by, page, places_of, rows_of, slug
from kobench.board.site.summary import methods_of, once
from kobench.board.site.tables import (
    Cell,
    Table,
    matrix_table,
    over_datasets,
    results_table,
)
from kobench.board.words import PURPOSE

#: What is said above the front table.
COUNTED = (
    "On how many datasets each method is better (▲) than the best trivial predictor by every"
    " metric that ranks, worse (▼) by any, else the same (≈); a dot is no verdict. Below, its mean"
    " skill by the first metric, with a 95 % interval over datasets where there are three. What"
    " several boards ask of one dataset counts once, near-null controls don't. There is no rank"
    " across tasks."
)

#: Text, and the page that it leads to or "".
Linked = tuple[str, str]


def pages_of(
    boards: Mapping[str, Board],
    pictures: Mapping[str, Sequence[Drawn]],
    files: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, str]]:
    """Every page of a site: its path and its text.

    Parameters
    ----------
    boards : mapping of str to Board
        The boards by their names.
    pictures : mapping of str to sequence of Drawn
        The pictures of each, which lie in `board/NAME/pictures`.
    files : mapping of str to sequence of str
        Files to download of each, which lie in `board/NAME`.
    """
    places = places_of(boards)
    yield "style.css", file_text("page.css") + file_text("site.css") + "\n"
    yield "page.js", file_text("page.js") + "\n"
    yield "site.js", file_text("site.js") + "\n"
    entities = [*methods(places, boards), *datasets(places), *tasks(places), *metrics(places)]
    for name, board in boards.items():
        mine = [place for place in places if place.board == name]
        drawn = pictures.get(name, ())
        entities.append(
            (
                "board",
                name,
                f"board/{slug(name)}/index.html",
                "site/board.html",
                board_page(name, board, mine, drawn, files.get(name, ())),
            )
        )
        yield from sections(name, board, mine, drawn)
    yield written("index.html", "site/index.html", front(boards, places, entities))
    for _, _, path, template, content in entities:
        yield written(path, template, content)


def written(path: str, template: str, content: Mapping[str, Any]) -> tuple[str, str]:
    """A page: its path and text."""
    empty: dict[str, Any] = {"about": (), "facts": (), "path": (), "tables": (), "recipes": ()}
    root = "../" * path.count("/")
    text = environment().get_template(template).render({**empty, **content, "root": root})
    return path, text


#: A page: its kind, name, path, template and content.
Entity = tuple[str, str, str, str, dict[str, Any]]


def entity(kind: str, name: str, **content: Any) -> Entity:
    """The page of a method, floor, dataset, task or metric."""
    content = {"title": name, "path": [(f"{kind}s", "index.html#everything")], **content}
    return kind, name, page(kind, name), "site/entity.html", content


def front(
    boards: Mapping[str, Board], places: Sequence[Place], entities: Sequence[Entity]
) -> dict[str, Any]:
    """The front page: real and simulated data apart, then everything there is."""
    tables = []
    for kind, title in (("real", "Real knockouts and cells"), ("simulated", "Simulated networks")):
        found = once([place for place in places if place.section.kind == kind])
        if found:
            columns = [(task, each) for task, each in by(found, task_of).items()]
            tables.append(over_datasets(title, COUNTED, methods_of(found), columns))
    return {
        "title": "Which methods predict knockouts?",
        "about": [PURPOSE],
        "facts": [("boards", [(name, f"board/{slug(name)}/index.html") for name in boards])],
        "tables": tables,
        "everything": [(kind, name, path) for kind, name, path, *_ in entities],
    }


def task_of(place: Place) -> list[str]:
    """The task of a section."""
    return [place.section.task]


def methods(places: Sequence[Place], boards: Mapping[str, Board]) -> Iterator[Entity]:
    """A page for every method and every floor."""
    for role, kind in (("predictor", "method"), ("floor", "floor")):
        for name, found in by(places, named(role)).items():
            rows = [
                (place, row) for place in found for row in rows_of(place, role) if row.name == name
            ]
            yield entity(
                kind,
                name,
                facts=method_facts([row for _, row in rows]),
                tables=[results_table("Results", rows, by_method=False)],
                recipes=list(again(name, found, boards)) if kind == "method" else [],
            )


def named(role: str) -> Callable[[Place], list[str]]:
    """The names of a section's rows of a role."""
    return lambda place: [row.name for row in rows_of(place, role)]


def method_facts(rows: Sequence[Row]) -> list[tuple[str, list[Linked]]]:
    """What records say of a method."""
    facts = {
        "package": {f"{row.distribution} {' '.join(row.versions)}" for row in rows},
        "environment": {row.environment for row in rows},
        "sandbox": {row.sandbox for row in rows},
        "prior knowledge": {row.prior for row in rows},
        "failures": {row.status for row in rows if row.problems},
    }
    return [
        (what, [(text, "") for text in sorted(texts - {""})])
        for what, texts in facts.items()
        if texts - {""}
    ]


def again(
    name: str, places: Sequence[Place], boards: Mapping[str, Board]
) -> Iterator[tuple[str, str]]:
    """The command that runs one method as each board did."""
    for board in dict.fromkeys(place.board for place in places):
        made = boards[board].made
        if made is None:
            continue
        others = [word for word in made.command if not word.startswith("-p ")]
        mine = [
            word for word in made.command if word.startswith("-p ") and word[3:].strip("'") in name
        ]
        command = replace(made, command=(*others, *(mine or [f"-p {name}"])))
        yield f"Run it again as on {board}", recipe_of(command)


def datasets(places: Sequence[Place]) -> Iterator[Entity]:
    """A page for every dataset."""
    for name, found in by(places, lambda place: [place.section.dataset]).items():
        one = found[0].section
        versions = sorted({place.section.dataset_version for place in found})
        facts: list[tuple[str, list[Linked]]] = [
            ("kind", [(one.kind, "")]),
            ("version", [(version, "") for version in versions]),
            ("control", [(one.near_null, "")] if one.near_null else []),
            ("tasks", [(place.section.task, place.path) for place in found]),
        ]
        rows = [(place, row) for place in found for row in rows_of(place, "predictor") if row.rank]
        yield entity(
            "dataset",
            name,
            about=one.dataset_notes,
            facts=[fact for fact in facts if fact[1]],
            tables=[results_table("Ranked methods", rows, by_method=True)],
        )


def tasks(places: Sequence[Place]) -> Iterator[Entity]:
    """A page for every task."""
    for name, found in by(places, task_of).items():
        columns = found[0].section.columns
        ranks = [(one.name, page("metric", base_of(one.name))) for one in columns if one.primary]
        yield entity(
            "task",
            name,
            about=[found[0].section.words],
            facts=[
                ("ranks by", ranks),
                ("metrics", [(one.name, page("metric", base_of(one.name))) for one in columns]),
            ],
            tables=[matrix_table("Methods by dataset", methods_of(found), found)],
        )


def base_of(metric: str) -> str:
    """A metric's name without its variant."""
    return metric.partition("[")[0]


def metrics(places: Sequence[Place]) -> Iterator[Entity]:
    """A page for every metric."""
    known = by(places, lambda place: [base_of(one.name) for one in place.section.columns])
    for name, found in known.items():
        rows = []
        for place in found:
            for column in place.section.columns:
                if base_of(column.name) == name:
                    floor = (
                        Cell(column.floor, href=page("floor", column.floor))
                        if column.floor
                        else Cell("–")
                    )
                    rows.append(
                        (
                            Cell(place.section.place, href=page("dataset", place.section.dataset)),
                            Cell(place.section.task, href=place.path),
                            Cell(column.name),
                            Cell("yes" if column.primary else "no"),
                            floor,
                            Cell(place.board),
                        )
                    )
        one = next(one for one in found[0].section.columns if base_of(one.name) == name)
        ends = " to ".join("open" if end is None else f"{end:g}" for end in (one.low, one.high))
        heads = ("dataset", "task", "metric", "ranks", "best floor", "board")
        yield entity(
            "metric",
            name,
            facts=[
                ("better", [(one.direction, "")]),
                ("range", [(ends, "")]),
                ("version", [(str(one.version), "")]),
            ],
            tables=[Table("Where it counts", "", heads, tuple(rows), (*heads,))],
        )


def board_page(
    name: str,
    board: Board,
    places: Sequence[Place],
    pictures: Sequence[Drawn],
    files: Sequence[str],
) -> dict[str, Any]:
    """The front of one board."""
    links = {id(place.section): place.name for place in places}
    folder = f"board/{slug(name)}"
    return {
        "title": name,
        "path": [("boards", "index.html#everything")],
        "about": [board.headline, purpose(board), *board.answer, *board.remarks],
        "facts": [
            ("made", [(text, "") for text in (*facts_of(board.made), kept_secret(board)) if text]),
            ("download", [(file, f"{folder}/{file}") for file in files]),
            (
                "sections",
                [(f"{one.section.task} on {one.section.place}", one.path) for one in places],
            ),
        ],
        "recipes": [
            ("How to make this board", recipe_of(board.made)),
            ("BibTeX", bibtex(name, board)),
        ],
        "transfers": transfer_cards(board.transfers),
        "glances": [
            glance_of(matrix, f"g{i}", links) for i, matrix in enumerate(board.matrices, 1)
        ],
        "growths": [growth_card(growth, f"c{i}") for i, growth in enumerate(board.growths, 1)],
        "pictures": [one for one in pictures if one.section is None],
    }


def bibtex(name: str, board: Board) -> str:
    """How to cite a board."""
    made = board.made
    year = made.last[:4] if made else ""
    facts = "; ".join(facts_of(made))
    lines = [f"title = {{kobench leaderboard {name}}}", f"year = {{{year}}}", f"note = {{{facts}}}"]
    return f"@misc{{kobench-{slug(name)},\n  " + ",\n  ".join(lines) + "\n}"


def sections(
    name: str, board: Board, places: Sequence[Place], pictures: Sequence[Drawn]
) -> Iterator[tuple[str, str]]:
    """A page for every section of a board."""
    shared = shared_notes(board.sections)
    for place in places:
        section = place.section
        own = [one for one in pictures if one.section is section]
        card = card_of(board, section, "scores", shared.get(section.dataset_name), own)
        content = {
            "title": card.title,
            "path": [(name, f"board/{slug(name)}/index.html")],
            "facts": [
                ("task", [(section.task, page("task", section.task))]),
                ("dataset", [(section.dataset, page("dataset", section.dataset))]),
            ],
            "card": card,
            "meanings": meanings_of([card]),
            "open": "",
            "close": "",
        }
        yield written(place.path, "site/section.html", content)
