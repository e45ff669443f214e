"""Whether a score needs to know the gene: it is compared with permuted answers."""

from __future__ import annotations

import csv
import io
from math import sqrt

import pytest
from factories import make_board, metric, networks, permuted, record, scores
from scipy.stats import norm
from sections import FLOOR, IMPACT, five, flat, made, only, row

from kobench.board.render.formats import render


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
    ) == (0.0, 1.0)


def test_permuted_answers_of_some_networks_only_are_none():
    records = with_permuted("mlp", [0.6] * 5, [0.01] * 5)
    del records[2]["result"]["scores"]["knockout-impact@1"]["metrics"]["spearman"]["permuted"]
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
            "above the floor by spearman, yet its answers score as well when permuted among the"
            f" perturbations (p = {p:.2f}), so nothing shows that it knows which gene was removed"
        ),
    )
    assert "which does not mean better than the floor: sure (p < 0.001)." in section.sentence
    assert section.sentence.endswith(
        "Nothing shows that it knows which gene was removed: lucky (p = 0.41)."
    )
    assert board.answer == (f"{IMPACT}sure (skill 0.51) beats the best trivial predictor on grn.",)
    for format in ("terminal", "markdown", "html"):
        text = flat(render(board, format, **({"width": 160} if format == "terminal" else {})))
        assert "▲?" in text, format
        assert "knows which gene?" in text or "knows which gene?" in text.replace("- ", "-"), format
        assert "not above permuted: p = 0.41 (mean 0.590)" in text, format
        assert "above permuted: p < 0.001" in text.replace("&lt;", "<"), format
    rows = {
        one["predictor"]: one
        for one in csv.DictReader(io.StringIO(render(board, "csv")))
        if one["metric"] == "spearman"
    }
    assert (rows["lucky"]["permuted"], rows["own-share"]["permuted_p"]) == ("0.59", "")
    assert float(rows["lucky"]["permuted_p"]) == pytest.approx(p, rel=1e-5)
