"""`board-2000` and `board-20000`: what a board of many methods costs, and of many records.

The records are copies of a published one under other names, with other scores.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Finding, Row, said_alone
from kobench.results.parts import Record, TaskScores
from kobench.results.records import pack_records, read_records

#: A published board, its dataset, the task and the method that is copied.
BOARD = Path(__file__).parents[2] / "leaderboards" / "grn"
DATASET, TASK, METHOD = "grn", "keystone@1", "linear"

#: Reads the records of a folder, checks them and makes the board: prints CPU seconds of the board
#: alone and of all, and MB.
MEASURE = """
import sys, time
from pathlib import Path
from benchmarks.measure import memory_of
from kobench.board.make import make_board
from kobench.plugins.load import load_registry
from kobench.results.records import read_records
from kobench.verify.consistent import check_consistent
from kobench.verify.known import Known
known = Known(load_registry())
start = time.process_time()
records = list(read_records(Path(sys.argv[1])))
read = time.process_time()
check_consistent(records, known)
checked = time.process_time()
make_board(records)
end = time.process_time()
print(read - start, checked - read, end - checked, memory_of("VmHWM:") / 1e6)
"""


def records_of(methods: int, networks: int) -> Iterator[Record]:
    """Floors, lines and many methods on some networks, of one task."""
    rng = random.Random(0)
    copied = []
    for record in read_records(BOARD):
        dataset, task = record.trial.dataset, record.result.scores.get(TASK)
        number = None if dataset.secret is None else dataset.secret.index
        if dataset.group != DATASET or number is None or number >= networks or task is None:
            continue
        if record.role != "predictor":
            yield of_task(record, task)
        elif record.trial.predictor.name == METHOD:
            copied.append(of_task(record, replace(task, table=None, points=None)))
    for method in range(methods):
        shift = rng.gauss(0, 0.05)
        for record in copied:
            yield renamed(record, f"method-{method}", shift + rng.gauss(0, 0.02))


def of_task(record: Record, scores: TaskScores) -> Record:
    """A record with the scores of one task alone."""
    result = replace(record.result, scores={TASK: scores})
    return replace(record, result=result)


def renamed(record: Record, name: str, shift: float) -> Record:
    """A record of another method, whose scores are shifted."""
    scores = record.result.scores[TASK]
    metrics = {
        key: one
        if one.value is None
        else replace(
            one,
            value=min(
                1e9 if one.high is None else one.high,
                max(-1e9 if one.low is None else one.low, one.value + shift),
            ),
        )
        for key, one in scores.metrics.items()
    }
    predictor = replace(record.trial.predictor, name=name, selection=name, distribution="many")
    trial = replace(record.trial, predictor=predictor)
    return of_task(replace(record, trial=trial), replace(scores, metrics=metrics))


def measured(methods: int, networks: int, runs: int) -> tuple[int, list[list[float]]]:
    """How many records there are, and what each run prints."""
    with TemporaryDirectory() as folder:
        records = list(records_of(methods, networks))
        pack_records(records, Path(folder) / "records.jsonl.gz")
        return len(records), [
            [float(word) for word in said_alone(MEASURE, folder).split()] for _ in range(runs)
        ]


def board_2000(runs: int) -> Finding:
    """2,000 methods on two networks: the board alone."""
    count, found = measured(2000, 2, runs)
    return Finding(
        [seconds for _, _, seconds, _ in found],
        10.0,
        "s",
        lower=True,
        seconds=[seconds for _, _, seconds, _ in found],
        facts=[
            f"CPU seconds of `make_board` on {count:,} records of {TASK}; reading them took"
            f" {found[0][0]:.1f} s, looking whether they contradict themselves {found[0][1]:.1f} s,"
            f" peak memory {found[0][3]:,.0f} MB"
        ],
    )


def board_20000(runs: int) -> Finding:
    """20,000 records: reading, checking and the board."""
    count, found = measured(2000, 10, runs)
    return Finding(
        [sum(parts[:3]) for parts in found],
        5.0,
        "s",
        lower=True,
        seconds=[sum(parts[:3]) for parts in found],
        facts=[
            f"CPU seconds of {count:,} records: reading {found[0][0]:.1f} s, looking whether they"
            f" contradict themselves {found[0][1]:.1f} s, the board {found[0][2]:.1f} s; peak"
            f" memory {found[0][3]:,.0f} MB, at most 500 MB were meant"
        ],
    )


ROWS = [
    Row("board-2000", "the board of 2,000 methods on two networks, CPU", "", board_2000),
    Row(
        "board-20000",
        "20,000 records of 2,000 methods read, checked and made a board, CPU",
        "",
        board_20000,
    ),
]
