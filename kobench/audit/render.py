"""A report as HTML, Markdown or text for a terminal. All texts pass one border: `shown`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from kobench.audit.report import VERDICTS, Report, Table
from kobench.board.pictures import available
from kobench.board.pictures.svg import svg_of
from kobench.board.render.html.templates import environment, file_text
from kobench.board.render.markdown.elements import escape, table_lines
from kobench.util.text import one_line, shortened

TITLE = "Audit of a data set"

#: Nothing may be loaded from anywhere, and nothing runs.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

#: Verdict -> the class of its mark on a board's page.
MARKS = {"fine": "better", "look": "same", "bad": "worse", "unknown": "missing"}

#: Characters of a text from the data that are shown in a table.
LETTERS = 60

NO_PICTURES = "Pictures are left out: they need matplotlib, `pip install 'kobench[pictures]'`."


def drawings(report: Report) -> dict[str, str]:
    """The key of a part -> its picture as SVG; nothing without matplotlib."""
    if not available():
        return {}
    return {
        part.key: svg_of(f"audit-{part.key}", part.picture.draw)
        for part in report.parts
        if part.picture is not None
    }


def shown(text: str) -> str:
    """A text on one line, all of it visible."""
    return one_line(text)


def cell(text: str) -> str:
    """A text as it stands in a table."""
    return shortened(shown(text), LETTERS)


def left_out(table: Table) -> str:
    """What is said below a table that is cut; "" where it is whole."""
    return f"{table.left_out:,} more rows are in the JSON." if table.left_out else ""


def about(report: Report) -> list[str]:
    """What is said of the whole report."""
    found = [f"{report.summary}."]
    if report.drawn:
        found.append(
            f"The data are large, so this was drawn to be measured (seed {report.seed}):"
            f" {'; '.join(report.drawn)}. Copies, batches, marks and depth are of all cells."
        )
    return found


def html(report: Report, pictures: Mapping[str, str]) -> str:
    """One page with everything inside, for light and dark."""
    parts = [
        {
            "key": part.key,
            "title": part.title,
            "mark": MARKS[part.verdict],
            "verdict": VERDICTS[part.verdict],
            "sentence": shown(part.sentence),
            "svg": Markup(pictures.get(part.key, "").strip()),
            "caption": shown(part.picture.caption) if part.picture is not None else "",
            "tables": [_table(table) for table in part.tables],
        }
        for part in report.parts
    ]
    return (
        environment("kobench.audit")
        .get_template("page.html")
        .render(
            policy=POLICY,
            title=TITLE,
            dataset=shown(report.dataset),
            css=file_text("page.css"),
            about=[shown(text) for text in about(report)],
            without="" if available() else NO_PICTURES,
            parts=parts,
            notes=[shown(note) for note in report.notes],
        )
    )


def _table(table: Table) -> dict[str, Any]:
    """A table as the template takes it."""
    rows = table.rows[: len(table.rows) - table.left_out]
    return {
        "heads": [cell(head) for head in table.heads],
        "rows": [[cell(text) for text in row] for row in rows],
        "more": left_out(table),
    }


def markdown(report: Report, files: Mapping[str, str]) -> str:
    """A document; `files` names the picture of each part that has one."""
    lines = [f"# {TITLE}: {escape(shown(report.dataset))}", ""]
    for text in about(report):
        lines += [escape(shown(text)), ""]
    lines += table_lines(
        ["what", "verdict", "in a sentence"],
        [(part.title, VERDICTS[part.verdict], shown(part.sentence)) for part in report.parts],
    )
    for part in report.parts:
        lines += [f"## {escape(part.title)}", "", escape(shown(part.sentence)), ""]
        if part.key in files and part.picture is not None:
            lines += [f"![{escape(shown(part.picture.caption))}]({files[part.key]})", ""]
        for table in part.tables:
            rows = table.rows[: len(table.rows) - table.left_out]
            heads = [cell(head) for head in table.heads]
            lines += table_lines(heads, [[cell(text) for text in row] for row in rows])
            if more := left_out(table):
                lines += [more, ""]
    if report.notes:
        lines += ["## What the data set says of itself", ""]
        lines += [f"- {escape(shown(note))}" for note in report.notes] + [""]
    return "\n".join(lines)


def terminal(report: Report, width: int = 80) -> str:
    """The verdicts and sentences."""
    lines = [shown(report.dataset)]
    for text in about(report):
        lines += textwrap.wrap(shown(text), width)
    for part in report.parts:
        lines += ["", f"{part.title} {VERDICTS[part.verdict].upper()}"]
        lines += textwrap.wrap(
            shown(part.sentence), width, initial_indent="  ", subsequent_indent="  "
        )
    return "\n".join(lines) + "\n"
