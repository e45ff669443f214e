"""Development networks are no board's, fresh ones chose nothing, perturbed cells stay unseen."""

from __future__ import annotations

import pytest
from places import PREDICTORS

from kobench.errors import UserError
from kobench.plugins.load import load_registry
from kobench.results.suite_seed import SIZE, SuiteSeed
from kobench.runner.plan import make_plan
from kobench.runner.request import Request
from kobench.runner.tune import FIRST, FRESH, make_sweep, plan_choice, plan_confirmation, used

SWEEP = "good:strength=[1.5,2.0]"


@pytest.fixture(scope="module")
def registry():
    return load_registry(plugin_files=[PREDICTORS])


def sweep_of(registry, datasets=("grn:genes=12,cells=40",), tasks=("profile",), text=SWEEP, **more):
    request = Request(datasets, (), tasks=tasks, networks=3, sandbox="off")
    return make_sweep(registry, text, request, splits=2, draws=None, seed=0, **more)


def seeds(groups):
    return [group.dataset.params["seed"] for group in groups]


def test_development_networks_are_none_that_a_board_can_have(registry):
    sweep = sweep_of(registry)
    choice = plan_choice(registry, sweep, print)
    fresh = plan_confirmation(registry, sweep, sweep.settings[:1], print)
    assert len(choice) == len(fresh) == 3
    assert len({*seeds(choice), *seeds(fresh)}) == 6
    assert all(FIRST <= seed < FRESH for seed in seeds(choice))
    assert all(seed >= FRESH for seed in seeds(fresh))
    # what suites draw is below: public seeds are counted from 0, secret ones have so many bits
    secret = make_plan(
        registry,
        Request(
            ("grn:genes=12,cells=40",),
            ["good"],
            tasks=["profile"],
            networks=3,
            suite_seed=SuiteSeed("f" * 2 * SIZE),
        ),
    )
    assert all(seed < FIRST for seed in seeds(secret))
    assert FIRST == 2 ** (8 * SIZE)


def test_another_dataset_and_another_sweep_have_other_networks(registry):
    one, other = sweep_of(registry), sweep_of(registry, ("planted:genes=15,cells=60",))
    assert not set(seeds(plan_choice(registry, one, print))) & set(
        seeds(plan_choice(registry, other, print))
    )
    more = sweep_of(registry, text="good:strength=[1.5,2.0,2.5]")
    again = sweep_of(registry)
    fresh, fresh_of_more, same = (
        seeds(plan_confirmation(registry, sweep, sweep.settings[:1], print))
        for sweep in (one, more, again)
    )
    assert fresh == same
    assert not set(fresh) & set(fresh_of_more)  # looked at by a sweep is looked at
    assert seeds(plan_choice(registry, one, print)) == seeds(plan_choice(registry, more, print))


def test_every_setting_is_run_on_the_same_networks(registry):
    groups = plan_choice(registry, sweep_of(registry), print)
    for group in groups:
        assert [trial.predictor.selection for trial in group.trials] == [
            "good:strength=1.5",
            "good:strength=2.0",
        ]


def test_real_data_are_tuned_on_by_wild_type_cells_alone(registry):
    with pytest.raises(UserError, match="perturbed cells are what boards ask"):
        plan_choice(registry, sweep_of(registry, ("hipsc-ko",), ("response",)), print)
    sweep = sweep_of(registry, ("hipsc-ko",))
    groups = plan_choice(registry, sweep, print)
    assert [(group.split.name, group.split.seed) for group in groups] == [("tune", 0), ("tune", 1)]
    assert used(groups) == ["hipsc-ko, training cells"]
    (fresh,) = plan_confirmation(registry, sweep, sweep.settings[:1], print)
    assert fresh.split.name == "confirm"


@pytest.mark.parametrize(
    ("text", "datasets", "said"),
    [
        ("good", ("grn",), "names no parameter to tune"),
        ("good:strength=2.0", ("grn",), "is one setting"),
        ("good:strnegth=[1.0,2.0]", ("grn",), "no parameter"),
        (SWEEP, ("grn:seed=3",), "leave the seed out"),
    ],
)
def test_mistakes_are_said(registry, text, datasets, said):
    with pytest.raises(UserError, match=said):
        plan_choice(registry, sweep_of(registry, datasets, text=text), print)
