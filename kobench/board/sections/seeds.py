"""Where the seeds of simulated networks come from: whether anybody could compute the truth."""

from __future__ import annotations

from collections.abc import Sequence

from kobench.errors import UserError
from kobench.results.parts import DatasetInfo, Record
from kobench.results.revealed import chosen_networks, listed

#: How it begins where nobody could know the networks, which is nothing to mind.
KEPT_SECRET = "Its networks come from a seed that was kept secret"


def seeds_of(records: Sequence[Record]) -> str:
    """What to say of the seeds of a board's networks; "" where it has none.

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
        source = f"{KEPT_SECRET} until it was published; commitment: sha256={secret.pop()}."
        return " ".join([*chosen_networks(records), source])
    if public:
        return f"Its network seeds are public ({listed(public)}): anyone can compute the truth."
    return ""


def network_of(dataset: DatasetInfo) -> str:
    """Which network a dataset is, in a word and a number; "" where it is none.

    >>> network_of(DatasetInfo(name="grn", selection="", version=1, group="", seed=3, kind="",
    ...                        truth="", digest="", notes=()))
    'seed 3'
    """
    if dataset.secret is not None:
        return f"secret seed {dataset.secret.index}"
    return "" if dataset.seed is None else f"seed {dataset.seed}"
