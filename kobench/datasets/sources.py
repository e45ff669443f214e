"""Where the file of a card comes from: the tables [[sources]], checked and read.

A card may come from anyone. What it names here is fetched, so each value is held to what it may be.
Each table is of one kind, and has sha256 (or, but for a distribution, md5) and bytes where known::

    [[sources]]                       a file of the web
    name = "WT.RData"                 what the recipe calls it
    urls = ["https://...", ...]       its addresses, tried in turn

    [[sources]]                       a file of a public repository (GitHub)
    repository = "OWNER/NAME"
    commit = "..."                    all 40 digits
    path = "data/WT.RData"            `name` is its last part, where that is not given

    [[sources]]                       members of a Python source distribution, got by pip
    distribution = "renge"
    version = "0.0.5"
    sha256 = "..."                    of the archive
    members = ["examples/data/E.csv", ...]
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from kobench.datasets.key_checks import check_keys
from kobench.datasets.source_keys import KINDS, OF_KIND, SOURCE
from kobench.errors import UserError
from kobench.util.names import fault_of_folder, fault_of_name

#: How many tables, addresses and members a card may have, and how long a text in them is.
MOST_SOURCES, MOST_URLS, MOST_MEMBERS, LONGEST = 50, 10, 100, 2000

#: Where a file of a public repository lies: OWNER/NAME/COMMIT/PATH.
REPOSITORIES = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Checksum:
    """What the bytes of a file must hash to.

    Attributes
    ----------
    algorithm : str
        "sha256" or "md5".
    value : str
        Hexadecimal digits, lower case.
    """

    algorithm: str
    value: str


@dataclass(frozen=True)
class WebFile:
    """One file that lies on the web.

    Attributes
    ----------
    name : str
        What the recipe calls it.
    urls : tuple of str
        Its addresses, tried in turn.
    checksum : Checksum
    size : int or None
        Bytes, where they are known.
    """

    name: str
    urls: tuple[str, ...]
    checksum: Checksum
    size: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """What the recipe calls what is in it."""
        return (self.name,)


@dataclass(frozen=True)
class Distribution:
    """Members of a Python source distribution, which pip gets from its index.

    Attributes
    ----------
    name, version : str
    checksum : Checksum
        sha256 of the archive.
    members : tuple of str
        Paths inside the folder that the archive unpacks to.
    size : int or None
        Bytes of the archive, where they are known.
    """

    name: str
    version: str
    checksum: Checksum
    members: tuple[str, ...]
    size: int | None

    @property
    def names(self) -> tuple[str, ...]:
        """What the recipe calls what is in it: the members without their folders."""
        return tuple(member.rpartition("/")[2] for member in self.members)


Source = WebFile | Distribution


def read_sources(card: Mapping[str, Any], where: str) -> tuple[Source, ...]:
    """The sources of a card.

    Parameters
    ----------
    card : mapping
        The card, whose keys have the right types.
    where : str
        What messages start with.

    Raises
    ------
    UserError
        One sentence, for what a source must not say.
    """
    tables = card.get("sources", [])
    if len(tables) > MOST_SOURCES:
        raise UserError(
            f"{where} has {len(tables):,} [[sources]]; a card may have {MOST_SOURCES} at most"
        )
    sources = tuple(
        _source(table, f"{where}, source {number}") for number, table in enumerate(tables, 1)
    )
    names = [name.casefold() for source in sources for name in source.names]
    for name in names:
        if names.count(name) > 1:
            raise UserError(
                f"{where}: two files of [[sources]] are called {name!r}; give each another name"
            )
    return sources


def _source(table: Any, where: str) -> Source:
    """One table; UserError where it is not right."""
    check_keys(table, SOURCE, where)
    kinds = [kind for kind in KINDS if kind in table]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "none of them"
        raise UserError(f"{where} has {found}; give one of {', '.join(KINDS)}")
    needed, optional = KINDS[kinds[0]]
    if strange := [key for key in table if key not in (*needed, *optional)]:
        raise UserError(f"{where} has {strange[0]!r}, which does not go with {kinds[0]}; remove it")
    check_keys(table, OF_KIND[kinds[0]], where)
    for key, value in table.items():
        if any(
            len(str(text)) > LONGEST for text in (value if isinstance(value, list) else [value])
        ):
            raise UserError(f"{where}: {key} has a text of more than {LONGEST:,} characters")
    checksum, size = _checksum(table, where), table.get("bytes")
    if kinds == ["distribution"]:
        return _distribution(table, checksum, size, where)
    urls = _urls(table, where) if kinds == ["urls"] else (_in_repository(table, where),)
    name = table.get("name", table.get("path", "").rpartition("/")[2])
    if fault := fault_of_name(name):
        raise UserError(
            f"{where}: name is {name!r}, which {fault}; give the name of a file, without a folder"
        )
    return WebFile(name, urls, checksum, size)


def _checksum(table: Mapping[str, Any], where: str) -> Checksum:
    """The one checksum of a table; UserError for none or two, or one that is no such number."""
    given = [algorithm for algorithm in ("sha256", "md5") if algorithm in table]
    if len(given) != 1:
        raise UserError(
            f"{where} has {'both sha256 and md5' if given else 'neither sha256 nor md5'}; give one"
            " of them"
        )
    return Checksum(given[0], table[given[0]].lower())


def _urls(table: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """The addresses of a table; UserError for none, too many, or one that is not of the web."""
    urls: Sequence[str] = table["urls"]
    if not 0 < len(urls) <= MOST_URLS:
        raise UserError(f"{where}: urls has {len(urls)} addresses; give 1 to {MOST_URLS}")
    for url in urls:
        if fault := fault_of_url(url):
            raise UserError(
                f"{where}: urls has {url!r:.120}, which {fault}; give an address as"
                " 'https://HOST/PATH'"
            )
    return tuple(urls)


def fault_of_url(url: str) -> str:
    """Why kobench does not ask for an address, "" where it does.

    Examples
    --------
    >>> fault_of_url("https://zenodo.org/records/1/files/a.h5ad"), fault_of_url("file:///etc/passwd")
    ('', 'is not an http(s) address')
    """
    if not re.fullmatch(r"[!-~]+", url):
        return "has blanks, control or other characters that addresses do not have"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"cannot be read ({error})"
    if parts.scheme not in ("http", "https"):
        return "is not an http(s) address"
    if not host:
        return "names no host"
    if "@" in parts.netloc:
        return "holds a user's name or password"
    if "\\" in url:
        return "has a backslash in it"
    return ""


def _in_repository(table: Mapping[str, Any], where: str) -> str:
    """The address of a file of a repository; UserError where the table names no such file."""
    repository, commit, path = table["repository"], table["commit"], table["path"]
    if fault := fault_of_folder(path) or ("" if path else "is empty"):
        raise UserError(
            f"{where}: path is {path!r}, which {fault}; give a path inside the repository"
        )
    return f"{REPOSITORIES}/{repository}/{commit}/{quote(path)}"


def _distribution(
    table: Mapping[str, Any], checksum: Checksum, size: int | None, where: str
) -> Distribution:
    """Members of a source distribution; UserError where the table does not name such."""
    name, version, members = table["distribution"], table["version"], table["members"]
    if not 0 < len(members) <= MOST_MEMBERS:
        raise UserError(f"{where}: members has {len(members)} paths; give 1 to {MOST_MEMBERS}")
    for member in members:
        if fault := fault_of_folder(member) or ("" if member else "is empty"):
            raise UserError(
                f"{where}: members has {member!r}, which {fault}; give a path inside the folder"
                " that the archive unpacks to"
            )
    return Distribution(name, version, checksum, tuple(members), size)
