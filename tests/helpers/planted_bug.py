"""A plugin file with a predictor that answers, and raises where it is told to."""

from __future__ import annotations

PLANTED = '''
import numpy as np
from kobench.api import Impacts, PredictorSpec, hookimpl


class Mine:
    """Answers responses; `wrong` plants a bug."""

    def __init__(self, wrong=False):
        self.wrong = wrong

    def fit(self, cells, context):
        self.mean = cells.profiles().mean(0)
        for number in range(40):
            print("fitted", number, "\\x1b[31m")

    def predict_response(self, cells, knockouts):
        if self.wrong:
            return self.inner(np.zeros(2), np.zeros(3))
        rows = -self.mean * np.ones((len(np.unique(knockouts.genes)), 1))
        rows[:, 0] += np.unique(knockouts.genes)
        return rows

    def inner(self, one, other):
        return one + other


@hookimpl
def kobench_predictors():
    from kobench.api import Param
    params = {"wrong": Param(False, "plant a bug")}
    yield PredictorSpec("mine", Mine, summary="planted", params=params)
'''

TINY = "grn:genes=12,cells=120"
