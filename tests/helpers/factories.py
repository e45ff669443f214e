"""Records made up for tests: numbers go in, JSON documents of trial records come out.

They are those of the first format, as most published records are. What works on records is given
them through the functions at the end, which read them as files are read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kobench.board import make, transfer
from kobench.board.board import Board
from kobench.board.numbers.networks import slot_of
from kobench.board.transfer import TransferMatrix
from kobench.results import records as files
from kobench.results.faults import Fault
from kobench.results.parts import Record

TASK = "knockout-impact@1"


def metric(
    value: float | None,
    draws: Sequence[float | None] = (),
    missing: str | None = None,
    floors: Mapping[str, Any] | None = None,
    direction: str = "higher",
    best: float = 1.0,
    low: float | None = -1.0,
    high: float | None = 1.0,
    nothing: float | None = None,
) -> dict[str, Any]:
    """One metric of a task."""
    known = {} if nothing is None else {"nothing": nothing}
    return {
        "version": 1,
        "direction": direction,
        "best": best,
        "low": low,
        "high": high,
        "value": value,
        "missing": missing,
        "draws": list(draws),
        "floors": dict(floors or {}),
        **known,
    }


def scores(
    metrics: Mapping[str, Any],
    task: str = TASK,
    primary: Sequence[str] = ("spearman",),
    floors: Sequence[str] = ("own-share", "abundance", "random"),
    **more: Any,
) -> dict[str, Any]:
    """{task label: scores}; a number stands for a metric of that value."""
    name, _, version = task.partition("@")
    full = {key: cell if isinstance(cell, dict) else metric(cell) for key, cell in metrics.items()}
    entry = {
        "task": name,
        "version": int(version or 1),
        "kind": "impact",
        "asks": "singles",
        "primary": list(primary),
        "floors": list(floors),
        "lines": ["truth", "gene-oracle"],
        "block": "gene",
        "blocks": 100,
        "asked": 1000,
        "answered": 1000,
        "coverage": 1.0,
        "left_out": {},
        "sampled": None,
        "metrics": full,
    }
    return {task: {**entry, **more}}


def record(
    predictor: str = "mlp",
    value: Mapping[str, Any] | float | None = None,
    *,
    role: str = "predictor",
    dataset: str = "grn:genes=100",
    seed: int | None = 0,
    kind: str = "simulated",
    fit_seed: int = 0,
    split: tuple[str, int] = ("holdout", 0),
    status: str = "ok",
    stage: str | None = None,
    message: str | None = None,
    traceback: str | None = None,
    notes: Sequence[str] = (),
    run: Mapping[str, Any] | None = None,
    distribution: str = "kobench-baselines",
    **more: Any,
) -> dict[str, Any]:
    """One record; `value` is {task label: scores}, or a number by spearman, `more` goes to
    `scores`.
    """
    if isinstance(value, (int, float)):
        value = scores({"spearman": metric(float(value))}, **more)
    selection = dataset if seed is None else f"{dataset}{',' if ':' in dataset else ':'}seed={seed}"
    return {
        "schema": 1,
        "role": role,
        "trial": {
            "dataset": {
                "name": dataset.partition(":")[0],
                "version": 1,
                "selection": selection,
                "group": dataset,
                "seed": seed,
                "kind": kind,
                "truth": "counterfactual" if kind == "simulated" else "none",
                "digest": f"digest of {selection}",
                "notes": list(notes),
            },
            "split": {"name": split[0], "seed": split[1]},
            "predictor": {
                "name": predictor.partition(":")[0],
                "selection": predictor,
                "distribution": distribution if role == "predictor" else "kobench",
                "version": "0.1.0",
                "digest": "0" * 8,
            },
            "fit_seed": fit_seed,
            "threads": 1,
            "device": "cpu",
        },
        "keys": {"fit": "f", "questions": {"singles": "q", "profile": "q"}, "scores": {TASK: "s"}},
        "result": {
            "status": status,
            "stage": stage,
            "message": message,
            "traceback": traceback,
            "answers": {},
            "scores": dict(value or {}),
        },
        "run": {"fit_seconds": 1.5, "predict_seconds": 0.25, "peak_mb": 200.0, **(run or {})},
    }


def networks(
    predictor: str, values: Sequence[float], role: str = "predictor", **more: Any
) -> list[dict[str, Any]]:
    """One record a network, with one value by spearman each."""
    return [
        record(predictor, value, role=role, seed=seed, **more) for seed, value in enumerate(values)
    ]


def permuted(
    mean: float,
    p: float,
    sd: float = 0.1,
    scores: Sequence[float] | None = None,
    names: Sequence[str] = ("A", "B", "C", "D", "E", "F", "G", "H"),
) -> dict[str, Any]:
    """A score's permuted answers; with the scores of each permutation where they are given."""
    kept = {} if scores is None else {"scores": list(scores), "names": list(names)}
    return {
        "mean": mean,
        "sd": sd,
        "low": mean - 2 * sd,
        "high": mean + 2 * sd,
        "p": p,
        "draws": 1000,
        **kept,
    }


def points(true: Sequence[float], predicted: Sequence[float], what: str) -> dict[str, Any]:
    """A sample of single units."""
    return {"what": what, "true": list(true), "predicted": list(predicted)}


def genes_table(genes: Mapping[str, tuple[float, float]]) -> dict[str, list[Any]]:
    """Gene -> (true, predicted) as the keystone task keeps it, with intervals of 0.05 to each
    side.
    """
    true, predicted = [one[0] for one in genes.values()], [one[1] for one in genes.values()]
    return {
        "gene": list(genes),
        "cells": [20] * len(genes),
        "true": true,
        "true_low": [value - 0.05 for value in true],
        "true_high": [value + 0.05 for value in true],
        "predicted": predicted,
    }


def read(documents: Iterable[Record | dict[str, Any]]) -> list[Record]:
    """The records of these documents; those that are read already stay."""
    return [
        one
        if isinstance(one, Record)
        else files.parse_record(json.loads(json.dumps(one)), "a record made up for a test")
        for one in documents
    ]


def fault(document: dict[str, Any]) -> str:
    """What is wrong with a record; "" where nothing is."""
    try:
        Record.from_json(document)
    except Fault as found:
        return str(found)
    return ""


def told(records: Sequence[Record]) -> list[Record]:
    """Records whose tasks name just those floors and lines that have a record beside them.

    Tests make up what they are about; a folder that lacks floors ranks nobody, which has tests of
    its own.
    """
    there = {(slot_of(one), one.role, one.trial.predictor.name) for one in records}

    def with_those(record: Record) -> Record:
        slot = slot_of(record)
        found = {
            label: replace(
                scores,
                floors=[name for name in scores.floors if (slot, "floor", name) in there],
                lines=[name for name in scores.lines if (slot, "line", name) in there],
            )
            for label, scores in record.result.scores.items()
        }
        return replace(record, result=replace(record.result, scores=found))

    return [with_those(record) if record.role == "predictor" else record for record in records]


def make_board(documents: Iterable[Record | dict[str, Any]], **options: Any) -> Board:
    """The board of these records."""
    return make.make_board(told(read(documents)), **options)


def check_board(
    documents: Iterable[Record | dict[str, Any]], published: bytes, format: str, **options: Any
) -> bool:
    """Whether a published board is what these records give."""
    return make.check_board(told(read(documents)), published, format, **options)


def transfer_matrices(
    documents: Iterable[Record | dict[str, Any]], **options: Any
) -> tuple[TransferMatrix, ...]:
    """The transfer matrices of these records."""
    return transfer.transfer_matrices(read(documents), **options)


def write_record(folder: Path, document: Record | dict[str, Any]) -> Path:
    """Write one record into a results folder."""
    return files.write_record(folder, *read([document]))
