"""How the board came to be, as the page says it."""

from __future__ import annotations

from kobench.board.made import Made

#: The longest command that stands in one line.
LINE = 88


def facts_of(made: Made | None) -> list[str]:
    """Version, days, machines and trials, each in a few words; none where the board has none."""
    if made is None:
        return []
    days = made.first if made.first == made.last else f"{made.first} to {made.last}"
    return [
        *([f"kobench {', '.join(made.versions)}"] if made.versions else []),
        *([f"run {days}"] if days else []),
        *([f"{made.hosts} machine{'' if made.hosts == 1 else 's'}"] if made.hosts else []),
        f"{made.records:,} trials",
    ]


def recipe_of(made: Made | None) -> str:
    """The commands that make such records, and this page of them; "" where the board has none."""
    if made is None:
        return ""
    seed = ['--secret-seed "$(cat secret-seed.txt)"'] if made.secret else []
    lines = []
    if made.environments:
        lines.append(
            "# environments of their own, made by `kobench env create`:"
            f" {', '.join(made.environments)}"
        )
    run = in_lines(["kobench run", *made.command, *seed, "--out results"])
    return "\n".join([*lines, *run, "kobench board results --pack board"])


def in_lines(words: list[str]) -> list[str]:
    r"""A command in lines that a shell takes as one.

    >>> in_lines(["run", "-d a"])
    ['run -d a']
    >>> in_lines(["run", "-d " + "a" * 80, "-t b"])[1:]
    ['    -t b']
    """
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > LINE:
            lines.append(f"    {word}")
        else:
            lines[-1] += f" {word}"
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]
