"""pip's settings, from its files and variables, as uv takes them: uv reads none of them itself."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

#: What a setting of pip is called by uv. Several values are parted by blanks, those of `LISTS` by
#: commas, too.
FLAGS = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "constraint": "-c",
    "trusted-host": "--allow-insecure-host",
    "no-binary": "--no-binary",
    "only-binary": "--only-binary",
}
LISTS = ("no-binary", "only-binary")

#: Settings that are on or off.
SWITCHES = {"no-index": "--no-index", "no-cache-dir": "--no-cache", "pre": "--prerelease=allow"}

#: Variables by which uv takes a setting.
VARIABLES = {"cert": "SSL_CERT_FILE", "timeout": "UV_HTTP_TIMEOUT", "proxy": "ALL_PROXY"}

#: Settings that change nothing of what is installed.
HARMLESS = {
    *("disable-pip-version-check", "no-input", "quiet", "verbose", "progress-bar", "retries"),
    *("root-user-action", "no-python-version-warning", "no-color", "log", "exists-action"),
    *("no-compile", "compile", "no-warn-script-location", "break-system-packages", "config-file"),
    *(
        "require-virtualenv",
        "user",
        "target",
        "prefix",
        "root",
        "python",
        "dry-run",
        "prefer-binary",
    ),
}

#: Other names of settings.
ALIASES = {"default-timeout": "timeout", "pypi-url": "index-url", "constraints": "constraint"}

#: The file of settings of the whole machine.
MACHINES = Path("/etc/pip.conf")

OFF = ("", "0", "false", "no", "off")


@dataclass(frozen=True)
class Settings:
    """pip's settings for uv.

    Attributes
    ----------
    arguments : tuple of str
        What uv is told.
    variables : mapping of str to str
        Variables that uv is given.
    unknown : tuple of str
        Settings that uv has no word for.
    """

    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    unknown: tuple[str, ...]


def settings_for_uv(variables: Mapping[str, str]) -> Settings:
    """pip's settings as uv takes them.

    Parameters
    ----------
    variables : mapping of str to str
        The environment's variables; those that begin with PIP_ are settings, too.

    Examples
    --------
    >>> found = settings_for_uv({"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1",
    ...     "PIP_FIND_LINKS": "a b", "PIP_RESUME_RETRIES": "3"})
    >>> found.arguments
    ('--no-index', '--find-links', 'a', '--find-links', 'b')
    >>> found.unknown
    ('resume-retries',)
    """
    arguments: list[str] = []
    given: dict[str, str] = {}
    unknown = []
    known = settings(variables)
    for name, value in sorted(known.items(), key=lambda item: item[0] != "no-index"):
        if name in SWITCHES:
            arguments += [SWITCHES[name]] if value.strip().lower() not in OFF else []
        elif name in FLAGS:
            for each in re.split(r"[,\s]+" if name in LISTS else r"\s+", value.strip()):
                arguments += [FLAGS[name], each] if each else []
        elif name in VARIABLES:
            given[VARIABLES[name]] = value.strip()
        elif name not in HARMLESS:
            unknown.append(name)
    if known.get("extra-index-url", "").strip():
        # pip takes the newest of all; uv by itself stays at the first index that has a name
        arguments += ["--index-strategy", "unsafe-best-match"]
    return Settings(tuple(arguments), given, tuple(unknown))


def settings(variables: Mapping[str, str]) -> dict[str, str]:
    """pip's settings by name: those of files, then of variables, which win."""
    found: dict[str, str] = {}
    for file in files(variables):
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (OSError, configparser.Error, ValueError):
            continue  # pip says what is wrong with it
        for section in ("global", "install"):
            if parser.has_section(section):
                found.update({called(name): value for name, value in parser.items(section)})
    for name, value in variables.items():
        if name.startswith("PIP_") and value != "":
            found[called(name[len("PIP_") :])] = value
    return found


def called(name: str) -> str:
    """The name of a setting.

    >>> called("EXTRA_INDEX_URL"), called("default-timeout")
    ('extra-index-url', 'timeout')
    """
    plain = name.lower().replace("_", "-")
    return ALIASES.get(plain, plain)


def files(variables: Mapping[str, str]) -> Iterator[Path]:
    """pip's files of settings, from the weakest to the strongest."""
    named = variables.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    home = Path(variables.get("HOME") or Path.home())
    everywhere = variables.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    for folder in reversed(everywhere.split(os.pathsep)):
        yield Path(folder) / "pip" / "pip.conf"
    yield MACHINES
    yield home / ".pip" / "pip.conf"
    yield Path(variables.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf"
    if named:
        yield Path(named)
