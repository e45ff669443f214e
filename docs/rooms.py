"""Draw the rooms of kobench and who uses whom: `python docs/rooms.py`.

A room is a package in `kobench/`, or a module beside them. What is drawn is read from the imports
of the code itself. It writes docs/architecture.svg, and the table of rooms in docs/architecture.md.
With --check nothing is written; it fails where one of them is out of date.
"""

from __future__ import annotations

import ast
import html
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

DOCS = Path(__file__).parent
PACKAGE = DOCS.parent / "kobench"

#: The marks in docs/architecture.md between which the table stands.
MARKS = ("<!-- rooms -->", "<!-- /rooms -->")

#: Sizes in the drawing, in pixels.
WIDTH, BOX, HEIGHT, FLOOR = 940, 96, 26, 64

Graph = Mapping[str, set[str]]


def rooms() -> dict[str, Path]:
    """Every room, and the file that says what it is."""
    found = {}
    for path in sorted(PACKAGE.iterdir()):
        if path.is_dir() and (path / "__init__.py").is_file():
            found[path.name] = path / "__init__.py"
        elif path.suffix == ".py" and path.stem != "__init__":
            found[path.stem] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """The names `kobench....` that a file imports, inside functions and for types, too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def uses() -> dict[str, set[str]]:
    """Which rooms each room uses."""
    known = rooms()
    found: dict[str, set[str]] = {}
    for name, first in known.items():
        files = first.parent.rglob("*.py") if first.name == "__init__.py" else [first]
        names = (each.split(".") for file in files for each in imported(file))
        targets = {parts[1] for parts in names if parts[0] == "kobench" and len(parts) > 1}
        found[name] = (targets & set(known)) - {name}
    return found


def floors(graph: Graph) -> list[list[str]]:
    """The rooms by floor, the lowest first: each stands one above the highest that it uses."""
    height: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in height:
            height[name] = 1 + max((of(target) for target in graph[name]), default=-1)
        return height[name]

    found: list[list[str]] = [[] for _ in range(1 + max(map(of, graph)))]
    for name in sorted(graph):
        found[height[name]].append(name)
    return found


def direct(graph: Graph) -> dict[str, set[str]]:
    """The arrows that do not follow from others: a transitive reduction."""

    def below(name: str) -> set[str]:
        return set().union(*({target} | below(target) for target in graph[name]))

    return {
        name: {
            target
            for target in targets
            if not any(target in below(other) for other in targets - {target})
        }
        for name, targets in graph.items()
    }


def places(graph: Graph) -> dict[str, tuple[float, float]]:
    """Where the middle of each room is drawn: x and y, in pixels.

    Rooms of a floor stand in the order of the rooms above that use them, so that few arrows cross.
    """
    levels = floors(graph)
    x: dict[str, float] = {}
    found = {}
    for height in reversed(range(len(levels))):

        def under(name: str) -> float:
            users = [x[user] for user in x if name in graph[user]]
            return sum(users) / len(users) if users else 0.0

        for number, name in enumerate(sorted(levels[height], key=lambda name: (under(name), name))):
            at = WIDTH * (number + 0.5) / len(levels[height])
            found[name] = (at, FLOOR * (len(levels) - height - 0.5))
        x.update({name: found[name][0] for name in levels[height]})
    return found


def svg(graph: Graph) -> str:
    """The drawing: rooms on their floors, an arrow down to each room that is used."""
    place = places(graph)
    total = len(floors(graph)) * FLOOR
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" '
        'font-family="sans-serif" font-size="13">',
        "<title>The rooms of kobench: each uses rooms below it</title>",
        f'<rect width="{WIDTH}" height="{total}" fill="#ffffff"/>',
    ]
    for name, targets in sorted(direct(graph).items()):
        for target in sorted(targets):
            (x, y), (to_x, to_y) = place[name], place[target]
            start, end = y + HEIGHT / 2, to_y - HEIGHT / 2
            bend = (start + end) / 2
            lines.append(
                f'<path d="M{x:.0f} {start:.0f} C{x:.0f} {bend:.0f} {to_x:.0f} {bend:.0f} '
                f'{to_x:.0f} {end:.0f}" fill="none" stroke="#8a97a8"/>'
            )
    for name, (x, y) in sorted(place.items()):
        lines += [
            f'<rect x="{x - BOX / 2:.0f}" y="{y - HEIGHT / 2:.0f}" width="{BOX}" '
            f'height="{HEIGHT}" rx="5" fill="#eef3f9" stroke="#34506e"/>',
            f'<text x="{x:.0f}" y="{y + 4.5:.0f}" text-anchor="middle">{html.escape(name)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def table(graph: Graph) -> str:
    """What each room is, from the highest floor down, as Markdown."""
    known = rooms()
    lines = ["| room | what it is | uses |", "|---|---|---|"]
    for level in reversed(floors(graph)):
        for name in level:
            text = ast.get_docstring(ast.parse(known[name].read_text(encoding="utf-8"))) or ""
            first = re.split(r"\n\n|(?<=[a-z)`])\.(?:\s|$)", text, maxsplit=1)[0]
            said = " ".join(first.split()).rstrip(".").replace("|", "\\|")
            used = ", ".join(sorted(graph[name])) or "nothing"
            lines.append(f"| `{name}` | {said} | {used} |")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """What each file must hold."""
    graph, page = uses(), DOCS / "architecture.md"
    before, rest = page.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    text = f"{before}{MARKS[0]}\n{table(graph)}\n{MARKS[1]}{after}"
    return {DOCS / "architecture.svg": svg(graph), page: text}


def main(arguments: list[str]) -> int:
    """Write the files, or with --check compare them; 1 where one is out of date."""
    late = 0
    for path, text in pages().items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            print(f"docs/{path.name} is out of date; run `python docs/rooms.py`")
            late = 1
        else:
            path.write_text(text, encoding="utf-8")
            print(f"docs/{path.name} written")
    return late


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
