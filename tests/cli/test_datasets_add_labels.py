"""`kobench datasets add` with labels as people write them, to the card and back."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from command import kobench
from screens import GENES, screen, written

from kobench.builtin.datasets import h5ad
from kobench.builtin.specs.datasets import h5ad_spec
from kobench.datasets.cards import read_card
from kobench.errors import UserError
from kobench.plugins.parameters import canonical, complete
from kobench.util.grammar import parse

pytest.importorskip("anndata")

KEY = ("--perturbation-key", "perturbation")


def add(path: str, cards: Path, *options: object, code: int = 0) -> str:
    """What `add` says."""
    done = kobench(
        *("datasets", "add", path, "--name", "mine", *KEY, "--to", cards), *options, code=code
    )
    return done.stdout + done.stderr


def parameters(cards: Path) -> dict[str, object]:
    return tomllib.loads((cards / "mine.toml").read_text())["parameters"]


def test_options_come_to_the_card_and_the_card_reads_the_same(tmp_path: Path) -> None:
    labels = {
        "control": "NT1",
        "GATA1": "GATA1_g1+NT2",
        "GATA1+SPI1": "SPI1_GATA1",
        "KLF1": "KLF1_g2",
    }
    path, cards = written(screen(lambda x: labels.get(x, x)), tmp_path), tmp_path / "cards"
    options = ("--control", "NT1", "--control", "NT2", "--join", "_")
    said = add(path, cards, *options, "--guide-pattern", "{gene}_g{n}")
    assert "askable       4 of 4 perturbations: GATA1, GATA1+SPI1, KLF1, TAL1" in said
    assert parameters(cards) == {
        "perturbation_key": "perturbation",
        "control": ["NT1", "NT2"],
        "join": "_",
        "guide_pattern": "{gene}_g{n}",
    }
    spec = read_card(cards / "mine.toml")
    dataset = spec.load()
    assert set(dataset.perturbed.obs["perturbation"]) == {"GATA1", "GATA1+SPI1", "KLF1", "TAL1"}
    # another way to write one control is another dataset, and a fault in it is told
    card = cards / "mine.toml"
    card.write_text(card.read_text().replace('    "NT2",\n', '    "NT9",\n'))
    assert read_card(card).card["digest"] != spec.card["digest"]
    shown = kobench("run", "-d", "mine", "--datasets", cards, "-p", "linear", code=None)
    assert "no cell has 'NT9', though it is declared as a control" in shown.stdout + shown.stderr
    card.write_text(card.read_text().replace('    "NT9",\n', "    3,\n"))
    shown = kobench("list", "datasets", "--datasets", cards, code=None)
    assert "parameter control is 3; it must be of type str" in shown.stdout + shown.stderr


def test_a_selection_has_several_controls_and_a_table_too(tmp_path: Path) -> None:
    turn = iter(range(1000))
    path = written(screen(lambda x: x if x != "control" else f"NT{next(turn) % 2}"), tmp_path)
    params = h5ad_spec().params
    chosen = complete(
        parse(f'h5ad:path={path},control=["NT0", "NT1"],labels={{KLF1="TAL1"}}'), params
    )
    assert canonical("h5ad", chosen, params).endswith(',labels={"KLF1" = "TAL1"},path=' + path)
    chosen["labels"] |= {name: name for name in ("GATA1", "TAL1", "GATA1+SPI1")}
    dataset = h5ad.load(**chosen)
    assert dataset.cells.n_obs == 120
    assert set(dataset.perturbed.obs["perturbation"]) == {"GATA1", "TAL1", "GATA1+SPI1"}
    one = complete(parse('h5ad:control=["NT0", "NT0"]'), params)
    assert one["control"] == "NT0"  # one text for one dataset
    for wrong, message in (
        ("[]", "an empty list"),
        ("[1]", "expected text"),
        ("3", "expected text"),
    ):
        with pytest.raises(UserError, match=message):
            complete(parse(f"h5ad:control={wrong}"), params)


def test_a_table_is_copied_into_the_card(tmp_path: Path) -> None:
    number = {"control": "0", "GATA1": "1", "GATA1+SPI1": "2", "KLF1": "3", "TAL1": "4"}
    path, cards = written(screen(lambda x: number[x]), tmp_path), tmp_path / "cards"
    table = tmp_path / "labels.csv"
    table.write_text("label,genes\n0,NT\n1,GATA1\n2,SPI1+GATA1\n3,KLF1\n")
    options = ("--labels", table, "--control", "NT")
    said = add(path, cards, *options, code=2)
    assert "1 of 5 labels are not in the table of labels: '4' (40 cells); add a line" in said
    assert not cards.exists()
    table.write_text(table.read_text() + "4,TAL1\n")
    assert "askable       4 of 4 perturbations" in add(path, cards, *options)
    assert parameters(cards)["labels"]["2"] == "SPI1+GATA1"
    before = read_card(cards / "mine.toml").card["digest"]
    table.unlink()  # nobody needs it any more
    assert read_card(cards / "mine.toml").load().perturbed.n_obs == 160
    card = cards / "mine.toml"
    card.write_text(card.read_text().replace("SPI1+GATA1", "TAL1+GATA1"))
    assert read_card(card).card["digest"] != before  # a changed table is other data
    assert "      4: TAL1" in kobench("info", "mine", "--datasets", cards).stdout


def test_nothing_is_written_where_labels_name_no_gene_and_the_offer_works(tmp_path: Path) -> None:
    adata = screen()
    adata.var["gene_name"] = list(GENES)
    adata.var_names = [f"ENSG{i:011d}" for i in range(len(GENES))]
    path, cards = written(adata, tmp_path), tmp_path / "cards"
    said = add(path, cards, code=2)
    assert "none of its 4 perturbed genes is among its genes, so no card was written" in said
    assert "did you mean `--var-key gene_name`? then 4 of 4 perturbations" in said
    assert "Wrote" not in said
    assert not cards.exists()
    assert "NO PERTURBATION CAN BE ASKED" in add(path, cards, "--check")
    said = add(path, cards, "--var-key", "gene_name")
    assert "Wrote" in said
    assert "askable       4 of 4 perturbations" in said


def test_no_way_to_match_says_what_could_be_said(tmp_path: Path) -> None:
    path = written(screen(lambda x: x if x == "control" else f"clone {len(x)}"), tmp_path)
    said = add(path, tmp_path / "cards", code=2)
    assert "say which column of obs names genes (--perturbation-key), which column of var" in said


def test_what_is_asked_of_nobody_does_not_read_like_success(tmp_path: Path) -> None:
    path = written(screen(), tmp_path)
    said = add(path, tmp_path / "cards", "--kind", "overexpression")
    assert "NO PERTURBATION CAN BE ASKED; the line `not askable` says why." in said
