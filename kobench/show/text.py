"""A trial, or a list of trials, as lines for a terminal: a screen of them, or everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kobench.errors import BAD
from kobench.results.parts import Record
from kobench.results.records import identity
from kobench.show.facts import number, unranked_of, used_of
from kobench.show.find import SHOWN, place_of, tasks_of
from kobench.util.text import one_line, shortened

#: Lines of a screen, the prompt after it among them.
SCREEN = 24

#: How much of a reason stands in a list, in characters.
REASON = 60

#: Lines at least that each part keeps which may be cut.
LEAST = 4


@dataclass(frozen=True)
class Part:
    """Lines under a head, of which some may be left out.

    Attributes
    ----------
    head : str
        What they are.
    lines : sequence of str
        The lines.
    names : sequence of str
        Lines that stay, above the others: the names of columns.
    last : bool
        Whether the last ones are those that matter; else the first ones.
    """

    head: str
    lines: Sequence[str]
    names: Sequence[str] = ()
    last: bool = False

    def cut(self, most: int) -> list[str]:
        """At most so many lines, the head among them; what was left out is said there."""
        keep = most - 1 - len(self.names)
        if len(self.lines) <= keep:
            return [self.head, *self.names, *self.lines]
        if keep < 1:  # a head alone says nothing
            return []
        kept = self.lines[-keep:] if self.last else self.lines[:keep]
        which = "the last " if self.last else ""
        head = f"{self.head}: {which}{keep} of {len(self.lines)}, all with -v"
        return [head, *self.names, *kept]

    def __len__(self) -> int:
        return 1 + len(self.names) + len(self.lines)


def show(known: Mapping[str, Any], width: int, whole: bool = False) -> list[str]:
    """A trial as lines.

    Parameters
    ----------
    known : mapping
        What `kobench.show.facts.facts` gives.
    width : int
        Columns of the terminal. The line to copy is never cut.
    whole : bool
        Whether everything is shown; else as much as a screen of `SCREEN` lines takes.
    """
    head, scores, tail = head_of(known), scores_of(known), tail_of(known)
    parts = [*traceback_of(known), *output_of(known), *tables_of(known, None if whole else width)]
    if whole:
        return [*head, *scores, *(line for part in parts for line in part.cut(len(part))), *tail]
    copied = -(-len(known["again"]) // width)  # lines of the terminal that it takes
    kept = scores[: SCREEN // 3]
    room = SCREEN - len(head) - len(kept) - len(tail) - copied
    lines = [*head, *kept, *fitted(parts, room), *tail[:-1]]
    return [*(shortened(line, width) for line in lines), tail[-1]]


def fitted(parts: Sequence[Part], room: int) -> list[str]:
    """As many lines of each part as there is room for; the first is given what others leave."""
    found: list[str] = []
    for place, part in enumerate(parts):
        others = sum(min(len(other), LEAST) for other in parts[place + 1 :])
        lines = part.cut(max(room - others, min(room, LEAST)))
        room -= len(lines)
        found += lines
    return found


def head_of(known: Mapping[str, Any]) -> list[str]:
    """What trial it is, and how it ended."""
    split, role = known["split"], known["role"]
    train = f", trained on {split['train']}" if split.get("train") else ""
    which = (
        f"{known['predictor']} on {known['dataset']}, {split['name']} split {split['seed']}"
        f"{train}, fit seed {known['fit_seed']} ({role}, record {known['record'][:SHOWN]})"
    )
    why = known["found"] or known["message"]
    ended = f"{known['status']} in {known['stage']}: {why}" if why else str(known["status"])
    return [one_line(which), one_line(ended)]


def traceback_of(known: Mapping[str, Any]) -> list[Part]:
    """The end of the predictor's traceback."""
    lines = indented(known["traceback"])
    return [Part("traceback, the deepest call last", lines, last=True)] if lines else []


def output_of(known: Mapping[str, Any]) -> list[Part]:
    """The end of what was printed."""
    lines = indented([line for line in known["output"] if line.strip()])
    return [Part("the end of what it printed", lines, last=True)] if lines else []


def scores_of(known: Mapping[str, Any]) -> list[str]:
    """A line for each task with its primary scores; tasks without any, for one reason, in one."""
    said: dict[str, list[str]] = {}
    for label, task in known["tasks"].items():
        said.setdefault(scores_text(task, known["status"]), []).append(label)
    return [one_line(f"{', '.join(labels)}: {text}") for text, labels in said.items()]


def scores_text(task: Mapping[str, Any], status: str) -> str:
    """The primary scores of a task, or of one by which nobody is ranked its first ones and why."""
    scores, missing = task["scores"], task["missing"]
    names = [*task["primary"]] or [*scores][:2]
    reasons = {name: missing.get(name, "not scored") for name in names if name not in scores}
    told = [f"{name} {number(scores[name])}" for name in names if name in scores]
    by_reason: dict[str, list[str]] = {}
    for name, why in reasons.items():
        by_reason.setdefault(why, []).append(name)
    told += [f"{', '.join(each)} none ({why})" for why, each in by_reason.items()]
    text = ", ".join(told) or (f"no scores ({status})" if status != "ok" else "no scores")
    why = task.get("unranked", "")
    return f"{text}; nobody is ranked: {why}" if why else text


def tables_of(known: Mapping[str, Any], width: int | None) -> list[Part]:
    """The single units of each task, worst first, with the columns for which there is room."""
    found = []
    for label, task in known["tasks"].items():
        units = task.get("units")
        if units and units["rows"]:
            rows = [units["columns"], *([number(cell) for cell in row] for row in units["rows"])]
            shown, left_out = that_fit(rows, width)
            more = f" ({len(left_out)} columns more with -v)" if left_out else ""
            head = f"{label} by {units['of']}, worst {units['by']} first{more}"
            names, *lines = indented(in_columns(shown))
            found.append(Part(one_line(head), lines, [names]))
    return found


def that_fit(
    rows: Sequence[Sequence[str]], width: int | None
) -> tuple[list[Sequence[str]], Sequence[str]]:
    """Rows without the last columns, as far as they are too wide; and the names of those."""
    count = len(rows[0])
    if width is not None:
        while count > 2 and max(map(len, indented(in_columns([r[:count] for r in rows])))) > width:
            count -= 1
    return [row[:count] for row in rows], rows[0][count:]


def tail_of(known: Mapping[str, Any]) -> list[str]:
    """What it used, the sandbox, versions, and the line to copy, which is the last one."""
    versions, sandbox = known["versions"], known["sandbox"]
    box = "no process was started"
    if sandbox is not None:
        box = f"{sandbox['mode']}, {sandbox['open'] or 'nothing open'}"
        box += f"; readable: {', '.join(sandbox['readable'])}" if sandbox["readable"] else ""
    where = f" in environment {versions['environment']}" if versions["environment"] else ""
    predictor = versions["predictor"]
    packages = ", ".join(f"{name} {version}" for name, version in versions["packages"].items())
    code = str(predictor["code"])[:SHOWN]
    lines = [
        f"used: {used_of(known)}",
        f"sandbox: {box}",
        f"versions: kobench {versions['kobench']}, Python {versions['python']}{where},"
        f" {predictor['distribution']} {predictor['version']} (code {code}), dataset"
        f" {versions['dataset']}" + (f"; {packages}" if packages else ""),
    ]
    if units := known["units_in"]:
        lines.append(f"single perturbations or genes: none kept here, in record {units} they are")
    asked = f" ({'; '.join(known['unsure'])})" if known["unsure"] else ""
    return [*map(one_line, lines), f"the same question again{one_line(asked)}:", known["again"]]


def listed(records: Sequence[Record], task: str, width: int, whole: bool = False) -> list[str]:
    """Several trials, one a line, those that failed first.

    Parameters
    ----------
    records : sequence of Record
        The trials, in order.
    task : str
        Name or label of the one task whose scores are shown; "" for all.
    width : int
        Columns of the terminal.
    whole : bool
        Whether all are listed; else as many as a screen takes.
    """
    most = len(records) if whole else SCREEN - 5
    rows = [
        [
            identity(record.trial)[:SHOWN],
            record.trial.predictor.selection,
            place_of(record),
            outcome_of(record, task),
        ]
        for record in records[:most]
    ]
    table = [["record", "row", "dataset, split and seed", "outcome"], *rows]
    if len({record.trial.predictor.selection for record in records}) == 1:
        table = [[cell for place, cell in enumerate(row) if place != 1] for row in table]
    lines = in_columns(table)
    if len(records) > most:
        lines.append(f"and {len(records) - most} more; -v lists all")
    lines = list(map(one_line, lines))
    return lines if whole else [shortened(line, width) for line in lines]


def outcome_of(record: Record, task: str) -> str:
    """How a trial ended, or its first primary scores."""
    result = record.result
    if result.status in BAD:
        return f"{result.status} in {result.stage}: {record.run.found or result.message}"
    if result.status != "ok":
        return result.status
    told = []
    for label in tasks_of(record, task):
        scores = result.scores.get(label)
        first = scores.metrics.get(scores.primary[0]) if scores and scores.primary else None
        if first is not None and first.value is not None:
            told.append(f"{label} {number(first.value)}")
        elif why := unranked_of(record, label):
            told.append(f"{label} not ranked ({shortened(why, REASON)})")
        elif scores is not None and scores.primary:
            told.append(f"{label} none ({'not scored' if first is None else first.missing})")
    return ", ".join(told) or "ok"


def indented(lines: Sequence[str]) -> list[str]:
    """Lines under a head."""
    return [f"  {one_line(line)}" for line in lines]


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, one column under the other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
