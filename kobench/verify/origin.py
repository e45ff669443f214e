"""Where a record says that it comes from: keys, hashes, distribution, machine and sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from kobench import __version__
from kobench.results.parts import Record
from kobench.runner.keys import fit_key
from kobench.verify.known import Known

#: A sha256 as records have it, and the shorter hash of a predictor's code.
HASH, CODE = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{16,64}")

#: A hash of fewer different digits is none: one of 64 has all 16, or 15.
FEWEST_DIGITS = 6

#: How far clocks may be apart.
CLOCKS = timedelta(days=1)

#: Before this there was no kobench.
FIRST = datetime(2025, 10, 1, tzinfo=UTC)


def check_origin(record: Record, known: Known) -> Iterator[str]:
    """What can't be so of where a record comes from."""
    yield from check_hashes(record)
    yield from check_distribution(record, known)
    yield from check_run(record)


def is_hash(text: str, form: re.Pattern[str] = HASH) -> bool:
    """Whether a text can be a hash: hexadecimal digits, and not few different ones.

    >>> is_hash("0" * 64), is_hash("0123456789abcdef" * 4)
    (False, True)
    """
    return form.fullmatch(text) is not None and len(set(text)) >= FEWEST_DIGITS


def check_hashes(record: Record) -> Iterator[str]:
    """Keys and hashes that no run writes, and answers that are not there."""
    keys, trial, answers = record.keys, record.trial, record.result.answers
    named = {"fit": keys.fit, **keys.questions, **keys.scores}
    for name, key in named.items():
        if not is_hash(key):
            yield f"its key of {name} is {key[:20]!r}, expected a sha256"
            break
    known = keys.source is not None and keys.contract is not None
    if known and keys.fit != fit_key(keys.contract or 0, keys.source or "", record.role, trial):
        yield (
            "its key does not follow from what it says of its predictor, dataset and settings: one"
            " of these was written over"
        )
    if not is_hash(trial.dataset.digest):
        yield f"its dataset has the digest {trial.dataset.digest[:20]!r}, expected a sha256"
    if record.role != "line" and not is_hash(trial.predictor.digest, CODE):
        yield f"its code has the digest {trial.predictor.digest[:20]!r}, expected a hash"
    for name, key in answers.items():
        if not is_hash(key):
            yield f"its answers to {name} are {key[:20]!r}, expected a sha256"
    for label, scores in record.result.scores.items():
        if scores.asks not in answers:
            yield f"it has scores of {label}, and no answers to {scores.asks}"
        if scores.asks not in keys.questions or label not in keys.scores:
            yield f"it has scores of {label}, and no key of them"


def check_distribution(record: Record, known: Known) -> Iterator[str]:
    """A predictor that its distribution does not bring, where that is installed here."""
    predictor = record.trial.predictor
    if record.role == "line":
        return
    version = str(predictor.version)
    names = known.names_of(predictor.distribution, version)
    own = predictor.name.rpartition("/")[2]
    if names and own not in names:
        yield (
            f"it is said to come with {predictor.distribution} {version}, which brings no"
            f" {own[:60]!r}"
        )


def check_run(record: Record) -> Iterator[str]:
    """Facts of a run that can't be: versions, times, limits, and a sandbox with parts missing."""
    run = record.run
    if run.kobench is not None and number_of(run.kobench) > number_of(__version__):
        yield f"it was made by kobench {run.kobench[:20]}, which is newer than {__version__}"
    if run.started is not None:
        try:
            started = datetime.fromisoformat(run.started)
        except ValueError:
            yield f"it started at {run.started[:40]!r}, expected a time in ISO 8601"
        else:
            started = started if started.tzinfo else started.replace(tzinfo=UTC)
            if not FIRST <= started <= datetime.now(UTC) + CLOCKS:
                yield f"it started at {run.started[:40]}"
    for what, value in (
        ("fit took", run.fit_seconds),
        ("answers took", run.predict_seconds),
        ("memory was", run.peak_mb),
    ):
        if value is not None and value < 0:
            yield f"its {what} {value:g}"
    if run.sandbox is not None and not run.sandbox.layers:
        yield "its sandbox has no layers"
    if run.sandbox is None and is_strangers(record) and record.result.status == "ok":
        yield "it says nothing of the sandbox in which its predictor ran"


def is_strangers(record: Record) -> bool:
    """Whether a record's answers come from a process that a run shuts in: from any predictor that
    fitted something.
    """
    return record.role == "predictor" and record.run.fit_seconds is not None


def number_of(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparing two.

    >>> number_of("0.10.1") > number_of("0.9")
    True
    """
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
