"""A plugin file with a predictor that computes in processes of its own, started in many ways.

Used as `--plugin`, never imported.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np

from kobench.api import Param, PredictorSpec, hookimpl


class Mean:
    """A value of a class of this file travels to the children and back, too."""

    def __init__(self, values):
        self.values = values


def mean_of(columns):
    shares = columns.values
    return Mean(shares.sum(0) / np.maximum((shares > 0).sum(0), 1) + 1e-9)


def spawn_pool(parts):
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(mean_of, parts)


def forkserver_pool(parts):
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        return pool.map(mean_of, parts)


def spawn_executor(parts):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(mean_of, parts))


def forkserver_executor(parts):
    with ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as pool:
        return list(pool.map(mean_of, parts))


def spawn_process(parts):
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    process = context.Process(target=send_mean, args=(theirs, parts))
    process.start()
    theirs.close()
    found = mine.recv()
    process.join()
    return found


def send_mean(pipe, parts):
    pipe.send([mean_of(part) for part in parts])


def loky(parts):
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2, backend="loky")(delayed(mean_of)(part) for part in parts)


WAYS = {
    way.__name__.replace("_", "-"): way
    for way in (
        spawn_pool,
        forkserver_pool,
        spawn_executor,
        forkserver_executor,
        spawn_process,
        loky,
    )
}


class InProcesses:
    def __init__(self, way="spawn-pool"):
        self.way = WAYS[way]

    def fit(self, cells, context):
        shares = cells.profiles()
        parts = [Mean(part) for part in np.array_split(shares, 2, axis=1)]
        self.mean = np.concatenate([found.values for found in self.way(parts)])

    def predict_expression(self, assemblages):
        rows = assemblages * self.mean
        return rows / rows.sum(1, keepdims=True)


@hookimpl
def kobench_predictors():
    ways = Param("spawn-pool", choices=tuple(WAYS))
    yield PredictorSpec("in-processes", InProcesses, params={"way": ways})
