"""Twelve predictors that know nothing: p is uniform, and nobody is said to tell genes apart.

`tests/studies/permutations.py` in small; docs/intervals.md has what the whole of it found.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, kstest

from tests.studies.permutations import SETTINGS, Setting, study

REPEATS = 12


@pytest.fixture(scope="module")
def found():
    chosen = [
        setting for setting in SETTINGS if setting in (Setting("splits of one data set"), NETWORKS)
    ]
    return {setting.name: study(setting, REPEATS, (1, 2, 6)) for setting in chosen}


NETWORKS = Setting("networks", networks=True)


@pytest.mark.parametrize("name", ["splits of one data set", "networks"])
@pytest.mark.parametrize("number", [1, 2, 6])
def test_p_is_uniform(found, name, number):
    p = found[name][number].p.ravel()
    assert len(p) == 12 * REPEATS
    few, many = binom.interval(0.999, len(p), 0.05)
    assert few <= (p < 0.05).sum() <= many
    assert kstest(p, "uniform").pvalue > 0.001
    assert p.min() >= 1 / 1001


def test_splits_taken_as_independent_were_not(found):
    before = found["splits of one data set"][6].before.ravel()
    assert (before < 0.05).sum() > binom.ppf(0.9999, len(before), 0.05)


def test_hardly_any_board_claims_that_one_of_them_knows_the_gene(found):
    told = np.concatenate([one.told for by in found.values() for one in by.values()])
    single = np.concatenate(
        [(one.p <= 0.05).any(axis=1) for by in found.values() for one in by.values()]
    )
    assert told.sum() <= binom.ppf(0.999, len(told), 0.05)
    assert single.sum() > len(single) / 4
