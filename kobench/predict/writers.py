"""What `kobench predict` writes: one function for each kind of answer, one row at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from kobench.cells import FloatArray, IntArray
from kobench.predict.client import Client
from kobench.predict.table_file import TableFile
from kobench.question import Payload, Profiles, Responses, Shape
from kobench.truth.events import blocks_of_cells, every_single
from kobench.units import MIN_CELLS


def write_impacts(client: Client, file: TableFile) -> None:
    """One row a knockout: gene, cell (row of the dataset), and the impacts that can be had."""
    names = np.asarray(client.cells.var_names)
    for block, events in client.batches():
        answers = client.impacts(client.cells[block], events)
        file.add(
            {"gene": names[events.genes[:, 0]], "cell": client.rows[block][events.cells], **answers}
        )


def write_keystones(client: Client, file: TableFile) -> None:
    """One row a gene, most important first: its score, and in how many asked cells it is on.

    The score is the predictor's own, else the mean propagated (else raw) impact; none under
    `MIN_CELLS` cells. Where the knockouts were drawn: how many were asked of each gene, and the
    standard error of its mean by that draw, sd / sqrt(n) sqrt(1 - n / N) (Cochran, Sampling
    Techniques, 1977, theorem 2.2).
    """
    genes = np.flatnonzero(client.answerable)
    if "genes" in client.trial.predictor.entry.spec.answers:
        score, asked = own_scores(client, genes), client.available[genes]
        error = np.zeros(len(genes))
    else:
        count, mean, spread = gene_moments(client)
        score, asked, left = mean[genes], count[genes], 1 - count[genes] / client.available[genes]
        error = np.sqrt(
            np.divide(
                spread[genes] * left,
                asked * (asked - 1.0),
                out=np.zeros(len(genes)),
                where=(asked > 1) & (left > 0),
            )
        )
    few = asked < MIN_CELLS
    score, error = np.where(few, np.nan, score), np.where(few, np.nan, error)
    order = np.lexsort((genes, -np.nan_to_num(score, nan=-np.inf)))
    columns = {
        "gene": np.asarray(client.cells.var_names)[genes],
        "score": score,
        "cells": client.available[genes],
    }
    if (asked < client.available[genes]).any():  # a sample was drawn
        columns |= {"asked": asked, "standard_error": error}
    file.add({name: values[order] for name, values in columns.items()})


def own_scores(client: Client, genes: IntArray) -> FloatArray:
    """(n,) the scores that the predictor gives genes itself, asked with all cells at once."""

    shape = Shape(np.zeros(len(genes), bool), signed=True)
    payload = Payload({"genes": genes}, client.cells)
    scores: FloatArray = client.ask("genes", payload, {"gene_scores": shape})["gene_scores"]
    client.events += int(client.available[genes].sum())
    return scores


def gene_moments(client: Client) -> tuple[IntArray, FloatArray, FloatArray]:
    """Of each gene: how many knockouts were asked, their mean impact, and its sum of squares.

    Returns
    -------
    three of (G,)
        The sum of squares is about the mean.

    Notes
    -----
    Batches are merged by the formula of Chan, Golub and LeVeque (1979), which keeps the digits that
    a sum of squares would lose.
    """
    n_genes = client.cells.n_vars
    count, mean, spread = np.zeros(n_genes, np.int64), np.zeros(n_genes), np.zeros(n_genes)
    for block, events in client.batches():
        answers, genes = client.impacts(client.cells[block], events), events.genes[:, 0]
        values = answers.get("propagated", answers.get("raw"))
        assert values is not None
        more = np.bincount(genes, minlength=n_genes)
        their_mean = np.bincount(genes, values, n_genes) / np.maximum(more, 1)
        their_spread = np.bincount(genes, (values - their_mean[genes]) ** 2, n_genes)
        share = more / np.maximum(count + more, 1)
        spread += their_spread + (their_mean - mean) ** 2 * count * share
        mean += (their_mean - mean) * share
        count += more
    return count, mean, spread


def write_profiles(client: Client, file: TableFile) -> None:
    """One row a cell (row of the dataset): its profile by its assemblage."""
    for block in blocks_of_cells(client.cells.shape):
        assemblages = client.cells[block].assemblages()
        rows = client.rows[block]
        nothing = np.empty(0)
        question = Profiles(assemblages, nothing, rows)
        shapes = question.shapes(client.supported)
        profiles = client.ask("profile", question.payload(), shapes)["profile"]
        file.add({"cell": rows, **by_name(client.cells.var_names, profiles)})
        client.events += len(rows)


def write_responses(client: Client, file: TableFile) -> None:
    """One row a removed gene: the mean change of every gene over the cells that express it."""
    genes, changes = responses(client)
    names = np.asarray(client.cells.var_names)
    file.add({"removed": names[genes], **by_name(names, changes)})


def responses(client: Client) -> tuple[IntArray, FloatArray]:
    """The genes (k,) whose knockouts are asked, and the mean change of every gene (k, G)."""
    events = every_single(client.cells)
    events = events[np.flatnonzero(client.answerable[events.genes[:, 0]])]
    client.events = len(events)
    genes, rows = np.unique(events.genes[:, 0], return_inverse=True)
    names, nothing = np.asarray(client.cells.var_names), np.empty(0)
    question = Responses(
        cells=client.cells,
        names=tuple(str(name) for name in names[genes]),
        targets=tuple((int(gene),) for gene in genes),
        events=(events,),
        rows=(rows.ravel(),),
        row_perturbation=np.arange(len(genes)),
        row_weight=np.ones(len(genes)),
        change=nothing,
        size=nothing,
        abundance=nothing,
        detectable=np.ones(len(genes), bool),
        perturbed=np.bincount(rows.ravel()),
    )
    answers = client.ask("response", question.payload(), question.shapes(client.supported))
    changes: FloatArray = answers["response"]
    return genes, changes


def by_name(names: Iterable[str], columns: FloatArray) -> dict[str, FloatArray]:
    """The columns of a matrix (n, G), each under its gene's name."""
    return {str(name): columns[:, number] for number, name in enumerate(names)}


#: What writes which answers.
WRITERS = {
    "impact": write_impacts,
    "keystone": write_keystones,
    "profile": write_profiles,
    "response": write_responses,
}
