"""`kobench info`: all there is to know about one thing, and where it came from."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import KINDS, complete_names, json_option, load, plugin_options
from kobench.cli.output import say
from kobench.cli.suites import built_in
from kobench.errors import UserError
from kobench.util.text import listed, one_line, suggestion

if TYPE_CHECKING:
    from kobench.plugins.entry import Entry
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench info grn
  kobench info linear
  kobench info knockout-impact
  kobench info grn:sigma
"""

#: What is said of simulated networks.
SEEDED = (
    "one for each seed; seeds 0, 1, 2, ... are public, so anyone can compute their truth; `kobench"
    " run --secret` draws seeds that nobody can guess"
)

#: Entries of a table that are shown: a table of labels may have thousands.
MOST_SHOWN = 60

#: Keys of a card that are shown elsewhere, or are of use to the harness only.
INTERNAL = ("name", "version", "summary", "truth", "reference", "loader_parameters", "digest")


@click.command("info", epilog=EXAMPLES)
@click.argument("name", shell_complete=complete_names("any"))
@json_option
@plugin_options
def info_command(
    name: str, as_json: bool, plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...]
) -> None:
    """Show all there is to know about the dataset, predictor, metric, task or suite NAME.

    NAME:PARAMETER shows one parameter of a dataset or predictor.
    """
    registry = load(plugin_files, dataset_folders)
    if ":" in name:
        show_parameters(registry, name, as_json)
        return
    suite = built_in().get(name)
    found = [
        (kind, entry, facts(kind, entry))
        for kind, entry in matches(registry, name, needed=suite is None)
    ]
    if as_json:
        rows = [{"kind": kind, **known} for kind, _, known in found]
        rows += [{"kind": "suites", "name": name, "file": str(suite)}] if suite else []
        say(json.dumps(rows, indent=1, default=str))
        return
    kinds = [kind[:-1] for kind, _, _ in found] + ["suite"] * bool(suite)
    if len(kinds) > 1:
        say(f"{name} is the name of {spoken([f'a {kind}' for kind in kinds])}.\n")
    for kind, entry, known in found:
        say(f"{entry.shown_name} ({kind[:-1]})", bold=True)
        for key, value in known.items():
            show(key, value)
    if suite:
        say(f"{name} (suite)", bold=True)
        say(f"  `kobench run {name}` runs it; its file {suite} says")
        for line in suite.read_text(encoding="utf-8").splitlines():
            say(f"    {line}".rstrip())


def show_parameters(registry: Registry, text: str, as_json: bool) -> None:
    """Show parameters that are named behind a name, with or without a value, and whose they are.

    Raises
    ------
    UserError
        Where there is no such parameter.
    """
    name, _, rest = text.partition(":")
    keys = list(dict.fromkeys(re.findall(r"(?:^|,)\s*(\w+)", rest)))
    found = matches(registry, name)
    known = [(kind, entry, getattr(entry.spec, "params", {})) for kind, entry in found]
    having = [one for one in known if keys and set(keys) <= one[2].keys()]
    if not having:
        every = sorted({key for _, _, params in known for key in params})
        missing = next((key for key in keys if key not in every), rest)
        raise UserError(
            f"{name} has no parameter {missing!r}; {suggestion(missing, every, 'its parameters')};"
            f" `kobench info {name}` shows all of it"
        )
    if as_json:
        rows = [
            {"kind": kind, "name": entry.shown_name, "parameters": texts_of(params, keys)}
            for kind, entry, params in having
        ]
        say(json.dumps(rows, indent=1, default=str))
        return
    for kind, entry, params in having:
        say(f"{entry.shown_name} ({kind[:-1]}): {one_line(entry.spec.summary)}", bold=True)
        show("parameters", texts_of(params, keys))
        others = [key for key in params if key not in keys]
        if others:
            say(f"  others: {listed(others)}; `kobench info {name}` shows all of it")


def texts_of(params: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    """What some parameters mean, by name."""
    return {key: parameter_text(params[key]) for key in keys}


def spoken(names: list[str]) -> str:
    """Names as in a sentence.

    >>> spoken(["a dataset", "a metric", "a suite"])
    'a dataset, a metric and a suite'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def matches(registry: Registry, name: str, needed: bool = True) -> list[tuple[str, Entry]]:
    """Every entry of any kind with a name.

    Parameters
    ----------
    registry : Registry
        What is installed.
    name : str
        The name, perhaps with the distribution before it.
    needed : bool
        Whether there has to be one.

    Returns
    -------
    list of (str, Entry)
        Kinds and entries.

    Raises
    ------
    UserError
        Where there is none: why its plugin can't be used, or with a suggestion.
    """
    found: list[tuple[str, Entry]] = []
    reasons: list[str] = []
    for kind in KINDS:
        try:
            found.extend((kind, entry) for entry in registry.find_all(kind, name))
        except UserError as error:
            reasons.append(str(error))
    if found or not needed:
        return found
    for reason in reasons:
        if "Not loaded" in reason or "can't be used" in reason:
            raise UserError(reason)
    for kind in KINDS:
        if strangers := registry.shadowed(kind, name):
            raise UserError(strangers)
    known = [*built_in(), *(other for kind in KINDS for other in getattr(registry, kind))]
    raise UserError(f"nothing is called {name!r}; {suggestion(name, known)}")


def facts(kind: str, entry: Entry) -> dict[str, Any]:
    """What is shown of one entry, as plain values."""
    spec = entry.spec
    shown: dict[str, Any] = {
        "summary": spec.summary,
        "version": spec.version,
        "from": f"{entry.distribution} {entry.version}".strip(),
        **FACTS_OF[kind](entry),
    }
    if getattr(spec, "params", None):
        shown["parameters"] = {key: parameter_text(param) for key, param in spec.params.items()}
    return shown


def predictor_facts(entry: Entry) -> dict[str, Any]:
    """Where a predictor lives, what it answers and what it wants."""
    spec = entry.spec
    shown: dict[str, Any] = {}
    if entry.interpreter:
        where = f"environment {entry.environment}, {entry.interpreter.python}"
        shown["lives in"] = where
    shown["answers"] = list(spec.answers)
    shown["derived"] = derivations(spec.answers)
    shown["wants"] = spec.wants
    shown["floor"] = spec.floor
    shown["prior knowledge"] = spec.prior or "none, as it declares"
    if spec.developed_on:
        shown["developed on"] = list(spec.developed_on)
    if spec.equation_of:
        shown["is given the equation of"] = list(spec.equation_of)
    return {**shown, **reference(entry)}


def dataset_facts(entry: Entry) -> dict[str, Any]:
    """Which truth a dataset has, and what its card says."""
    from kobench.datasets.opened import NOT_OPENED, is_opened
    from kobench.datasets.room import hardly_fits

    spec = entry.spec
    warnings = {
        "not opened": "" if is_opened(spec.card) else NOT_OPENED,
        "memory": hardly_fits(spec.card),
        "can't be read": without_its_table(spec.card),
    }
    said = {key: value for key, value in spec.card.items() if key not in INTERNAL}
    # what the card fixes; its open parameters are shown as those of any dataset
    fixed = said.pop("parameters", {})
    notes = simulated_notes(entry)
    if notes:
        said["notes"] = notes
    return {
        **{key: text for key, text in warnings.items() if text},
        "truth": spec.truth,
        "networks": SEEDED if spec.seeded else "real cells",
        **reference(entry),
        **said,
        **({"read with": fixed} if fixed else {}),
    }


def simulated_notes(entry: Entry) -> list[str]:
    """What a simulator of kobench's own says of its cells, as its parameters are by themselves."""
    if not entry.spec.seeded or entry.distribution != "kobench":
        return []
    from kobench.plugins.load import resolve

    says = getattr(sys.modules[resolve(entry).__module__], "notes_of", None)
    defaults = {key: param.default for key, param in entry.spec.params.items()}
    return list(says(entry.spec.name, defaults)) if says else []


def without_its_table(card: Any) -> str:
    """Why a dataset with a table beside its file can't be read, "" where it can or has none."""
    from kobench.datasets.fetch import find_whole

    if not card.get("obs_file"):
        return ""
    try:
        find_whole(card)
    except UserError as error:
        return str(error)
    return ""


def metric_facts(entry: Entry) -> dict[str, Any]:
    """What a metric measures, and its range."""
    spec = entry.spec
    return {
        "of": spec.of,
        "direction": f"{spec.direction} is better",
        "best": spec.best,
        "range": [spec.low, spec.high],
        "tolerance": f"{spec.tolerance:g} relative" if spec.tolerance else "exact",
        "tasks": spec.tasks or "all of its kind",
        **reference(entry),
    }


def task_facts(entry: Entry) -> dict[str, Any]:
    """What a task asks, and what it is compared with."""
    spec = entry.spec
    return {
        "asks": spec.asks,
        "truth": spec.truth,
        "primary": list(spec.primary),
        "floors": list(spec.floors),
        "lines": list(spec.lines),
    }


#: Kind -> what is shown of an entry beside what all kinds have.
FACTS_OF = {
    "datasets": dataset_facts,
    "predictors": predictor_facts,
    "metrics": metric_facts,
    "tasks": task_facts,
}


def reference(entry: Entry) -> dict[str, Any]:
    """Where an entry is described, if it says so."""
    return {"reference": entry.spec.reference} if entry.spec.reference else {}


def parameter_text(param: Any) -> str:
    """A parameter's default, what it means and its choices."""
    choices = f" [{'|'.join(map(str, param.choices))}]" if param.choices else ""
    ends = [f"from {param.low:g}"] if param.low is not None else []
    ends += [f"to {param.high:g}"] if param.high is not None else []
    return f"{param.default!r}  {param.help}{choices}{f' [{chr(32).join(ends)}]' if ends else ''}"


def derivations(answers: tuple[str, ...]) -> dict[str, str]:
    """What each answer kind is made from."""
    from kobench.worker.derive import SOURCES, source_of

    def text(kind: str) -> str:
        source = source_of(kind, answers)
        if source == kind:
            return "given"
        return f"from {source}" if source else "not answered"

    return {kind: text(kind) for kind in SOURCES}


def show(key: str, value: Any, indent: int = 2) -> None:
    """Print one fact as indented lines."""
    pad = " " * indent
    if isinstance(value, dict):
        say(f"{pad}{one_line(key)}:")
        for inner, content in [*value.items()][:MOST_SHOWN]:
            show(inner, content, indent + 2)
        if len(value) > MOST_SHOWN:
            say(f"{pad}  and {len(value) - MOST_SHOWN:,} more")
    elif isinstance(value, (list, tuple)) and any(len(str(item)) > 40 for item in value):
        say(f"{pad}{one_line(key)}:")
        for item in value:
            say(f"{pad}  - {one_line(str(item))}")
    else:
        text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
        say(f"{pad}{one_line(key)}: {one_line(str(text))}")
