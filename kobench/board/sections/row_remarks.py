"""What a reader should know of a row, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kobench.board.names import developed_on, given_equation
from kobench.board.numbers.series import Numbers
from kobench.board.numbers.values import NONE, NOT_RUN, STAND_IN, Key, RowValues
from kobench.board.row import Score
from kobench.board.sections.comparison import Comparison
from kobench.board.sections.tuned import on_tuning
from kobench.board.written import spoken

#: How many times the error of one fit may be that of another on the same cells, before it is said.
APART = 10.0

#: Said of a row whose answers by assemblage may come from what others left in the machine.
ASKED_LATE = (
    "asked by assemblage after predictors had been shown the expression of these cells in the same"
    " results folder: it may have been told"
)

#: Said of a row that was run on networks of a secret seed that was known by then.
SEED_KNOWN = (
    "run after the secret seed of its networks was known, so it could have been made for them"
)

#: From this correlation on a ranking is said to follow abundance.
FOLLOWS = 0.8


def row_remarks(compared: Comparison, key: Key, scores: Mapping[str, Score]) -> tuple[str, ...]:
    """What a reader should know of a row, the most important first.

    Parameters
    ----------
    compared : Comparison
        The rows of the section.
    key : Key
        The row.
    scores : mapping of str to Score
        Its scores as shown, by metric.
    """
    values = {} if compared.unranked else compared.values[key]
    remarks: list[str] = []
    if key in compared.beyond:
        remarks.append(above_possible(compared, key))
    remarks += declared(compared, key)
    if key[0] == "predictor" and values:
        remarks += on_some_blocks(compared, key)
        remarks += on_some_splits(compared.numbers, key)
    remarks += without_ranking(compared.numbers, key, values, compared.statuses[key])
    if key[0] == "predictor":
        remarks += fits_apart(compared.numbers, key)
        remarks += follows_abundance(compared.numbers, key)
    if any(
        compared.numbers.task in (fit.run.asked_late or ()) for fit in compared.numbers.records[key]
    ):
        remarks.append(ASKED_LATE)
    if key[0] == "predictor" and any(fit.run.seed_known for fit in compared.numbers.records[key]):
        remarks.append(SEED_KNOWN)
    if key[0] == "predictor":
        remarks += on_tuning(compared.numbers.records[key])
    remarks += of_its_packages(compared.numbers, key)
    for metric in compared.numbers.primary():
        if metric in scores and scores[metric].unproven:
            remarks.append(unproven(metric, scores[metric]))
    return tuple(remarks)


def above_possible(compared: Comparison, key: Key) -> str:
    """What of a row's score is not possible, and what has been said to that."""
    said = compared.explained.get(key)
    rest = f"explained: {said}" if said else "a leak, until somebody says why"
    return f"above what is possible: {compared.beyond[key]}; {rest}"


def declared(compared: Comparison, key: Key) -> Iterator[str]:
    """What a row's maker says of it: what it knows beside the cells, and what it was made on."""
    if key in compared.priors:
        yield f"prior knowledge, as declared: {compared.priors[key]}"
    fits = compared.numbers.records[key]
    made_on = sorted({name for fit in fits if (name := developed_on(fit))})
    if made_on:
        yield f"developed on {spoken(made_on)}, so its scores here are no evidence"
    equations = sorted({name for fit in fits if (name := given_equation(fit))})
    if equations:
        yield (
            f"given the equation of {spoken(equations)}, so its scores here are what a method with"
            " the right model reaches, and no evidence"
        )


def on_some_blocks(compared: Comparison, key: Key) -> Iterator[str]:
    """That a predictor has scores on some of the blocks alone."""
    done, total = len(compared.done(key)), len(compared.numbers.blocks)
    noun = compared.numbers.networks.noun
    if 0 < done < total:
        yield f"scored on {done} of {total} {noun}s"


def on_some_splits(numbers: Numbers, key: Key) -> Iterator[str]:
    """That a predictor has fewer splits than the section."""
    own, of = (numbers.splits.count(slots) for slots in (numbers.owed(key), numbers.slots))
    if own < of:
        yield (
            f"scored on the first {own} of {of} splits; compared with floors and others on the"
            " splits that both have"
        )


def splits_of(numbers: Numbers, key: Key) -> int:
    """How many splits a row has scores of."""
    return numbers.splits.count(numbers.scores.get(key, {}))


def without_ranking(
    numbers: Numbers, key: Key, values: Mapping[str, RowValues], status: str
) -> Iterator[str]:
    """Where a row's answers gave no ranking, and what counts instead; why it has no value."""
    flat = [
        metric
        for metric, one in values.items()
        if one.only_none or (not one.values and one.missing == NONE)
    ]
    like = "random" if numbers.scores.get(STAND_IN) else "no change at all"
    if flat:
        place = ""
        if key[0] == "predictor":
            stood_in = any(values[metric].values for metric in flat)
            where = f"level with {like}" if stood_in else "last, as random was not scored"
            place = f"; ranked {where}"
        elif key[0] == "floor":
            place = f"; counts as {like}"
        yield f"a constant answer gives no ranking by {' and '.join(flat)}{place}"
    for metric, one in values.items():
        if metric in flat:
            continue
        if one.nones:
            yield (
                f"{metric}: no ranking in {one.nones} of {len(numbers.owed(key))} (a constant"
                f" answer), counted there as {like}"
            )
        elif not one.values and one.missing not in ("", status, NOT_RUN):
            yield f"{metric}: {one.missing}"


def fits_apart(numbers: Numbers, key: Key) -> Iterator[str]:
    """That on the same cells one fit has a far larger error than another.

    So it looks where a later fit knows what an earlier one was shown.
    """
    for metric in numbers.primary():
        example = numbers.example(metric)
        if example is None or example.direction != "lower" or example.best != 0:
            continue
        errors = [
            [one.metrics[metric].value for one in fits if metric in one.metrics]
            for _, fits in sorted(numbers.scores[key].items())
        ]
        known = [[float(one) for one in slot if one is not None] for slot in errors]
        apart = [slot for slot in known if slot and max(slot) > APART * min(slot)]
        if apart:
            among = ", ".join(f"{one:.3g}" for one in apart[0])
            yield (
                f"its fits on the same cells are far apart by {metric} ({among}): so it looks where"
                " a later one knows what an earlier one was shown, or where one went astray"
            )


def follows_abundance(numbers: Numbers, key: Key) -> Iterator[str]:
    """Which of a predictor's rankings follow the abundance of genes.

    Whatever they say of knockouts.
    """
    for variant, what in (
        ("", "its ranking follows"),
        ("[propagated]", "its propagated impacts follow"),
        ("[raw]", "its raw impacts follow"),
    ):
        one = numbers.measure(key, f"with-abundance{variant}")
        if one.values and not one.only_none and one.series.mean >= FOLLOWS:
            yield f"{what} the abundance of the genes (Spearman {one.series.mean:.2f})"


def of_its_packages(numbers: Numbers, key: Key) -> Iterator[str]:
    """That versions were mixed, and what else its distribution brings that sees the truth.

    Or that runs where no sandbox is.
    """
    fits = numbers.records[key]
    versions = sorted({str(fit.trial.predictor.version) for fit in fits})
    if len(versions) > 1:
        yield f"scores of different versions together: {', '.join(versions)}"
    seen = sorted({name for fit in fits for name in fit.result.trusted_with_predictor})
    if seen:
        yield f"its distribution also brings what sees the truth here: {', '.join(seen)}"
    here = sorted({name for fit in fits for name in fit.run.code_in_harness or ()})
    if here:
        yield f"runs code in kobench's own process: {', '.join(here)}"


def unproven(metric: str, score: Score) -> str:
    """A warning beside a good score that proves nothing.

    Permuted answers reach it, too; or one of so many predictors gets so far above them by luck.
    """
    one = score.permuted
    why = "its answers score as well where they are given to the wrong genes"
    if one is not None and one.one_of_many:
        why = (
            "among so many predictors one may do so much better than with its answers given to the"
            " wrong genes by chance"
        )
    return f"better than the floor by {metric}, yet {why}, so nothing shows that it knows the gene"
