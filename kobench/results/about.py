"""What a record says of its dataset and tasks for readers of a board: words and their order.

Nothing here is part of a key or changes a score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kobench.results.typed import Part, older, optional


@dataclass(frozen=True, kw_only=True)
class ParamAbout(Part):
    """What readers are told of a dataset's parameter.

    Attributes
    ----------
    name : str
        Its name.
    value : Any
        Its value in this dataset.
    says : str
        What it means, in one line; "" where its name must do.
    """

    name: str
    value: Any
    says: str = older("")


@dataclass(frozen=True, kw_only=True)
class GroupsAbout(Part):
    """Groups of a dataset's cells that belong together: donors, simulation runs.

    Attributes
    ----------
    column : str
        The column of its cells that names them.
    count : int
        How many there are among the wild-type cells.
    """

    column: str
    count: int


@dataclass(frozen=True, kw_only=True)
class NetworkAbout(Part):
    """What tells the network of a simulation from others.

    Attributes
    ----------
    name : str
        What the dataset calls it: draws of cells of one network have the same; "" for nothing.
    edges : str or None
        Digest of the edges of its truth, whatever genes are called; null where it tells none.
    """

    name: str
    edges: str | None


@dataclass(frozen=True, kw_only=True)
class DatasetAbout(Part):
    """What readers are told of a dataset.

    Attributes
    ----------
    near_null : str
        Why its knockouts have hardly any effect, so that a good score is suspect; "" where
        they have.
    params : list of ParamAbout
        Its parameters that mean something here, but for the seed; defaults too.
    network : NetworkAbout or None
        Of a simulation what tells its network from others; there where the dataset names it, and
        for edges that a stranger's truth tells.
    groups : GroupsAbout or None
        Groups of cells that belong together; there where it has them.
    replicate_key : str or None
        The column of its cells with the biological replicate; there where it has one.
    origins : list of str, or None
        Names of what its cells come from, whatever its parameters make of them; there in records
        of predictors.
    """

    near_null: str = older("")
    params: Sequence[ParamAbout] = older(())
    network: NetworkAbout | None = optional()
    groups: GroupsAbout | None = optional()
    replicate_key: str | None = optional()
    origins: Sequence[str] | None = optional()


@dataclass(frozen=True, kw_only=True)
class TaskAbout(Part):
    """What readers are told of a task.

    Attributes
    ----------
    says : str
        What it asks, in one line of plain words; "" where its label must do.
    demand : float
        How much it demands of a predictor; tasks are told from the highest demand down.
    of_knockouts : bool
        Whether it asks about knockouts, and not about unperturbed cells alone.
    unranked : str
        Why the truth of this dataset gives no ranking; "" where it does.
    """

    says: str = older("")
    demand: float = older(0.0)
    of_knockouts: bool = older(True)
    unranked: str = older("")


@dataclass(frozen=True, kw_only=True)
class About(Part):
    """What readers of a board are told of a record's dataset and tasks.

    Attributes
    ----------
    dataset : DatasetAbout
        Of its dataset.
    tasks : mapping of str to TaskAbout
        Of each task, by task label.
    """

    dataset: DatasetAbout = older(DatasetAbout())
    tasks: Mapping[str, TaskAbout] = older({})
