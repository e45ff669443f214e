"""Nothing that can't be seen is shown, and no cell of a CSV file is a formula."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from kobench.util.names import fault_of_folder, fault_of_name
from kobench.util.spreadsheet import cell_text
from kobench.util.text import one_line, visible

#: What must never be shown as it is: escape, C0 and C1, marks of direction, of no width, line ends.
NEVER = (
    *range(0x00, 0x20),
    *range(0x7F, 0xA0),
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    *(0xAD, 0x061C, 0x180E, 0xFEFF, 0x3164, 0x115F),
    *(0xD800, 0xDFFF, 0xFFF9, 0xE0001, 0xE0041, 0xFE0F, 0x034F),
)


def test_every_hidden_character_becomes_its_escape():
    for code in NEVER:
        for shown in (visible(f"a{chr(code)}b"), visible(f"a{chr(code)}b", None)):
            assert chr(code) not in shown
            assert shown.startswith("a\\")
        assert chr(code) not in one_line(f"a{chr(code)}b")
    kept = visible("a\n\tb\r\x1b", None, lines=True)
    assert kept == "a\n\tb\\r\\x1b"


def test_no_character_at_all_gets_through_that_cannot_be_seen():
    everything = "".join(map(chr, range(sys.maxunicode + 1)))
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not {unicodedata.category(char) for char in set(visible(everything, None))} & hidden
    visible(everything, None).encode()  # no half of a pair is left


def test_what_can_be_seen_stays():
    text = "TP53 – σ = 0,5 ± 0.1 µm, 日本, naïve, \u00a0½, ▲ 👍"
    assert visible(text) == one_line(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "=cmd|' /C calc'!A0",
        "+1+cmd",
        "-2+3+cmd",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n@x",
        " =1",
        "\uff1d1",
        "-",
        "-0.5x",
        "- 1",
        "+1e9999",
    ],
)
def test_a_formula_begins_with_an_apostrophe(text):
    assert cell_text(text).startswith("'")
    assert cell_text(text)[1:].lstrip() == text.strip()


@pytest.mark.parametrize("text", ["-0.5", "+3", "-1e-05", "-.5", "1=2", "a-b", "", "'=1"])
def test_numbers_and_plain_texts_stay_as_they_are(text):
    assert cell_text(text) == text


@pytest.mark.parametrize("name", ["a", "mine.h5ad", "Ptrain.csv", "ä b.csv", ".hidden", "console"])
def test_names_that_stay_in_their_folder(name):
    assert fault_of_name(name) == ""
    assert fault_of_folder(f"a/{name}") == ""


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "...", "a/b", "/etc", "a\\b", "C:x", "nul", "CON.txt", "com1.h5ad"),
        *("a\x00b", "a\nb", "a\x1bb", "a.", "a ", " a", "\ud800", "x" * 201, "a*", "a\x85b"),
    ],
)
def test_names_that_could_leave_their_folder(name):
    assert fault_of_name(name)
    assert fault_of_folder(f"a/{name}") or name == "a/b"
