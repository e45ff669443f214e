"""Writes a submission: one folder with the rows of one method, its answers and what it is."""

from __future__ import annotations

import hashlib
import platform
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from kobench.board.made import command_of
from kobench.environments import environment
from kobench.environments.inside import installed
from kobench.environments.lock import LOCK as LOCK_FILE
from kobench.environments.lock import Lock, lock_of, read_lock
from kobench.errors import UserError
from kobench.results.packed_answers import FILE as ANSWERS
from kobench.results.packed_answers import pack_answers
from kobench.results.parts import Record
from kobench.results.records import pack_records
from kobench.results.sample import Sample
from kobench.results.signatures import keep_signed
from kobench.results.versions import row_of
from kobench.submit.lacks import place_text, places_of
from kobench.submit.specification import (
    FILE,
    LOCK,
    SCHEMA,
    TEXT,
    BoardInfo,
    CostInfo,
    MethodInfo,
    SourceInfo,
    Submission,
    is_submission,
)
from kobench.util.bounded import read_bounded
from kobench.util.files import umask, write_atomically

#: The file of records.
RECORDS = "records.jsonl.gz"

#: Bytes of a lock file.
MOST_LOCK = 4 << 20


def one_row(records: Sequence[Record], asked: str) -> None:
    """Raise UserError where records are of several rows: a submission is of one."""
    rows = sorted({row_of(record.role, record.trial) for record in records})
    if len(rows) > 1:
        named = "; ".join(" ".join(row[1:]) for row in rows[:4])
        raise UserError(
            f"{asked} is {len(rows)} rows there (setting, distribution, threads, device): {named}."
            " A submission is one of them: name it with -p, or another results folder with --in"
        )


def submission_of(
    records: Sequence[Record],
    source: SourceInfo,
    licence: str,
    reference: str,
    board: BoardInfo,
    lock: str,
    beside: str,
) -> Submission:
    """What a submission says, of the records of one row.

    Parameters
    ----------
    records : sequence of Record
        The records.
    source : SourceInfo
        Where the code can be had.
    licence, reference : str
        As the author, or the distribution, says; "" for no reference.
    board : BoardInfo
        The board.
    lock : str
        The text of the lock file, "" for none.
    beside : str
        The board as commands name it.
    """
    first = min(records, key=lambda one: one.trial.dataset.selection)
    predictor, runs = first.trial.predictor, [record.run for record in records]
    secret = [one for one in records if one.trial.dataset.secret is not None]
    tuned = sorted({name for run in runs for name in run.tuned_on or ()})
    peaks = [run.peak_mb for run in runs if run.peak_mb is not None]
    spent = [run.fit_seconds or 0.0 for run in runs] + [run.predict_seconds or 0.0 for run in runs]
    prior = sorted({one.trial.predictor.prior or "" for one in records} - {""})
    method = MethodInfo(
        name=predictor.name,
        selection=predictor.selection,
        distribution=predictor.distribution,
        version=predictor.version,
        digest=predictor.digest,
        environment=predictor.environment,
        threads=first.trial.threads,
        device=first.trial.device,
        prior="; ".join(prior) or None,
        developed_on=predictor.developed_on,
    )
    return Submission(
        schema=SCHEMA,
        method=method,
        source=source,
        licence=licence,
        reference=reference or None,
        lock=hashlib.sha256(lock.encode()).hexdigest() if lock else None,
        python=first.run.python or platform.python_version(),
        packages=dict(first.run.packages or {}),
        kobench=sorted({run.kobench for run in runs if run.kobench}),
        board=board,
        datasets=[place_text(place) for place in places_of(records)],
        cost=CostInfo(
            trials=len(records),
            seconds=round(sum(spent), 1),
            peak_mb=round(max(peaks)) if peaks else None,
        ),
        tuned_on=tuned or None,
        seed_known=any(one.run.seed_known for one in secret) if secret else None,
        command=commands(records, method, source, board.suite or "", beside, lock),
    )


def commands(
    records: Sequence[Record],
    method: MethodInfo,
    source: SourceInfo,
    suite: str,
    board: str,
    lock: str,
) -> list[str]:
    """The commands that make a submission again, beside a board, by its suite where it has one."""
    lines, plugin = [], ""
    if method.distribution.startswith("file:"):
        file = source.folder or method.distribution.removeprefix("file:")
        lines += [f"git clone {source.address} code"] if source.commit else []
        lines += [f"git -C code checkout {source.commit}"] if source.commit else []
        plugin = f" --plugin {shlex.quote(f'code/{file}' if source.commit else file)}"
        lines += [f"pip install -r {LOCK}"] if lock else []
    else:
        wanted = shlex.quote(wanted_by_pip(source)) + (f" --constraint {LOCK}" if lock else "")
        if f"\n{normal(method.distribution)}==" in lock:  # all of it, with hashes
            wanted = LOCK
        make = f"kobench env create {shlex.quote(method.environment or '')} --from"
        lines.append(f"{make if method.environment else 'pip install'} {wanted}")
    home = f"{method.environment}/" if method.environment else ""
    name = f"-p {shlex.quote(f'{home}{method.selection}')}"
    if suite:
        asked = f"{shlex.quote(suite)} {name}"
    else:
        own = [word for word in command_of(records) if not word.startswith(("--secret", "-p "))]
        asked = " ".join([*own, name])
    beside = shlex.quote(board)
    lines.append(f"kobench run {asked}{plugin} --beside {beside} --out results")
    name = f"-p {shlex.quote(method.selection)}"
    return [*lines, f"kobench submit {beside} {name}{plugin} --in results"]


def wanted_by_pip(source: SourceInfo) -> str:
    """A source as pip takes it.

    >>> wanted_by_pip(SourceInfo(address="https://x.org/a", commit="0f", folder="b", changed=False))
    'git+https://x.org/a@0f#subdirectory=b'
    """
    if not source.commit:
        return source.address
    # a module's file is no project, its folder may be
    folder = re.sub(r"(^|/)[^/]*\.py$", "", source.folder or "").strip(".")
    below = f"#subdirectory={folder}" if folder else ""
    return f"git+{source.address}@{source.commit}{below}"


def lock_text(records: Sequence[Record], distribution: str) -> tuple[str, str]:
    """The lock file of what a method ran in, "" where nothing is to be locked; and what is wrong.

    Of an environment that is its own file, of kobench's own interpreter what the distribution needs
    there; without the folders of this machine.
    """
    known = {run.lock: run for record in records if (run := record.run.environment)}
    if not known:
        return own_lock(distribution), ""
    if len(known) > 1:
        return "", f"one environment for all trials: they ran in {len(known)} different ones"
    ((digest, ran),) = known.items()
    try:
        path = environment.read(ran.name).folder / LOCK_FILE
        content = read_bounded(path, MOST_LOCK)
    except (OSError, ValueError, UserError) as error:
        return "", f"the lock file of environment {ran.name}: it can't be read ({error})"
    if digest != hashlib.sha256(content).hexdigest():
        return "", (
            f"the lock file of environment {ran.name} that it ran in: the environment was made anew"
            " since; run it again"
        )
    return elsewhere(read_lock(path)), ""


def own_lock(distribution: str) -> str:
    """What a distribution needs in this interpreter, as a lock without hashes; "" for nothing."""
    every = installed()
    key = re.sub(r"[-_.]+", "-", distribution).lower()
    needs = {name for one in every if normal(str(one["name"])) == key for name in one["needs"]} - {
        key
    }
    found = lock_of(
        {
            "installed": [{**one, "needs": []} for one in every if normal(one["name"]) in needs],
            "version": platform.python_version(),
        },
        {},
    )
    return elsewhere(found)


def elsewhere(lock: Lock) -> str:
    """The text of a lock without what lies on this machine, which is nobody else's; "" for none.

    Where something is left out it has versions and no hashes: pip takes these for all or for none.
    """
    kept = {
        line: hashes
        for line, hashes in lock.lines.items()
        if not line.startswith("-e ") and "file:" not in line
    }
    if len(kept) < len(lock.lines):
        kept = dict.fromkeys(kept, frozenset())
    return Lock(lock.python, kept).text if kept else ""


def normal(name: str) -> str:
    """The name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def write_submission(
    folder: Path,
    records: Iterable[Record],
    answers: Path,
    submission: Submission,
    text: str,
    lock: str,
    most: int,
) -> Sample | None:
    """Write the folder, all of it or nothing; an earlier submission in its place is replaced.

    Returns
    -------
    Sample or None
        Which answers were packed.

    Raises
    ------
    UserError
        Where something else lies there, and where no answers could be packed.
    """
    if folder.exists() and not (is_submission(folder) and not folder.is_symlink()):
        raise UserError(f"{folder} is there already and is no submission; choose another with -o")
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        aside.chmod(0o777 & ~umask())
        every = list(records)
        sample = pack_answers(every, answers, aside / ANSWERS, most) if most else None
        if sample is None and any(record.result.answers for record in every):
            raise UserError(
                f"no answers of it fit into {most >> 20} MB (--answers-mb), or some are not stored"
                f" in {answers}; nobody could score them again"
            )
        pack_records(every, aside / RECORDS)
        keep_signed(answers.parent, aside, every)
        contents = {FILE: submission.text(), TEXT: text, **({LOCK: lock} if lock else {})}
        for name, content in contents.items():
            write_atomically(aside / name, content.encode())
        if folder.exists():
            shutil.rmtree(folder)
        aside.rename(folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return sample
