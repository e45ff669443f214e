"""Tables that say what labels mean: what is read, and what each fault is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from kobench.datasets.label_table import MOST, read_label_table
from kobench.errors import UserError


@pytest.fixture
def table(tmp_path: Path):
    """`table(text)` -> the path of a file with that text."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "labels.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.mark.parametrize(
    "text",
    [
        "label,genes\n1,A+B\n2,C\n",
        "\ufefflabel,genes\r\n1,A+B\r\n2,C\r\n",
        "genes\tother\tlabel\nA+B\tx\t1\nC\t\t2",
        "label;genes\n1; A+B \n\n2;C\n2;C\n",
        '"label","genes","note"\n"1","A+B","a, b"\n"2","C"\n',
    ],
)
def test_what_is_read(table, text: str) -> None:
    assert read_label_table(table(text)) == {"1": "A+B", "2": "C"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column label and genes .its first line has nothing"),
        ("label,gene\n1,A\n", "lacks the column genes .its first line has label, gene.; its first"),
        ("1,A\n2,B\n", "lacks the column label and genes .its first line has 1, A"),
        ("label,genes\n", "has no line below its head"),
        ("label,genes\n1,A\n2,\n", "line 3 has no genes; give both"),
        ("label,genes\n,A\n", "line 2 has no label"),
        ("label,genes\n1\n", "line 2 has no genes"),
        ("label,genes\n1,A\n1,B\n", "line 3: label '1' means 'B' there and 'A' further up"),
        (b"label,genes\n\xff,A\n", "cannot be read .*give a .csv file in UTF-8"),
        ("label,genes\n" + "1,A\n" * (MOST // 4), "holds more than"),
    ],
)
def test_each_fault_is_one_sentence(table, text: str | bytes, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read_label_table(table(text))
    assert str(caught.value).isprintable()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UserError, match=r"table of labels .* cannot be read"):
            read_label_table(path)
