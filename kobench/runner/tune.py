"""Tuning: the settings of a predictor on development networks, and the chosen one on fresh ones.

Development networks have seeds of their own, above all that a run draws: public seeds are small,
secret ones have 128 bits. On real data settings are chosen by the wild-type profile alone, inside
the cells that boards train on (`kobench.datasets.nested`): perturbed cells are what boards ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kobench.datasets.nested import CHOOSE, CONFIRM
from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, choose, version_of
from kobench.plugins.load import Registry
from kobench.plugins.parameters import canonical, complete
from kobench.results.suite_seed import SIZE
from kobench.runner.keys import Group
from kobench.runner.plan import make_group, make_plan
from kobench.runner.readable import contents_of
from kobench.runner.request import Request, Split
from kobench.runner.tasks import find_tasks
from kobench.util.files import hash_of
from kobench.util.grammar import Selection, parse
from kobench.util.sweeps import settings_of

#: Development seeds start here: no seed of a suite, public or secret, is as large.
FIRST = 2 ** (8 * SIZE)

#: How far the first networks of two sets are apart, and the bits by which sets are told apart.
ROOM, BITS = 2**40, 80

#: From here on lie the fresh networks, on which what was chosen is looked at again.
FRESH = FIRST + 2 ** (BITS + 41)


@dataclass(frozen=True)
class Sweep:
    """Settings of one predictor, and what they are chosen by.

    Attributes
    ----------
    predictor : str
        The predictor without parameters, as it was named.
    chosen : tuple of Chosen
        The settings.
    request : Request
        Datasets, tasks, networks, fit seeds and limits; its predictors are the settings.
    splits : int
        In how many splits settings are compared on real data.
    """

    predictor: str
    chosen: tuple[Chosen, ...]
    request: Request
    splits: int

    @property
    def settings(self) -> list[str]:
        """The settings as selections."""
        return [one.selection for one in self.chosen]

    @property
    def key(self) -> str:
        """Hash of what is chosen from and by: another sweep is confirmed on other networks."""
        request = self.request
        return hash_of(
            [
                sorted(self.settings),
                self.chosen[0].source,
                list(request.datasets),
                list(request.tasks or ()),
                request.networks,
                request.fit_seeds,
            ]
        )


def make_sweep(
    registry: Registry, text: str, request: Request, splits: int, draws: int | None, seed: int
) -> Sweep:
    """The sweep of a selection whose parameters may have several values.

    Parameters
    ----------
    registry : Registry
        Everything that is installed.
    text : str
        The predictor, such as "mine:alpha=[0.1,0.2],depth=[2,3]".
    request : Request
        What it is tuned on.
    splits : int
        See `Sweep`.
    draws, seed :
        See `kobench.util.sweeps.settings_of`.

    Raises
    ------
    UserError
        For an unknown predictor or parameter, an unfit value, and a single setting.
    """
    asked = parse(text)
    entry = registry.find("predictors", asked.full_name)
    defaults = {key: param.default for key, param in entry.spec.params.items()}
    if not asked.params:
        known = ", ".join(entry.spec.params) or "none"
        raise UserError(
            f"{text} names no parameter to tune; give values, as {text}:KEY=[1,2] (it has: {known})"
        )
    found = settings_of(asked.params, defaults, draws, seed)
    chosen: dict[str, Chosen] = {}
    for params in found:
        full = complete(Selection(asked.name, asked.distribution, params), entry.spec.params)
        one = choose(registry, "predictors", asked.full_name, full)
        chosen[one.selection] = one
    if len(chosen) < 2:
        raise UserError(f"{text} is one setting; give several values, as KEY=[1,2], or a range")
    return Sweep(asked.full_name, tuple(chosen.values()), request, splits)


def development(dataset: Chosen, start: int) -> str:
    """A simulated dataset with a development seed, as a selection.

    Raises
    ------
    UserError
        Where a seed was given, and where it takes none so large.
    """
    spec, name = dataset.entry.spec, dataset.entry.shown_name
    most = spec.params["seed"].high
    if most is not None and most < start + ROOM:
        raise UserError(
            f"dataset {name} takes no seed above {most:g}, so it has no networks that no board can"
            " have; tune on another dataset"
        )
    return canonical(name, {**dataset.params, "seed": start}, spec.params)


def start_of(dataset: Chosen, first: int, *parts: str) -> int:
    """The seed of the first network of a set, by what it is for."""
    of = ["development", dataset.entry.shown_name, version_of(dataset.entry).rpartition("/")[2]]
    number: int = int(hash_of([*of, *parts])[: BITS // 4], 16)
    return first + number * ROOM


def plan_choice(registry: Registry, sweep: Sweep, note: Callable[[str], None]) -> list[Group]:
    """What is run to choose a setting: all of them."""
    return plan(registry, sweep, list(sweep.chosen), CHOOSE, note)


def plan_confirmation(
    registry: Registry, sweep: Sweep, settings: Sequence[str], note: Callable[[str], None]
) -> list[Group]:
    """What is run to say how good chosen settings are, on cells that did not choose them."""
    chosen = [choose(registry, "predictors", text) for text in settings]
    return plan(registry, sweep, chosen, CONFIRM, note)


def plan(
    registry: Registry,
    sweep: Sweep,
    predictors: list[Chosen],
    stage: str,
    note: Callable[[str], None],
) -> list[Group]:
    """The trials of some settings, to choose by or to confirm.

    Raises
    ------
    UserError
        Where a task can't be tuned on a dataset.
    """
    groups: list[Group] = []
    request = replace(sweep.request, predictors=[one.selection for one in predictors])
    for text in dict.fromkeys(sweep.request.datasets):
        dataset = choose(registry, "datasets", text)
        if not dataset.entry.spec.seeded:
            groups += inside(registry, dataset, sweep, predictors, stage, note)
            continue
        if "seed" in parse(text).params:
            raise UserError(
                f"{text} names a seed; tuning draws networks of its own, which no published board"
                " has: leave the seed out"
            )
        parts = () if stage == CHOOSE else (sweep.key,)
        start = start_of(dataset, FIRST if stage == CHOOSE else FRESH, *parts)
        texts = [qualified(registry, one) for one in predictors]
        groups += make_plan(
            registry,
            replace(request, datasets=(development(dataset, start),), predictors=texts),
            note,
        )
    return groups


def qualified(registry: Registry, one: Chosen) -> str:
    """A setting as a selection that no other distribution's predictor answers to."""
    home = one.entry.environment or one.entry.distribution
    try:
        found = registry.find("predictors", one.entry.shown_name)
    except UserError:
        return f"{home}/{one.selection}"
    return one.selection if found.home == one.entry.home else f"{home}/{one.selection}"


def inside(
    registry: Registry,
    dataset: Chosen,
    sweep: Sweep,
    predictors: list[Chosen],
    stage: str,
    note: Callable[[str], None],
) -> list[Group]:
    """The trials inside the training cells of a real dataset."""
    tasks = find_tasks(registry, sweep.request, note)
    other = [task.spec.name for task in tasks if task.spec.truth != "wild-type"]
    if other:
        raise UserError(
            f"{other[0]} can't be tuned on {dataset.selection}: its perturbed cells are what boards"
            " ask, and whoever chooses by some of them knows more than the wild-type cells. Tune on"
            " it with -t profile, which asks held-out wild-type cells inside those that boards"
            " train on, or tune on simulated networks (-d grn, -d planted)"
        )
    seeds = range(sweep.splits) if stage == CHOOSE else range(1)
    readable = contents_of(sweep.request.readable)
    return [
        make_group(
            registry,
            dataset,
            tuple(tasks),
            predictors,
            sweep.request,
            Split(stage, seed=seed, of=len(seeds)),
            readable,
        )
        for seed in seeds
    ]


def used(groups: Sequence[Group]) -> list[str]:
    """What settings were chosen on, as records say it: networks, or training cells alone."""
    return sorted(
        {
            group.dataset.selection
            if group.dataset.entry.spec.seeded
            else f"{group.dataset.selection}, training cells"
            for group in groups
        }
    )
