"""`kobench datasets get`: bring files of datasets here from where they are published."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.options import load, plugin_options
from kobench.cli.output import safe, say
from kobench.cli.suites import built_in, find_suite, read_suite
from kobench.errors import UserError
from kobench.util.text import one_line, suggestion

if TYPE_CHECKING:
    from kobench.datasets.get import Progress, Wanted
    from kobench.plugins.registry import Registry

EXAMPLES = """
\b
Examples:
  kobench datasets get hipsc-ko
  kobench datasets get crispr --dry-run
  kobench datasets get --all --mirror https://mirror.example.org/kobench

\b
Exit code: 0 when every file is here, 1 when one could not be got, 2 for a wrong call.
"""


#: Where files come from in place of the web.
mirror_option = click.option(
    "--mirror",
    metavar="URL",
    envvar="KOBENCH_MIRROR",
    default="",
    help=(
        "Get files of the web from URL/HOST/PATH instead of https://HOST/PATH; also KOBENCH_MIRROR."
    ),
)


@click.command("get", epilog=EXAMPLES)
@click.argument("names", nargs=-1)
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help=(
        "All datasets that have a file, but those that nobody has opened: these have to be named."
    ),
)
@click.option("--dry-run", is_flag=True, help="Show what would be got, and get nothing.")
@mirror_option
@plugin_options
@click.pass_context
def get_command(
    ctx: click.Context,
    names: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    mirror: str,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Get the files of the datasets or suites NAMES from where they are published.

    They are downloaded, converted where they have to be, and checked: what comes is what the card
    says, or nothing. A call that was interrupted is carried on by the next one.
    """
    from kobench.datasets.get import Wanted, check_mirror, wanted
    from kobench.datasets.opened import is_opened

    check_mirror(mirror)
    if bool(names) == everything:
        raise UserError("say which datasets or suites to get, or --all; see `kobench list`")
    registry = load(plugin_files, dataset_folders)
    cards = cards_of(registry)
    opened = [name for name, card in cards.items() if is_opened(card)]
    chosen = opened if everything else chosen_names(registry, names)
    wants = [
        wanted(name, cards.get(name, {}))
        if name in registry.datasets
        else Wanted(name, {}, problem=f"no dataset is called {name!r} here")
        for name in chosen
    ]
    show_plan(wants, mirror)
    if dry_run:
        return
    found, problems = bring_all(wants, mirror)
    show_end(wants, found, problems)
    if problems:
        ctx.exit(1)


def cards_of(registry: Registry) -> dict[str, Any]:
    """The cards of all datasets that have a file, by name."""
    return {
        entry.spec.name: entry.spec.card
        for entries in registry.datasets.values()
        for entry in entries
        if entry.spec.card.get("file")
    }


def chosen_names(registry: Registry, names: tuple[str, ...]) -> list[str]:
    """The datasets that are named, and those of the suites that are; UserError for neither."""
    from kobench.cli.run import run_command
    from kobench.datasets.get import names_in

    found: list[str] = []
    for name in names:
        is_suite = name in built_in() or name.endswith(".toml")
        if name in registry.datasets:
            found.append(name)
        elif not is_suite:
            known = [*cards_of(registry), *built_in()]
            raise UserError(f"no dataset or suite is called {name!r}; {suggestion(name, known)}")
        if is_suite:
            found += names_in([read_suite(find_suite(name), run_command)])
    return list(dict.fromkeys(found))


def show_plan(wants: list[Wanted], mirror: str) -> None:
    """What is here, what is to be got, how much that is, from where and under which licence."""
    from kobench.datasets.room import hardly_fits

    rows = [(want.name, *to_get(want), str(want.card.get("licence", "not said"))) for want in wants]
    show_table([("dataset", "to get", "from", "licence"), *rows])
    ahead = [want for want in wants if want.sources]
    known = sum(want.size or 0 for want in ahead)
    unknown = [want.name for want in ahead if want.size is None]
    if ahead:
        total = f"{'at least ' if unknown else ''}{megabytes(known)}"
        more = f"; the size of {', '.join(unknown)} is not known" if unknown else ""
        say(f"To get: {len(ahead)} of {len(wants)} datasets, {total}{more}.")
    for want in ahead:
        if warning := hardly_fits(want.card):
            say(f"{want.name}: mind that {warning}.")
    if web := [want.name for want in ahead if want.needs_web]:
        instead = f"; in its place is asked {mirror}" if mirror else ""
        say(f"These need the web: {', '.join(web)}{instead}.")


def to_get(want: Wanted) -> tuple[str, str]:
    """How much is to be got, and from where."""
    from kobench.datasets.opened import is_opened

    if not want.card and not want.problem:
        return "nothing", "it is simulated, or its plugin brings it"
    if want.here is not None:
        return "nothing", "it is here"
    if want.problem:
        return "nothing", "it cannot be got; see the end"
    size = "unknown" if want.size is None else megabytes(want.size)
    unopened = "" if is_opened(want.card) else "; nobody has opened it yet"
    return size, f"{want.come_from}{unopened}"


def megabytes(count: int) -> str:
    """A number of bytes in megabytes, or gigabytes where it is many.

    >>> megabytes(1672964), megabytes(400), megabytes(15482500000)
    ('1.7 MB', '0.1 MB', '15.5 GB')
    """
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 0.1):,.1f} MB"


def bring_all(wants: list[Wanted], mirror: str) -> tuple[dict[str, Path], dict[str, str]]:
    """Get what is missing; by name where each file is, and why not for what could not be got."""
    from kobench.datasets.fetch import find_table
    from kobench.datasets.get import bring

    found = {want.name: want.here for want in wants if want.here is not None}
    problems = {want.name: want.problem for want in wants if want.problem}
    for want in (want for want in wants if want.sources):
        try:
            with shown() as progress:
                found[want.name] = bring(want, mirror, progress)
            find_table(want.card)
        except UserError as error:
            problems[want.name] = str(error)
            say(f"{want.name}: not got", err=True)
        else:
            say(f"{want.name}: got", err=True)
    return found, problems


@contextlib.contextmanager
def shown() -> Iterator[Progress]:
    """Show how far files are on standard error: bars on a terminal, a line a file elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        told: set[str] = set()

        def tell(what: str, done: int, total: int) -> None:
            if what not in told:
                told.add(what)
                size = f" ({megabytes(total)})" if total else ""
                say(f"Getting {one_line(what)}{size}", err=True)

        yield tell
        return
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
    )
    tasks: dict[str, Any] = {}

    def move(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(escape(safe(one_line(what))), total=None)
        bars.update(tasks[what], completed=done, total=total or None)

    with bars:
        yield move


def show_end(wants: list[Wanted], found: dict[str, Path], problems: dict[str, str]) -> None:
    """One table: where each file is, or why it is not here."""
    rows = [("dataset", "here", "where, or why not")]
    for want in wants:
        if want.name in problems:
            reason = problems[want.name].removeprefix(f"dataset {want.name!r}: ")
            rows.append((want.name, "no", reason))
        elif want.card:
            rows.append((want.name, "yes", str(found[want.name])))
        else:
            rows.append((want.name, "-", "it needs no file"))
    for want in (want for want in wants if want.name in problems and want.sources):
        show_sources(want)
    say()
    show_table(rows)


def show_sources(want: Wanted) -> None:
    """Every file that a dataset is made of and that is not here yet: its place, and its address."""
    from kobench.datasets.sources import WebFile

    lines = [
        f"{want.folder / source.name} from {' or '.join(source.urls)}"
        for source in want.sources
        if isinstance(source, WebFile) and not (want.folder / source.name).is_file()
    ]
    if lines:
        say()
        say(f"{want.name} needs these, from a mirror (--mirror URL) or put there by hand:")
        for line in lines:
            say(f"  {one_line(line)}")


def show_table(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in columns; the first row is the head."""
    lines = [tuple(one_line(cell) for cell in row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [f"{cell:<{width}}" for cell, width in zip(line[:-1], widths, strict=False)]
        say("  ".join([*cells, line[-1]]), bold=number == 0)
