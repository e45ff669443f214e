"""A report as HTML, Markdown or text for a terminal. All texts pass one border: `shown`."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from kobench.audit.report import VERDICTS, Part, Report, Table
from kobench.board.pictures import available
from kobench.board.pictures.svg import svg_of
from kobench.board.render.html.elements import esc, simple_table, text_cells
from kobench.board.render.html.page import file_text
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
    items = "".join(
        f'<li><a href="#{esc(part.key)}">{esc(part.title)}</a> {_mark(part)}</li>'
        for part in report.parts
    )
    notes = "".join(f"<li>{esc(shown(note))}</li>" for note in report.notes)
    head = "".join(f"<p>{esc(shown(text))}</p>" for text in about(report))
    if not available():
        head += f'<p class="soft">{esc(NO_PICTURES)}</p>'
    listing = f"<h2>What the data set says of itself</h2><ul>{notes}</ul>" if notes else ""
    parts = "\n".join(_html_part(part, pictures.get(part.key, "")) for part in report.parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>{esc(TITLE)}: {esc(shown(report.dataset))}</title>
<style>
{file_text("page.css")}
h1, h2, li, p {{ overflow-wrap: anywhere; }}
.verdicts li {{ margin: 3px 0; }}
.verdicts .mark, h2 .mark {{ padding: 0 8px; font-weight: 500; }}
.pictures figcaption {{ color: var(--soft); font-size: 13px; }}
@media (prefers-color-scheme: dark) {{
  .pictures figure {{ background: none; padding: 0; }}
  .pictures svg {{ filter: invert(0.88) hue-rotate(180deg); border-radius: 6px; }}
}}
</style>
</head>
<body>
<header>
<h1>{esc(TITLE)}: {esc(shown(report.dataset))}</h1>
{head}
<ul class="verdicts">{items}</ul>
</header>
<main>
{parts}
{f'<section class="card">{listing}</section>' if listing else ""}
</main>
</body>
</html>
"""


def _mark(part: Part) -> str:
    return f'<span class="mark {MARKS[part.verdict]}">{esc(VERDICTS[part.verdict])}</span>'


def _html_part(part: Part, svg: str) -> str:
    figure = ""
    if svg and part.picture is not None:
        caption = esc(shown(part.picture.caption))
        figure = (
            f'<div class="pictures"><figure role="img" aria-label="{caption}">{svg.strip()}'
            f'</figure><p class="soft">{caption}.</p></div>'
        )
    tables = "".join(map(_html_table, part.tables))
    return (
        f'<section class="card" id="{esc(part.key)}"><h2>{esc(part.title)} {_mark(part)}</h2>'
        f'<p class="sentence">{esc(shown(part.sentence))}</p>{figure}{tables}</section>'
    )


def _html_table(table: Table) -> str:
    rows = table.rows[: len(table.rows) - table.left_out]
    text = simple_table(
        [cell(head) for head in table.heads],
        [text_cells([cell(each) for each in row[1:]]) for row in rows],
        [cell(row[0]) for row in rows],
        "glance",
    )
    more = left_out(table)
    return text + (f'<p class="soft">{esc(more)}</p>' if more else "")


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
