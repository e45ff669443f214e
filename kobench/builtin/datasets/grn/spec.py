"""The datasets `grn` and `planted` as records: parameters and what each means. Nothing heavy."""

from __future__ import annotations

from dataclasses import replace

from kobench.specs import DatasetSpec, Param

#: Part of every key: raise it whenever the same parameters give other cells or another truth.
VERSION = 1

#: What boards say of these parameters; the others' names must do.
SAYS = {
    "network": (
        "er: every gene regulates as often as another, sf: few hubs, out-degrees follow a power law"
    ),
    "gamma": "exponent of that power law",
    "degree": "mean number of regulators of a gene",
    "sigma": "each cell's own relative noise on every weight",
    "dropout": "chance of an entry below its gene's median to be read as 0",
}


def _told(params: dict[str, Param]) -> dict[str, Param]:
    return {name: replace(param, says=SAYS.get(name, "")) for name, param in params.items()}


#: The parameters of `grn`.
PARAMS = _told(
    {
        "network": Param(
            "er",
            "er: every gene regulates as often as another; sf: few hubs, out-degree a power law",
            choices=("er", "sf"),
        ),
        "gamma": Param(
            2.5,
            "sf only: exponent of the out-degree law, over 2 (2.5, 3.0, 3.5 in the paper)",
            low=2.0,
            high=10.0,
            only_with=("network", "sf"),
        ),
        "degree": Param(
            3.0, "mean number of regulators of a gene (3, 5, 7 in the paper)", low=1.0, high=1000.0
        ),
        "sigma": Param(
            0.1,
            "each cell's own relative noise on every weight (0.05 to 0.30 in the paper)",
            low=0.0,
            high=1.0,
        ),
        "dropout": Param(
            0.0,
            "chance of an entry below its gene's median (where expressed) to be read as 0",
            low=0.0,
            high=1.0,
        ),
        "genes": Param(100, "number of genes", low=1, high=20000),
        "cells": Param(500, "number of wild-type cells", low=1, high=1000000),
        "absent": Param(0.2, "share of (cell, gene) entries that are absent", low=0.0, high=1.0),
        "absence": Param(
            "random",
            "random: any genes, as published; modules: correlated sets of genes",
            choices=("random", "modules"),
        ),
        "modules": Param(
            4,
            "absence=modules only: number of latent factors",
            low=1,
            high=20000,
            only_with=("absence", "modules"),
        ),
        "repressors": Param(0.5, "share of edges that repress", low=0.0, high=1.0),
        "knockout": Param(
            "zero",
            "zero: x = 0 enters the equation, targets of a removed repressor rise; silenced: an"
            " absent gene regulates nothing, they fall",
            choices=("zero", "silenced"),
        ),
        "cell_types": Param(1, "number of cell types, with as many cells each", low=1, high=1000),
        "types": Param(
            "basal",
            "cell_types over 1 only: basal: each type produces some genes whatever regulates them;"
            " edges: each lacks some edges of the network",
            choices=("basal", "edges"),
        ),
        "seed": Param(0, "one seed, one network", low=0),
    }
)

#: Version of `planted`, as `VERSION` is that of `grn`; a change of `grn` changes both.
PLANTED_VERSION = 1

#: The parameters of `planted`.
PLANTED = {
    **PARAMS,
    **_told(
        {
            "perturbations": Param(
                20, "number of genes knocked out, each in cells of its own", low=1, high=20000
            ),
            "doubles": Param(
                0,
                "number of pairs of these genes that are knocked out together",
                low=0,
                high=1000000,
            ),
            "perturbed_cells": Param(
                100, "number of cells of each perturbation", low=1, high=1000000
            ),
            "batches": Param(
                1,
                "number of batches; over 1, perturbations are spread over them unevenly",
                low=1,
                high=1000,
            ),
            "batch_effect": Param(
                0.2,
                "batches over 1 only: sd of the logarithm of each batch's own factor on each gene",
                low=0.0,
                high=5.0,
            ),
            "shuffle": Param(
                "none",
                "labels: all labels shuffled within batch, so nothing has an effect; perturbed:"
                " those of the perturbed cells only",
                choices=("none", "labels", "perturbed"),
            ),
        }
    ),
}


def grn_spec() -> DatasetSpec:
    """The record of the simulated dataset `grn`.

    >>> grn_spec().params["degree"].default
    3.0
    """
    return DatasetSpec(
        name="grn",
        load="kobench.builtin.datasets.grn:load",
        summary=(
            "simulated gene networks, Erdos-Renyi or scale-free, with every cell's true knockouts"
        ),
        params=PARAMS,
        version=VERSION,
        truth="counterfactual",
        seeded=True,
        reference="arXiv 2510.03359",
    )


def planted_spec() -> DatasetSpec:
    """The record of `planted`: the cells of `grn`, and knockouts measured in other cells.

    >>> planted_spec().params["perturbations"].default
    20
    """
    return DatasetSpec(
        name="planted",
        load="kobench.builtin.datasets.grn:load_planted",
        summary=(
            "simulated gene networks whose knockouts are measured in other cells, as real"
            " screens do"
        ),
        params=PLANTED,
        version=PLANTED_VERSION,
        truth="population",
        seeded=True,
        reference="arXiv 2510.03359",
    )
