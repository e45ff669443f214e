"""Write what the pages here have from the code and from the published boards.

Run it as `python docs/generate.py`. docs/metrics.md and docs/tasks.md: the line **Record.** under
each heading, from the specs. docs/floors.md: what every trivial predictor and reference line
scores, from the records in leaderboards/. docs/records.md and docs/records.schema.json: what a
record holds, from the types in kobench/results/. docs/datasets.md and docs/cards.schema.json: what
a card can say, from kobench/datasets/card_keys.py. With --check nothing is written; it fails if a
page is out of date.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import kobench.builtin
from kobench.datasets import card_schema
from kobench.datasets.cards import builtin_loaders
from kobench.results.parts import Record, TaskScores, TrialInfo
from kobench.results.records import (
    MOST_DAMAGED,
    MOST_PACKED,
    MOST_RECORD,
    SCHEMA,
    read_records,
)
from kobench.results.schema import field_words, json_schema, parts_of, summary_of, type_words
from kobench.runner.older import KEPT
from kobench.specs import MetricSpec, TaskSpec
from kobench.util.bounded import size_text
from kobench.util.files import DEEPEST, LARGEST

DOCS = Path(__file__).parent
BOARDS = DOCS.parent / "leaderboards"

#: A board with more datasets than this gets one table a task, over all of them, instead of one a
#: dataset.
TABLES = 3

METRICS: list[MetricSpec] = list(kobench.builtin.plugin.kobench_metrics())
TASKS: list[TaskSpec] = list(kobench.builtin.plugin.kobench_tasks())

#: Data set -> predictor -> scores of its records.
Datasets = Mapping[str, Mapping[str, Sequence[TaskScores]]]

#: The units of each kind, as the pages call them.
KINDS = {
    "profile": "profiles",
    "impact": "impacts",
    "ranking": "a ranking",
    "response": "responses",
    "interaction": "interactions",
    "screen": "screens",
    "structure": "structures",
}

#: What each question set asks.
ASKED = {
    "profile": "held-out assemblages",
    "transfer": "assemblages of every group of cells",
    "singles": "single knockouts of the asked cells",
    "response": "perturbations of the population",
    "cells": "counted cells of perturbations",
    "doubles": "knockouts of two genes at once",
    "triples": "knockouts of three genes at once",
}

#: The truth that a task needs.
TRUTHS = {
    "wild-type": "wild-type cells",
    "counterfactual": "counterfactual truth",
    "population": "measured knockouts",
    "any": "counterfactual or measured knockouts",
}


# ------------------------------------------------------------------ records of metrics and tasks


def heading(spec: MetricSpec | TaskSpec) -> str:
    """What a metric or task is called on its page."""
    return spec.label if isinstance(spec, TaskSpec) else f"{spec.name} ({spec.of})"


def number(value: float) -> str:
    """A bound in words.

    >>> number(1.0), number(float("-inf"))
    ('1', 'no end')
    """
    return f"{value:g}" if math.isfinite(value) else "no end"


def listed(names: Iterable[str]) -> str:
    """Names as code, with commas; "none" without any."""
    return ", ".join(f"`{name}`" for name in names) or "none"


def record_of_metric(spec: MetricSpec) -> str:
    """Version, summary, direction, range and where it counts."""
    used = [
        task
        for task in TASKS
        if task.of == spec.of and (spec.tasks is None or task.name in spec.tasks)
    ]
    leads, beside = [], []
    for task in used:
        link = f"[{task.label}](tasks.md#{anchor(task.label)})"
        names = [name for name in task.primary if name.partition("[")[0] == spec.name]
        if names:
            leads.append(link if names == [spec.name] else f"{link} as {listed(names)}")
        else:
            beside.append(link)
    places = [
        f"{what} {', '.join(links)}"
        for what, links in (("primary in", leads), ("beside the primary in", beside))
        if links
    ]
    blocks = sorted({task.block for task in used})
    return (
        f"Version {spec.version}: {spec.summary}. {spec.direction.capitalize()} is better; best"
        f" {number(spec.best)}, from {number(spec.low)} to {number(spec.high)},"
        f" tolerance {number(spec.tolerance)}. Used"
        f" {'; '.join(places)}. Drawn again for intervals: {', '.join(blocks)}. [What floors"
        f" score](floors.md#{anchor(used[0].label)})."
    )


def record_of_task(spec: TaskSpec) -> str:
    """What is asked, scored and compared with."""
    return (
        f"{spec.summary[:1].upper()}{spec.summary[1:]}. Asks: {ASKED[spec.asks]}; needs"
        f" {TRUTHS[spec.truth]}. Units: {KINDS[spec.of]}. Primary: {listed(spec.primary)}. Drawn"
        f" again for intervals: {spec.block}. Floors: {listed(spec.floors)}; [what they"
        f" score](floors.md#{anchor(spec.label)}). Lines: {listed(spec.lines)}."
    )


def with_records(page: str, records: Mapping[str, str]) -> str:
    """A page with `- **Record.**` on top of the list under each heading.

    Parameters
    ----------
    page : str
        The page.
    records : mapping of str to str
        The text under each heading `### NAME`.

    Raises
    ------
    ValueError
        If there is no such heading.
    """
    for name, text in records.items():
        line = f"- **Record.** {text}"
        head = f"\n### {name}\n"
        if page.count(head) != 1:
            raise ValueError(
                f"a page has {page.count(head)} sections {name!r}; write one, `### {name}` and its"
                " list"
            )
        before, after = page.split(head)
        section, mark, rest = after.partition("\n##")
        if "- **Record.**" in section:
            section = re.sub(r"- \*\*Record\.\*\*.*", lambda _, line=line: line, section, count=1)
        else:
            first = section.index("- **") if "- **" in section else len(section)
            section = f"{section[:first]}{line}\n{section[first:]}"
        page = before + head + section + mark + rest
    return page


# ------------------------------------------------------------------ what floors score


def anchor(title: str) -> str:
    """The link to a heading, as GitHub makes it.

    >>> anchor("double-knockout@1"), anchor("crispr: `hipsc-ko`")
    ('double-knockout1', 'crispr-hipsc-ko')
    """
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def board_folders() -> list[Path]:
    """Every published board, by name."""
    return sorted(
        path
        for path in BOARDS.iterdir()
        if (path / "records.jsonl.gz").exists() or (path / "records").is_dir()
    )


def floors_page(boards: Mapping[str, Sequence[Record]]) -> str:
    """Markdown: for each task and board, the mean score of every floor and line by every metric."""
    out = [
        "# What floors score",
        "",
        "Made by `python docs/generate.py` from the records of the published boards; do not edit.",
        "",
        (
            "Means over networks (data seeds), splits and fits. Floors are trivial predictors, see"
            " [tasks.md](tasks.md#the-floors), [what was tried](know-nothing.md); columns in"
        ),
        (
            "italics are lines, answers that the dataset itself gives. **Bold**: the best floor by"
            " a primary metric, where skill is 0."
        ),
        (
            '"none": the answer gives no ranking. "–": not answered, or not computed on these'
            " units. Under 1e-6 is 0. Several datasets in one"
        ),
        "table: the mean over them, the lowest and the highest in brackets.",
        "",
    ]
    for task in TASKS:
        for label in [task.label, *older_labels(task, boards)]:
            out += [f"## {label}", ""]
            if label != task.label:
                out += [f"The task is {task.label} now; these boards were run before.", ""]
            tables = [
                table
                for name, records in boards.items()
                for table in tables_of(name, records, label)
            ]
            out += tables or ["No published board has this task.", ""]
    return "\n".join(out)


def older_labels(task: TaskSpec, boards: Mapping[str, Sequence[Record]]) -> list[str]:
    """The labels of other versions of a task that published boards still have, newest first."""
    found = {
        label
        for records in boards.values()
        for record in records
        for label in record.result.scores
        if label.rpartition("@")[0] == task.name and label != task.label
    }
    return sorted(found, key=lambda label: -int(label.rpartition("@")[2]))


def tables_of(board: str, records: Sequence[Record], label: str) -> list[str]:
    """The tables of one task on one board, as lines."""
    found: dict[str, dict[str, list[TaskScores]]] = {}
    for record in records:
        scores = record.result.scores.get(label)
        if record.role != "predictor" and scores is not None:
            by_row = found.setdefault(dataset_of(record.trial), {})
            by_row.setdefault(record.trial.predictor.selection, []).append(scores)
    if not found:
        return []
    if len(found) <= TABLES:
        return [
            line
            for name in sorted(found)
            for line in table(f"{board}: `{name}`", {name: found[name]})
        ]
    return table(f"{board}: {len(found)} datasets", found)


def dataset_of(trial: TrialInfo) -> str:
    """The dataset without its seed; with the split, unless that is the usual one for its truth."""
    split = trial.split.name
    usual = "halves" if trial.dataset.truth == "population" else "holdout"
    return trial.dataset.group + ("" if split == usual else f" split {split}")


def table(title: str, datasets: Datasets) -> list[str]:
    """One table as lines: metrics by floors and lines; `title` stands above it."""
    every = every_of(datasets)
    floors, lines = (
        [name for name in names if any(name in one for one in datasets.values())]
        for names in (every[0].floors, every[0].lines)
    )
    shown = {name: entry for scores in every for name, entry in scores.metrics.items()}
    if every[0].asks == "transfer":  # one variant a group of cells is the board's business
        shown = {name: entry for name, entry in shown.items() if "[" not in name}
    primary = {name for scores in every for name in scores.primary}
    records = most_records(datasets)
    each = " and dataset" if len(datasets) > 1 else ""
    out = [
        f"**{title}**, {records} record{'s' * (records != 1)} a floor{each}.",
        "",
        "| | " + " | ".join([*floors, *(f"*{name}*" for name in lines)]) + " |",
        "|---" * (1 + len(floors) + len(lines)) + "|",
    ]
    for metric in sorted(shown, key=lambda name: (name not in primary, name)):
        values = {name: values_of(datasets, name, metric) for name in (*floors, *lines)}
        of_floors = {name: values[name] for name in floors if values[name]}
        best = best_of(of_floors, shown[metric].direction) if metric in primary else set()
        cells = [
            cell(found, missing_of(datasets, name, metric), name in best)
            for name, found in values.items()
        ]
        out.append(f"| {metric.replace('[', chr(92) + '[')} | " + " | ".join(cells) + " |")
    return [*out, ""]


def every_of(datasets: Datasets) -> list[TaskScores]:
    """The scores of every record."""
    return [scores for one in datasets.values() for several in one.values() for scores in several]


def most_records(datasets: Datasets) -> int:
    """The largest number of records of one predictor on one data set."""
    return max(
        len({id(scores) for scores in several})
        for one in datasets.values()
        for several in one.values()
    )


def best_of(values: Mapping[str, Sequence[float]], direction: str) -> set[str]:
    """The names whose values have the best mean; `direction` is "lower" or "higher".

    >>> sorted(best_of({"a": [1.0, 2.0], "b": [1.5], "c": [3.0]}, "lower"))
    ['a', 'b']
    """
    sign = -1 if direction == "lower" else 1
    means = {name: sign * sum(found) / len(found) for name, found in values.items()}
    return {name for name, mean in means.items() if mean == max(means.values())}


def values_of(datasets: Datasets, name: str, metric: str) -> list[float]:
    """The mean of one predictor by one metric on each dataset that has a value."""
    found = []
    for one in datasets.values():
        values = [
            scores.metrics[metric].value for scores in one.get(name, []) if metric in scores.metrics
        ]
        known = [value for value in values if value is not None]
        if known:
            found.append(sum(known) / len(known))
    return found


def missing_of(datasets: Datasets, name: str, metric: str) -> str:
    """Why there is no value."""
    entries = [
        scores.metrics.get(metric) for one in datasets.values() for scores in one.get(name, [])
    ]
    none = any(entry is not None and entry.missing == "none" for entry in entries)
    return "none" if none else "–"


def cell(values: Sequence[float], missing: str, best: bool) -> str:
    """A mean, with its range over several datasets.

    >>> cell([0.5], "–", True), cell([0.1, 0.3], "–", False), cell([], "none", False)
    ('**0.500**', '0.200 [0.100, 0.300]', 'none')
    """
    if not values:
        return missing
    mean, low, high = (
        short(value) for value in (sum(values) / len(values), min(values), max(values))
    )
    text = f"**{mean}**" if best else mean
    return text if low == high else f"{text} [{low}, {high}]"


def short(value: float) -> str:
    """Three decimals, or two digits of a smaller number; 0 under 1e-6.

    >>> short(-0.4567), short(0.00012345), short(-1e-7)
    ('-0.457', '1.2e-04', '0.000')
    """
    if 1e-6 <= abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value if abs(value) >= 1e-6 else 0.0:.3f}"


# ------------------------------------------------------------------ what a record holds


#: What happens to records that can't be read, paragraph by paragraph.
UNREADABLE = (
    "## What can't be read",
    "",
    "Every name in `records/` that ends in `.json` is taken for a record; other names are not"
    " looked at. One that is empty, cut off, no JSON (NaN is"
    " none), no plain file, of a newer format, or otherwise no record costs itself alone:",
    "",
    "- `kobench board` leaves it out. One remark, on standard error and on the board itself, says"
    " how many were left out, names the first with the reason, and says what to do. The exit code"
    " is 1, also with `--check` and `--pack`.",
    "- `kobench run` reads only the records of its own trials. A trial whose record can't be read"
    " is done anew. The old file is not lost, since a newer kobench may be able to read it: it"
    " stays beside the new one, as `NAME.json.aside-1`. A remark says so, and the exit code is 1."
    " With `--fresh` such a record is replaced as any other is; a folder in its place is set"
    " aside.",
    "- Stored answers that can't be read are asked for again.",
    "- Of a damaged `records.jsonl.gz`, what can be read is used, and the rest is named by line."
    f" After {MOST_DAMAGED:,} damaged lines no more is read.",
    "- `read_records(folder)` raises an error for the first; `read_records(folder, left_out)` goes"
    " on, and its `LeftOut` has the remark. The pages of this documentation are made of published"
    " records by the first, so none can be missing from them.",
    "",
    f"Reading has limits, so that a small file can't fill the memory: {size_text(MOST_RECORD)} for"
    f" a record, {size_text(MOST_PACKED)} for what a packed file unpacks to, {DEEPEST} levels of"
    f" nesting, {LARGEST:g} for a number. Packed records are read line by line.",
)


#: What happens to results where code has changed, paragraph by paragraph.
VERSIONS = (
    "## Older versions",
    "",
    "A trial has one record, in `records/`. Where the code of its predictor or floor has changed"
    " (`trial.predictor.digest`, or what `--readable` names), the record of the older code moves to"
    " `older/CODE/` when the new one is written, with the scores of all its tasks. CODE is the"
    " first 12 digits of the digest.",
    "",
    "- A row of a board is of one version on each dataset and split: the one that was begun last."
    " So all networks, splits and seeds of a row move together. A remark on the board says of which"
    " rows older results are kept, and of how many tasks nothing newer tells. `kobench board"
    " --older` shows older versions of predictors as rows of their own.",
    "- Floors move as predictors do. Where a floor has not been run again for a task, nobody is"
    " compared with it there.",
    "- Put the older code back and run again: its results come back, and nothing is fitted.",
    "- What is done anew (`--fresh`, other data) for some of the tasks moves the earlier record in"
    " the same way. Failures of older code are not kept.",
    f"- On each dataset and split {KEPT} older versions of a row are kept. Older ones are removed,"
    " with their stored answers that no other record names; the run says so. `kobench versions`"
    " lists all versions of a folder, and `kobench versions FOLDER --remove CODE` (or `--remove"
    " all`) removes older ones.",
    "- `kobench board --pack` publishes each method by its newest version, and says which.",
    "",
)


def records_page() -> str:
    """docs/records.md: the parts of a record, field by field."""
    out = [
        "# Records",
        "",
        "Made by `python docs/generate.py` from the types in `kobench/results/`; do not edit.",
        "",
        "A run writes one JSON file a trial, `records/*.json` in its results folder. This is format"
        f" {SCHEMA}; older files are upgraded when they are read, newer ones are refused. A folder"
        " packed for publishing has `records.jsonl.gz` instead, one record a line. The same as a"
        " JSON Schema: [records.schema.json](records.schema.json). Keys that stand in no table here"
        " are kept as they are.",
        "",
        "In Python, `kobench.results.records.read_records(folder)` gives these records with the"
        " fields as attributes: `record.result.scores[label].metrics[name].value`.",
        "",
        *VERSIONS,
        *UNREADABLE,
    ]
    for part in parts_of(Record):
        out += ["", f"## {part.__name__}", "", summary_of(part), ""]
        out += ["| key | type | what it is |", "|---|---|---|"]
        out += [
            f"| `{name}` | {type_words(part, name)} | {words} |"
            for name, words in field_words(part).items()
        ]
    return "\n".join(out) + "\n"


def schema_file() -> str:
    """docs/records.schema.json."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"


# ------------------------------------------------------------------ what a card can say


def with_block(page: str, name: str, text: str) -> str:
    """A page with a text between its marks `<!-- NAME -->` and `<!-- /NAME -->`.

    >>> with_block("a <!-- x -->old<!-- /x --> b", "x", "new")
    'a <!-- x -->\\nnew\\n<!-- /x --> b'
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if page.count(start) != 1 or page.count(end) != 1:
        raise ValueError(f"a page needs the marks {start} and {end}, each once")
    before, _, rest = page.partition(start)
    return f"{before}{start}\n{text}\n{end}{rest.partition(end)[2]}"


def cards_page() -> str:
    """docs/datasets.md: written by hand, with the tables of a card's keys."""
    page = (DOCS / "datasets.md").read_text(encoding="utf-8")
    return with_block(page, "card keys", card_schema.tables())


def cards_schema_file() -> str:
    """docs/cards.schema.json."""
    schema = card_schema.json_schema(builtin_loaders())
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


# ------------------------------------------------------------------ the command


def generated() -> dict[Path, str]:
    """Every page, as it should be."""
    pages = {
        "metrics.md": {heading(spec): record_of_metric(spec) for spec in METRICS},
        "tasks.md": {heading(spec): record_of_task(spec) for spec in TASKS},
    }
    out = {
        DOCS / name: with_records((DOCS / name).read_text(encoding="utf-8"), records)
        for name, records in pages.items()
    }
    boards = {folder.name: list(read_records(folder)) for folder in board_folders()}
    return {
        **out,
        DOCS / "cards.schema.json": cards_schema_file(),
        DOCS / "datasets.md": cards_page(),
        DOCS / "floors.md": floors_page(boards),
        DOCS / "records.md": records_page(),
        DOCS / "records.schema.json": schema_file(),
    }


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check say which are out of date."""
    old = 0
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            old += 1
            print(
                f"{path.relative_to(DOCS.parent)}"
                f" {'is out of date' if '--check' in arguments else 'written'}"
            )
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    return int("--check" in arguments and old > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
