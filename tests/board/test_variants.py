"""Primary metrics that have variants, and what sentences say of them."""

from __future__ import annotations

from factories import record, scores
from sections import FLOOR, five, only


def variants(name, linked, other, role="predictor", primary=("auprc[linked]", "auprc[random]")):
    return [
        record(
            name,
            scores({primary[0]: linked, primary[1]: other}, primary=primary),
            role=role,
            seed=seed,
        )
        for seed in range(5)
    ]


def test_sentences_say_what_a_variant_is_over():
    section = only(variants("mlp", 0.7, 0.3) + variants("own-share", 0.4, 0.4, "floor"))
    assert (
        section.sentence
        == "No predictor is better than the best floor, own-share, by both metrics. By auprc over"
        " linked sets of genes alone: mlp."
    )
    nobody = only(variants("mlp", 0.3, 0.5) + variants("own-share", 0.4, 0.4, "floor"))
    assert nobody.sentence.startswith(
        "No predictor is better than the best floor, own-share, by both metrics. By auprc over"
        " random sets of genes alone: mlp."
    )


def test_beside_all_perturbations_no_variant_means_the_detectable_ones():
    primary = ("pearson-delta-centred", "pearson-delta-centred[all]")
    section = only(
        variants("mlp", 0.7, 0.5, primary=primary)
        + variants("own-share", 0.4, 0.4, "floor", primary=primary)
    )
    assert section.sentence.startswith("mlp is better than the best floor, own-share, by both")
    section = only(
        variants("mlp", 0.7, 0.4, primary=primary)
        + variants("own-share", 0.4, 0.4, "floor", primary=primary)
    )
    assert section.sentence.endswith(
        "By pearson-delta-centred over the detectable perturbations alone: mlp."
    )
    two = ("a", "b[all]")
    section = only(
        variants("mlp", 0.3, 0.5, primary=two)
        + variants("own-share", 0.4, 0.4, "floor", primary=two)
    )
    assert section.sentence.endswith("By b alone: mlp.")


def test_what_is_not_gene_specific_says_so_in_the_sentence():
    notes = ["under 5 perturbations: not gene-specific"]
    section = only(
        five("mlp", [0.6] * 5, notes=notes) + five("own-share", FLOOR, "floor", notes=notes)
    )
    assert section.sentence.endswith("Under 5 perturbations: not gene-specific.")
