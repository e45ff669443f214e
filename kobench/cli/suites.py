"""Suites: TOML files whose keys are the flags of `kobench run`."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import click

from kobench.errors import UserError
from kobench.util.bounded import read_toml
from kobench.util.text import suggestion

#: The suites that come with kobench.
FOLDER = Path(__file__).resolve().parent.parent / "suites"

#: The key of a suite that says how its published board is made; a run is made as its flags say.
PUBLISHED_SECRET = "published-secret"

#: Keys of a suite that are texts for its readers: what it is, and which version of it this is.
FOR_READERS = ("summary", "version")


def built_in() -> dict[str, Path]:
    """Name -> file of the suites that come with kobench."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def summary_of(path: Path) -> str:
    """What a suite says of itself in one line; "" where it says nothing."""
    return str(read_toml(path).get("summary", ""))


def published_as_secret(suite: str | None) -> bool:
    """Whether the published board of a suite was made on networks of a secret seed."""
    return suite is not None and bool(read_toml(find_suite(suite)).get(PUBLISHED_SECRET, False))


def find_suite(text: str) -> Path:
    """A built-in suite's name, or a path."""
    if text in built_in():
        return built_in()[text]
    path = Path(text)
    if path.suffix == ".toml" and path.is_file():
        return path
    if path.suffix == ".toml":
        raise UserError(
            f"there is no suite file {text}; give the path of a TOML file, or one of"
            f" {', '.join(built_in())}"
        )
    raise UserError(
        f"no suite {text!r}; {suggestion(text, built_in())}; or give the path of a TOML file"
    )


def read_suite(path: Path, command: click.Command) -> dict[str, Any]:
    """The flags a suite sets, checked and converted as the command line would.

    Parameters
    ----------
    path : Path
        A TOML file whose keys are the long flags without the dashes at the front; beside them
        `summary`, `version`, `published-secret` and tables `[[grid]]`.
    command : click.Command
        The command whose flags they are.

    Returns
    -------
    dict
        The name of a parameter of the command -> its value.

    Raises
    ------
    UserError
        For a file that can't be read, an unknown key or an unfit value, with a suggestion.
    """
    try:
        content = read_toml(path)
    except (OSError, ValueError) as error:
        raise UserError(
            f"suite {path} can't be read: {error}; see docs/suites.md for an example"
        ) from error
    options = long_flags(command)
    context = click.Context(command)
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key in FOR_READERS:
            if not isinstance(value, str):
                raise UserError(f"suite {path.name}: {key} = {written(value)}; expected text")
        elif key == PUBLISHED_SECRET:
            if not isinstance(value, bool):
                raise UserError(
                    f"suite {path.name}: {key} = {written(value)}; expected true or false"
                )
        elif key == "grid":
            values["datasets"] = (*values.get("datasets", ()), *expanded(path, value))
        elif key in options:
            name, found = str(options[key].name), converted(path, key, value, options[key], context)
            values[name] = (*values.get(name, ()), *found) if options[key].multiple else found
        else:
            raise UserError(
                f"suite {path.name} has an unknown key {key!r};"
                f" {suggestion(key, [*options, 'grid', *FOR_READERS, PUBLISHED_SECRET])}"
            )
    return values


def long_flags(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by their long flags, without dashes at the front."""
    return {
        flag.lstrip("-"): option
        for option in command.params
        if isinstance(option, click.Option)
        for flag in option.opts
        if flag.startswith("--")
    }


def converted(path: Path, key: str, value: Any, option: click.Option, ctx: click.Context) -> Any:
    """A value of a suite as the option makes it; UserError for one that does not fit."""
    given = value if option.multiple and isinstance(value, list) else [value]
    types, expected = types_of(option)
    hint = ""
    if key == "datasets":
        hint = "; did you mean `dataset`? `datasets` is a folder of cards"
    if any(type(one) not in types for one in given):
        raise UserError(f"suite {path.name}: {key} = {written(value)}; expected {expected}{hint}")
    try:
        return option.type_cast_value(ctx, tuple(given) if option.multiple else value)
    except click.BadParameter as error:
        raise UserError(
            f"suite {path.name}: {key} = {written(value)}: {error.message.rstrip('.')}{hint}"
        ) from error


def with_suite(ctx: click.Context, suite: dict[str, Any], flags: dict[str, Any]) -> dict[str, Any]:
    """The flags of a suite and of the command line together.

    Parameters
    ----------
    ctx : click.Context
        Knows which flags were given.
    suite : dict
        What the suite sets.
    flags : dict
        All flags of the command line, with their defaults.

    Returns
    -------
    dict
        A flag that was given wins over the suite's; those that may be repeated add up.
    """
    given = {
        name
        for name in flags
        if ctx.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
    }
    merged = dict(flags)
    for name, value in suite.items():
        if isinstance(value, tuple):
            merged[name] = tuple(dict.fromkeys((*value, *flags[name])))
        elif name not in given:
            merged[name] = value
    return merged


def expanded(path: Path, grid: Any) -> list[str]:
    """The datasets of a suite's `[[grid]]` tables.

    Every combination of the listed values is one dataset; the last key changes fastest.

    >>> expanded(Path("s.toml"), [{"dataset": "grn", "network": "er", "sigma": [0.05, 0.3]}])
    ['grn:network=er,sigma=0.05', 'grn:network=er,sigma=0.3']
    """
    found = []
    for table in grid if isinstance(grid, list) else [grid]:
        if not isinstance(table, dict) or not isinstance(table.get("dataset"), str):
            raise UserError(
                f"suite {path.name}: grid = {written(table)}; expected tables with a `dataset` and"
                " lists of values, see docs/suites.md"
            )
        axes = [
            (key, value if isinstance(value, list) else [value])
            for key, value in table.items()
            if key != "dataset"
        ]
        for values in product(*(values for _, values in axes)):
            pairs = [
                f"{key}={written_plain(value)}"
                for (key, _), value in zip(axes, values, strict=True)
            ]
            found.append(
                ":".join([table["dataset"], ",".join(pairs)]) if pairs else table["dataset"]
            )
    return found


def written_plain(value: Any) -> str:
    """A value as the selection grammar takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def types_of(option: click.Option) -> tuple[tuple[type, ...], str]:
    """The types of a TOML value that an option takes, and how a message calls them."""
    if option.is_flag:
        return (bool,), "true or false"
    if isinstance(option.type, click.types.IntParamType):
        return (int,), "a whole number"
    if isinstance(option.type, click.types.FloatParamType):
        return (int, float), "a number"
    return (str,), "text or a list of texts" if option.multiple else "text"


def written(value: Any) -> str:
    """A value about as it stands in the file."""
    return str(value).lower() if isinstance(value, bool) else repr(value)
