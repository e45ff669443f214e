"""The parts of an audit: numbers by hand, and attempts to make bad data look good."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse
from audited import cells_of, screen, with_columns, with_gene

from kobench.audit.agreement import agreement, replicate_agreement
from kobench.audit.audit import audit
from kobench.audit.confounding import confounding, contingency, distances_of_mixes
from kobench.audit.depth import depth, totals
from kobench.audit.effects import effects
from kobench.audit.floors import FloorValues, floor_values
from kobench.audit.knockdown import depths, knockdown
from kobench.audit.leakage import leakage, markers
from kobench.audit.material import Material
from kobench.audit.near_null import near_null, shams
from kobench.audit.power import PERFECT, Power, part_of, power, sharing
from kobench.audit.presence import presence
from kobench.audit.statistics import smallest_seen
from kobench.builtin.metrics import delta
from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.plugins.chosen import choose
from kobench.plugins.load import load_registry
from kobench.runner.load import load
from kobench.truth.population import DETECTABLE


@pytest.fixture(scope="module")
def registry():
    return load_registry()


@pytest.fixture(scope="module")
def good():
    """Six knockdowns with effects on ten genes each, in two batches."""
    return Material.of(screen(n=120, effect=1.0, left=0.2))


def part(report, key):
    return next(each for each in report.parts if each.key == key)


# power


def test_power_is_made_of_the_scores_of_floors_and_ceiling():
    found = FloorValues(
        "pearson-delta-centred",
        "",
        {"a": np.array([0.1, 0.2, 0.3, 0.2]), "b": np.array([0.0, 0.2, 0.1, 0.1])},
        np.array([0.8, 0.9, 1.0, 0.9]),
    )
    seen = Power.of(found)
    # b - a is -0.1, 0, -0.2, -0.1: variance (0 + 0.01 + 0.01 + 0) / 3
    assert seen.best == "a"
    assert seen.spreads == pytest.approx({"b": np.sqrt(0.02 / 3)})
    assert seen.room == pytest.approx(0.7)
    assert seen.scores[PERFECT] == pytest.approx(0.9)
    assert seen.even == pytest.approx(smallest_seen(np.sqrt(0.02 / 3), 4))
    assert seen.uneven > seen.even
    text = part_of(seen, False).sentence
    assert "4 perturbations carry the primary metric" in text
    assert f"better by {seen.even:.2f} in all of them alike" in text


def test_where_no_gain_could_be_seen_it_says_so():
    floors = {"a": np.array([0.9, -0.9, 0.8, -0.7]), "b": np.array([-0.9, 0.9, -0.8, 0.7])}
    found = part_of(Power.of(FloorValues("m", "", floors, np.full(4, 0.3))), False)
    assert found.verdict == "bad"
    assert "hardly any method could be told from the floor" in found.sentence


def test_where_a_board_prints_no_skill_it_says_so():
    even = np.linspace(-0.01, 0.01, 200)
    floors = {"a": 0.5 + even, "b": 0.49 - even}
    near = part_of(Power.of(FloorValues("m", "", floors, 0.65 + even)), False)
    assert near.verdict == "look"
    assert "a board prints no skill where that way is not over 0.20" in near.sentence
    far = part_of(Power.of(FloorValues("m", "", floors, 0.9 + even)), False)
    assert far.verdict == "fine"
    assert "prints no skill" not in far.sentence


def test_one_network_of_many_is_not_condemned():
    floors = {"a": np.array([0.9, -0.9, 0.8, -0.7]), "b": np.array([-0.9, 0.9, -0.8, 0.7])}
    found = part_of(Power.of(FloorValues("m", "", floors, np.full(4, 0.3))), True)
    assert found.verdict == "look"
    assert "this is one network: a board averages several" in found.sentence


def test_power_of_a_screen_is_that_of_a_run(good, registry):
    values = floor_values(good, good.question, registry)
    assert values.metric == "pearson-delta-centred"
    assert "presence-contrast" in values.floors
    assert all(len(each) == 6 for each in values.floors.values())
    found = power(good, registry)
    assert found.facts["perturbations"] == 6
    assert found.verdict in ("fine", "look")


def test_power_goes_by_what_perturbations_move_others_by(good, registry, monkeypatch):
    """As boards do: without it intervals of centred correlations are too narrow."""
    found = floor_values(good, good.question, registry)
    monkeypatch.setattr(delta, "moves_of_others", lambda _, true: np.zeros(len(true)))
    plain = floor_values(good, good.question, registry)
    for floor, values in plain.floors.items():
        assert found.floors[floor].mean() == pytest.approx(values.mean())
    assert (
        np.abs(found.floors["presence-contrast"] - plain.floors["presence-contrast"]).max() > 1e-3
    )


def test_one_gene_under_several_names_is_not_several_perturbations():
    assert sharing([(0,), (1,), (2,)]) == 0
    assert sharing([(0,), (0, 1), (0, 2), (3,)]) == 3
    floors = {"a": np.array([0.1, 0.2, 0.3]), "b": np.array([0.0, 0.2, 0.1])}
    text = part_of(Power.of(FloorValues("m", "", floors, None), shared=2), False).sentence
    assert "2 share a target with another, so they tell less" in text


# confounding


def test_the_contingency_is_counted(good):
    names, batches, table = contingency(good.dataset)
    assert names == ["wild type", *(f"g{i}" for i in range(6))]
    assert batches == ["a", "b"]
    assert table.tolist() == [[60, 60], *[[20, 20]] * 6]
    assert distances_of_mixes(np.array([[50, 50], [30, 10], [0, 8]])) == [0.0, 0.25, 0.5]
    assert confounding(good).verdict == "fine"


def test_a_library_for_each_perturbation_is_a_problem():
    base = screen(n=60, k=3, effect=1.0)
    own = base.perturbed.obs["perturbation"]
    apart = with_columns(base, {"lane": np.full(60, "wt")}, {"lane": own})
    found = confounding(Material.of(apart))
    assert found.verdict == "bad"
    assert found.facts["cramers_v"] == 1.0
    assert found.facts["without_controls"] == ["g0", "g1", "g2"]
    # each library with some wild-type cells of its own: asked, and still a problem
    wild = np.repeat(np.array(["g0", "g1", "g2"]), 20)
    mixed = confounding(Material.of(with_columns(base, {"lane": wild}, {"lane": own})))
    assert mixed.verdict == "bad"
    assert mixed.facts["in_one_batch"] == ["g0", "g1", "g2"]
    assert not mixed.facts["without_controls"]


def test_perturbations_with_few_cells_are_counted_and_not_judged():
    base = screen(n=120, k=6, each=40)
    labels = base.perturbed.obs["perturbation"].astype("U9")
    # one of 30 cells, and ten of one cell each, all of them in batch "a"
    lanes = base.perturbed.obs["lane"].copy()
    labels[30:40] = [f"g0+g{i}" for i in range(6, 16)]
    lanes[30:40] = "a"
    found = confounding(
        Material.of(with_columns(base, None, {"perturbation": labels, "lane": lanes}))
    )
    assert found.verdict == "fine"
    assert found.facts["in_one_batch"] == []
    assert [row[0] for row in found.table.rows] == [
        *("wild type", "g1", "g2", "g3", "g4", "g5", "g0"),
    ]
    assert list(found.facts["cells"]) == [row[0] for row in found.table.rows]
    assert found.facts["not_judged"] == {"too few cells to be asked": 10}
    assert found.sentence.endswith("Not judged: 10 others have too few cells to be asked.")
    assert found.facts["cramers_v"] < 0.1
    assert "Not judged" not in confounding(Material.of(base)).sentence


def test_leaving_out_the_batch_column_makes_nothing_fine(registry):
    found = audit(screen(n=80, effect=1.0, key=None), "x", registry)
    assert part(found, "confounding").verdict == "unknown"
    for key in ("near_null", "effects", "agreement"):
        assert part(found, key).verdict == "look"
        assert "A difference of libraries would look the same" in part(found, key).sentence


def test_one_batch_for_all_is_not_taken_for_granted():
    found = confounding(Material.of(screen(batches=1)))
    assert found.verdict == "look"
    assert "make sure that it names the library" in found.sentence


def test_what_the_card_says_of_itself_stands_above_what_is_measured(registry):
    said = replace(screen(n=80, effect=1.0), confounded="two mice")
    found = audit(said, "x", registry)
    assert part(found, "power").verdict == "bad"
    assert part(found, "confounding").verdict == "bad"
    assert "two mice" in part(found, "confounding").sentence
    assert part(found, "effects").verdict == "look"


# leakage


def test_a_guide_among_the_genes_is_found_and_a_rare_gene_is_not():
    base = screen(n=60, k=2)
    guide = np.zeros(80)
    guide[:30] = 3  # in 30 of the 40 cells of g0
    guide[45] = 1
    rare = np.zeros(80)
    rare[:3] = 1
    dataset = with_gene(with_gene(base, "guide-1", np.zeros(60), guide), "rare", np.ones(60), rare)
    found = markers(dataset)
    assert [(mark.gene, mark.perturbation, mark.inside) for mark in found] == [
        ("guide-1", "g0", 0.75)
    ]
    assert found[0].outside == pytest.approx(1 / 100)
    seen = leakage(Material.of(dataset))
    assert seen.verdict == "bad"
    assert "guide-1 is on in one perturbation alone" in seen.sentence


def test_a_target_that_is_on_where_it_was_removed_is_asked_about():
    base = screen(n=60, k=2)
    X = base.perturbed.X.toarray()
    wild = base.cells.X.toarray()
    X[40:, 0], wild[:, 0] = 0, 0
    names = base.cells.var_names
    dataset = replace(
        base,
        cells=cells_of(wild, names, **base.cells.obs),
        perturbed=cells_of(X, names, **base.perturbed.obs),
    )
    seen = leakage(Material.of(dataset))
    assert seen.verdict == "look"
    assert "g0 is on in the cells that lost it alone" in seen.sentence


def test_wild_type_cells_pasted_under_a_label_are_a_problem():
    base = screen(n=60, k=2)
    X = base.perturbed.X.toarray()
    X[:25] = base.cells.X.toarray()[:25]
    dataset = replace(base, perturbed=cells_of(X, base.cells.var_names, **base.perturbed.obs))
    seen = leakage(Material.of(dataset))
    assert seen.verdict == "bad"
    assert seen.facts["copies"]["across"] == 25
    assert "25 perturbed cells equal a cell of another label" in seen.sentence


def test_cells_that_are_doubled_to_make_halves_agree_are_a_problem():
    base = screen(n=60, k=5, each=25)
    everything = np.repeat(np.arange(base.perturbed.n_obs), 8)
    doubled = Material.of(replace(base, perturbed=base.perturbed[everything]))
    found = agreement(doubled)
    assert min(found.facts["halves"].values()) > DETECTABLE  # which is what was to be had by it
    assert found.verdict == "bad"
    assert "equal another of their label, which makes halves agree" in found.sentence


def test_targets_in_labels_alone_and_columns_that_tell_are_named():
    base = screen(n=60, k=2)
    labels = base.perturbed.obs["perturbation"].astype("U9")
    labels[40:] = "nowhere"
    dataset = with_columns(
        base,
        {"type": np.full(60, "x")},
        {"perturbation": labels, "type": labels},
        cell_type_key="type",
    )
    seen = leakage(Material.of(dataset))
    assert seen.facts["targets_not_measured"] == ["nowhere"]
    assert "1 target (nowhere) stands in labels alone, so it can't be asked" in seen.sentence
    assert seen.facts["telling_columns"] == {"type": 1.0}
    assert seen.verdict == "look"


# knockdown


def test_the_depth_of_a_target_by_hand():
    wild = np.full((40, 4), 4)
    others = np.full((40, 4), 4)
    wild[:, 3] = others[:, 3] = np.arange(40) + 1  # no two cells are equal
    others[:20, 0] = 0  # half of the cells have none: a fold of a half
    dataset = Dataset(
        cells_of(wild, list("ABCD")),
        "linear",
        "real",
        perturbed=cells_of(others, list("ABCD"), perturbation=np.full(40, "A")),
    )
    (found,) = depths(Material.of(dataset))
    assert (found.fold, found.on, found.wild_on) == (0.5, 0.5, 1.0)
    # mean 2, variance 160 / 39 over 40 cells: half = 1.96 sqrt(0.10256 / 4)
    half = 1.959964 * np.sqrt(160 / 39 / 40 / 4)
    assert (found.low, found.high) == pytest.approx((0.5 * np.exp(-half), 0.5 * np.exp(half)))
    assert found.says == "falls"


def test_the_wild_type_is_weighted_by_the_batches_of_the_perturbed_cells():
    wild = np.full((40, 3), 2)
    wild[20:, 0] = 8  # batch b has four times as much of the target
    others = np.full((40, 3), 2)
    wild[:, 2] = others[:, 2] = np.arange(40) + 1
    lane = np.where(np.arange(40) < 20, "a", "b")
    theirs = np.where(np.arange(40) < 30, "a", "b")
    dataset = Dataset(
        cells_of(wild, list("ABC"), lane=lane),
        "linear",
        "real",
        batch_key="lane",
        perturbed=cells_of(others, list("ABC"), perturbation=np.full(40, "A"), lane=theirs),
    )
    (found,) = depths(Material.of(dataset))
    assert found.fold == pytest.approx(2 / (0.75 * 2 + 0.25 * 8))


def test_logarithms_are_taken_back_before_means():
    linear = screen(n=60, k=1, left=0.2)
    logs = replace(
        linear,
        cells=Cells(linear.cells.X.log1p(), linear.cells.var_names, linear.cells.obs),
        perturbed=Cells(linear.perturbed.X.log1p(), linear.cells.var_names, linear.perturbed.obs),
        scale="log1p",
    )
    (one,), (other,) = depths(Material.of(linear)), depths(Material.of(logs))
    assert other.fold == pytest.approx(one.fold, rel=1e-5)


def test_a_knockdown_that_does_not_fall_is_named():
    worked, failed = screen(n=100, k=3, left=0.2), screen(n=100, k=3, left=1.0)
    fine = knockdown(Material.of(replace(worked, perturbation="knockdown")))
    assert fine.verdict == "fine"
    assert fine.facts["falls"] == ["g0", "g1", "g2"]
    none = knockdown(Material.of(replace(failed, perturbation="knockdown")))
    assert none.verdict == "bad"
    assert "did not work, so leave it out" in none.sentence
    knockout = knockdown(Material.of(failed))
    assert knockout.verdict == "look"
    assert "transcripts of a knocked-out gene may persist" in knockout.sentence
    assert "CRISPRi" not in knockout.sentence


def test_a_knockout_whose_targets_all_fall_evenly_is_asked_whether_it_was_crispri():
    even = screen(n=100, k=3, left=0.2)
    found = knockdown(Material.of(even))
    assert found.verdict == "look"
    assert "was this CRISPRi? Then say --kind knockdown" in found.sentence
    assert "CRISPRi" not in knockdown(Material.of(replace(even, perturbation="knockdown"))).sentence
    for other in (screen(n=100, k=2, left=0.2), screen(n=100, k=3, left=0.7)):
        assert not knockdown(Material.of(other)).facts["falls_evenly"]


def test_targets_that_rise_are_no_knockout_whose_transcripts_persist():
    rising = screen(n=100, k=4, left=3.0)
    for kind in ("knockout", "knockdown"):
        found = knockdown(Material.of(replace(rising, perturbation=kind)))
        assert found.verdict == "bad"
        assert "persist" not in found.sentence
        assert "the target rises in 4 of 4: was this CRISPRa?" in found.sentence
        assert "--kind overexpression" in found.sentence


def test_a_target_that_is_hardly_read_is_not_called_a_failure():
    dataset = screen(n=100, k=3, left=0.2)
    dataset = with_gene(dataset, "rare", np.arange(100) % 4 == 0, np.arange(120) < 5)
    labels = np.asarray(dataset.perturbed.obs["perturbation"], dtype="U9")
    labels[:40] = "rare"  # read in 5 of 40 cells, and in 25 of 100 of the wild type
    dataset = with_columns(dataset, perturbed={"perturbation": labels}, perturbation="knockdown")
    found = knockdown(Material.of(dataset))
    assert found.facts["too_few"] == ["rare"]
    assert found.verdict == "look"
    assert "rare is read in too few cells to tell" in found.sentence
    assert "leave it out" not in found.sentence


def test_targets_of_a_double_are_counted_once():
    dataset = screen(n=100, k=4, left=0.2)
    labels = np.asarray(dataset.perturbed.obs["perturbation"], dtype="U9")
    labels[labels == "g3"] = "g0+g1"
    X = dataset.perturbed.X.toarray()
    X[labels == "g0+g1", :2] //= 3
    perturbed = Cells(scipy.sparse.csr_matrix(X), dataset.cells.var_names, dataset.perturbed.obs)
    dataset = replace(dataset, perturbed=perturbed)
    found = knockdown(Material.of(with_columns(dataset, perturbed={"perturbation": labels})))
    assert len(found.facts["targets"]) == 5
    assert "falls in 3 of 3 targets" in found.sentence


# effects, agreement, near-null


def test_effects_are_those_of_the_truth(good):
    found, question = effects(good), good.question
    for place, name in enumerate(question.names):
        one = found.facts["perturbations"][name]
        assert one["cells"] == question.perturbed[place]
        assert one["size"] == pytest.approx(question.size[place], abs=1e-6)
        assert one["responding_genes"] == question.responds[place].sum()
    assert found.verdict == "fine"
    assert agreement(good).facts["halves"] == pytest.approx(dict(good.agreement), abs=1e-6)


def test_what_is_said_of_effects_adds_up_and_is_of_those_that_move(good):
    question = good.question
    responds = np.zeros_like(question.responds)
    for place, genes in enumerate((20, 10, 4, 1, 0, 0)):
        responds[place, :genes] = True
    p = np.array([0.01, 0.01, 0.01, 0.5, 0.5, np.nan])
    changed = SimpleNamespace(
        question=replace(question, responds=responds, size_p=p), caveat=good.caveat
    )
    found = effects(changed)
    names = question.names
    assert found.facts["significant"] == list(names[:3])
    assert found.facts["unclear"] == [names[3]]
    assert found.facts["silent"] == list(names[4:])
    assert "move in 3 of 6 perturbations" in found.sentence
    assert f"a median of 10 responding genes in these and 20 in {names[0]}" in found.sentence
    assert f"too little to tell in {names[3]}, where" in found.sentence
    assert f"nothing is seen in {names[4]}, {names[5]}" in found.sentence


def test_labels_at_random_are_near_null_whatever_the_card_leaves_out(registry):
    found = audit(screen(n=120, k=6, effect=0.0), "x", registry)
    seen = part(found, "near_null")
    assert seen.facts["verdict"] == "yes"
    assert seen.verdict == "bad"
    assert "write near_null = true on its card" in seen.sentence


def test_labels_mixed_among_perturbed_cells_leave_no_room(registry):
    # every label has the mean of all effects: halves agree, and there is nothing to tell apart
    base = screen(n=120, k=6, effect=1.0)
    labels = np.random.default_rng(0).permutation(base.perturbed.obs["perturbation"])
    found = audit(with_columns(base, None, {"perturbation": labels}), "x", registry)
    assert part(found, "agreement").facts["halves"]["g0"] > DETECTABLE
    assert part(found, "power").verdict == "bad"


def test_shams_are_wild_type_cells_and_the_same_each_time(good):
    found = shams(good)
    assert found == shams(good)
    assert len(found.agreement) == 20
    assert np.mean(found.agreement) < DETECTABLE < min(good.agreement.values())
    assert near_null(good).facts["detectable"] == 6
    assert near_null(good).verdict == "fine"


def test_an_effect_of_one_replicate_alone_is_told():
    strong, none = screen(n=120, k=2, effect=2.0, each=60), screen(n=120, k=2, each=60, seed=1)
    X = none.perturbed.X.toarray()
    mouse = np.where(np.arange(120) % 2 == 0, "m1", "m2")
    X[::2] = strong.perturbed.X.toarray()[::2]
    dataset = with_columns(
        replace(none, perturbed=cells_of(X, none.cells.var_names, **none.perturbed.obs)),
        {"mouse": np.where(np.arange(120) % 2 == 0, "m1", "m2")},
        {"mouse": mouse},
        replicate_key="mouse",
    )
    material = Material.of(dataset)
    assert max(replicate_agreement(material).values()) < DETECTABLE
    found = agreement(material)
    assert found.verdict == "look"
    assert "not between replicates, so what is seen there may be the replicate" in found.sentence
    both = with_columns(
        strong,
        {"mouse": mouse},
        {"mouse": mouse},
        replicate_key="mouse",
    )
    assert min(replicate_agreement(Material.of(both)).values()) > 0.8


# depth, and all together


def test_a_library_read_deeper_is_found():
    base = screen(n=60, k=4)
    X = base.perturbed.X.toarray()
    even = replace(base, perturbed=base.perturbed)
    deeper = replace(base, perturbed=cells_of(X * 2, base.cells.var_names, **base.perturbed.obs))

    def counted(dataset):
        def with_counts(cells):
            return Cells(cells.X, cells.var_names, cells.obs, {"counts": cells.X})

        return replace(
            dataset, cells=with_counts(dataset.cells), perturbed=with_counts(dataset.perturbed)
        )

    assert depth(Material.of(counted(even))).verdict == "fine"
    found = depth(Material.of(counted(deeper)))
    assert found.verdict == "bad"
    assert "confounded = true" in found.sentence
    assert totals(counted(even).cells)[1] == "counts"
    assert totals(base.cells)[0].tolist() == (base.cells.X > 0).sum(axis=1).ravel().tolist()[0]


def test_simulated_and_wild_type_data_have_the_parts_that_make_sense(registry):
    planted = choose(registry, "datasets", "planted:genes=30,cells=200,perturbations=6,batches=2")
    found = audit(load(planted), planted.selection, registry)
    keys = [each.key for each in found.parts]
    assert keys == [
        "power",
        "near_null",
        "confounding",
        "leakage",
        "knockdown",
        "effects",
        "agreement",
        "presence",
    ]
    assert found.summary.startswith("simulated data")
    alone = audit(replace(screen(), perturbed=None), "x", registry)
    assert [each.key for each in alone.parts] == ["power", "leakage", "depth", "presence"]
    assert "nothing about knockouts" in alone.parts[0].sentence


def test_nothing_that_can_be_asked_is_told_with_the_reasons(registry):
    found = audit(screen(each=12, k=3), "x", registry)
    assert part(found, "power").verdict == "bad"
    assert (
        "perturbations with under 20 perturbed cells: g0, g1, g2" in part(found, "effects").sentence
    )


def test_large_data_are_drawn_from_and_say_so(registry, monkeypatch):
    from kobench.audit import material
    from kobench.audit.drawn import Limits

    monkeypatch.setattr(material, "THOROUGH", Limits(5 * 90 * 30, 50 * 30, zeros=True))
    dataset = screen(n=200, k=8, effect=1.0)
    found = audit(dataset, "x", registry)
    assert any("wild-type cells" in each for each in found.drawn)
    assert any("of 8 perturbations" in each for each in found.drawn)
    assert len(part(found, "effects").facts["perturbations"]) == 5
    assert len(part(found, "confounding").facts["cells"]) == 9
    assert found.to_json() == audit(dataset, "x", registry).to_json()


def test_genes_of_any_share_stand_in_the_table_of_presence():
    dataset = with_gene(screen(n=100), "nearly", np.arange(100) > 2, np.ones(240))
    found = presence(Material.of(dataset))
    assert found.facts["nearly_always_on"] >= 1
    assert sum(int(count) for _, count in found.table.rows) == found.facts["genes"] == 31


def test_copies_of_a_label_are_one_problem_with_a_way_out():
    dataset = screen(n=100, effect=1.0)
    X = dataset.perturbed.X.toarray()
    X[1] = X[0]
    perturbed = Cells(scipy.sparse.csr_matrix(X), dataset.cells.var_names, dataset.perturbed.obs)
    material = Material.of(replace(dataset, perturbed=perturbed))
    for part in (leakage(material), agreement(material)):
        assert part.verdict == "bad"
        assert "take them out first (docs/datasets.md" in part.sentence
    assert agreement(material).sentence.startswith("1 cell equal another of their label")
