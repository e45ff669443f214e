"""Predictors whose package is not installed say which extra brings it; the others work."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest
from kobench_baselines import heavy


@pytest.mark.parametrize(
    ("make", "package", "extra"),
    [
        (heavy.mlp, "torch", "network"),
        (heavy.mlp_anchored, "torch", "network"),
        (heavy.gbm, "xgboost", "trees"),
    ],
)
def test_what_is_missing_is_named_with_its_extra(make, package, extra, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(heavy, "find_spec", lambda name: None if name == package else found(name))
    with pytest.raises(
        ModuleNotFoundError, match=rf"needs {package}.*kobench-baselines\[{extra}\]"
    ):
        make()


def test_the_others_import_neither():
    names = ("linear", "anchored", "additive", "neighbours", "steady", "state_contrast", "twofold")
    code = "import sys;" + ";".join(f"import kobench_baselines.{name}" for name in names)
    code += ";assert not {'torch', 'xgboost'} & set(sys.modules), 'imported'"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
