"""Every metric against one number worked out by hand, and against other packages.

That is scipy, scikit-learn or pandas, on random and on degenerate units.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from metric_units import IDS, SPECS, outcome, take_rows, units_of
from scipy.spatial.distance import braycurtis, cosine
from scipy.special import entr
from scipy.stats import kendalltau, pearsonr, spearmanr
from sklearn.metrics import (
    average_precision_score,
    mean_absolute_error,
    mean_squared_error,
    ndcg_score,
)

from kobench.api import (
    ImpactUnits,
    InteractionUnits,
    ProfileUnits,
    RankingUnits,
    ResponseUnits,
    normalise_rows,
)

NAN = math.nan


class Skip(Exception):  # noqa: N818 - what the reference says where nothing can be computed
    """No answer could be scored."""


# independent implementations


def correlation(function, a, b):
    """A correlation by scipy; 0 for a constant answer a. The truth b varies."""
    return 0.0 if np.ptp(a) < 1e-15 else function(a, b)[0]


def by_group(groups, function=spearmanr):
    """Mean over (answer, truth) of a correlation, without constant truths.

    Nothing but constant answers is no value.
    """
    counted = [(a, b) for a, b in groups if len(b) > 1 and np.ptp(b) > 0]
    if not counted:
        raise Skip
    if all(np.ptp(a) < 1e-15 for a, _ in counted):
        return NAN
    return np.mean([correlation(function, a, b) for a, b in counted])


def rows_of(units):
    return [
        (a[on], b[on]) for a, b, on in zip(units.predicted, units.true, units.present, strict=True)
    ]


def mean_of_rows(function):
    def reference(units):
        if not len(units.true):
            raise Skip
        return np.mean([function(a, b) for a, b in zip(units.predicted, units.true, strict=True)])

    return reference


def bray(a, b):
    return 0.0 if not (a + b).any() else braycurtis(a, b)


def bits(p):
    return entr(p).sum() / math.log(2)


def pooled(a, b):
    """One correlation by scipy over everything."""
    if not len(b) or np.ptp(b) == 0:
        raise Skip
    return NAN if np.ptp(a) == 0 else spearmanr(a, b)[0]


def pooled_profiles(units):
    if units.true.size == 0 or (units.true == 0).mean() > 0.6:
        raise Skip
    return pooled(units.predicted.ravel(), units.true.ravel())


def coexpression(units):
    upper = np.triu_indices(units.true.shape[1], 1)
    frames = [
        pd.DataFrame(np.where(units.present, rows, np.nan))
        for rows in (units.predicted, units.true)
    ]
    answer, truth = (frame.corr(min_periods=10).to_numpy()[upper] for frame in frames)
    known = ~np.isnan(truth)
    answer, truth = np.nan_to_num(answer[known]), truth[known]
    if len(truth) < 2 or np.ptp(truth) < 1e-9:
        raise Skip
    return NAN if np.ptp(answer) < 1e-9 else pearsonr(answer, truth)[0]


def explained_change(units):
    if units.null is None or not len(units.true) or np.array_equal(units.null, units.true):
        raise Skip
    error, change = (
        sum(bray(a, b) for a, b in zip(rows, units.true, strict=True))
        for rows in (units.predicted, units.null)
    )
    return 1 - error / change


def grouped(by):
    def reference(units):
        table = pd.DataFrame(
            {name: getattr(units, name) for name in ("predicted", "true", "cells", "genes")}
        )
        groups = [group for _, group in table.groupby(by) if by == "cells" or len(group) >= 10]
        return by_group([(group.predicted.to_numpy(), group.true.to_numpy()) for group in groups])

    return reference


def precision(scores, positive):
    if positive.all() or not positive.any():
        raise Skip
    return NAN if np.ptp(scores) == 0 else average_precision_score(positive, scores)


def absolute_error(units):
    if not len(units.true):
        raise Skip
    return mean_absolute_error(units.true, units.predicted)


def of_ranking(function):
    def reference(units):
        if len(units.true) < 2 or np.ptp(units.true) == 0:
            raise Skip
        return NAN if np.ptp(units.predicted) == 0 else function(units.predicted, units.true)

    return reference


def top_tenth(units):
    """Every gene is in the predicted top with the chance that random tie-breaking puts it there."""
    predicted, true = pd.Series(units.predicted), pd.Series(units.true)
    k = len(true) // 10
    if len(true) < 200 or true.nunique() == 1 or len(best := true.nlargest(k, keep="all")) > 2 * k:
        raise Skip
    if predicted.nunique() == 1:
        return NAN
    first, last = (
        predicted.rank(ascending=False, method="min"),
        predicted.rank(ascending=False, method="max"),
    )
    chance = ((k - first + 1) / (last - first + 1)).clip(0, 1)
    return chance[best.index].sum() / k


def with_abundance(units):
    if units.abundance is None:
        raise Skip
    return pooled(units.predicted, units.abundance)


def moved(units):
    """The perturbations that change anything."""
    rows = [row for row in range(len(units.true)) if np.nanmax(np.abs(units.true[row])) > 1e-9]
    if not rows:
        raise Skip
    return rows


def less_their_mean(values):
    frame = pd.DataFrame(values)
    return (frame - frame.mean()).to_numpy()  # pandas leaves gaps out of means


def flat(row, scale, kind="pearson"):
    known = row[~np.isnan(row)]
    return (np.abs(known).max() if kind == "cosine" else np.ptp(known)) <= 1e-9 * scale


def delta(kind, centred=False):
    kinds = {
        "pearson": lambda a, b: pearsonr(a, b)[0],
        "spearman": lambda a, b: spearmanr(a, b)[0],
        "cosine": lambda a, b: 1 - cosine(a, b),
    }
    function = kinds[kind]

    def reference(units):
        rows = moved(units)
        if centred and len(rows) < 5:
            raise Skip
        answers, truths = (table[rows] for table in (units.predicted, units.true))
        sizes = [[np.nanmax(np.abs(row)) for row in table] for table in (answers, truths)]
        if centred:
            answers, truths = less_their_mean(answers), less_their_mean(truths)
            sizes = [[max(size)] * len(rows) for size in sizes]
        counted = [row for row in range(len(rows)) if not flat(truths[row], sizes[1][row], kind)]
        if not counted:
            raise Skip
        constant = {row: flat(answers[row], sizes[0][row], kind) for row in counted}
        if all(constant.values()):
            return NAN
        found = []
        for row in counted:
            known = ~np.isnan(truths[row])
            found.append(
                0.0 if constant[row] else function(answers[row][known], truths[row][known])
            )
        return np.mean(found)

    return reference


def of_unit_length(rows):
    out = []
    for row in rows:
        length = math.sqrt(math.fsum(value**2 for value in row if not math.isnan(value)))
        out.append(row / length if length else row)
    return np.array(out)


def unit_delta(units):
    """Row by row: scaled, less the mean, correlated by scipy."""
    tested = np.abs(units.true) > 1e-9 if units.responds is None else units.responds
    rows = [
        row
        for row, true in enumerate(units.true)
        if np.nan_to_num(np.abs(true)).max(initial=0.0) > 1e-9
        and sum(yes and not math.isnan(value) for yes, value in zip(tested[row], true, strict=True))
        >= 5
    ]
    if len(rows) < 5:
        raise Skip
    unscaled = [table[rows] for table in (units.predicted, units.true)]
    answers, truths = (less_their_mean(of_unit_length(table)) for table in unscaled)
    counted = [row for row in range(len(rows)) if not flat(truths[row], 1.0)]
    said, true = (
        any(not flat(row, np.nanmax(np.abs(table))) for row in less_their_mean(table))
        for table in unscaled
    )
    if not counted or not true:
        raise Skip
    constant = {row: flat(answers[row], 1.0) for row in counted}
    if all(constant.values()) or not said:
        return NAN
    known = ~np.isnan(truths)
    return np.mean(
        [
            0.0 if constant[row] else pearsonr(answers[row][known[row]], truths[row][known[row]])[0]
            for row in counted
        ]
    )


def signs(units):
    shares = []
    for a, b, responds in zip(units.predicted, units.true, units.responds, strict=True):
        chosen = responds & ~np.isnan(b) & (np.nan_to_num(b) != 0)
        if chosen.any():
            right = [
                0.5 if x == 0 else float((x > 0) == (y > 0))
                for x, y in zip(a[chosen], b[chosen], strict=True)
            ]
            shares.append(np.mean(right))
    if not shares:
        raise Skip
    return np.mean(shares)


def responders(units):
    found, varies = [], False
    for a, b, responds in zip(units.predicted, units.true, units.responds, strict=True):
        known = ~np.isnan(b)
        if responds[known].any() and not responds[known].all():
            found.append(average_precision_score(responds[known], np.abs(a[known])))
            varies |= np.ptp(np.abs(a[known])) > 0
    if not found:
        raise Skip
    return np.mean(found) if varies else NAN


def centroid(units):
    rows = moved(units)
    if len(rows) < 5:
        raise Skip
    answers, truths = units.predicted[rows], units.true[rows]
    sizes = [np.nanmax(np.abs(table)) for table in (answers, truths)]
    answers, truths = less_their_mean(answers), less_their_mean(truths)
    kept = [row for row in range(len(rows)) if not flat(truths[row], sizes[1])]
    if len(kept) < 2:
        raise Skip
    constant = {row: flat(answers[row], sizes[0]) for row in kept}
    if all(constant.values()):
        return NAN
    shares = []
    for i in kept:
        others = []
        for j in kept:
            if j != i:
                known = ~(np.isnan(answers[i]) | np.isnan(truths[i]) | np.isnan(truths[j]))
                own, other = (
                    0.0 if constant[i] else pearsonr(answers[i][known], truths[row][known])[0]
                    for row in (i, j)
                )
                others.append(own - other)
        shares.append(
            np.mean([0.5 if abs(ahead) < 1e-12 else float(ahead > 0) for ahead in others])
        )
    return np.mean(shares)


REFERENCE = {
    ("profile", "bray-curtis"): mean_of_rows(bray),
    ("profile", "jensen-shannon"): mean_of_rows(
        lambda a, b: bits((a + b) / 2) - (bits(a) + bits(b)) / 2
    ),
    ("profile", "rmse"): mean_of_rows(lambda a, b: math.sqrt(mean_squared_error(b, a))),
    ("profile", "pearson"): lambda units: by_group(rows_of(units), pearsonr),
    ("profile", "spearman"): lambda units: by_group(rows_of(units)),
    ("profile", "spearman-pooled"): pooled_profiles,
    ("profile", "coexpression"): coexpression,
    ("profile", "explained-change"): explained_change,
    ("impact", "spearman-within-cell"): grouped("cells"),
    ("impact", "spearman-within-gene"): grouped("genes"),
    ("impact", "spearman-pooled"): lambda units: pooled(units.predicted, units.true),
    ("impact", "mae"): absolute_error,
    ("impact", "auprc"): lambda units: precision(units.predicted, units.true > 0),
    ("ranking", "spearman"): lambda units: pooled(units.predicted, units.true),
    ("ranking", "kendall"): of_ranking(lambda a, b: kendalltau(a, b)[0]),
    ("ranking", "ndcg"): of_ranking(lambda a, b: ndcg_score(b[None], a[None])),
    ("ranking", "top-10-percent"): top_tenth,
    ("ranking", "with-abundance"): with_abundance,
    ("response", "pearson-delta-centred"): delta("pearson", centred=True),
    ("response", "pearson-delta-centred-unit"): unit_delta,
    ("response", "pearson-delta"): delta("pearson"),
    ("response", "spearman-delta"): delta("spearman"),
    ("response", "cosine-delta"): delta("cosine"),
    ("response", "sign-accuracy"): signs,
    ("response", "auprc-responding"): responders,
    ("response", "centroid-accuracy"): centroid,
    ("interaction", "auprc"): lambda units: precision(units.predicted, units.true > 1e-3),
    ("interaction", "spearman"): lambda units: pooled(units.predicted, units.true),
    ("interaction", "mae"): absolute_error,
}


# by hand


def profiles(predicted, true, **more):
    predicted, true = np.array(predicted, float), np.array(true, float)
    return ProfileUnits(predicted, true, true > 0, np.arange(len(true)), **more)


def impacts(predicted, true, cells=None, genes=None):
    n = len(true)
    return ImpactUnits(
        np.array(predicted, float),
        np.array(true, float),
        np.array(cells or [0] * n),
        np.array(genes or [0] * n),
    )


def ranking(predicted, true, abundance=None):
    return RankingUnits(
        np.array(predicted, float), np.array(true, float), np.arange(len(true)), abundance
    )


def responses(predicted, true, responds=None):
    return ResponseUnits(
        np.array(predicted, float), np.array(true, float), np.arange(len(true)), responds=responds
    )


def interactions(predicted, true):
    n = len(true)
    return InteractionUnits(
        np.array(predicted, float), np.array(true, float), np.arange(n), np.arange(n)
    )


def three_genes() -> ProfileUnits:
    """Ten cells in which genes a and b rise together, and c does not vary with them.

    The answer has a and b fall together, a and c rise together.
    """
    a, c = np.tile([1.0, 2.0], 5), np.tile([1.0, 1.0, 2.0, 2.0, 1.5], 2)
    true, predicted = np.stack([a, a, c], axis=1), np.stack([a, -a, a], axis=1)
    return ProfileUnits(predicted, true, np.ones((10, 3), bool), np.arange(10))


HAND = {
    # 1/4 apart in the second and third gene, and a row that is right
    ("profile", "bray-curtis"): (
        profiles([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]], [[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]),
        0.125,
    ),
    # H(3/4, 1/4) - H(1/2, 1/2) / 2 = 2 - 3/4 log2(3) - 1/2
    ("profile", "jensen-shannon"): (profiles([[0.5, 0.5]], [[1, 0]]), 1.5 - 0.75 * math.log2(3)),
    ("profile", "rmse"): (
        profiles([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]], [[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]]),
        math.sqrt(0.125 / 3) / 2,
    ),
    # deviations of the four present genes: -.15 -.05 -.05 .25 against -.15 .05 -.05 .15
    ("profile", "pearson"): (
        profiles([[0.1, 0.2, 0.2, 0.5, 0]], [[0.1, 0.3, 0.2, 0.4, 0]]),
        0.06 / math.sqrt(0.09 * 0.05),
    ),
    # ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4
    ("profile", "spearman"): (
        profiles([[0.1, 0.2, 0.2, 0.5, 0]], [[0.1, 0.3, 0.2, 0.4, 0]]),
        4.5 / math.sqrt(22.5),
    ),
    # all four entries: ranks 2, 4, 1, 3 against 3, 4, 1, 2: 1 - 6 (1 + 1) / (4 * 15)
    ("profile", "spearman-pooled"): (
        profiles([[0.4, 0.6], [0.3, 0.5]], [[0.35, 0.65], [0.1, 0.2]]),
        0.8,
    ),
    # true correlations of ab, ac, bc: 1, r, r; answered -1, 1, -1; deviations
    # (2, -1, -1)(1 - r) / 3 against (-2, 4, -2) / 3: -6 / sqrt(6 * 24)
    ("profile", "coexpression"): (three_genes(), -0.5),
    # distances 0.2 and 0.2 where nothing responding is 0.4 and 0.2 off
    ("profile", "explained-change"): (
        profiles(
            [[0.7, 0.3, 0], [0.4, 0.6, 0]],
            [[0.5, 0.5, 0], [0.2, 0.8, 0]],
            genes=np.array([2, 2]),
            null=np.array([[0.9, 0.1, 0], [0.4, 0.6, 0]]),
        ),
        1 / 3,
    ),
    # cell 0 right, cell 1 reversed, cell 2 ranks 1, 2, 3 against 1, 3, 2: 1, -1, 0.5
    ("impact", "spearman-within-cell"): (
        impacts([1, 2, 2, 1, 1, 2, 3], [1, 2, 1, 2, 1, 3, 2], [0, 0, 1, 1, 2, 2, 2]),
        0.5 / 3,
    ),
    # gene 0 in ten cells: neighbours swapped once, 1 - 6 * 2 / 990; gene 1 in nine cells does not
    # count
    ("impact", "spearman-within-gene"): (
        impacts(
            [2, 1, *range(3, 11), *range(9)],
            [*range(1, 11), *range(9, 0, -1)],
            genes=[0] * 10 + [1] * 9,
        ),
        1 - 12 / 990,
    ),
    ("impact", "spearman-pooled"): (impacts([1, 2, 3], [1, 3, 2], [0, 1, 2]), 0.5),
    ("impact", "mae"): (impacts([0.1, 0.5, 0.3], [0.2, 0.2, 0.3]), 0.4 / 3),
    # a hit and a miss tied: recall 1/2 at precision 1/2, then the second hit at 2/3
    ("impact", "auprc"): (impacts([0.9, 0.9, 0.7, 0.6], [0.1, 0, 0.2, 0]), (1 / 2 + 2 / 3) / 2),
    ("ranking", "spearman"): (ranking([1, 2, 2, 4], [1, 3, 2, 4]), 4.5 / math.sqrt(22.5)),
    # five pairs concordant, none discordant, one tied in the answer
    ("ranking", "kendall"): (ranking([1, 2, 2, 4], [1, 3, 2, 4]), 5 / math.sqrt(30)),
    ("ranking", "ndcg"): (
        ranking([2, 3, 1], [3, 2, 1]),
        (2 + 3 / math.log2(3) + 1 / 2) / (3 + 2 / math.log2(3) + 1 / 2),
    ),
    # fifteen of the true twenty are predicted highest; the other five places go to five genes of
    # the ten that tie: half of them true
    ("ranking", "top-10-percent"): (
        ranking(
            np.repeat([0, 1, 2], [175, 10, 15]), np.where(np.arange(200) >= 180, np.arange(200), 0)
        ),
        (15 + 2.5) / 20,
    ),
    ("ranking", "with-abundance"): (ranking([1, 2, 3], [3, 2, 1], np.array([1.0, 3.0, 2.0])), 0.5),
    # the last target is a gap; one-hot changes less their mean correlate by -1/4 where they differ,
    # and one of five is right
    ("response", "pearson-delta-centred"): (responses(np.eye(5)[::-1], np.eye(5)), (1 - 4 / 4) / 5),
    # five changes of five genes each; of equal length they are one-hot in blocks, and correlate by
    # -1/4 where they differ: two of five are right
    ("response", "pearson-delta-centred-unit"): (
        responses(
            np.repeat(np.diag([9.0, 1, 5, 3, 7])[[0, 1, 3, 4, 2]], 5, axis=1),
            np.repeat(np.diag([1.0, 2, 300, 4, 5]), 5, axis=1),
        ),
        (2 - 3 / 4) / 5,
    ),
    # deviations -2, -1, 3 and -1, -2, 3
    ("response", "pearson-delta"): (responses([[1, 2, 6, NAN]], [[2, 1, 6, NAN]]), 13 / 14),
    ("response", "spearman-delta"): (responses([[1, 2, 6, NAN]], [[2, 1, 6, NAN]]), 0.5),
    ("response", "cosine-delta"): (responses([[1, 2, 6, NAN]], [[2, 1, 6, NAN]]), 40 / 41),
    # right, half, wrong, and a target; then one right
    ("response", "sign-accuracy"): (
        responses(
            [[1, 0, 3, NAN], [7, 7, 2, 2]],
            [[2, 1, -1, NAN], [1, 1, 1, 1]],
            np.array([[True] * 4, [False] * 3 + [True]]),
        ),
        (0.5 + 1) / 2,
    ),
    # by size: a miss, a hit, then a hit and a miss tied
    ("response", "auprc-responding"): (
        responses([[-2, 3, 1, -1]], [[1, 1, 1, 1]], np.array([[True, False, True, False]])),
        0.5,
    ),
    ("response", "centroid-accuracy"): (
        responses(
            [[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1]],
            np.eye(5),
        ),
        (1 + 3 / 4 + 3.5 / 4 + 3.5 / 4 + 1) / 5,
    ),
    # just at the threshold is no interaction; a hit, then a hit and a miss tied
    ("interaction", "auprc"): (
        interactions([0.9, 0.5, 0.5, 0.1], [0.01, 0.0, 0.002, 0.001]),
        0.5 * 1 + 0.5 * 2 / 3,
    ),
    ("interaction", "spearman"): (interactions([1, 2, 3], [0.1, 0.3, 0.2]), 0.5),
    ("interaction", "mae"): (interactions([0.1, 0.2, 0.4, 0.0], [0.1, 0.0, 0.1, 0.5]), 0.25),
}


def test_every_metric_is_here():
    assert sorted(REFERENCE) == sorted(HAND) == sorted((spec.of, spec.name) for spec in SPECS)


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_by_hand(spec):
    units, expected = HAND[spec.of, spec.name]
    assert outcome(spec, units) == pytest.approx(expected, abs=1e-12)


# random and degenerate units


def agree(spec, units):
    """The metric and its reference say the same: a number, no value, or not computed.

    Returns what they say.
    """
    try:
        expected = REFERENCE[spec.of, spec.name](units)
    except Skip:
        expected = "not computed"
    found = outcome(spec, units)
    assert found == (
        expected
        if isinstance(expected, str)
        else pytest.approx(expected, rel=1e-9, abs=1e-11, nan_ok=True)
    )
    return found


@pytest.mark.parametrize("digits", [None, 1, 0], ids=["distinct", "ties", "many-ties"])
@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_random_units(spec, digits):
    for seed in range(3):
        assert isinstance(agree(spec, units_of(spec, seed, digits)), (float, str))
    assert not isinstance(agree(spec, units_of(spec, 0, None)), str)


def constant(values, number=0.25):
    """The same number everywhere, but for gaps."""
    return np.where(np.isnan(values), NAN, number)


@pytest.mark.parametrize("number", [0.0, 0.25, 1 / 3])
@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_constant_answers_and_constant_truths(spec, number):
    units = units_of(spec)
    for changed in (
        {"predicted": constant(units.predicted, number)},
        {"true": constant(units.true, number)},
        {"predicted": constant(units.predicted, number), "true": constant(units.true, number)},
    ):
        agree(spec, dataclasses.replace(units, **changed))


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_the_other_constant_groups(spec):
    """Half of the units have a constant answer, a quarter a constant truth."""
    units = units_of(spec)
    predicted, true = units.predicted.copy(), units.true.copy()
    half, quarter = len(true) // 2, len(true) // 4
    predicted[:half], true[:quarter] = constant(predicted[:half]), constant(true[:quarter])
    assert not isinstance(
        agree(spec, dataclasses.replace(units, predicted=predicted, true=true)), str
    )


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_one_unit_two_units_and_none(spec):
    units = units_of(spec)
    for n in (2, 1, 0):
        found = agree(spec, take_rows(units, slice(n)))
        assert n > 0 or found == "not computed"
    empty = take_rows(units, slice(0))
    for name in ("predicted", "true"):  # no genes either
        assert getattr(empty, name).shape[0] == 0


@pytest.mark.parametrize(
    "spec",
    [spec for spec in SPECS if spec.of in ("profile", "response")],
    ids=lambda spec: f"{spec.of}-{spec.name}",
)
def test_rows_of_zeros(spec):
    units = units_of(spec)
    for names in (("predicted",), ("true",), ("predicted", "true")):
        changed = {name: getattr(units, name).copy() for name in names}
        for values in changed.values():
            values[3] = constant(values[3], 0.0)
        agree(spec, dataclasses.replace(units, **changed))
    if spec.of == "profile":  # a cell without any gene on
        present, true = units.present.copy(), units.true.copy()
        present[3], true[3] = False, 0.0
        agree(
            spec,
            dataclasses.replace(
                units,
                present=present,
                true=true,
                predicted=normalise_rows(units.predicted * present),
            ),
        )


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_the_opposite_of_the_truth(spec):
    units = units_of(spec)
    opposite = (
        normalise_rows(units.present * (1 - units.true))
        if isinstance(units, ProfileUnits)
        else -units.true
    )
    found = agree(spec, dataclasses.replace(units, predicted=opposite))
    if spec.best == 1.0 and spec.low == -1.0 and spec.of != "profile":
        assert found == pytest.approx(-1.0, abs=1e-12)
