"""An overview as an aligned block that fits a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from kobench.audit.overview import ENOUGH_DETECTABLE, Overview
from kobench.audit.report import listed
from kobench.truth.population import DETECTABLE
from kobench.units import MIN_CELLS
from kobench.util.text import by_reason, one_line, shortened

#: Columns of the whole, and of the words on the left.
WIDTH, LEFT = 80, 14

#: So many batches, and so many names, are spelt out.
BATCHES, NAMES = 4, 8

#: Characters of a name that are shown.
LETTERS = 32


def block(found: Overview) -> list[str]:
    """The lines of an overview, each of at most `WIDTH` characters."""
    rows = [
        ("cells", [_cells(found)]),
        ("controls", _controls(found)),
    ]
    if found.doubted_kind:
        rows.append(("kind", [found.doubted_kind]))
    if found.perturbed:
        rows += [
            ("askable", [_counted(found.askable, len(found.askable) + len(found.unasked))]),
            ("not askable", by_reason(_short(found.unasked), NAMES) or ["none"]),
            ("detectable", _detectable(found)),
        ]
    rows += [("presence", [_presence(found)]), ("duplicates", [_duplicates(found)])]
    if found.perturbed:
        rows.append(("near-null", [_near_null(found)]))
    return [line for name, texts in rows for line in _lines(name, texts)]


def _lines(name: str, texts: Sequence[str]) -> list[str]:
    """A row of the block, in as many lines as it takes."""
    wrapped = [
        part
        for text in texts
        for part in textwrap.wrap(
            one_line(text), WIDTH - LEFT, subsequent_indent="  ", break_on_hyphens=False
        )
    ]
    return [f"{name if i == 0 else '':<{LEFT}}{part}" for i, part in enumerate(wrapped)]


def _cells(found: Overview) -> str:
    perturbed = f", {found.perturbed:,} perturbed ({found.perturbation})" if found.perturbed else ""
    return f"{found.wild_type:,} wild-type{perturbed}; {found.genes:,} genes"


def _controls(found: Overview) -> list[str]:
    if found.batch_key is None:
        return [f"{found.wild_type:,}, taken as one batch: no batch column is given"]
    counts, key = found.controls, _name(found.batch_key)
    shown = ", ".join(f"{_name(name)} {count:,}" for name, count in [*counts.items()][:BATCHES])
    if len(counts) > BATCHES:
        shown = f"{min(counts.values()):,} to {max(counts.values()):,} in each"
    batches = f"{len(counts):,} batch{'' if len(counts) == 1 else 'es'} ({key})"
    texts = [f"{batches}: {shown}"]
    if found.uncovered:
        names = listed([*map(_name, found.uncovered)], BATCHES)
        texts.append(
            f"under {MIN_CELLS} in {names}: their {sum(found.uncovered.values()):,}"
            " perturbed cells are not used"
        )
    return texts


def _counted(names: Sequence[str], of: int, what: str = "perturbations") -> str:
    """`2 of 3 perturbations: A, B`."""
    shown = listed([*map(_name, names)], NAMES)
    return f"{len(names):,} of {of:,} {what}{': ' if names else ''}{shown}"


def _detectable(found: Overview) -> list[str]:
    if not found.agreement:
        return ["unknown: none can be asked"]
    texts = [_counted(found.detectable, len(found.agreement), "measured")]
    texts[0] += f" (halves agree by {DETECTABLE} or more)"
    if found.drawn:
        texts.append(f"drawn to be quick, always the same: {'; '.join(found.drawn)}")
    return texts


def _presence(found: Overview) -> str:
    share = f"{found.zeros:.1%} of wild-type values are zero"
    if found.presence_varies:
        return f"varies: {share}"
    return f"hardly varies: {share}, so which genes are on tells little"


def _duplicates(found: Overview) -> str:
    if found.kind != "real":
        return "not looked for in simulated cells"
    doubled = found.doubled
    parts = [
        f"{count:,} {what}"
        for count, what in (
            (doubled.wild_type, "wild-type cells equal another"),
            (doubled.same, "perturbed cells equal another of their label"),
            (doubled.across, "perturbed cells equal one of another label or a wild-type cell"),
            (found.barcodes or 0, "barcodes stand there more than once"),
        )
        if count
    ]
    return "; ".join(parts) or "none: no two cells are equal"


def _near_null(found: Overview) -> str:
    says = {"yes": "yes", "no": "no", "unknown": "unknown: nothing was measured"}[found.near_null]
    if found.near_null == "yes":
        says += (
            f": under {ENOUGH_DETECTABLE} perturbations are detectable"
            if len(found.askable) >= ENOUGH_DETECTABLE
            else ": no perturbation is detectable"
        )
        if not found.declared_null:
            says += "; write near_null = true on the card, and rank nobody by it"
    elif found.declared_null:
        says += ", but its card says so"
    return says


def _name(text: str) -> str:
    """A name that fits a line, all of it visible."""
    return shortened(one_line(text), LETTERS)


def _short(reasons: Mapping[str, str]) -> dict[str, str]:
    """Names that fit a line -> reasons; names that look alike then stay apart."""
    shown: dict[str, str] = {}
    for name, why in reasons.items():
        short, number = _name(name), 2
        while short in shown:
            short, number = f"{_name(name)} ({number})", number + 1
        shown[short] = why
    return shown
