"""What a predictor raised is told by the line of its own code, not by one of kobench's."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from kobench.board.make import make_board
from kobench.board.render import render
from kobench.cli.failures import failure_line
from kobench.errors import InvalidAnswerError
from kobench.plugins.load import load_registry
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.run import Run
from kobench.worker.failures import code_of, failure

#: Each raises in the code of somebody else, called by a line of this file.
MODULE = """import json
import numpy as np
from kobench.api import Profiles, normalise_rows
from kobench.errors import InvalidAnswerError

def by_numpy():
    return np.linalg.inv(np.zeros((2, 3)))

def by_kobench():
    return normalise_rows(object())

def by_python():
    return json.loads("{")

def itself():
    raise ValueError("several\\nlines")

def deep(left=20):
    return deep(left - 1) if left else np.linalg.inv(np.zeros((2, 3)))
""".replace("Profiles, ", "")


def raised(folder: Path, name: str, folders: str = "") -> BaseException:
    place = folder / folders / "mine.py"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("mine", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(Exception) as error:
        getattr(module, name)()
    return error.value


@pytest.mark.parametrize(
    ("name", "line"),
    [("by_numpy", 7), ("by_kobench", 10), ("by_python", 13), ("itself", 16), ("deep", 19)],
)
def test_the_deepest_line_of_its_own_code_is_named(tmp_path: Path, name: str, line: int) -> None:
    said = f" (mine.py:{line} in {name})"
    error = raised(tmp_path, name)
    what = failure(error, code_of(":Mine", str(tmp_path / "mine.py")))
    assert what["message"].endswith(said)
    assert what["traceback"] == failure(error)["traceback"]
    installed = failure(raised(tmp_path, name, "my_method"), code_of("my_method.mine:Mine", None))
    assert installed["message"].endswith(said)


def test_where_none_of_its_code_is_there_it_is_the_deepest_line_of_all(tmp_path: Path) -> None:
    error = raised(tmp_path, "by_python")
    said = failure(error, "another.py")["message"]
    assert "mine.py" not in said
    assert said.endswith(" in raw_decode)")
    refused = InvalidAnswerError("3 rows, and 4 are expected")
    assert failure(refused, "mine.py")["message"] == "3 rows, and 4 are expected"


PLUGIN = """import numpy as np
from kobench.api import PredictorSpec, hookimpl

class Mine:
    def fit(self, cells, context):
        np.linalg.inv(np.zeros((2, 3)))
    def predict_expression(self, assemblages): ...

@hookimpl
def kobench_predictors():
    yield PredictorSpec("mine", Mine)
"""


def test_runs_and_boards_name_it_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGIN)
    registry = load_registry(plugin_files=[tmp_path / "mine.py"])
    request = Request(["grn:genes=15,cells=60"], ["mine"], tasks=["profile"], sandbox="off")
    outcome = Run(tmp_path / "out").run(make_plan(registry, request))
    (failed,) = outcome.failed
    line = failure_line(failed)
    assert line.endswith("(mine.py:6 in fit)")
    assert "\n" not in line
    assert "linalg" in (failed.result.traceback or "")  # the whole of it is where it was
    for form in ("markdown", "html"):
        assert "(mine.py:6 in fit)" in render(make_board(outcome.records), form)
