"""`kobench datasets verify`: open the file of a card, and say whether the card is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.cli.get import mirror_option, show_plan, show_sources, shown
from kobench.cli.options import complete_names, load, plugin_options
from kobench.cli.output import say
from kobench.cli.tell import tell
from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.dataset import Dataset
    from kobench.plugins.entry import Entry

EXAMPLES = """
\b
Examples:
  kobench datasets verify hipsc-ko
  kobench datasets verify mine --datasets cards --check
"""


@click.command("verify", epilog=EXAMPLES)
@click.argument("name", shell_complete=complete_names("datasets"))
@click.option("--check", "only_check", is_flag=True, help="Say all that is found, write nothing.")
@mirror_option
@plugin_options
@click.pass_context
def verify_command(
    ctx: click.Context,
    name: str,
    only_check: bool,
    mirror: str,
    plugin_files: tuple[str, ...],
    dataset_folders: tuple[str, ...],
) -> None:
    """Open the file of the dataset NAME, and say where it differs from its card.

    The file is got where it is not here. If nothing differs, a card that says `opened = false` is
    marked as opened, with what was found. Exit code 1: something differs, or the file could not be
    got; nothing was written.
    """
    from kobench.audit.overview import overview
    from kobench.datasets.differences import disagreements, facts_of

    entry = the_card(load(plugin_files, dataset_folders).find("datasets", name))
    card = entry.spec.card
    path = brought(entry.spec.name, card, mirror)
    size = path.stat().st_size
    say(f"{path}: {size:,} bytes, and the bytes or content that the card says.")
    try:
        dataset: Dataset = entry.spec.load()
    except UserError as error:
        say(f"differs: {error}")
        ctx.exit(1)
    seen = overview(dataset)
    tell(dataset, seen)
    found = disagreements(card, dataset, size)
    for each in found:
        say(f"differs: {each}")
    if found:
        say(f"Nothing was written: correct {card['card']}, then verify again.")
        ctx.exit(1)
    facts = {**facts_of(dataset), "zeros": round(seen.zeros, 2)}
    if dataset.perturbed is not None:
        facts["askable"] = len(seen.askable)
    del dataset, seen  # the content is read once more, and may be large
    if only_check:
        say("Nothing differs. Nothing was written: --check.")
        return
    write(card, path, facts)


def the_card(entry: Entry) -> Entry:
    """The entry, if its dataset is a file of a card; UserError where it is not."""
    if "file" in entry.spec.card:
        return entry
    raise UserError(
        f"dataset {entry.shown_name!r} is made by code, not read from the file of a card; `kobench"
        f" check {entry.shown_name} --kind dataset` checks it"
    )


class NotBroughtError(UserError):
    """A file that is not here could not be got, or another one lies in its place."""

    exit_code = 1


def brought(name: str, card: dict[str, Any], mirror: str) -> Path:
    """The file of a card, got where it is not here; an error where it can't be, or is another."""
    from kobench.datasets.get import bring, check_mirror, wanted

    check_mirror(mirror)
    want = wanted(name, card)
    if want.problem:
        raise NotBroughtError(want.problem)
    if want.here is not None:
        return want.here
    show_plan([want], mirror)
    try:
        with shown() as progress:
            return bring(want, mirror, progress)
    except UserError as error:
        show_sources(want)
        raise NotBroughtError(str(error)) from error


def write(card: dict[str, Any], path: Path, facts: dict[str, Any]) -> None:
    """Mark a card as opened, if it says that it is not, and say where."""
    from kobench.datasets.cards import builtin_folder, user_folder
    from kobench.datasets.content import content_of_file, is_hdf5
    from kobench.datasets.opened import is_opened, write_opened

    if is_opened(card):
        say("Nothing differs. Nothing was written: the card says already that it was opened.")
        return
    where = Path(card["card"])
    # an installed package is not changed: its files have checksums of their own
    installed = builtin_folder().name == "cards" and where.is_relative_to(builtin_folder())
    content = content_of_file(path) if is_hdf5(path) else ""
    written = write_opened(where, facts, content, user_folder(), in_place=not installed)
    copy = "" if written == where else f", a copy of {where}, which is not changed"
    say(f"Nothing differs. Wrote opened = true and what was found to {written}{copy}.")
