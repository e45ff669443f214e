"""Effects: how much changes beside the target, and which genes respond."""

from __future__ import annotations

import numpy as np

from kobench.audit.material import Material
from kobench.audit.pictures import bars
from kobench.audit.report import (
    Part,
    Picture,
    Table,
    Verdict,
    counted,
    listed,
    named,
    plain,
    share,
)
from kobench.audit.shared import nothing_measured, responding_genes, with_caveat

KEY, TITLE = "effects", "Effects: how much changes beside the target?"

#: A perturbation has an effect on others where its size is significant at this rate of false finds.
SIGNIFICANT = 0.05


def effects(material: Material) -> Part:
    """Size, p value and responding genes of every perturbation, the strongest first."""
    question = material.question
    if question is None:
        return nothing_measured(material, KEY, TITLE)
    p = question.size_p if question.size_p is not None else np.full(len(question.names), np.nan)
    responds = responding_genes(question)
    order = np.lexsort((np.array(question.names), -question.size))
    seen = [name for name, value in zip(question.names, p, strict=True) if value <= SIGNIFICANT]
    rest = [
        (name, genes)
        for name, value, genes in zip(question.names, p, responds, strict=True)
        if not value <= SIGNIFICANT
    ]
    silent = [name for name, genes in rest if genes == 0]
    unclear = [name for name, genes in rest if genes]
    verdict: Verdict = "fine" if len(seen) > len(question.names) / 2 else "look"
    if not seen:
        verdict = "bad"
    rows = [
        (
            question.names[place],
            f"{int(question.perturbed[place]):,}",
            f"{question.size[place]:.5f}",
            _p_text(float(p[place])),
            f"{int(responds[place]):,}",
            "yes" if question.detectable[place] else "no",
        )
        for place in order
    ]
    moving = np.isin(np.array(question.names), seen)
    total = int(responds[moving].sum())
    text = (
        f"Other genes move in {share(len(seen), len(question.names))} (energy distance, p <="
        f" {SIGNIFICANT} after Benjamini and Hochberg)"
    )
    if total:
        most = question.names[int(np.argmax(np.where(moving, responds, -1)))]
        among = responds[moving]
        text += (
            f", with a median of {counted_half(float(np.median(among)))} in these and"
            f" {int(among.max()):,} in {named(most)}"
            if len(among) > 1
            else f", with {counted(total, 'responding gene')}"
        )
        top = int(np.sort(among)[::-1][:3].sum())
        if len(among) > 5 and top > 0.6 * total:
            text += (
                "; three of them hold most of the responding genes, so look at the table of single"
                " perturbations before believing a mean"
            )
    if unclear:
        text += (
            f"; too little to tell in {listed(unclear)}, where single genes respond, but not the"
            " whole"
        )
    if silent:
        text += f"; nothing is seen in {listed(silent)}, where a score is noise"
    text, verdict = with_caveat(text, verdict, material)
    facts = {
        "significant": seen,
        "silent": silent,
        "unclear": unclear,
        "perturbations": {
            question.names[place]: {
                "cells": int(question.perturbed[place]),
                "size": plain(float(question.size[place])),
                "p": plain(float(p[place])),
                "responding_genes": int(responds[place]),
                "detectable": bool(question.detectable[place]),
            }
            for place in range(len(question.names))
        },
    }
    heads = ("perturbation", "cells", "size", "p", "responding genes", "detectable")
    shown = [int(place) for place in order]
    return Part(
        KEY,
        TITLE,
        verdict,
        f"{text}.",
        facts,
        Table(heads, rows),
        Picture(
            "Genes that respond to each perturbation, the target itself left out",
            lambda: bars(
                [question.names[place] for place in shown],
                [float(responds[place]) for place in shown],
                "responding genes",
            ),
        ),
    )


def counted_half(genes: float) -> str:
    """A median of genes in words: it may end in a half."""
    return f"{genes:g} responding {'gene' if genes == 1 else 'genes'}"


def _p_text(p: float) -> str:
    return "" if np.isnan(p) else f"{p:.3f}" if p >= 0.001 else "< 0.001"
