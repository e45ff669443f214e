"""Whether a score needs to know the gene: it is compared with permuted answers."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from factories import make_board, metric, networks, permuted, record, scores
from scipy.stats import norm
from sections import FLOOR, IMPACT, five, flat, made, only, row

from kobench.board.numbers.permuted import Block, combined
from kobench.board.render.formats import render
from kobench.board.row import Permuted, Score
from kobench.board.sections.row_remarks import unproven


def with_permuted(name, values, ps, means=(0.0,) * 5, sd=0.1):
    return [
        made(name, value, seed=seed, more={"permuted": permuted(means[seed], ps[seed], sd)})
        for seed, value in enumerate(values)
    ]


def test_one_network_has_the_p_of_its_record():
    section = only(
        [*with_permuted("mlp", [0.6], [0.004], means=[0.02]), made("own-share", 0.4, "floor")]
    )
    found = row(section, "mlp").scores["spearman"].permuted
    assert (found.mean, found.p, found.networks, found.knows) == (0.02, 0.004, 1, True)
    assert (found.low, found.high) == pytest.approx((-0.18, 0.22))


@pytest.mark.parametrize(
    ("names", "least"),
    [
        (["ABC", "ABC"], 1 / 36),  # each of six orders on either network
        (["ABC", ""], 1 / 1001),  # of how many it is permuted there is not known
        (["", ""], 1 / 1001),
        (["ABC", "ABCDEFGHIJ"], 1 / 1001),
    ],
)
def test_p_is_no_smaller_than_the_share_of_orders_that_change_nothing(names, least):
    sure = Block(0.9, 0.0, 0.01, None, 1000, frozenset())
    blocks = [replace(sure, names=frozenset(one)) for one in names]
    assert combined(blocks, 1.0).p == pytest.approx(least)
    assert combined([replace(one, value=-0.9) for one in blocks], 1.0).p == 1


def test_several_networks_are_combined_by_hand():
    values, means = [0.3, 0.1, 0.2, 0.25, 0.15], (0.01, -0.02, 0.0, 0.03, 0.03)
    section = only(
        with_permuted("mlp", values, [0.5] * 5, means, sd=0.2)
        + networks("own-share", FLOOR, role="floor")
    )
    found = row(section, "mlp").scores["spearman"].permuted
    z = (0.2 - 0.01) / (sqrt(5 * 0.2**2) / 5)
    assert (found.mean, found.networks) == (pytest.approx(0.01), 5)
    assert found.p == pytest.approx(norm.sf(z))


def test_fits_of_one_network_are_averaged_before():
    fits = with_permuted("mlp", [0.3], [0.1], sd=0.2)
    again = with_permuted("mlp", [0.5], [0.1], sd=0.4)[0]
    again["trial"]["fit_seed"] = 1
    section = only([*fits, again, made("own-share", 0.4, "floor")])
    assert row(section, "mlp").scores["spearman"].permuted.p == pytest.approx(norm.sf(0.4 / 0.3))


def test_where_lower_is_better_a_low_score_knows():
    def error(value, seed):
        cell = {
            **metric(value, direction="lower", best=0.0, low=0.0, high=None),
            "permuted": permuted(0.5, 0.5),
        }
        return record("mlp", scores({"rmse": cell}, primary=("rmse",)), seed=seed)

    section = only([error(0.4, 0), error(0.4, 1)])
    assert row(section, "mlp").scores["rmse"].permuted.p == pytest.approx(
        norm.sf(0.1 / (sqrt(0.02) / 2))
    )


def test_permutations_without_spread_say_yes_or_no():
    section = only(
        with_permuted("up", [0.3] * 5, [0.1] * 5, sd=0.0)
        + with_permuted("level", [0.0] * 5, [1.0] * 5, sd=0.0)
    )
    assert (
        row(section, "up").scores["spearman"].permuted.p,
        row(section, "level").scores["spearman"].permuted.p,
    ) == (1 / 1001, 1.0)


def test_permuted_answers_of_some_networks_only_are_none():
    records = with_permuted("mlp", [0.6] * 5, [0.01] * 5)
    del records[2]["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"]["permuted"]
    assert row(only(records), "mlp").scores["spearman"].permuted is None


def test_permuted_answers_of_some_fits_of_a_network_only_are_none():
    """Whichever of the fits lacks them; the network's other fit has them."""
    for lacking in (0, 1):
        records = []
        for fit_seed in (0, 1):
            for seed in (0, 1):
                (one,) = with_permuted("mlp", [0.6], [0.01])
                one["trial"]["fit_seed"] = fit_seed
                one["trial"]["dataset"] |= {"selection": f"grn:seed={seed}", "seed": seed}
                if (fit_seed, seed) == (lacking, 1):
                    del one["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"][
                        "permuted"
                    ]
                records.append(one)
        assert row(only(records), "mlp").scores["spearman"].permuted is None


def lucky():
    """`sure` knows the gene; `lucky` is above the floor, too, but its permuted answers do as
    well.
    """
    records = with_permuted("sure", [0.70, 0.71, 0.72, 0.70, 0.69], [0.001] * 5)
    return (
        records
        + with_permuted("lucky", [0.6] * 5, [0.4] * 5, means=(0.59,) * 5)
        + five("own-share", FLOOR, "floor")
    )


def test_better_but_not_by_knowing_the_gene_is_plain_everywhere():
    board = make_board(lucky())
    (section,) = board.sections
    assert {name: row(section, name).scores["spearman"].verdict for name in ("sure", "lucky")} == {
        "sure": "better",
        "lucky": "better",
    }
    p = norm.sf(0.01 / (sqrt(5 * 0.01) / 5))  # 0.41
    assert row(section, "sure").remarks == ()
    assert row(section, "lucky").remarks == (
        (
            "better than the floor by spearman, yet its answers score as well where they are given"
            " to the wrong genes, so nothing shows that it knows the gene"
        ),
    )
    assert "the wrong genes, which doesn't count: lucky." in section.sentence
    assert section.sentence.endswith(
        "Knows which gene was removed: sure; nothing shows it of the others."
    )
    assert "p = " not in section.sentence
    assert board.answer == (f"{IMPACT}sure (skill 0.51) beats the best floor on grn.",)
    for format in ("terminal", "markdown", "html"):
        text = flat(render(board, format, **({"width": 160} if format == "terminal" else {})))
        assert "unproven" in text, format
        assert "knows which gene?" in text or "knows which gene?" in text.replace("- ", "-"), format
        if format == "html":
            assert '<td class="m">no<small>p = 0.41</small>' in text
            assert "<td>yes<small>p = 0.001</small>" in text
            continue
        assert "not above permuted: p = 0.41 (mean 0.590)" in text, format
        assert "above permuted: p = 0.001" in text, format
    rows = {
        one["predictor"]: one
        for one in csv.DictReader(io.StringIO(render(board, "csv")))
        if one["metric"] == "spearman"
    }
    assert (rows["lucky"]["permuted"], rows["own-share"]["permuted_p"]) == ("0.59", "")
    assert float(rows["lucky"]["permuted_p"]) == pytest.approx(p, rel=1e-5)


def test_a_warning_among_many_says_what_chance_is_meant():
    one = Permuted(0.0, 0.02, among=0.2)
    assert unproven("pearson", Score(permuted=one)) == (
        "better than the floor by pearson, yet among so many predictors one may do so much better"
        " than with its answers given to the wrong genes by chance, so nothing shows that it knows"
        " the gene"
    )


# splits of one dataset


def split_of(
    name,
    value,
    split,
    drawn=None,
    *,
    sd=0.1,
    perturbations="ABCDEFGH",
    fit=0,
    seed=None,
    role="predictor",
):
    """A record of one split of a real dataset, or of a network."""
    mean, sd = (0.0, sd) if drawn is None else (float(np.mean(drawn)), float(np.std(drawn)))
    known = None if drawn is None else [round(float(one), 9) for one in drawn]
    cell = {**metric(value), "permuted": permuted(mean, 0.2, sd, known, perturbations)}
    return record(
        name,
        scores({"spearman": cell}, asks="response", block="perturbation", blocks=8),
        role=role,
        dataset="screen",
        seed=seed,
        kind="real" if seed is None else "simulated",
        split=("halves", split),
        fit_seed=fit,
    )


def draws_of(seed, n=1000):
    return np.random.default_rng(seed).normal(0, 0.1, n)


def p_of(records, name="lucky"):
    return row(only(records), name).scores["spearman"].permuted.p


def test_the_same_split_ten_times_is_no_more_evidence_than_once():
    """As independent networks they would give z = sqrt(10) x 1.3, p = 0.00002."""
    drawn, value = draws_of(0), 0.13
    once = (1 + (drawn >= value - 1e-9).sum()) / 1001
    ten = [split_of("lucky", value, split, drawn) for split in range(10)]
    assert p_of(ten) == pytest.approx(once, abs=0.002)
    assert 0.05 < p_of(ten) < 0.15
    section = only([*ten, *[split_of("own-share", 0.0, at, role="floor") for at in range(10)]])
    assert "Nothing shows that it knows which gene was removed." in section.sentence
    # records from before, without the scores of each permutation, are taken as one split, too
    older = [split_of("lucky", value, split) for split in range(10)]
    assert p_of(older) == pytest.approx(norm.sf(1.3))
    assert p_of(older) > 0.05


def test_splits_are_averaged_permutation_by_permutation():
    first, second, values = draws_of(0), draws_of(1), (0.15, 0.05)
    found = p_of([split_of("lucky", values[at], at, [first, second][at]) for at in (0, 1)])
    assert found == pytest.approx((1 + ((first + second) / 2 >= 0.1).sum()) / 1001, abs=0.002)
    both = (
        row(
            only([split_of("lucky", values[at], at, [first, second][at]) for at in (0, 1)]), "lucky"
        )
        .scores["spearman"]
        .permuted
    )
    assert (both.networks, both.mean) == (1, pytest.approx((first + second).mean() / 2, abs=1e-6))
    assert both.low == pytest.approx(np.quantile((first + second) / 2, 0.025), abs=1e-4)


def test_fits_of_a_split_are_averaged_permutation_by_permutation():
    first, second = draws_of(0), draws_of(1)
    records = [
        split_of("lucky", 0.1, 0, first, fit=0),
        split_of("lucky", 0.1, 0, second, fit=1),
    ]
    assert p_of(records) == pytest.approx(
        (1 + ((first + second) / 2 >= 0.1).sum()) / 1001, abs=0.002
    )


def test_splits_of_networks_are_averaged_before_networks_are_combined():
    """Of many networks the first 100 permutations are kept: they tell how alike splits are."""
    alike, other = draws_of(0, 100), draws_of(1, 100)
    same = [split_of("lucky", 0.1, split, alike, seed=seed) for seed in (0, 1) for split in (0, 1)]
    z = (0.1 - alike.mean()) / (alike.std() / np.sqrt(2))
    assert p_of(same) == pytest.approx(norm.sf(z), rel=1e-3)
    unlike = [
        split_of("lucky", 0.1, split, [alike, other][split], seed=seed)
        for seed in (0, 1)
        for split in (0, 1)
    ]
    both = (alike + other) / 2
    z = (0.1 - both.mean()) / (both.std() / np.sqrt(2))
    assert p_of(unlike) == pytest.approx(norm.sf(z), rel=1e-3)


def test_what_splits_do_not_share_does_not_narrow_the_spread():
    """Perturbations that a split lacks break up the permutations that both have."""
    first = draws_of(0)
    second = 0.5 * first + draws_of(1) * np.sqrt(0.75)
    names = ["ABCDEFGH", "ABCDEFIJ"]  # six of the ten that either has
    records = [
        split_of("lucky", 0.1, at, [first, second][at], perturbations=names[at]) for at in (0, 1)
    ]
    means, cov = (first + second) / 2, np.cov(first, second, ddof=0)
    wanted = (cov[0, 0] + cov[1, 1] + 2 * cov[0, 1] / 0.6) / 4
    spread = means.mean() + np.sqrt(wanted / means.var()) * (means - means.mean())
    assert p_of(records) == pytest.approx((1 + (spread >= 0.1).sum()) / 1001, abs=0.002)
    assert p_of(records) > (1 + (means >= 0.1).sum()) / 1001
    apart = [
        split_of("lucky", 0.1, at, [first, second][at], perturbations=["ABCD", "EFGH"][at])
        for at in (0, 1)
    ]  # nothing in common: as wide as one split
    assert p_of(apart) == pytest.approx((1 + (first >= 0.1).sum()) / 1001, abs=0.02)


def test_no_p_is_smaller_than_the_number_of_orders_allows():
    drawn = draws_of(0)
    three = [split_of("sure", 0.9, split, drawn, perturbations="ABC") for split in range(4)]
    assert p_of(three, "sure") == pytest.approx(1 / 6)
    many = [split_of("sure", 0.9, split, drawn) for split in range(4)]
    assert p_of(many, "sure") == pytest.approx(1 / 1001)
    five_networks = with_permuted("sure", [0.9] * 5, [0.001] * 5)
    assert p_of(five_networks, "sure") == pytest.approx(1 / 1001)
    of_two = [
        split_of("sure", 0.9, 0, draws_of(seed, 100), perturbations="AB", seed=seed)
        for seed in range(3)
    ]
    assert p_of(of_two, "sure") == pytest.approx(1 / 8)


def test_a_permutation_that_scores_the_same_is_as_good():
    """Records keep four digits of them: 0.100049 is kept as 0.1000."""
    drawn = np.repeat([0.1, 0.0], 500)
    records = [split_of("lucky", 0.100049, split, drawn) for split in (0, 1)]
    assert p_of(records) == pytest.approx(501 / 1001)


# many predictors


def twelve(first):
    """Predictors, the first with a p of its own, and a floor."""
    ps = [first, *np.linspace(0.1, 1.0, 11)]
    records = [
        made(f"p{place:02}", 0.3, more={"permuted": permuted(0.0, float(p))})
        for place, p in enumerate(ps)
    ]
    return [made("own-share", 0.4, "floor"), *records]


def test_of_many_predictors_that_know_nothing_none_is_said_to_know():
    """One of twelve has p = 0.02: alone it would be said to tell genes apart."""
    records = twelve(0.02)
    assert "Knows which gene was removed: p00" in only(records[:2]).sentence
    section = only(records)
    assert "Nothing shows that any of them knows which gene was removed." in section.sentence
    found = row(section, "p00").scores["spearman"].permuted
    assert (found.p, found.among, found.knows) == (0.02, pytest.approx(0.24), False)
    text = flat(render(make_board(records), "markdown"))
    assert "not above permuted: p = 0.020, among all 0.24" in text
    assert "corrected for the number of predictors" in text


def test_one_that_knows_is_said_to_among_many():
    section = only(twelve(0.001))
    assert "Knows which gene was removed: p00" in section.sentence
    assert "removed: p00; nothing shows it of the others." in section.sentence
