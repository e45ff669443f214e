"""Networks of a published board simulated again from the secret seed that it reveals."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from kobench.datasets.digest import digest
from kobench.errors import UserError
from kobench.plugins.load import Registry
from kobench.results.parts import DatasetInfo, Record
from kobench.results.suite_seed import SuiteSeed
from kobench.runner.by_record import dataset_by_record
from kobench.runner.load import load


@dataclass
class Rebuilt:
    """What came of simulating networks again.

    Attributes
    ----------
    same : int
        How many networks have the cells that their records say.
    others : list of str
        A sentence for each that has other cells.
    left_out : list of str
        A sentence for each that could not be simulated here.
    """

    same: int = 0
    others: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def rebuild(
    registry: Registry,
    records: Iterable[Record],
    seed: SuiteSeed,
    named: Collection[str] = (),
) -> Rebuilt:
    """Simulate every secret network of some records again, and compare the cells.

    Parameters
    ----------
    registry : Registry
        Where the simulators are found.
    records : iterable of Record
        The records.
    seed : SuiteSeed
        The seed that was revealed with them.
    named : collection of str
        Strangers' simulators that may run.
    """
    found = Rebuilt()
    datasets = [record.trial.dataset for record in records]
    networks = {(one.selection, one.digest): one for one in datasets if one.secret is not None}
    for _, dataset in sorted(networks.items()):
        try:
            again = digest_of(registry, dataset, seed, named)
        except UserError as error:
            found.left_out.append(f"{dataset.selection}: {error}")
            continue
        if again == dataset.digest:
            found.same += 1
        else:
            found.others.append(
                f"{dataset.selection}: its cells have the sha256 {dataset.digest}, those that"
                f" follow from the seed here have {again}"
            )
    return found


def digest_of(
    registry: Registry, dataset: DatasetInfo, seed: SuiteSeed, named: Collection[str] = ()
) -> str:
    """The hash of the cells of a network that follows from a seed; UserError where it can't be."""
    assert dataset.secret is not None
    if " + " in dataset.group:
        raise UserError("several datasets joined as one are not simulated again; run the suite")
    following = seed.network(dataset.name, str(dataset.version), dataset.secret.index)
    chosen = dataset_by_record(registry, dataset.group, named, {"seed": following})
    here, recorded = str(chosen.entry.spec.version), str(dataset.version).rpartition("/")[2]
    if here != recorded:
        raise UserError(f"its simulator has version {recorded}, the one here {here}")
    return digest(load(chosen).cells)
