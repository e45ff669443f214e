"""What readers are told a record is."""

from __future__ import annotations

from kobench.results.parts import Record


def row_of(record: Record) -> str:
    """How a record is named to a reader: whose answers, and on what; seeds where they are not 0."""
    trial = record.trial
    seeds = [
        f", {what} seed {seed}"
        for what, seed in (("split", trial.split.seed), ("fit", trial.fit_seed))
        if seed
    ]
    train = f", trained on {trial.split.train}" if trial.split.train else ""
    where = f"{trial.dataset.selection}, {trial.split.name}"
    return f"{trial.predictor.selection} on {where}{train}{''.join(seeds)}"
