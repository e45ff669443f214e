"""A plugin file with predictors that tests need: one good, several that misbehave.

Used as `--plugin`, never imported.
"""

import os
import signal
import sys
import time

import numpy as np

from kobench.api import Param, PredictorSpec, hookimpl


class Good:
    """The mean share of each gene among the cells that express it, times a made-up parameter that
    changes nothing.
    """

    def __init__(self, strength=1.0):
        self.strength = strength

    def fit(self, cells, context):
        shares = cells.profiles()
        self.mean = shares.sum(0) / np.maximum((shares > 0).sum(0), 1) + 1e-9
        context.log("fitted", 1, 1)

    def predict_expression(self, assemblages):
        rows = assemblages * self.mean
        return rows / rows.sum(1, keepdims=True)


class Keeper(Good):
    """Keeps everything it is ever given, and answers with a kept cell's profile where the
    assemblage is the same.
    """

    def fit(self, cells, context):
        super().fit(cells, context)
        self.kept = {}
        self.keep(cells)

    def keep(self, cells):
        self.kept.update(
            {
                key.tobytes(): row
                for key, row in zip(cells.assemblages(), cells.profiles(), strict=True)
            }
        )

    def predict_expression(self, assemblages):
        rows = super().predict_expression(assemblages)
        for row, key in enumerate(assemblages):
            if key.tobytes() in self.kept:
                rows[row] = self.kept[key.tobytes()]
        return rows

    def predict_knockout(self, cells, knockouts):
        self.keep(cells)
        return super().predict_expression(knockouts.remove_from(cells.assemblages()))


class Half(Good):
    """Removes only every second gene; shares grow more unequal the more genes are on, so a removal
    changes the others.
    """

    def predict_expression(self, assemblages):
        rows = assemblages * self.mean ** (assemblages.sum(1, keepdims=True) / 10)
        return rows / rows.sum(1, keepdims=True)

    def supports(self, genes):
        return np.arange(len(genes)) % 2 == 0


class RaisesInFit(Good):
    def fit(self, cells, context):
        raise RuntimeError("no luck today")


class RaisesInPredict(Good):
    def predict_expression(self, assemblages):
        return {}["nothing"]


class Exits(Good):
    def fit(self, cells, context):
        sys.exit(3)


class ExitsAtOnce(Good):
    def predict_expression(self, assemblages):
        os._exit(7)


class KillsItself(Good):
    def fit(self, cells, context):
        print("last words")
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


class Rubbish(Good):
    def predict_expression(self, assemblages):
        return super().predict_expression(assemblages) * np.nan


class Sleeps(Good):
    def fit(self, cells, context):
        time.sleep(600)


class OnlyScores:
    """Ranks genes by how often they are on."""

    def fit(self, cells, context):
        self.often = cells.assemblages().mean(0)

    def score_genes(self, cells, genes):
        return self.often[genes]


class Responder:
    """Answers only what no task of a single-cell dataset asks."""

    def fit(self, cells, context):
        pass

    def predict_response(self, cells, knockouts):
        return np.zeros((len(knockouts), cells.n_vars))


@hookimpl
def kobench_predictors():
    yield PredictorSpec("good", Good, summary="masked mean", params={"strength": Param(1.0)})
    for cls in (
        Keeper,
        Half,
        RaisesInFit,
        RaisesInPredict,
        Exits,
        ExitsAtOnce,
        KillsItself,
        Rubbish,
        Sleeps,
        OnlyScores,
        Responder,
    ):
        name = "".join(
            f"-{letter.lower()}" if letter.isupper() else letter for letter in cls.__name__
        ).lstrip("-")
        yield PredictorSpec(name, cls)
