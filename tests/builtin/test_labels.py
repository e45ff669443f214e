"""What labels say: controls, several genes, guides, tables, and names in another spelling."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobench.builtin.datasets.labels.controls import is_usual
from kobench.builtin.datasets.labels.genes import Genes
from kobench.builtin.datasets.labels.read import Labels, Spelling, read_labels
from kobench.builtin.datasets.labels.said import how_read, why_unknown
from kobench.builtin.datasets.labels.templates import Template, fits
from kobench.builtin.datasets.labels.text import trimmed
from kobench.errors import UserError

GENES = ("GATA1", "TAL1", "KLF1", "SPI1", "HLA-A", "NKX2-1", "MT-CO1", "RP11-34_1", "NT5E")


def spelt(
    control: str | Sequence[str] = "NT",
    join: str | Sequence[str] = "",
    guides: str | Sequence[str] = "",
    table: Mapping[str, str] | None = None,
    ignore_case: bool = False,
) -> Spelling:
    return Spelling.of("FILE", control, join, guides, table or {}, ignore_case)


def read(labels: Sequence[str], genes: Sequence[str] = GENES, **how: Any) -> Labels:
    spelling = spelt(**how)
    written = np.array(labels, dtype=np.str_)
    return read_labels(written, spelling, Genes(genes, spelling.ignore_case), "FILE")


def names(labels: Sequence[str], genes: Sequence[str] = GENES, **how: Any) -> list[str]:
    """What each label names, "" for wild type; a control cell is there in any case."""
    control = how.get("control", "NT")
    first = control if isinstance(control, str) else control[0]
    extra = [] if "*" in first else [first]
    return read([*labels, *extra], genes, **how).names.tolist()[: len(labels)]


def said(labels: Sequence[str], genes: Sequence[str] = GENES, **how: Any) -> str:
    spelling, known = spelt(**how), Genes(genes, how.get("ignore_case", False))
    found = read(labels, genes, **how)
    return " | ".join((*how_read(found, spelling, known), why_unknown(found, known)))


def test_a_declared_control_says_nothing_in_whatever_place() -> None:
    assert names(["TAL1+NT", "NT+TAL1", "NT + NT", "NT", "SPI1+NT+GATA1", "GATA1++NT"]) == [
        *("TAL1", "TAL1", "", "", "GATA1+SPI1", "GATA1"),
    ]
    assert names(["TAL1+ctrl", "Control+TAL1"]) == ["TAL1", "TAL1"]  # whatever is declared


def test_several_controls_and_patterns() -> None:
    labels = ["NT1", "NT2", "TAL1+NT2", "NT1+NT2"]
    assert names(labels, control=["NT1", "NT2"]) == ["", "", "TAL1", ""]
    assert names(labels, control="NT*") == ["", "", "TAL1", ""]
    assert "control 'NT*' stands for 'NT2' (3 cells), 'NT1' (2 cells)" in said(
        labels, control="NT*"
    )
    with pytest.raises(UserError, match="no cell has 'NT3', though it is declared as a control"):
        read(labels, control=["NT1", "NT3"])
    for none in ("", " ", "*", []):
        with pytest.raises(UserError, match="give the label of unperturbed cells"):
            read(labels, control=none)


def test_a_pattern_takes_no_gene_for_a_control() -> None:
    labels = ["NT1", "NT5E", "NT_GATA1", "NT-GATA1", "NT_FOO"]
    assert names(labels, control="NT*") == ["", "NT5E", "NT_GATA1", "NT-GATA1", ""]
    heard = said(labels, control="NT*")
    assert "'NT5E' (1 cell) could be a declared control, and was taken as the gene" in heard
    assert "'NT_GATA1' has the gene GATA1 where `*` stands for the rest of a name" in heard
    assert "'NT_FOO' (1 cell)" in heard  # what a pattern took is said
    # where genes are joined, `*` ends at what joins them
    assert names(labels, control="NT*", join="_")[2:] == ["GATA1", "NT-GATA1", "FOO"]
    assert names(["NT1", "NT1+FOO"], control="NT*") == ["", "FOO"]
    assert names(["NT5E"], control=["NT5E"]) == [""]  # declared letter by letter


@pytest.mark.parametrize("sign", [*"|;,&-_ :/.", "__", " | "])
@pytest.mark.parametrize("gene", ["NKX2-1", "HLA-A", "RP11-34_1", "GATA1"])
def test_a_star_holds_no_gene_whatever_parts_it(sign: str, gene: str) -> None:
    how: dict[str, Any] = {"control": ["NT-*", "AAVS1-*"], "guides": "{gene}-{n}"}
    for label in (f"NT-1{sign}{gene}-3", f"NT-{gene}{sign}1", f"AAVS1-2{sign}{gene}"):
        found = read(["NT-1", "AAVS1-1", label], **how)
        assert found.wild_type.tolist() == [True, True, False], label
    # nor does the star of a guide
    assert names([f"TAL1-3{sign}{gene}-2"], guides="{gene}-*") != ["TAL1"]


@pytest.mark.parametrize("sign", [*"|;,&"])
def test_a_star_holds_no_sign_that_joins(sign: str) -> None:
    label = f"NT-1{sign}KMT2A-3"  # KMT2A is not measured
    how: dict[str, Any] = {"control": "NT-*", "guides": "{gene}-{n}"}
    assert read(["NT-1", label], **how).wild_type.tolist() == [True, False]
    assert f"'{label}' has the sign '{sign}', which may join genes (`--join`)," in said(
        ["NT-1", label], **how
    )
    assert names(["NT-1", label], join=sign, **how) == ["", "KMT2A"]
    assert names([f"TAL1-3{sign}KMT2A-2"], guides="{gene}-*") != ["TAL1"]
    # a sign that was declared in the pattern is one of the name
    assert names([f"NT{sign}1"], control=f"NT{sign}*") == [""]


@pytest.mark.parametrize("other", ["ctrl ", " ctrl", "Ctrl", "CTRL", "ctrl\n", "\ufeffctrl\u200b"])
def test_controls_in_another_spelling_are_counted_and_said(other: str) -> None:
    assert names([other, "TAL1", f"TAL1+{other}"], control="ctrl") == ["", "TAL1", "TAL1"]
    heard = said(["ctrl", other, other], control="ctrl")
    assert "controls that are spelt in another way were counted" in heard
    assert "(2 cells) as 'ctrl'" in heard
    assert heard.isprintable()


def test_guides_of_a_control_in_another_spelling_are_all_counted() -> None:
    labels = ["NT-1", "nt-1", "nt-2", "nt-2|NT-1", "nt-1|nt-2", "TAL1-1|nt-3"]
    heard = said(labels, join="|", guides="{gene}-{n}")
    assert "spelt in another way were counted: 'nt' (5 cells) as 'NT'" in heard


def test_a_gene_that_differs_from_a_control_by_case_stays_a_gene() -> None:
    genes = ["WT", "Control", "TAL1"]
    assert names(["WT", "wt", "TAL1"], genes, control="wt") == ["WT", "", "TAL1"]
    assert "'WT' (1 cell) could be a declared control" in said(["WT", "wt"], genes, control="wt")
    assert names(["Control", "TAL1+control"], genes, control="WT") == ["Control", "TAL1"]


@pytest.mark.parametrize(
    "word",
    [
        *("non-targeting", "Non_Targeting_12", "ctrl", "control", "scramble", "safe-targeting"),
        *("AAVS1", "WT", "unperturbed", "NTC", "NegCtrl3", "negative control", "nt_g2"),
        *("p_INTERGENIC393453", "3x_neg_ctrl_pMJ144-1"),
    ],
)
def test_the_usual_words_that_are_not_declared_are_pointed_out(word: str) -> None:
    assert is_usual(word)
    for label in (word, f"TAL1+{word}"):
        heard = said(["neutral", label, "TAL1"], control="neutral")
        if label == word or word not in ("ctrl", "control"):
            assert f"'{word}' (1 cell) may be controls that are not declared" in heard
    assert read([word, "neutral"], control="neutral").wild_type.tolist() == [False, True]
    assert not is_usual("TAL1_ctrl", GENES)
    assert not any(map(is_usual, (*GENES, "WT1", "SCRIB", "NEGR1", "NTRK1")))


def test_other_separators() -> None:
    assert names(["GATA1_SPI1", "SPI1_GATA1", "GATA1+SPI1", "TAL1_NT"], join="_") == [
        *("GATA1+SPI1", "GATA1+SPI1", "GATA1+SPI1", "TAL1"),
    ]
    for join in (",", "|", ";", " and ", "__", " ", "&"):
        assert names([f"TAL1{join}GATA1", f"NT{join}TAL1"], join=join) == ["GATA1+TAL1", "TAL1"]
    assert names(["SPI1|TAL1,GATA1"], join=["|", ","]) == ["GATA1+SPI1+TAL1"]
    assert names(["GATA1_SPI1"]) == ["GATA1_SPI1"]
    with pytest.raises(UserError, match="join is 'A', which would cut names of genes"):
        read(["NT"], join="A")


def test_a_measured_gene_with_a_separator_in_its_name_is_not_cut() -> None:
    assert names(["HLA-A", "NKX2-1-HLA-A", "MT-CO1-NT", "NT-HLA-A"], join="-") == [
        *("HLA-A", "HLA-A+NKX2-1", "MT-CO1", "HLA-A"),
    ]
    assert names(["RP11-34_1", "TAL1_RP11-34_1", "RP11-34_1_RP11-34_1"], join="_") == [
        *("RP11-34_1", "RP11-34_1+TAL1", "RP11-34_1"),
    ]
    # what is not measured stays as it is written, or stands beside what is
    assert names(["HLA-B", "TAL1-FOO"], join="-") == ["HLA-B", "FOO+TAL1"]


def test_what_can_be_read_in_two_ways() -> None:
    genes = ["HLA", "A", "HLA-A", "B", "A-B"]
    assert names(["HLA-A"], genes, join="-") == ["HLA-A"]
    assert "'HLA-A' as HLA-A, not as A and HLA" in said(["HLA-A", "NT"], genes, join="-")
    with pytest.raises(
        UserError, match="'HLA-A-B' can be read as A-B and HLA or as B and HLA-A; say what"
    ):
        read(["HLA-A-B", "NT"], genes, join="-")


def test_guides() -> None:
    labels = ["GATA1_g1", "GATA1_g22", "NT_g1", "TAL1_g1+NT_g2", "FOO_g3", "KLF1", "NT"]
    assert names(labels, guides="{gene}_g{n}") == [
        *("GATA1", "GATA1", "", "TAL1", "FOO", "KLF1", ""),
    ]
    assert names(["GATA1_SPI1_g1", "GATA1_g1_SPI1_g2"], guides="{gene}_g{n}", join="_") == [
        *("GATA1+SPI1", "GATA1+SPI1"),
    ]
    assert names(["HLA-A-2", "HLA-A", "NKX2-1", "NKX2-1-1"], guides="{gene}-{n}") == [
        *("HLA-A", "HLA-A", "NKX2-1", "NKX2-1"),
    ]
    weissman = ["GATA1_+_48645022.23-P1P2", "RP11-34_1_-_1.2-P1", "NT_+_7.1-P2", "FOO_+_1.1-P1"]
    assert names(weissman, guides=["{gene}_+_*", "{gene}_-_*"]) == ["GATA1", "RP11-34_1", "", "FOO"]
    assert names(["sgTAL1-3", "p-sgKLF1-1"], guides=["sg{gene}-{n}", "p-sg{gene}-{n}"]) == [
        *("TAL1", "KLF1"),
    ]
    assert names(["62_SPI1_pDS255"], guides="*_{gene}_p*") == ["SPI1"]


def test_a_guide_hides_no_second_gene() -> None:
    labels = ["GATA1_SPI1", "GATA1_g1", "NT"]
    assert names(labels, guides="{gene}_*") == ["GATA1_SPI1", "GATA1", ""]
    assert "'GATA1_SPI1' has the gene SPI1 where `*`" in said(labels, guides="{gene}_*")
    # nor one that is not measured: `*` ends where another gene may begin
    assert names(["GATA1_g1+FOO", "GATA1_g1+FOO_g2"], guides="{gene}_*") == ["FOO+GATA1"] * 2
    assert names(["GATA1-x,FOO-y"], guides="{gene}-*", join=",") == ["FOO+GATA1"]
    with pytest.raises(
        UserError, match=r"join is '_' and guide_pattern is '\{gene\}_\*', in which"
    ):
        read(labels, guides="{gene}_*", join="_")


@pytest.mark.parametrize(
    "pattern",
    ["(.+)_g[0-9]+", "{gene}{gene}", "{name}_g1", "_g{n}", "(?P<gene>.*)*", "{gene}" + "x" * 300],
)
def test_what_is_no_template(pattern: str) -> None:
    with pytest.raises(UserError, match="which is no template; write the name of a guide"):
        read(["NT"], guides=pattern)


@pytest.mark.parametrize("pattern", ["{gene}*", "*{gene}_g1", "{gene}{n}", "sg{n}{gene}"])
def test_nothing_that_could_take_a_part_of_the_gene_touches_it(pattern: str) -> None:
    with pytest.raises(UserError, match="could take a part of it; put what"):
        read(["NT"], guides=pattern)


def test_a_label_of_hundreds_of_parts_is_one_name() -> None:
    labels = ["_".join(["GATA1", "FOO"] * 400), "+".join(["TAL1", "FOO"] * 400)]
    found = names(labels, join="_")
    assert found[0] == labels[0]
    assert "+" not in found[1]  # nothing that the truth could cut
    assert names(["_".join(["GATA1", "TAL1"] * 40)], join="_") == ["GATA1+TAL1"]


def test_no_template_takes_for_ever() -> None:
    """A regular expression of so many `.*` would not end."""
    pattern = "*a" * 40 + "{gene}" + "a*" * 40 + "{n}{n}{n}b"
    label = "a" * 190
    assert list(Template.read(pattern, "").genes_in(label)) == []
    assert not fits("*a" * 90 + "b", label)
    assert names([label], guides=pattern) == [label]
    assert list(Template.read("{gene}_*", "").genes_in("a_" * 1000)) == []  # too long for a guide


@given(st.text("ab1_", max_size=12), st.text("ab1_", max_size=6))
def test_templates_find_what_was_put_in(gene: str, more: str) -> None:
    assert not gene or gene in Template.read("x{gene}-*y{n}", "").genes_in(f"x{gene}-{more}y07")
    assert fits("N*-*", f"N{gene}-{more}")
    assert not fits("N*-", f"N{gene}-{more}!")


def test_a_table_says_what_labels_mean() -> None:
    table = {"1": "GATA1+SPI1", "2 ": "TAL1", "3": "NT", "4": "FOO"}
    assert names(["1", "2", "3", "4", "NT"], table=table) == ["GATA1+SPI1", "TAL1", "", "FOO", ""]
    assert "1 lines of the table of labels name no label of the file: '4'" in said(
        ["1", "2", "3"], table=table
    )
    with pytest.raises(
        UserError, match=r"2 of 3 labels are not in the table of labels: '8' \(2 cells\), '9' \(1"
    ):
        read(["8", "9", "8", "NT"], table=table)
    for wrong in ({"1": ""}, {"1": " "}, {"1": 3}):
        with pytest.raises(UserError, match="give its genes joined by `\\+`, or a control"):
            read(["1"], table=wrong)
    with pytest.raises(UserError, match="labels says two things"):
        read(["1"], table={"1": "A", "1 ": "B"})
    with pytest.raises(UserError, match="and join too; leave one of them out"):
        read(["1"], table=table, join="_")


def test_case_is_ignored_only_where_that_is_asked_and_one_gene_is_meant() -> None:
    genes = ["GATA1", "Gata1", "TAL1", "KLF1", "klf1"]
    labels = ["gata1", "Gata1", "tal1", "KLF1", "NT"]
    assert names(labels, genes) == ["gata1", "Gata1", "tal1", "KLF1", ""]
    assert names(labels, genes, ignore_case=True) == ["gata1", "Gata1", "TAL1", "KLF1", ""]
    assert "'tal1' differs by case from 'TAL1'" in said(labels, genes)
    heard = said(labels, genes, ignore_case=True)
    assert "labels were matched with genes: 'tal1' as 'TAL1'" in heard
    assert "'gata1' could be GATA1 or Gata1, which differ by case only" in heard


def test_versions_of_ensembl_ids() -> None:
    genes = ["ENSG00000102145.15", "ENSG00000162367", "ENSG7.1", "ENSG7.2", "RP11-34.1"]
    labels = ["ENSG00000102145", "ENSG00000162367.3", "ENSG00000102145.9", "ENSG7", "RP11-34"]
    assert names(labels, genes) == [genes[0], genes[1], genes[0], "ENSG7", "RP11-34"]
    heard = said([*labels, "NT"], genes)
    assert "'ENSG00000102145' as 'ENSG00000102145.15'" in heard
    assert "'ENSG7' could be ENSG7.1 or ENSG7.2" in heard


def test_labels_with_characters_that_can_not_be_seen() -> None:
    assert names(["GATA1\u200b", "\ufeffTAL1 ", "KLF1\xa0", "K\nLF1"]) == [
        *("GATA1", "TAL1", "KLF1", "K\nLF1"),
    ]
    assert "'K\\nLF1' has hidden characters" in said(["K\nLF1", "NT"])
    assert trimmed(" \u200b\t A \n") == "A"
    with pytest.raises(UserError) as caught:
        read(["K\nLF1", "\x1b[31m"])
    assert str(caught.value).isprintable()


@st.composite
def spellings(draw: st.DrawFn) -> tuple[list[str], str]:
    """Some genes, and a label of them with controls among them, blanks, and any order."""
    genes = draw(st.lists(st.sampled_from(GENES), min_size=1, max_size=4, unique=True))
    parts = genes + draw(st.lists(st.sampled_from(genes), max_size=2))
    parts = [
        f"{part}_g{draw(st.integers(0, 99))}" if draw(st.booleans()) else part for part in parts
    ]
    parts += draw(st.lists(st.sampled_from(["NT", "nt", "Nt ", "neg3", "NT_g4"]), max_size=3))
    parts = draw(st.permutations(parts))
    blank = st.sampled_from(["", " ", "\t", "\u200b"])
    joins = st.sampled_from(["+", "|", "_"])
    label = "".join(
        f"{draw(joins) if place else ''}{draw(blank)}{part}{draw(blank)}"
        for place, part in enumerate(parts)
    )
    return genes, label


@given(spellings())
def test_a_label_means_the_same_in_whatever_order_and_spelling(case: tuple[list[str], str]) -> None:
    genes, label = case
    found = read(
        [label, "NT"],
        control=["NT", "neg*"] if "neg" in label else "NT",
        join=["|", "_"],
        guides="{gene}_g{n}",
    )
    assert found.names.tolist() == ["+".join(sorted(genes)), ""]


def read_or_refused(labels: Sequence[str], **how: Any) -> Labels | None:
    """What labels say; None where they are refused, in one line."""
    try:
        return read(labels, **how)
    except UserError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    return None


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=6))
def test_whatever_stands_in_labels_they_are_read_or_refused_in_one_line(texts: list[str]) -> None:
    for how in ({}, {"join": ["_", "-", ","]}, {"guides": ["{gene}_*", "*_{gene}-{n}"]}):
        found = read_or_refused([*texts, "NT"], **how)
        if found is None:
            continue
        assert found.wild_type[-1]
        for name, wild_type in zip(found.names, found.wild_type, strict=True):
            assert bool(name) != bool(wild_type)
        # reading what was read changes nothing
        again = read([name or "NT" for name in found.names])
        for one, other, before in zip(found.names, again.names, texts, strict=False):
            known = set(str(one).split("+")) <= set(GENES)
            assert one == other or not known, before


def test_every_order_of_three_is_one_perturbation() -> None:
    labels = ["+".join(order) for order in itertools.permutations(["GATA1", "NT", "TAL1"])]
    assert set(names(labels)) == {"GATA1+TAL1"}


@given(
    st.lists(st.sampled_from(["A", "B", "X", "Y", "NT", "C", "D"]), min_size=2, max_size=6),
    st.data(),
)
def test_the_short_way_finds_what_the_long_one_does(words: list[str], data: st.DataObject) -> None:
    parser = spelt(join=["_", "-"]).parser(Genes(["A", "B", "C-D"]))
    joins = [data.draw(st.sampled_from("_-+")) for _ in words[1:]]
    pieces = [words[0], *(piece for pair in zip(joins, words[1:], strict=True) for piece in pair)]
    said = [parser._word(word) for word in words]
    if not (wider := parser._wider(pieces)):
        assert parser._joined(pieces, said).cost == parser._cheapest(pieces, said, wider)[0].cost


def test_a_label_with_a_declared_control_in_it_is_no_control_to_name() -> None:
    """LYL1 is no gene of the file: whoever named LYL1_NT a control made perturbed cells wild."""
    for label in ("LYL1_ctrl", "ctrl_LYL1", "LYL1-ctrl-2", "LYL1_Ctrl"):
        assert "may be controls" not in said(["ctrl", label, "TAL1"], control="ctrl")
        assert "may be controls" in said(["neutral", label, "TAL1"], control="neutral")
    heard = said(["non-targeting", "LYL1_non-targeting ctrl"], control="non-targeting")
    assert "may be controls" not in heard
    # but a word for a control by itself is still pointed out
    assert "'NT_2' (1 cell) may be controls" in said(["NT", "NT_2"], control="NT")


def test_labels_that_are_one_perturbation_are_counted_once() -> None:
    heard = said(["NT", "TAL1+NT", "NT+TAL1", "GATA1", "SPI1+GATA1", "GATA1+SPI1"], control="NT")
    assert "5 labels of perturbed cells are 3 perturbations" in heard
    assert "labels of perturbed" not in said(["NT", "TAL1", "GATA1"], control="NT")
