"""Units of response tasks, made up, and the metrics that score them."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import average_precision_score

from kobench.api import ResponseUnits
from kobench.builtin.metrics.response import (
    auprc_responding,
    centroid_accuracy,
    cosine_delta,
    pearson_delta,
    pearson_delta_centred,
    pearson_delta_centred_unit,
    sign_accuracy,
    spearman_delta,
)
from kobench.scoring.permutations import orders_by_name

CORRELATIONS = {
    "pearson-delta-centred": pearson_delta_centred,
    "pearson-delta-centred-unit": pearson_delta_centred_unit,
    "pearson-delta": pearson_delta,
    "spearman-delta": spearman_delta,
    "cosine-delta": cosine_delta,
}


#: Those with a ceiling.
PRODUCTS = {name: metric for name, metric in CORRELATIONS.items() if name != "spearman-delta"}


METRICS = {
    **CORRELATIONS,
    "sign-accuracy": sign_accuracy,
    "auprc-responding": auprc_responding,
    "centroid-accuracy": centroid_accuracy,
}


NAN = math.nan


def units_of(predicted, true, **more) -> ResponseUnits:
    predicted, true = np.array(predicted, float), np.array(true, float)
    return ResponseUnits(predicted, true, np.arange(len(true)) * 2 + 1, **more)


def random_units(seed=0, k=7, g=20, digits=None, splits=3, targets=1) -> ResponseUnits:
    """Changes with a common part and noise; with few digits there are ties.

    Each perturbation has gaps at 1 to `targets` genes, some of them shared.
    """
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=g), rng.normal(size=(k, g))
    true, predicted = common + own, 0.5 * common + own + rng.normal(size=(k, g))
    halves = true + rng.normal(size=(splits, 2, k, g))
    if digits is not None:
        true, predicted, halves = (values.round(digits) for values in (true, predicted, halves))
    eighth = np.sort(np.abs(true), axis=1)[:, -min(8, g), None]  # five without three targets
    responds = (np.abs(true) > 1.2) | (np.abs(true) >= eighth)
    for row in range(k):
        genes = rng.permutation(g if row else 4)[: rng.integers(1, targets + 1)]
        for values in (true, predicted):
            values[row, genes] = NAN
        halves[:, :, row, genes] = NAN
    return ResponseUnits(predicted, true, rng.permutation(k) * 3, halves=halves, responds=responds)


def one_value(name, predicted, true, responds):
    """One perturbation by scipy or scikit-learn over the genes that both rows have."""
    kept = ~(np.isnan(predicted) | np.isnan(true))
    a, b, responds = predicted[kept], true[kept], responds[kept]
    if name == "cosine-delta":
        return 1 - cosine(a, b)
    if name == "spearman-delta":
        return spearmanr(a, b)[0]
    if name.startswith("pearson"):
        return pearsonr(a, b)[0]
    if name == "auprc-responding":
        return average_precision_score(responds, np.abs(a))
    return np.mean(
        [
            0.5 if p == 0 else float((p > 0) == (t > 0))
            for p, t in zip(a[responds], b[responds], strict=True)
        ]
    )


def levelled(name, units):
    centred = name in (
        "pearson-delta-centred",
        "pearson-delta-centred-unit",
        "centroid-accuracy",
    )
    values = units.predicted, units.true
    if name.endswith("unit"):
        values = tuple(rows / np.sqrt(np.nansum(rows**2, axis=1))[:, None] for rows in values)
    return tuple(rows - np.nanmean(rows, axis=0) for rows in values) if centred else values


def table_of(name, units):
    """(k, k) the value of answer i for truth j, one by one."""
    predicted, true = levelled(name, units)
    k = len(true)
    responds = np.zeros(true.shape, bool) if units.responds is None else units.responds
    if name == "centroid-accuracy":

        def share(i, j):
            points = 0.0
            for q in set(range(k)) - {j}:
                answer = np.where(np.isnan(true[j]) | np.isnan(true[q]), NAN, predicted[i])
                own, other = (
                    one_value("pearson-delta", answer, row, responds[j])
                    for row in (true[j], true[q])
                )
                points += 0.5 if abs(own - other) <= 1e-12 else float(own > other)
            return points / (k - 1)

        return np.array([[share(i, j) for j in range(k)] for i in range(k)])
    return np.array(
        [[one_value(name, predicted[i], true[j], responds[j]) for j in range(k)] for i in range(k)]
    )


def in_order(parts, units):
    """Values in the order of the units."""
    values = dict(zip(parts.ids.tolist(), parts.sums, strict=True))
    return np.array([values[number] for number in units.perturbations.tolist()])


def permuted(score, units, n, seed):
    """Values of a metric by n permutations of the perturbations, which are called by their ids."""
    names = tuple(str(one) for one in units.perturbations)
    return score.permuted(units, orders_by_name(names, seed, n))
