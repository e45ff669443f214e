"""The six members of the challenge's score against `cell_eval2`, number by number.

Its results on ten made screens lie in cell_eval2.json, with its version (`python
tests/studies/challenge.py` makes that file). Where it is installed it is run, too.
"""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path

import pytest
from counted_screens import ANSWERS, SCREENS, made_screen
from places import REPOSITORY

from kobench.screens.measure import Measured, measure
from kobench.screens.scale import MEMBERS, Scale, compared

STORED = json.loads((Path(__file__).parent / "cell_eval2.json").read_text(encoding="utf-8"))

#: How far a number may be from that of cell_eval2.
APART = 1e-6


def ours(number: int) -> dict[str, dict[str, float]]:
    """kobench's numbers of a made screen, as the file has those of cell_eval2."""
    screen = made_screen(number)
    cells = screen.counted()
    true: Measured = measure(cells)
    # cell_eval2 cuts its "non-targeting" cells in halves after those of all genes called g...
    scale = Scale.of(cells, true, control_at=cells.k)
    answer = compared(measure(screen.counted(predicted=True)), true)
    return {
        name: {
            "answer": answer[name],
            "zero": scale.zero[name],
            "one": scale.one[name],
            "scaled": scale.scaled(name, answer[name]),
        }
        for name in MEMBERS
    }


def agree(found: dict[str, dict[str, float]], expected: dict[str, dict[str, float]]) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=0, abs=APART), name


@pytest.mark.parametrize("number", range(SCREENS))
def test_all_six_are_those_of_cell_eval2(number: int) -> None:
    stored = STORED["screens"][number]
    if stored["digest"] != made_screen(number).digest:
        pytest.skip(
            f"this numpy draws other numbers than numpy {STORED['versions']['numpy']}: the made"
            " screens are not those of cell_eval2.json; make it anew by tests/studies/challenge.py"
        )
    agree(ours(number), stored["members"])


def test_the_stored_screens_tell_something() -> None:
    """Numbers that are all alike, or all at an end, would agree with much that is wrong."""
    assert len(STORED["screens"]) == SCREENS == len(ANSWERS)
    assert STORED["versions"]["cell_eval2"] == "0.20.0"
    for name in MEMBERS:
        scaled = [screen["members"][name]["scaled"] for screen in STORED["screens"]]
        assert len({round(value, 4) for value in scaled if 0 < value < 1}) >= 3, name
        for end in ("zero", "one"):
            values = {round(screen["members"][name][end], 4) for screen in STORED["screens"]}
            assert len(values) >= 5, (name, end)


@pytest.mark.skipif(
    importlib.util.find_spec("cell_eval2") is None,
    reason="cell_eval2 is not installed; its stored results are compared above",
)
@pytest.mark.parametrize("number", range(SCREENS))
def test_all_six_are_those_of_the_cell_eval2_that_is_installed(number: int) -> None:
    path = REPOSITORY / "tests" / "studies" / "challenge.py"
    spec = importlib.util.spec_from_file_location("study_of_cell_eval2", path)
    assert spec is not None
    assert spec.loader is not None
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    logging.disable(logging.WARNING)
    try:
        screen = made_screen(number)
        expected, _ = study.score(study.as_anndata(screen, True), study.as_anndata(screen, False))
    finally:
        logging.disable(logging.NOTSET)
    agree(ours(number), expected)
