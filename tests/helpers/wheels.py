"""Wheels of a plugin with one predictor, written without any build."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

PLUGIN = """
import numpy as np
from kobench.api import {imports}, hookimpl

class Mean:
    def fit(self, cells, context):
        self.mean = cells.profiles().mean(0)
        print("numpy", np.__version__)
    def predict_expression(self, assemblages):
        rows = np.where(assemblages, self.mean + 1e-9, 0)
        return rows / rows.sum(1, keepdims=True)

@hookimpl
def kobench_predictors():
    yield PredictorSpec("{name}", Mean, summary="the mean")
"""


def plugin(name: str, more: str = "", imports: str = "PredictorSpec") -> str:
    """A plugin's only module, with one predictor."""
    return PLUGIN.format(name=name, imports=imports) + more


def wheel(
    folder: Path, distribution: str, module: str, text: str, needs: Sequence[str] = ()
) -> Path:
    """A wheel with one module and its entry point, without any build."""
    snake = distribution.replace("-", "_")
    path = folder / f"{snake}-1.0-py3-none-any.whl"
    info = f"{snake}-1.0.dist-info"
    files = {
        f"{module}.py": text,
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
            + "".join(f"Requires-Dist: {n}\n" for n in needs)
        ),
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        f"{info}/entry_points.txt": f"[kobench]\n{distribution} = {module}\n",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
        file.writestr(
            f"{info}/RECORD", "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
        )
    return path
