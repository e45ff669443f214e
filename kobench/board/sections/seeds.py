"""Where the seeds of simulated networks come from: whether anybody could compute the truth."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.errors import UserError
from kobench.results.parts import DatasetInfo, Record


def seeds_of(records: Sequence[Record]) -> str:
    """One sentence on the seeds of a board's networks; "" where it has none.

    Raises UserError where they come from more than one secret, or from public seeds and a secret:
    rows on different networks can't be compared.
    """
    datasets = [record.trial.dataset for record in records]
    public = {one.seed for one in datasets if one.seed is not None}
    secret = {one.secret.commitment for one in datasets if one.secret is not None}
    if len(secret) + bool(public) > 1:
        named = [f"the secret seed with commitment sha256={one}" for one in sorted(secret)]
        named += ["public seeds"] if public else []
        raise UserError(
            f"these records are of networks from {' and '.join(named)}, which can't be compared;"
            " keep them in folders of their own"
        )
    if secret:
        return (
            "Its networks come from a seed that was kept secret until it was published; commitment:"
            f" sha256={secret.pop()}."
        )
    if public:
        return f"Its network seeds are public ({listed(public)}): anyone can compute the truth."
    return ""


def listed(seeds: set[int]) -> str:
    """Numbers without a gap by their ends, others one by one, the first three of many.

    >>> listed({2, 0, 1}), listed({7}), listed({3, 5}), listed({1, 3, 5, 9})
    ('0 to 2', '7', '3, 5', '1, 3, 5, ...')
    """
    ordered = sorted(seeds)
    if len(ordered) > 1 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]} to {ordered[-1]}"
    shown = ", ".join(map(str, ordered[:3]))
    return f"{shown}, ..." if len(ordered) > 3 else shown


def network_of(dataset: DatasetInfo) -> str:
    """Which network a dataset is, in a word and a number; "" where it is none.

    >>> network_of(DatasetInfo(name="grn", selection="", version=1, group="", seed=3, kind="",
    ...                        truth="", digest="", notes=()))
    'seed 3'
    """
    if dataset.secret is not None:
        return f"secret seed {dataset.secret.index}"
    return "" if dataset.seed is None else f"seed {dataset.seed}"
