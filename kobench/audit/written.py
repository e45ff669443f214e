"""A report in a file, by its ending; pictures of a Markdown document lie in a folder beside it."""

from __future__ import annotations

import json
from pathlib import Path

from kobench.audit.render import drawings, html, markdown
from kobench.audit.report import Report
from kobench.util.files import write_atomically

#: What a file may end in.
ENDINGS = (".html", ".md", ".json")


def write(report: Report, path: Path) -> list[Path]:
    """Write a report; returns the files.

    Parameters
    ----------
    report : Report
    path : Path
        Its ending is one of `ENDINGS` and says what is written.

    Returns
    -------
    list of Path
        The report first, then its pictures.
    """
    ending = path.suffix.lower()
    if ending == ".json":
        return _written({path: json.dumps(report.to_json(), indent=1) + "\n"})
    pictures = drawings(report)
    if ending == ".html":
        return _written({path: html(report, pictures)})
    folder = path.with_name(f"{path.stem}-pictures")
    named = {key: f"{folder.name}/{key}.svg" for key in pictures}
    files = {path: markdown(report, named)}
    return _written(files | {folder / f"{key}.svg": svg for key, svg in pictures.items()})


def _written(texts: dict[Path, str]) -> list[Path]:
    for path, text in texts.items():
        write_atomically(path, text.encode())
    return list(texts)
