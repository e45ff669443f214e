"""Files in which perturbations differ in kind: a column says what was done to each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command import kobench
from screens import PERTURBED, screen, written

from kobench.builtin.datasets import h5ad
from kobench.dataset import Dataset
from kobench.datasets.cards import read_card
from kobench.datasets.split import rows_of
from kobench.errors import UserError
from kobench.truth.population import ask_responses, why_unasked

pytest.importorskip("anndata")

KINDS = {"GATA1": "CRISPRi", "GATA1+SPI1": "KO", "KLF1": "CRISPRa", "TAL1": "knock-down"}


def file(tmp_path: Path, kinds: dict[str, Any] = KINDS) -> str:
    adata = screen()
    adata.obs["kind"] = [kinds.get(label) for label in adata.obs["perturbation"]]
    return written(adata, tmp_path)


def asked(dataset: Dataset) -> list[str]:
    unasked = why_unasked(dataset, *rows_of(dataset, "halves", 0))
    return [name for name in PERTURBED if name not in unasked]


def test_each_perturbation_has_its_kind(tmp_path: Path) -> None:
    dataset = h5ad.load(file(tmp_path), kind_key="kind")
    assert dataset.perturbation == "knockdown"
    assert dataset.kinds == {"GATA1+SPI1": "knockout", "KLF1": "overexpression"}
    assert asked(dataset) == ["GATA1", "GATA1+SPI1", "TAL1"]
    rows = rows_of(dataset, "halves", 0)
    assert why_unasked(dataset, *rows) == {
        "KLF1": "perturbations of kind overexpression, which takes no gene away"
    }
    assert ask_responses(dataset, *rows).names == ("GATA1", "GATA1+SPI1", "TAL1")
    assert dataset.notes[-1] == (
        "kinds of perturbations: 2 knockdown, 1 knockout, 1 overexpression; only knockouts and"
        " knockdowns are asked"
    )


def test_one_kind_for_all_is_that_kind(tmp_path: Path) -> None:
    dataset = h5ad.load(file(tmp_path, dict.fromkeys(KINDS, "CRISPRa")), kind_key="kind")
    assert (dataset.perturbation, dataset.kinds, asked(dataset)) == ("overexpression", {}, [])
    dataset = h5ad.load(file(tmp_path, dict.fromkeys(KINDS, "Cas9")), kind_key="kind")
    assert (dataset.perturbation, dataset.kinds) == ("knockout", {})
    assert not any("kinds" in note for note in dataset.notes)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({**KINDS, "TAL1": "magic"}, "'magic' is no kind of perturbation that is known; write"),
        ({**KINDS, "TAL1": None}, "has no value for 40 of 280 cells"),
    ],
)
def test_what_can_not_be_told_is_refused(
    tmp_path: Path, kinds: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        h5ad.load(file(tmp_path, kinds), kind_key="kind")
    with pytest.raises(UserError, match="no column 'kin'; set kind_key"):
        h5ad.load(file(tmp_path, kinds), kind_key="kin")


def test_a_perturbation_of_two_kinds_is_refused(tmp_path: Path) -> None:
    adata = screen()
    turn = [("KO", "CRISPRi")[i % 2] for i in range(adata.n_obs)]
    adata.obs["kind"] = turn
    with pytest.raises(UserError, match=r"has cells of several kinds .knockdown and knockout."):
        h5ad.load(written(adata, tmp_path), kind_key="kind")


def test_the_command_and_the_card(tmp_path: Path) -> None:
    path, cards = file(tmp_path), tmp_path / "cards"
    words = ("datasets", "add", path, "--name", "mine", "--perturbation-key", "perturbation")
    said = " ".join(kobench(*words, "--to", cards, "--kind-key", "kind").stdout.split())
    assert "160 perturbed (2 knockdown, 1 knockout, 1 overexpression)" in said
    assert "which takes no gene away: KLF1" in said
    assert read_card(cards / "mine.toml").load().kinds["KLF1"] == "overexpression"
    shown = kobench("info", "mine", "--datasets", cards).stdout
    assert "read with:" in shown
    assert "kind_key: kind" in shown
    done = kobench(*words, "--kind-key", "kind", "--kind", "knockdown", code=2)
    assert "both --kind knockdown and --kind-key kind are given; give one of them" in done.stderr
    card = cards / "mine.toml"
    card.write_text(card.read_text().replace('truth = "pop', 'kind = "knockout"\ntruth = "pop'))
    with pytest.raises(UserError, match=r"kind is 'knockout', and \[parameters\] has"):
        read_card(card)
