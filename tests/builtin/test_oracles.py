"""What oracles of one thing earn: the page docs/oracles.md, and the study that makes it."""

from __future__ import annotations

import re
import sys

import pytest
from places import REPOSITORY

from tests.studies import oracles
from tests.studies.oracles import COLUMNS, ROWS, TABLES, Setting, counts, questions, rows_of_table

PAGE = REPOSITORY / "docs" / "oracles.md"
OLD, ALL, NEW = COLUMNS


def published(title: str) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Row -> column -> mean, lowest and highest, as the page has them."""
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    words = {said: row for row, said in ROWS.items()}
    found = {}
    for line in section.splitlines():
        first, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        if first in words:
            numbers = [[float(text) for text in re.findall(r"-?\d\.\d\d", cell)] for cell in cells]
            found[words[first]] = {
                column: (values[0], min(values), max(values))
                for column, values in zip(COLUMNS, numbers, strict=True)
                if values
            }
    return found


def test_one_bit_buys_no_half_of_the_second_primary_metric_and_half_of_the_cells_has_most_of_it():
    table = published("hipsc-ko")
    assert set(table) == set(ROWS) - {"exact"}
    assert table["bit"][OLD][0] > 0.6
    assert table["bit"][NEW][0] < 0.5
    assert table["half"][NEW][0] > 0.85
    assert table["strongest"][OLD][0] > 0.3
    assert table["strongest"][NEW][0] < 0.2
    for row in ("nothing", "permuted", "size", "direction"):
        assert abs(table[row][NEW][0]) < 0.1, row
    assert table["direction"][OLD][0] > 0.4
    assert set(table["truth"].values()) == {(1.0, 1.0, 1.0)}
    few = published("k562-crispri")
    assert all(set(values) == {ALL} for values in few.values())


def test_the_page_has_what_one_split_gives(real_data):
    real_data("hipsc-ko")
    (asked,) = questions(Setting("hipsc-ko", ("hipsc-ko",)))
    table = published("hipsc-ko")
    for row, values in rows_of_table(*asked).items():
        for column, value in values.items():
            if column in table.get(row, ()):
                _, low, high = table[row][column]
                assert low - 0.0101 <= value <= high + 0.0101, (row, column)


def test_a_table_of_a_small_simulated_screen():
    setting = Setting("small", ("planted:genes=30,cells=120,perturbations=10,perturbed_cells=60",))
    (asked,) = questions(setting)
    found = rows_of_table(*asked)
    assert set(found) == set(ROWS)
    assert found["truth"][ALL] == pytest.approx(1.0)
    assert 0.1 < found["exact"][ALL] < 1
    assert found["half"][ALL] > found["bit"][ALL] > found["strongest"][ALL] > 0
    assert abs(found["permuted"][ALL]) < 0.3
    assert counts(asked[0])[1] == len(asked[0].names)
    lines = oracles.table(setting)
    assert len(lines) == 3 + len(ROWS)
    page = oracles.page(f"# Said\n\n{TABLES}\n\n## old\n", [(setting, lines)])
    assert page.startswith(f"# Said\n\n{TABLES}\n\n## small\n\nMeans over 1 splits")
    assert "## old" not in page
    assert lines[-1] in page


def test_the_command_of_the_page_leaves_it_as_it_is_without_the_real_data(tmp_path, monkeypatch):
    (command,) = re.findall(r"```console\n(.*?)\n```", PAGE.read_text(encoding="utf-8"))
    assert command == f"python -m {oracles.__name__}"
    before = PAGE.read_bytes()
    monkeypatch.setenv("KOBENCH_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setattr(sys, "argv", ["oracles"])
    with pytest.raises(SystemExit, match=r"the real data are not at .*nowhere"):
        oracles.main()
    assert PAGE.read_bytes() == before
