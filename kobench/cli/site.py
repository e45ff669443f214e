"""`kobench site`: one static site of several boards."""

from __future__ import annotations

from pathlib import Path

import click

from kobench.cli.output import say
from kobench.errors import UserError

EXAMPLES = """
\b
Examples:
  kobench site leaderboards/quick leaderboards/crispr -o site
"""


@click.command("site", epilog=EXAMPLES)
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The folder of the site; what is in it stays, pages of the same name are written anew.",
)
@click.option("--no-cost", is_flag=True, help="Leave out seconds, memory, days and machines.")
def site_command(folders: tuple[Path, ...], output: Path, no_cost: bool) -> None:
    """Write one site of published boards or results folders, to be opened from a disk or served.

    It has a page for every board, section, method, floor, dataset, task and metric. It is made of
    records alone and loads nothing from elsewhere.
    """
    from kobench.board.explained import read_explained
    from kobench.board.make import make_board
    from kobench.board.pictures import available, draw_all, write_pictures
    from kobench.board.site import pages_of
    from kobench.board.site.places import slug
    from kobench.cli.folders import all_of, consistent, evidence_for
    from kobench.cli.published import offer_files
    from kobench.util.files import write_atomically

    names = [folder.resolve().name for folder in folders]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(f"two folders are called {', '.join(twice)}; boards go by their folders")
    boards, drawn, files = {}, {}, {}
    for name, folder in zip(names, folders, strict=True):
        found = all_of(folder)
        evidence = evidence_for([folder], found.records)
        shown, said = consistent(found.records, folder, evidence)
        remark = " ".join(filter(None, (found.remark, said)))
        boards[name] = make_board(
            shown,
            cost=not no_cost,
            explained=read_explained(folder),
            left_out=remark,
            evidence=evidence,
        )
        drawn[name] = draw_all(boards[name]) if available() else []
        place = output / "board" / slug(name)
        write_pictures(drawn[name], place / "pictures")
        files[name] = offer_files(boards[name], drawn[name], found.records, folder, place)
        if remark:
            say(remark, err=True)
    count = 0
    for path, text in pages_of(boards, drawn, files):
        write_atomically(output / path, text.encode())
        count += path.endswith(".html")
    say(f"Wrote {count} pages to {output}; open {output / 'index.html'}.")
