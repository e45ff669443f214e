"""A trial as its record describes it: dataset, settings, and what its answers mean."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, choose, version_of
from kobench.plugins.load import Entry, Registry
from kobench.results.answer_store import AnswerStore
from kobench.results.parts import DatasetInfo, Record
from kobench.results.suite_seed import SuiteSeed
from kobench.runner.by_record import dataset_by_record
from kobench.runner.datasets import join
from kobench.runner.plan import line
from kobench.runner.request import ENOUGH_NETWORKS, Request, Split
from kobench.runner.seeds import with_secret_seed
from kobench.specs import ANSWERS, PredictorSpec
from kobench.truth.references import LINES
from kobench.util.text import suggestion

#: How selections name a network of a secret seed.
SECRET = re.compile(r"(?<=[:,]seed=)secret-([0-9]{1,9})(?=,|$)")

#: What joins the selections of datasets that were joined as one.
JOINED = " + "


@dataclass(frozen=True)
class Source:
    """Where what is scored again is found.

    Attributes
    ----------
    registry : Registry
        Everything that is installed.
    store : AnswerStore
        The stored answers.
    seed : SuiteSeed or None
        The secret seed of the networks, where they have one.
    tasks, metrics, datasets : sequence of str
        Strangers' that may be used, by name: they run in this process and see the truth. Of
        datasets that read a file of the user the whole selection.
    published : set of str, or None
        The hashes of the answers that were published; None where all are expected to be there.
    """

    registry: Registry
    store: AnswerStore
    seed: SuiteSeed | None = None
    tasks: Sequence[str] = ()
    metrics: Sequence[str] = ()
    datasets: Sequence[str] = ()
    published: Set[str] | None = None


def dataset_of(record: Record, source: Source) -> Chosen:
    """The dataset of a record, as it was; UserError where it is not here in that version."""
    info = record.trial.dataset
    parts = [part_of(text, info, source) for text in info.selection.split(JOINED)]
    first = any(scores.points or scores.table for scores in record.result.scores.values())
    dataset = replace(parts[0], first=first) if len(parts) == 1 else join(parts, first)
    here, recorded = (
        str(version).rpartition("/")[2] for version in (version_of(dataset.entry), info.version)
    )
    if here != recorded:
        raise UserError(f"its dataset {info.selection} has version {recorded}, here {here}")
    return dataset


def part_of(text: str, info: DatasetInfo, source: Source) -> Chosen:
    """One dataset by its selection in a record, its seed secret where it was."""
    chosen = dataset_by_record(source.registry, SECRET.sub(r"\1", text), source.datasets)
    if not SECRET.search(text):
        return chosen
    if source.seed is None:
        raise UserError(
            f"the networks of {text} come from a secret seed, which is not in the folder; put its"
            " secret-seed.txt beside the records"
        )
    if info.secret is not None and info.secret.commitment != source.seed.commitment:
        raise UserError(f"{text} was made from another secret seed than the one in the folder")
    return with_secret_seed(chosen, source.seed)


def request_of(record: Record, dataset: Chosen) -> Request:
    """The request of a run that would have given this record."""
    scores = record.result.scores.values()
    drawn = any(
        each.blocks_digest or any(metric.draws for metric in each.metrics.values())
        for each in scores
    )
    events = {each.events.asked for each in scores if each.events is not None}
    return Request(
        (dataset.selection,),
        (),
        networks=1 if drawn else ENOUGH_NETWORKS,
        split_seed=record.trial.split.seed,
        threads=record.trial.threads,
        device=record.trial.device,
        events=max(events, default=None),
    )


def split_of(record: Record) -> Split:
    """Which cells of the record's trial train."""
    split = record.trial.split
    return Split(split.name, split.train or "", split.seed)


def predictor_of(record: Record, registry: Registry, task: Entry) -> Chosen:
    """What answered: floors and lines are made again, of a predictor its answers are enough.

    A predictor that is not here is replaced by what the record says of its answers.
    """
    info = record.trial.predictor
    if record.role == "line":
        if info.name not in LINES:
            raise UserError(
                f"{info.name[:60]!r} is no line of kobench; {suggestion(info.name, LINES)}"
            )
        return line(info.name, task)
    try:
        return choose(registry, "predictors", info.selection)
    except UserError:
        if record.role == "floor":
            raise
    spec = PredictorSpec(
        info.name,
        make="",
        answers=ANSWERS,
        response=info.response or "profile-change",  # type: ignore[arg-type]  # checked when used
        max_order=info.max_order,
    )
    stranger = replace(task, spec=spec, shadowed=False, trusted=False)
    return Chosen(stranger, {}, info.selection, info.selection)
