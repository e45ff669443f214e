"""`kobench list` and `kobench info`: what is there, where it came from, and what it answers."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import KINDS, complete_names, json_option, load, plugin_options
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.plugins.load import Entry, Registry

LIST_EXAMPLES = """
\b
Examples:
  kobench list
  kobench list predictors
  kobench list datasets --json
  kobench list plugins
"""

INFO_EXAMPLES = """
\b
Examples:
  kobench info grn
  kobench info linear
  kobench info knockout-impact
"""


@click.command("list", epilog=LIST_EXAMPLES)
@click.argument("what", type=click.Choice([*KINDS, "floors", "plugins", "suites"]), required=False)
@json_option
@plugin_options
def list_command(
    what: str | None, as_json: bool, plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...]
) -> None:
    """List datasets, predictors, metrics and tasks, and plugins with problems."""
    registry = load(plugin_files, dataset_folders)
    rows = {
        section: list(rows_of(registry, section))
        for section in ([what] if what else [*KINDS, "suites"])
    }
    problems = [dataclasses.asdict(problem) for problem in registry.problems]
    if as_json:
        click.echo(json.dumps({**rows, "problems": problems}, indent=1))
        return
    for section, entries in rows.items():
        click.secho(f"{section}", bold=True)
        width = max((len(entry["name"]) for entry in entries), default=0)
        kinds = max((len(f"of {entry.get('of')}") for entry in entries), default=0)
        for entry in entries:
            origin = f"  [{where_of(entry)}]" if where_of(entry) != "kobench" else ""
            kind = f"{'of ' + entry['of']:<{kinds}}  " if "of" in entry else ""
            click.echo(f"  {entry['name']:<{width}}  {kind}{entry['summary']}{origin}")
        if not entries:
            click.echo("  none")
    if problems:
        click.secho("problems", bold=True)
        for problem in problems:
            click.echo(f"  {problem['distribution']}: {problem['message']}")
            if what == "plugins" and problem["traceback"]:
                click.echo("    " + problem["traceback"].replace("\n", "\n    "))


def where_of(entry: dict[str, Any]) -> str:
    """The distribution of a listed entry, and the environment that it lives in."""
    where = str(entry.get("distribution", "kobench"))
    return f"{where} in environment {entry['environment']}" if entry.get("environment") else where


def rows_of(registry: Registry, section: str) -> Iterator[dict[str, Any]]:
    """Name, summary, version and origin of what a section lists."""
    if section == "suites":
        import tomllib

        from kobench.cli.suites import built_in

        for name, path in built_in().items():
            yield {"name": name, "summary": tomllib.loads(path.read_text()).get("summary", "")}
        return
    if section == "plugins":
        for source in registry.sources:
            yield {
                "name": source.known_as,
                "summary": source.version,
                "version": source.version,
                "file": source.file,
                "environment": source.environment or None,
            }
        return
    kind = "predictors" if section == "floors" else section
    for entries in getattr(registry, kind).values():
        for entry in entries:
            if kind == "predictors" and entry.spec.floor != (section == "floors"):
                continue
            shown = {
                "name": entry.spec.name,
                "summary": entry.spec.summary,
                "version": entry.spec.version,
            }
            if kind == "metrics":
                shown["of"] = (
                    entry.spec.of
                )  # one name may stand for a metric of profiles and another of rankings
            if kind == "predictors":
                shown["environment"] = entry.environment or None
            yield {
                **shown,
                "distribution": entry.distribution,
                "distribution_version": entry.version,
            }


@click.command("info", epilog=INFO_EXAMPLES)
@click.argument("name", shell_complete=complete_names("any"))
@json_option
@plugin_options
def info_command(
    name: str, as_json: bool, plugin_files: tuple[str, ...], dataset_folders: tuple[str, ...]
) -> None:
    """Show all there is to know about the dataset, predictor, metric, task or suite NAME."""
    from kobench.cli.suites import built_in

    if name in built_in():
        click.echo(
            f"suite {name}: `kobench run {name}` runs it; its file {built_in()[name]}"
            f" says\n\n{built_in()[name].read_text()}",
            nl=False,
        )
        return
    registry = load(plugin_files, dataset_folders)
    found = matches(registry, name)
    if as_json:
        click.echo(
            json.dumps(
                [{"kind": kind, **facts(kind, entry)} for kind, entry in found],
                indent=1,
                default=str,
            )
        )
        return
    for kind, entry in found:
        click.secho(f"{entry.spec.name} ({kind[:-1]})", bold=True)
        for key, value in facts(kind, entry).items():
            show(key, value)


def matches(registry: Registry, name: str) -> list[tuple[str, Entry]]:
    """Every entry of any kind with this name; raises UserError with a suggestion where there is
    none.
    """
    found: list[tuple[str, Entry]] = []
    reasons: list[str] = []
    for kind in KINDS:
        try:
            found.extend((kind, entry) for entry in registry.find_all(kind, name))
        except UserError as error:
            reasons.append(str(error))
    if not found:
        from kobench.util.text import suggestion

        known = [other for kind in KINDS for other in getattr(registry, kind)]
        broken = next(
            (reason for reason in reasons if "Not loaded" in reason or "can't be used" in reason),
            None,
        )
        raise UserError(broken or f"nothing is called {name!r}; {suggestion(name, known)}")
    return found


def facts(kind: str, entry: Entry) -> dict[str, Any]:
    """What `kobench info` shows of one entry, as plain values."""
    spec = entry.spec
    out: dict[str, Any] = {
        "summary": spec.summary,
        "version": spec.version,
        "from": f"{entry.distribution} {entry.version}".strip(),
    }
    if kind == "predictors":
        out |= (
            {"lives in": f"environment {entry.environment}, {entry.interpreter.python}"}
            if entry.interpreter
            else {}
        )
        out |= {
            "answers": list(spec.answers),
            "derived": derivations(spec.answers),
            "wants": spec.wants,
            "floor": spec.floor,
        }
        out |= {"reference": spec.reference} if spec.reference else {}
    if kind == "datasets":
        out |= {
            "truth": spec.truth,
            "networks": "one for each seed" if spec.seeded else "real cells",
        }
        out |= {"reference": spec.reference} if spec.reference else {}
        out |= {key: value for key, value in spec.card.items() if key not in INTERNAL}
    if kind == "metrics":
        arrow = "higher is better" if spec.direction == "higher" else "lower is better"
        out |= {
            "of": spec.of,
            "direction": arrow,
            "best": spec.best,
            "range": [spec.low, spec.high],
            "tasks": spec.tasks or "all of its kind",
        }
        out |= {"reference": spec.reference} if spec.reference else {}
    if kind == "tasks":
        out |= {
            "asks": spec.asks,
            "truth": spec.truth,
            "primary": list(spec.primary),
            "floors": list(spec.floors),
            "lines": list(spec.lines),
        }
    if getattr(spec, "params", None):
        out["parameters"] = {
            key: (
                f"{param.default!r}  {param.help}"
                + (f" [{'|'.join(map(str, param.choices))}]" if param.choices else "")
            )
            for key, param in spec.params.items()
        }
    return out


#: Keys of a card that are shown elsewhere, or are of use to the harness only.
INTERNAL = ("name", "version", "summary", "truth", "reference", "loader_parameters", "digest")


def derivations(answers: tuple[str, ...]) -> dict[str, str]:
    """What each answer kind is made from."""
    from kobench.worker.derive import SOURCES, source_of

    sources = {kind: source_of(kind, answers) for kind in SOURCES}
    return {
        kind: "given" if source == kind else f"from {source}" if source else "not answered"
        for kind, source in sources.items()
    }


def show(key: str, value: Any, indent: int = 2) -> None:
    """One fact as indented lines."""
    pad = " " * indent
    if isinstance(value, dict):
        click.echo(f"{pad}{key}:")
        for inner, content in value.items():
            show(inner, content, indent + 2)
    elif isinstance(value, (list, tuple)) and any(len(str(item)) > 40 for item in value):
        click.echo(f"{pad}{key}:")
        for item in value:
            click.echo(f"{pad}  - {item}")
    else:
        click.echo(
            f"{pad}{key}:"
            f" {', '.join(map(str, value)) if isinstance(value, (list, tuple)) else value}"
        )
