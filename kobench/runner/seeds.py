"""Secret seeds: a run commits to its own before anything else, and no folder mixes two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from kobench.errors import UserError
from kobench.plugins.chosen import Chosen, SecretNetwork, version_of
from kobench.plugins.parameters import canonical
from kobench.results.records import read_record
from kobench.results.suite_seed import SIZE, SuiteSeed, find_seed, keep_known, keep_seed
from kobench.results.versions import older_files
from kobench.runner.keys import Group


def with_secret_seed(dataset: Chosen, seed: SuiteSeed) -> Chosen:
    """A seeded dataset whose seed follows from a secret one; the seed that it had is its index.

    The new seed is among the parameters alone, which only the loader is given. Its selection, which
    progress, records and joined cells show, has the index: `grn:seed=secret-0`.
    """
    spec, index = dataset.entry.spec, int(dataset.params["seed"])
    name = dataset.entry.shown_name  # as records have it
    most = spec.params["seed"].high
    if most is not None and most < 2 ** (8 * SIZE):
        raise UserError(
            f"dataset {name} takes no seed above {most:g}, which can be searched; leave"
            " --secret out, or take another dataset"
        )
    of = name, version_of(dataset.entry), index
    return replace(
        dataset,
        params={**dataset.params, "seed": seed.network(*of)},
        selection=canonical(name, {**dataset.params, "seed": f"secret-{index}"}, spec.params),
        secret=SecretNetwork(seed.commitment, index, seed.questions(*of)),
    )


def settle_seeds(folder: Path, groups: Iterable[Group]) -> None:
    """Write the secret seed of a run into its folder, where it has one.

    Raises UserError where the folder holds results of other seeds: networks of secret and of public
    seeds can't be compared.
    """
    trials = [trial for group in groups for trial in (*group.basis, *group.trials)]
    seeded = any(trial.dataset.entry.spec.seeded for trial in trials)
    asked = next((trial.request.suite_seed for trial in trials), None)
    if not seeded:
        if asked is not None:
            raise UserError(
                "none of the datasets is simulated, so there is no seed to keep secret; leave"
                " --secret out"
            )
        return
    known = find_seed(folder)
    if asked is None:
        if known is not None:
            raise UserError(
                f"the networks in {folder} come from a secret seed (commitment sha256="
                f"{known.commitment}), these would come from public ones; add --secret to go on"
                " with it, or name another folder with --out"
            )
        return
    if known is None and (public := next(public_networks(folder), "")):
        raise UserError(
            f"{folder} holds results on networks of public seeds ({public}), which can't be"
            " compared with those of a secret one; name another folder with --out"
        )
    if known is not None and known != asked:
        raise UserError(
            f"the networks in {folder} come from another secret seed (commitment sha256="
            f"{known.commitment}, this one has {asked.commitment}); name another folder with --out"
        )
    if known is None:
        keep_seed(folder, asked)
    if any(trial.request.seed_known for trial in trials):
        keep_known(folder)


def public_networks(folder: Path) -> Iterator[str]:
    """Networks of public seeds that a results folder has records of."""
    for path in (*sorted((folder / "records").glob("*.json")), *older_files(folder)):
        try:
            dataset = read_record(path).trial.dataset
        except UserError:
            continue  # what can't be read is no result
        if dataset.seed is not None:
            yield dataset.selection
