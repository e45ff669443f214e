"""Describing the predictors is cheap and right."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest
from kobench_baselines.plugin import kobench_predictors

from kobench.api import PredictorSpec, answer_kinds

SPECS = {spec.name: spec for spec in kobench_predictors()}


def test_describing_imports_nothing_heavy() -> None:
    code = (
        "import sys; from kobench_baselines.plugin import kobench_predictors;"
        " list(kobench_predictors());print([name for name in ('torch', 'xgboost', 'sklearn',"
        " 'pandas', 'scipy', 'anndata') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_specs_say_what_the_classes_are(spec: PredictorSpec) -> None:
    assert isinstance(spec.make, str)
    module, name = spec.make.split(":")
    make = getattr(importlib.import_module(module), name)
    made = make if inspect.isclass(make) else type(make())
    assert spec.answers == answer_kinds(made)
    defaults = {
        key: value.default for key, value in list(inspect.signature(made).parameters.items())
    }
    assert defaults == {key: param.default for key, param in spec.params.items()}
    made(**defaults)


def test_help_states_the_presets() -> None:
    from kobench_baselines.mlp import PRESETS

    params = SPECS["mlp"].params
    assert params["preset"].choices == tuple(PRESETS)
    for name in ("lr", "batch", "steps"):
        for preset, values in PRESETS.items():
            assert f"{getattr(values, name):g} ({preset})" in params[name].help
    assert f"{list(PRESETS['default'].decay)}".replace(".0", "") in params["decay"].help
