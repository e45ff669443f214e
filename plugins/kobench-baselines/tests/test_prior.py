"""The table, what becomes of its numbers, and what they do to an answer."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kobench_baselines.prior import (
    PROCESSES,
    StateContrastPrior,
    calibrated,
    processes_as_strengths,
    read_strengths,
)
from kobench_baselines.state_contrast import StateContrast

from kobench.api import Cells, Context, Knockouts, normalise_rows


def named(cells: Cells, *first: str) -> Cells:
    """The same cells, the first genes called so."""
    names = np.array([*first, *cells.var_names[len(first) :]], dtype=object).astype(str)
    return Cells(cells.X, names)


def table(folder: Path, text: str) -> str:
    path = folder / "table.csv"
    path.write_text(text)
    return str(path)


def test_strengths_over_their_weighted_mean_by_hand() -> None:
    """Weights 1, 1/2 and 1/2: the mean is (2 + 4 / 2 + 6 / 2) / 2 = 3.5."""
    strengths, weights = np.array([2.0, 4.0, 6.0, np.nan]), np.array([1, 0.5, 0.5, 1])
    np.testing.assert_allclose(calibrated(strengths, weights), [2 / 3.5, 4 / 3.5, 6 / 3.5, 1])


@pytest.mark.parametrize(
    ("strengths", "weights"),
    [([0.0, 0.0], [1.0, 1.0]), ([2.0, 3.0], [0.0, 0.0]), ([np.nan, np.nan], [1.0, 1.0])],
)
def test_where_nobody_is_stronger_all_are_1(strengths: Any, weights: Any) -> None:
    np.testing.assert_array_equal(calibrated(np.array(strengths), np.array(weights)), [1, 1])


def test_the_table_that_comes_with_it_is_what_its_notice_says() -> None:
    rows = PROCESSES.read_text().splitlines()
    assert rows[0] == "gene,processes"
    counts = dict(row.split(",") for row in rows[1:])
    assert len(counts) == len(rows) - 1 == 6254
    assert all(int(count) >= 1 for count in counts.values())
    assert list(counts) == sorted(counts)
    known = processes_as_strengths()
    assert known["POU5F1"] == 1 + math.log2(1 + int(counts["POU5F1"]))
    notice = PROCESSES.with_name("NOTICE.md").read_text()
    assert "CC BY 4.0" in notice
    assert "6,254 genes" in notice


def test_names_that_no_table_has_leave_state_contrast_as_it_is(fit: Any, cells: Cells) -> None:
    events = Knockouts.singles(cells.assemblages()[:20])
    np.testing.assert_array_equal(
        fit(StateContrastPrior(), cells).predict_knockout(cells, events),
        fit(StateContrast(), cells).predict_knockout(cells, events),
    )


def test_a_gene_of_more_processes_changes_more(fit: Any, cells: Cells) -> None:
    """TP53 has more than a gene that nobody knows: its change grows, and the other's shrinks."""
    called = named(cells, "tp53")
    with_table, without = fit(StateContrastPrior(), called), fit(StateContrast(), cells)
    cell = int(np.flatnonzero(cells.assemblages()[:, :2].all(axis=1))[0])
    size = {}
    for gene in (0, 1):
        event = Knockouts([[gene]], [cell])
        null = normalise_rows(event.remove_from(np.asarray(cells.dense(), float)))
        size[gene] = [
            np.abs(predictor.predict_knockout(cells, event) - null).sum()
            for predictor in (with_table, without)
        ]
    assert size[0][0] > 1.5 * size[0][1]
    assert size[1][0] < size[1][1]


def test_contrast_and_change_are_times_the_strength(fit: Any, cells: Cells, tmp_path: Path) -> None:
    """The strengths 3 and 1, with g2 to g11 unknown, over their mean by hand."""
    path = table(tmp_path, "gene,strength\nG0,3\ng1,1\n")
    predictor, plain = fit(StateContrastPrior(table=path), cells), fit(StateContrast(), cells)
    share = cells.assemblages().mean(axis=0)
    mean = (3 * share[0] + share[1]) / (share[0] + share[1])
    for gene, strength in ((0, 3 / mean), (1, 1 / mean), (2, 1.0)):
        np.testing.assert_allclose(predictor.contrast(gene), strength * plain.contrast(gene))
        np.testing.assert_allclose(predictor.log_change(gene), strength * plain.log_change(gene))


def test_a_gene_of_strength_0_changes_nothing(fit: Any, cells: Cells, tmp_path: Path) -> None:
    path = table(tmp_path, "gene,strength\ng0,0\ng1,2\n")
    predictor = fit(StateContrastPrior(table=path), cells)
    has = np.flatnonzero(cells.assemblages()[:, 0])[:5]
    event = Knockouts(np.zeros((5, 1), int), has)
    np.testing.assert_allclose(
        predictor.predict_knockout(cells, event),
        normalise_rows(event.remove_from(np.asarray(cells.dense(), float))),
    )


def test_the_table_alone_says_who_is_strong_and_no_number_of_its_unit(
    fit: Any, cells: Cells, tmp_path: Path
) -> None:
    events = Knockouts.singles(cells.assemblages()[:10])
    answers = []
    for factor in (1, 1000):
        path = table(tmp_path, f"gene,strength\ng0,{3 * factor}\ng1,{factor}\n")
        answers.append(fit(StateContrastPrior(table=path), cells).predict_knockout(cells, events))
    np.testing.assert_allclose(*answers, rtol=1e-12)


def test_a_table_as_spreadsheets_write_it(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(
        b"\xef\xbb\xbfstrength,note,gene\r\n 2.5 ,x, Sox2\r\n,,\r\n1,,MYC\r\n1,,myc\r\n"
    )
    assert read_strengths(path) == {"SOX2": 2.5, "MYC": 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gene,weight\nMYC,1\n", "has the columns gene, weight; expected gene and strength"),
        ("", "has the columns none; expected gene and strength"),
        ("gene,strength\n", "names no gene"),
        ("gene,strength\nMYC,much\n", "line 2: the strength of MYC is 'much'; expected a number"),
        ("gene,strength\nMYC,-1\n", "line 2: the strength of MYC is '-1'"),
        ("gene,strength\nMYC,inf\n", "line 2: the strength of MYC is 'inf'"),
        ("gene,strength\nMYC\n", "line 2: the strength of MYC is ''"),
        ("gene,strength\nMYC,1\nMyc,2\n", "line 3: Myc has the strength 2, and 1 in a line before"),
    ],
)
def test_a_faulty_table_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_strengths(Path(table(tmp_path, text)))


def test_a_table_that_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"can't be read: .*--readable FOLDER"):
        read_strengths(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"gene,strength\nCaf\xe9,1\n")
    with pytest.raises(ValueError, match=r"latin\.csv can't be read: 'utf-8'"):
        read_strengths(tmp_path / "latin.csv")


def test_a_table_of_other_names_is_refused(cells: Cells, tmp_path: Path) -> None:
    predictor = StateContrastPrior(table=table(tmp_path, "gene,strength\nENSG00000136997,1\n"))
    with pytest.raises(ValueError, match=r"names none of the 12 genes of the data, which are g0,"):
        predictor.fit(cells, Context())
