"""`kobench datasets add`: what it says of the cells, and of what can't be asked."""

from __future__ import annotations

import json
import tomllib

import numpy as np
import pytest
from command import kobench
from tiny import PLUGIN


@pytest.fixture
def screen(make_adata, tmp_path):
    """120 cells of 8 genes, the first ten of them twice; `gene0` in 30 of them, others in few."""
    adata = make_adata(n=120)
    X = adata.X.toarray()
    X[10:20] = X[:10]
    labels = np.array(["control"] * 120, dtype=object)
    labels[60:90], labels[90:110], labels[110:] = "gene0", "elsewhere", "gene2"
    adata.X, adata.obs["perturbation"] = X, labels
    path = tmp_path / "screen.h5ad"
    adata.write_h5ad(path)
    return path


def add(screen, folder, *more):
    return kobench(
        *("datasets", "add", screen, "--name", "mine", "--perturbation-key", "perturbation"),
        *("--to", folder, *more),
    ).stdout


def test_it_ends_with_what_can_be_asked_and_why_the_rest_can_not(screen, tmp_path):
    said = add(screen, tmp_path / "cards")
    assert "then --batch-key batch." in said.splitlines()[0]
    assert "Note: 10 of 60 wild-type cells are exact copies of another;" in said
    assert said.splitlines()[-3] == (
        "The kind is not given and taken as knockout; CRISPRi is --kind knockdown."
    )
    assert said.splitlines()[2:-3] == [
        "cells         60 wild-type, 60 perturbed (knockout); 8 genes",
        "controls      60, taken as one batch: no batch column is given",
        "askable       1 of 3 perturbations: gene0",
        "not askable   perturbations whose target is not among the genes: elsewhere",
        "              perturbations with under 20 perturbed cells: gene2",
        "detectable    0 of 1 measured (halves agree by 0.2 or more)",
        "presence      varies: 3.3% of wild-type values are zero",
        "duplicates    10 wild-type cells equal another",
        "near-null     yes: no perturbation is detectable; write near_null = true on the",
        "                card, and rank nobody by it",
    ]
    assert 'kind = "knockout"' in (tmp_path / "cards" / "mine.toml").read_text()


def test_check_says_it_all_and_writes_nothing(screen, tmp_path):
    folder = tmp_path / "cards"
    written = add(screen, tmp_path / "other").splitlines()[:-2]
    said = kobench(
        *("datasets", "add", screen, "--perturbation-key", "perturbation", "--check"),
        *("--to", folder),
    ).stdout.splitlines()
    assert said == [*written, "Nothing was written: --check."]
    assert not folder.exists()
    done = kobench("datasets", "add", screen, "--perturbation-key", "perturbation", code=2)
    assert "Missing option '--name'" in done.stderr


def test_json_has_every_name_and_number(screen, tmp_path):
    said = json.loads(add(screen, tmp_path / "cards", "--json"))
    assert said["card"] == str(tmp_path / "cards" / "mine.toml")
    assert said["askable"] == ["gene0"]
    assert said["not_askable"] == {
        "elsewhere": "perturbations whose target is not among the genes",
        "gene2": "perturbations with under 20 perturbed cells",
    }
    assert said["duplicates"]["wild_type"] == 10
    assert said["near_null"] == {"measured": "yes", "declared": False}
    assert json.loads(add(screen, tmp_path / "cards2", "--json", "--check"))["card"] is None


def test_a_question_that_nobody_can_be_asked_fits_nobody(screen, tmp_path):
    cards = tmp_path / "cards"
    said = add(screen, cards, "--kind", "overexpression")
    assert "askable       0 of 3 perturbations" in said
    assert "detectable    unknown: none can be asked" in said
    shown = kobench("info", "mine", "--datasets", cards).stdout
    assert "kind: overexpression" in shown
    # a predictor that fails as soon as it is fitted does not fail
    done = kobench(
        *("run", "-d", "mine", "-t", "response", "-p", "raises-in-fit", "--plugin", PLUGIN, "-v"),
        *("--datasets", cards, "--out", tmp_path / "out"),
    )
    assert "overexpression, which takes no gene away: gene0, gene2, elsewhere" in " ".join(
        done.stdout.split()
    )
    kobench(
        *("run", "-d", "mine", "-t", "profile", "-p", "raises-in-fit", "--plugin", PLUGIN),
        *("--datasets", cards, "--out", tmp_path / "out"),
        code=1,
    )


def test_a_kind_that_is_not_known_is_refused(screen, tmp_path):
    add(screen, tmp_path / "cards")
    card = tmp_path / "cards" / "mine.toml"
    card.write_text(card.read_text().replace('kind = "knockout"', 'kind = "swap"'))
    said = kobench("list", "datasets", "--datasets", tmp_path / "cards")
    assert "kind is 'swap'; choose one of knockout, knockdown" in said.stdout + said.stderr


def test_batches_of_several_columns_groups_and_replicates_are_on_the_card(screen, tmp_path):
    cards = tmp_path / "cards"
    said = add(
        *(screen, cards, "--batch-key", "batch", "--batch-key", "cell_type"),
        *("--group-key", "cell_type", "--replicate-key", "batch"),
    )
    assert "Wrote" in said
    text = (cards / "mine.toml").read_text()
    for line in (
        'batch_key = "batch+cell_type"',
        'group_key = "cell_type"',
        'replicate_key = "batch"',
    ):
        assert line in text
    add(screen, tmp_path / "plain")
    assert '_key = ""' not in (tmp_path / "plain" / "mine.toml").read_text()


def test_barcodes_that_stand_there_twice_are_said(make_adata, tmp_path):
    adata = make_adata(n=60)
    adata.obs_names = [f"cell{i % 50}" for i in range(60)]
    adata.obs["gene"] = "control"
    path = tmp_path / "merged.h5ad"
    adata.write_h5ad(path)
    said = kobench(
        "datasets", "add", path, "--perturbation-key", "gene", "--control", "control", "--check"
    ).stdout
    assert "duplicates    10 barcodes stand there more than once" in said


def test_nobody_is_told_of_a_kind_that_was_given(screen, tmp_path):
    said = add(screen, tmp_path, "--kind", "knockdown")
    assert "(knockdown)" in said
    assert "The kind is not given" not in said


def test_a_card_is_written_anew_where_that_is_said_and_a_check_is_in_nobodys_way(screen, tmp_path):
    again = ("datasets", "add", screen, "--name", "mine", "--perturbation-key", "perturbation")
    again = (*again, "--to", tmp_path)
    kobench(*again, "--licence", "CC0")
    card = tmp_path / "mine.toml"
    before = card.read_text().replace("notes = []", 'notes = ["one donor"]')
    card.write_text(before)
    refused = kobench(*again, code=2)
    assert "say --replace to write it anew" in refused.stderr
    assert "Nothing was written" in kobench(*again, "--check").stdout
    assert "Nothing was written" in kobench(*again, "--check", "--replace").stdout
    assert card.read_text() == before
    kobench(*again, "--kind", "knockdown", "--replace")
    after = tomllib.loads(card.read_text())
    assert (after["version"], after["kind"]) == (2, "knockdown")
    assert (after["notes"], after["licence"]) == (["one donor"], "CC0")  # of the hand that edits it
    # a loader's name, or that of a card elsewhere, is taken as before
    wrong = kobench(*again[:4], "h5ad", *again[5:], "--replace", code=2)
    assert "exists already (a loader of kobench)" in wrong.stderr


def test_a_file_that_changed_says_how_its_card_is_written_anew(screen, tmp_path):
    add(screen, tmp_path)
    screen.write_bytes(screen.read_bytes() + b"0")
    said = kobench("datasets", "audit", "mine", "--datasets", tmp_path, code=2).stderr
    assert "`kobench datasets add ... --name mine --replace` with the options of before" in said
