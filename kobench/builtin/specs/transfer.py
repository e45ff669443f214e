"""The record of the transfer task."""

from __future__ import annotations

from kobench.specs import TaskSpec


def transfer_spec() -> TaskSpec:
    """Profiles of another cell type or data set; bray-curtis is 0 at the truth, so its skill is the
    explained share.
    """
    return TaskSpec(
        "transfer",
        "kobench.builtin.tasks.transfer:transfer",
        of="profile",
        asks="transfer",
        truth="wild-type",
        primary=("bray-curtis",),
        floors=("masked-mean-depth",),
        lines=("truth",),
        block="cell",
        summary="profiles of cell types or data sets that the model was not trained on",
    )
