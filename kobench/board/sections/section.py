"""One section of the board: the rows of a dataset, split and task, and what is said around them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kobench.board.numbers.values import Key
from kobench.board.sections.comparison import Comparison, compare, members_of
from kobench.board.sections.remarks import label_of, remarks_of, warnings_of
from kobench.board.sections.rows import columns_of, rows_of
from kobench.board.sections.sampled import warning_of, with_equal_events
from kobench.board.sections.sentences import sentence_of
from kobench.board.sections.units import points_of, units_of
from kobench.board.table import Section
from kobench.results.about import TaskAbout
from kobench.results.parts import Record
from kobench.util.text import visible

#: The task of a section in which nothing was scored.
NO_TASK = "no task scored"


class SectionKey(NamedTuple):
    """What the records of a section have in common beside the task.

    Attributes
    ----------
    dataset : str
        Selection without the seed.
    name : str
        Name of the dataset.
    version : str
        Its version.
    split : str
        Name of the split.
    train : str
        "" or the group of cells that was trained on.
    """

    dataset: str
    name: str
    version: str
    split: str
    train: str = ""


def make_section(
    records: Sequence[Record],
    key: SectionKey,
    task: str,
    short: str,
    names: Mapping[Key, str],
    cost: bool,
    explained: Mapping[Key, str],
    priors: Mapping[Key, str],
    missing: str = "",
) -> Section:
    """The section of one dataset, split, training group and task.

    Parameters
    ----------
    records : sequence of Record
        All records of the dataset, split and training group.
    key : SectionKey
        What they have in common.
    task : str
        The task's label.
    short : str
        The dataset without the parameters that all datasets of its name share.
    names : mapping of Key to str
        What rows are called.
    cost : bool
        Whether rows say what they cost.
    explained : mapping of Key to str
        Why rows may score above what is possible.
    priors : mapping of Key to str
        What rows know beside the cells; they are ranked among themselves.
    missing : str
        Which floors and lines have no record; "" for none.
    """
    members, odd = with_equal_events(members_of(records, task), task)
    kind = records[0].trial.dataset.kind
    compared = compare(members, task, kind, explained, priors, missing)
    columns = columns_of(compared)
    section = Section(
        dataset=key.dataset,
        dataset_name=key.name,
        dataset_version=key.version,
        short=short,
        kind=compared.kind,
        split=key.split,
        task=task,
        columns=columns,
        rows=rows_of(compared, columns, names, cost),
        blocks=compared.numbers.networks.count or len(compared.numbers.blocks),
        label=label_of(compared.numbers, compared.kind),
        train=key.train,
        unranked_reason=compared.unranked,
        remarks=remarks_of(compared.numbers, compared.standings, key.split, len(compared.places)),
        task_notes=tuple(note.text for note in compared.notes if note.text != compared.unranked),
        dataset_notes=dataset_notes(records),
        warnings=(*warnings_of(members, compared.numbers, compared.statuses), *warning_of(odd)),
    )
    section = with_units(with_about(section, records), compared, names)
    return replace(section, sentence=sentence_of(section))


def dataset_notes(records: Iterable[Record]) -> tuple[str, ...]:
    """What the datasets say of themselves, each sentence once."""
    return tuple(sorted({note for record in records for note in record.trial.dataset.notes}))


def task_about(records: Iterable[Record], task: str) -> TaskAbout:
    """What the first of the records that knows a task says of it."""
    known = (record.about.tasks[task] for record in records if task in record.about.tasks)
    return next(known, TaskAbout())


def with_about(section: Section, records: Sequence[Record]) -> Section:
    """The section with what its records tell of the task and the dataset."""
    task, params = task_about(records, section.task), records[0].about.dataset.params
    near_null = (record.about.dataset.near_null for record in records)
    return replace(
        section,
        params={param.name: param.value for param in params},
        params_say={param.name: visible(" ".join(param.says.split())) for param in params},
        near_null=next((why for why in near_null if why), ""),
        says=visible(" ".join(task.says.split())),
        demand=task.demand,
        of_knockouts=task.of_knockouts,
    )


def with_units(section: Section, compared: Comparison, names: Mapping[Key, str]) -> Section:
    """The section with its single units: of its predictors, best first, and of the best floor."""
    order = list(compared.places)
    predictors = sorted(
        compared.answered(),
        key=lambda key: (order.index(key) if key in order else len(order), names[key]),
    )
    best: list[Key] = [
        ("floor", column.floor or "")
        for column in section.columns[:1]
        if ("floor", column.floor) in compared.numbers.records
    ]
    several = len(compared.numbers.blocks) > 1
    return replace(
        section,
        units=units_of(compared.numbers, names, [*predictors, *best], several),
        points=points_of(compared.numbers, names, predictors, several),
    )
