"""The steady state of one knockout event, plainly.

The differential equation is a loop over genes, integrated until nothing moves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

#: Time integrated at once, in units of 1 / B; whether the state is steady is asked after each leg.
LEG = 20.0

#: Legs after which an event counts as without a steady state.
MOST_LEGS = 100

#: A state is steady when no gene changes by more than this share of itself (or of `SMALL`) in a
#: unit of time.
STEADY = 1e-8

#: Expression below this value is read as 0, and its changes are compared with this value.
SMALL = 1e-3


def production(
    x: Sequence[float],
    inputs: Sequence[Sequence[tuple[int, float]]],
    absent: Collection[int],
    silenced: bool,
    basal: Sequence[float],
) -> list[float]:
    """P_j of every gene: b_j + sum_i A_ij x_i / (1 + x_i) + sum_i R_ij / (1 + x_i).

    Parameters
    ----------
    x : (G,) float
        Expression, 0 in absent genes.
    inputs : sequence of sequence of (int, float)
        Regulators of each gene and their weights, negative where they repress.
    absent : collection of int
        Absent genes; their P is 0.
    silenced : bool
        Whether absent genes drop out of the R terms, too.
    basal : (G,) float
        b.
    """
    produced = []
    for gene, regulators in enumerate(inputs):
        total = basal[gene]
        for regulator, weight in regulators:
            if weight > 0:
                total += weight * x[regulator] / (1.0 + x[regulator])
            elif not (silenced and regulator in absent):
                total += -weight / (1.0 + x[regulator])
        produced.append(0.0 if gene in absent else total)
    return produced


def steady_state(
    inputs: Sequence[Sequence[tuple[int, float]]],
    start: Sequence[float],
    absent: Collection[int],
    silenced: bool = False,
    basal: Sequence[float] | None = None,
    decay: float = 1.0,
) -> npt.NDArray[np.float64]:
    """Where dx_j/dt = -B x_j + P_j(x) ends from `start`, by scipy's LSODA.

    Parameters
    ----------
    inputs, absent, silenced, basal
        See `production`; absent genes are held at 0, whether removed or lacking.
    start : (G,) float
        Expression to start from.
    decay : float
        B.

    Returns
    -------
    (G,) float64
        NaN where it doesn't come to rest.
    """
    given = [0.0] * len(inputs) if basal is None else list(basal)

    def slope(_: float, state: npt.NDArray[np.float64]) -> list[float]:
        x = state.tolist()
        return [
            made - decay * here
            for made, here in zip(production(x, inputs, absent, silenced, given), x, strict=True)
        ]

    state: npt.NDArray[np.float64] = np.array(
        [0.0 if gene in absent else value for gene, value in enumerate(start)]
    )
    for _ in range(MOST_LEGS):
        state = solve_ivp(
            slope, (0.0, LEG), state, method="LSODA", rtol=1e-8, atol=1e-11, t_eval=[LEG]
        ).y[:, -1]
        if (np.abs(slope(0.0, state)) <= STEADY * np.maximum(state, SMALL)).all():
            return state
    return np.full(len(state), np.nan)
