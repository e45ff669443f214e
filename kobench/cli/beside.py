"""`kobench run --beside`: the published board that a run is shown in, of a folder or the web."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kobench.errors import UserError

if TYPE_CHECKING:
    from kobench.results.merge import Merged
    from kobench.results.parts import Record

#: Files of a published folder that are read, and the most bytes of each.
FILES = {
    "records.jsonl.gz": 256 << 20,
    "secret-seed.txt": 1 << 10,
    "secret-seed.sha256": 1 << 10,
    "explained.toml": 1 << 20,
}

#: Seconds to wait for an answer of a server.
PATIENCE = 30.0


@dataclass
class Beside:
    """A published board.

    Attributes
    ----------
    name : str
        Its folder or address, as it was given.
    records : list of Record
        Its records.
    seed : str or None
        The secret seed that it reveals, 32 hexadecimal digits; None where no seed was secret.
    explained : dict of str to str
        See `kobench.board.explained`.
    remark : str
        What of it can't be read, or contradicts itself; "" for nothing.
    published : list of Record
        Its records as they are published, with the scores that nobody has to believe.
    """

    name: str
    records: list[Record]
    seed: str | None = None
    explained: dict[str, str] = field(default_factory=dict)
    remark: str = ""
    published: list[Record] = field(default_factory=list)

    def with_own(self, own: Sequence[Record]) -> Merged:
        """The records of a run, and of this board what is on the same cells, splits and tasks."""
        from kobench.cli.folders import tolerance
        from kobench.results.merge import merge

        return merge([("this run", own), (self.name, self.records)], tolerance(), within=True)


def read_beside(place: str) -> Beside:
    """Read a published board.

    Parameters
    ----------
    place : str
        A folder, or the http(s) address of one.

    Raises
    ------
    UserError
        Where there is none, or it can't be read.
    """
    from kobench.board.explained import read_explained
    from kobench.cli.folders import consistent, versions_of
    from kobench.results.suite_seed import find_seed

    with folder_of(place) as folder:
        published, _, unreadable = versions_of(folder)
        records, wrong = consistent(published, folder)
        remark = " ".join(text for text in (unreadable, wrong) if text)
        secret = any(record.trial.dataset.secret is not None for record in records)
        seed = find_seed(folder) if secret else None
        if secret and seed is None:
            raise UserError(
                f"the networks of {place} come from a secret seed that it does not reveal"
                " (secret-seed.txt is not there), so nobody else can be run on them"
            )
        return Beside(
            place,
            records,
            None if seed is None else seed.digits,
            dict(read_explained(folder)),
            remark,
            published,
        )


@contextmanager
def folder_of(place: str) -> Iterator[Path]:
    """The folder of a published board; one of the web is downloaded, what it lacks is left out."""
    if not place.startswith(("http://", "https://")):
        if not Path(place).is_dir():
            raise UserError(f"there is no folder {place}; name a published board or its address")
        yield Path(place)
        return
    address = place.rstrip("/")
    last = address.rpartition("/")[2]
    if last in FILES or last.endswith((".html", ".md", ".csv")):
        address = address.rpartition("/")[0]
    with tempfile.TemporaryDirectory(prefix="kobench-beside-") as name:
        for file, most in FILES.items():
            content = fetched(f"{address}/{file}", most, must=file == "records.jsonl.gz")
            if content is not None:
                (Path(name) / file).write_bytes(content)
        yield Path(name)


def fetched(url: str, most: int, must: bool) -> bytes | None:
    """A file of the web, of `most` bytes at most; None for one that is not there and need not be.

    Raises
    ------
    UserError
        Where it can't be had, and where it is larger.
    """
    from kobench.datasets.sources import fault_of_url
    from kobench.datasets.web import AnswerError, ask, is_page, pieces
    from kobench.util.bounded import size_text

    if fault := fault_of_url(url):
        raise UserError(f"{url} {fault}; give the address of a published board's folder")
    try:
        answer = ask(url, 0, PATIENCE)
        content = bytearray()
        for piece in pieces(answer, PATIENCE) if answer is not None else ():
            content += piece
            if len(content) > most:
                raise UserError(f"{url} is larger than {size_text(most)}, the most that is read")
    except AnswerError as error:
        if not must and " 404 " in f" {error} ".replace("(", "( "):
            return None
        raise UserError(
            f"{url} {error}; give the address of a published board's folder, where"
            " records.jsonl.gz lies"
        ) from error
    if is_page(bytes(content[:4096])):  # as servers say that there is no such file
        if not must:
            return None
        raise UserError(f"{url} is a web page; give the address where records.jsonl.gz lies")
    return bytes(content)


def flags_beside(ctx: click.Context, flags: dict[str, Any], board: Beside) -> dict[str, Any]:
    """The flags of a run beside a board: own predictors alone, on the networks that it has.

    Raises
    ------
    UserError
        Where no predictor was named, or another secret seed.
    """
    own = tuple(ctx.params["predictors"])
    if not own:
        raise UserError(
            "--beside shows your method in a published board: name it with -p (those of the suite"
            " are taken from the board)"
        )
    if flags["secret"] and board.seed is None:
        raise UserError(f"the networks of {board.name} have public seeds; leave --secret out")
    if flags["secret_seed"] is not None and flags["secret_seed"].strip().lower() != board.seed:
        raise UserError(
            f"the networks of {board.name} come from another seed than --secret-seed; leave it out"
        )
    return {**flags, "predictors": own, "secret": False, "secret_seed": board.seed}
