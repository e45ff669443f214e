"""A table that says which genes each label means, as a user brings it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from kobench.errors import UserError
from kobench.util.bounded import read_bounded
from kobench.util.text import visible

#: Bytes that a table may hold: its content goes into the card.
MOST = 1 << 19

#: What its columns are called: the label, and its genes joined by `+`.
COLUMNS = ("label", "genes")

#: What may part the columns.
DELIMITERS = (",", "\t", ";")


def read_label_table(path: Path) -> dict[str, str]:
    """Label -> its genes, by a table with the columns `label` and `genes`.

    Parameters
    ----------
    path : Path
        A text file with commas, tabs or semicolons between columns; other columns are left alone.

    Raises
    ------
    UserError
        Where it can't be read, lacks a column, says nothing of a label or two things, with the
        number of the line.
    """
    where = f"table of labels {path}"
    try:
        text = read_bounded(path, MOST).decode("utf-8-sig")
    except (FileNotFoundError, PermissionError) as error:
        raise UserError(
            f"{where} cannot be read ({error.strerror}); give one that is there and that you may"
            " read"
        ) from error
    except (OSError, ValueError) as error:
        raise UserError(
            f"{where} cannot be read ({str(error).splitlines()[0]}); give a .csv file in UTF-8 with"
            f" the columns {' and '.join(COLUMNS)}"
        ) from error
    head = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        names = [name.strip() for name in lines.fieldnames or ()]
        lines.fieldnames = names
        missing = [column for column in COLUMNS if column not in names]
        if missing:
            found = ", ".join(visible(name, 40) for name in names) or "nothing"
            raise UserError(
                f"{where} lacks the column {' and '.join(missing)} (its first line has {found});"
                " its first line must name the columns label and genes"
            )
        return _read(lines, where)
    except csv.Error as error:
        raise UserError(f"{where}, line {lines.line_num}: {error}; correct it") from error


def _read(lines: csv.DictReader[str], where: str) -> dict[str, str]:
    """The lines below the head."""
    found: dict[str, str] = {}
    for row in lines:
        label, genes = ((row[column] or "").strip() for column in COLUMNS)
        if not label and not genes:
            continue
        line = f"{where}, line {lines.line_num}"
        if not label or not genes:
            raise UserError(
                f"{line} has no {'label' if genes else 'genes'}; give both (genes joined by `+`, or"
                " the control)"
            )
        before = found.setdefault(label, genes)
        if before != genes:
            raise UserError(
                f"{line}: label {visible(label, 60)!r} means {visible(genes, 60)!r} there and"
                f" {visible(before, 60)!r} further up; leave one of them out"
            )
    if not found:
        raise UserError(f"{where} has no line below its head; give one for each label")
    return found
