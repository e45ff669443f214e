"""Describes the predictors to kobench without importing them (nor torch, nor xgboost)."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Param, PredictorSpec, hookimpl

MLP_PARAMS = {
    "preset": Param(
        "default", "default: accurate and fast; paper: as published", choices=("default", "paper")
    ),
    "hidden": Param(
        None, "units between the two layers; None: 128 (default), the number of genes (paper)"
    ),
    "lr": Param(None, "Adam's learning rate; None: 0.008 (default), 0.01 (paper)"),
    "batch": Param(None, "cells a step; None: 64 (default), 20 (paper)"),
    "steps": Param(None, "most steps; None: 1000 (default), 5000 (paper)"),
    "patience": Param(
        None,
        "steps without a better validation after which to stop; None: 100 (default), never (paper)",
    ),
    "decay": Param(
        None,
        "weight decay, one number or a list to choose from by validation; None: [0.1, 1, 10]"
        " (default), 0 (paper)",
    ),
    "refit": Param(
        None,
        "train again on all cells for the best number of steps; None: true (default), false"
        " (paper)",
    ),
}

LINEAR_PARAMS = {
    "penalty": Param(
        None,
        "ridge penalty relative to the mean squared norm of the features; None: by"
        " cross-validation",
    ),
    "folds": Param(5, "folds of the cross-validation", low=2, high=20),
}


STATE_PARAMS = {
    "factors": Param(0, "states; 0: as many as two halves of the cells agree on", low=0),
    "most": Param(10, "most states", low=1),
    "overlap": Param(0.5, "how well the halves must agree on them", low=0.0, high=1.0),
}


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """mlp, linear and gbm, their anchored twins, and models that start from a cell."""
    yield from profile_models()
    yield from anchored_models()
    yield from cell_models()


def profile_models() -> Iterator[PredictorSpec]:
    """Models that learn assemblage -> profile; a knockout is asked as the smaller assemblage."""
    yield PredictorSpec(
        "mlp",
        "kobench_baselines.heavy:mlp",
        summary=(
            "the network of the DKO paper: two linear layers on the assemblage, trained on"
            " Bray-Curtis; impacts in closed form"
        ),
        answers=("expression", "impact"),
        params=MLP_PARAMS,
        reference="arXiv 2510.03359",
        order_matters=True,
    )
    yield PredictorSpec(
        "linear",
        "kobench_baselines.linear:Linear",
        summary=(
            "ridge regression of each gene's share, where it is on, on the assemblage; penalty by"
            " cross-validation"
        ),
        answers=("expression",),
        params=LINEAR_PARAMS,
        reference="Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634",
    )
    yield PredictorSpec(
        "gbm",
        "kobench_baselines.heavy:gbm",
        summary="XGBoost trees for each gene's share, where it is on, on top of a masked mean",
        answers=("expression",),
        params={
            "rounds": Param(300, "most rounds; validation stops earlier", low=1),
            "depth": Param(2, "depth of each tree", low=1, high=16),
            "lr": Param(0.3, "shrinkage of each round", low=1e-4, high=1.0),
            "genes": Param(128, "most genes used as features, those that explain most", low=1),
            "components": Param(
                16,
                "principal components of the assemblages, added only where genes are left out as"
                " features",
                low=0,
            ),
            "targets": Param(
                2000,
                "most genes given trees, those that vary most; the others keep the masked mean",
                low=1,
            ),
        },
        reference="Chen & Guestrin 2016, doi 10.1145/2939672.2939785",
        order_matters=True,
    )


def anchored_models() -> Iterator[PredictorSpec]:
    """The change that a model of profiles predicts, applied to the cell's own profile."""
    yield PredictorSpec(
        "mlp-anchored",
        "kobench_baselines.heavy:mlp_anchored",
        summary="the cell's own profile, changed by the factors by which the mlp's profile changes",
        answers=("expression", "knockout"),
        params=MLP_PARAMS,
        reference="arXiv 2510.03359",
        order_matters=True,
    )
    yield PredictorSpec(
        "linear-anchored",
        "kobench_baselines.anchored:LinearAnchored",
        summary=(
            "the cell's own profile, changed by the factors by which the linear model's profile"
            " changes"
        ),
        answers=("expression", "knockout"),
        params=LINEAR_PARAMS,
        reference="Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634",
    )


def cell_models() -> Iterator[PredictorSpec]:
    """What starts from the asked cell's own profile."""
    yield PredictorSpec(
        "additive",
        "kobench_baselines.additive:Additive",
        summary=(
            "each gene a sparse sum over the values of a few others; a knockout runs the sums from"
            " the cell's own state"
        ),
        answers=("expression", "knockout"),
        params={
            "kind": Param(
                "auto",
                "how a regulator's value enters: its presence, and a line, a logarithm or a bent"
                " line in its level; auto: by cross-validation",
                choices=("auto", "on", "line", "log", "spline"),
            ),
            "penalty": Param(1.0, "the larger, the fewer regulators", low=0.0),
            "regulators": Param(
                100, "most candidate regulators of a gene, those that correlate most with it", low=1
            ),
            "dropout": Param(
                "auto",
                "auto: wild-type cells show whether low readings were lost, which are then filled"
                " in; off: every zero is an absent gene",
                choices=("auto", "off"),
            ),
        },
        reference="additive models: Hastie & Tibshirani 1986, doi 10.1214/ss/1177013604",
    )
    yield PredictorSpec(
        "covariance-shift",
        "kobench_baselines.covariance:CovarianceShift",
        summary=(
            "conditional mean of a Gaussian with shrunken covariance when the removed genes are at"
            " 0, in the cell's own profile"
        ),
        answers=("knockout",),
        params={
            "shrinkage": Param(
                None,
                "share of the correlations that is given up, 0 to 1; None: Ledoit and Wolf's",
                low=0.0,
                high=1.0,
            )
        },
        reference="Ledoit & Wolf 2004, doi 10.1016/S0047-259X(03)00096-4",
    )
    yield PredictorSpec(
        "knn",
        "kobench_baselines.neighbours:KNN",
        summary=(
            "mean of the most similar wild-type cells that lack the removed genes, on the genes"
            " that the cell has"
        ),
        answers=("knockout",),
        params={"k": Param(20, "cells to average", low=1)},
        reference="Cover & Hart 1967, doi 10.1109/TIT.1967.1053964",
    )
    yield PredictorSpec(
        "partial-correlation",
        "kobench_baselines.partial:PartialCorrelation",
        summary=(
            "each gene moves by its partial correlation with the removed one, within batches,"
            " shrunk by likelihood and noise"
        ),
        answers=("knockout",),
        params={
            "shrinkage": Param(
                None,
                "share of the correlations that is given up, over 0 to 1; None: by cross-validated"
                " likelihood",
                low=1e-3,
                high=1.0,
            )
        },
        reference="Schäfer & Strimmer 2005, doi 10.2202/1544-6115.1175",
    )
    yield PredictorSpec(
        "state-contrast",
        "kobench_baselines.state_contrast:StateContrast",
        summary=(
            "cells without the gene against cells with it, and the gene's slope on the states that"
            " two halves of the cells agree on"
        ),
        answers=("knockout",),
        params=STATE_PARAMS,
        reference="errors in variables: Fuller 1987, doi 10.1002/9780470316665",
        developed_on=("hipsc-ko",),
    )
    yield PredictorSpec(
        "state-contrast-prior",
        "kobench_baselines.prior:StateContrastPrior",
        summary="state-contrast times how strong a table has the removed gene",
        answers=("knockout",),
        params={
            "table": Param(
                "",
                "a file with the columns gene and strength; none: in how many processes mutants of"
                " the human gene were seen",
            ),
            **STATE_PARAMS,
        },
        reference="Gene Ontology: Ashburner et al. 2000, doi 10.1038/75556",
        prior="Gene Ontology annotations from human mutants (2022), or a table of the user's",
        developed_on=("hipsc-ko",),
    )
    yield PredictorSpec(
        "steady-state",
        "kobench_baselines.steady:SteadyState",
        summary=(
            "regulatory equations with saturating regulators, fitted gene by gene, run to their"
            " steady state without the genes"
        ),
        answers=("knockout",),
        params={
            "rule": Param(
                "auto",
                "zero: without a repressor its targets are at full level; silenced: absent genes"
                " regulate nothing; auto: by validation",
                choices=("auto", "zero", "silenced"),
            ),
            "half": Param(
                "auto",
                "half saturation, one: at 1; median: at each gene's median; auto: by validation",
                choices=("auto", "one", "median"),
            ),
            "price": Param(
                None,
                "price of a regulator, 0 to 10, relative to the gene's mean; None: by validation",
                low=0.0,
                high=10.0,
            ),
            "regulators": Param(
                100, "most candidate regulators of a gene, those that correlate most with it", low=1
            ),
            "targets": Param(
                1000, "most genes modelled, those that vary most; the others do not respond", low=1
            ),
        },
        reference="the equation: arXiv 2510.03359; its fit: Lawson & Hanson 1974, Tibshirani 1996",
        equation_of=("grn", "planted"),
    )
    yield PredictorSpec(
        "twofold",
        "kobench_baselines.twofold:Twofold",
        summary=(
            "additive where wild-type cells show a network, else state-contrast; linear where"
            " presence alone says more of a profile"
        ),
        answers=("expression", "knockout"),
        params={
            "explained": Param(
                0.5,
                "share of the held-out error that the network must explain to answer knockouts",
                low=0.0,
            )
        },
        reference="its parts: additive, linear, state-contrast",
        developed_on=("hipsc-ko",),
    )
