"""How the site is made of the pages here: `make docs`.

Nothing is fetched while it is built, and the site loads nothing from elsewhere. No page is a
notebook, so myst-parser is enough and nothing is executed.
"""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

from docutils import nodes
from pygments.lexers import TextLexer
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from kobench import __version__

DOCS = Path(__file__).resolve().parent

project = "kobench"
author = "the developers of kobench"
version = release = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
]
exclude_patterns = ["_build"]
default_role = "literal"  # docstrings put names into single backticks
smartquotes = False  # else `--option` in an example becomes a dash

# GitHub makes the same anchors, so that links lead to the same places there and here.
myst_heading_anchors = 4

napoleon_google_docstring = False
napoleon_use_ivar = True  # attributes are described in their class alone, not twice
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"

html_theme = "sphinx_book_theme"
html_title = f"kobench {__version__}"
html_theme_options = {
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],  # the search stands in the side bar
}
html_copy_source = False
html_show_sourcelink = False


class PlainWords(SphinxPostTransform):
    """What is no page and no class becomes plain text.

    A link to a file of the repository outside docs/ would lead nowhere here: its path is shown. A
    type such as `(cells, genes) float` in a docstring names shapes, and would else be linked to
    any attribute that is called `cells`.
    """

    default_priority = 5  # before references are looked up

    def run(self, **kwargs: Any) -> None:
        """Replace these references."""
        for link in list(self.document.findall(addnodes.pending_xref)):
            target = link["reftarget"]
            if link["refdomain"] == "doc" and target.startswith("/"):
                self.show_path(link, Path(target + ".md"))
            elif link["refdomain"] == "py" and link["reftype"] == "class" and is_word(target):
                link.replace_self(link.children)
        for link in list(self.document.findall(addnodes.download_reference)):
            path = (DOCS / self.env.docname).parent / link["reftarget"]
            if not path.resolve().is_relative_to(DOCS):
                self.show_path(link, path.resolve())

    def show_path(self, link: nodes.Element, path: Path) -> None:
        """Put the text of a link and the path of its file in the link's place."""
        shown = str(path.relative_to(DOCS.parent))
        link.replace_self(
            [*link.children, nodes.Text(" ("), nodes.literal(shown, shown), nodes.Text(")")]
        )


def is_word(name: str) -> bool:
    """Whether a type in a docstring is a word of English, not a class."""
    return name.islower() and "." not in name and not hasattr(builtins, name)


def without_nameless(app: Sphinx, context: Any, lines: list[str]) -> None:
    """Leave out arguments that have no name in `--help`: flags that are handed on."""
    while ".. option:: " in lines:
        start = lines.index(".. option:: ")
        end = next((i for i in range(start + 1, len(lines)) if lines[i].startswith("..")), None)
        del lines[start:end]


def with_examples(app: Sphinx, context: Any, lines: list[str]) -> None:
    """Show the examples below a command's help as code, not as lines of prose."""
    examples = [line[1:].strip() for line in lines if line.startswith("|   ")]
    if examples:
        first = next(i for i, line in enumerate(lines) if line.startswith("|   "))
        kept = [line for line in lines if not line.startswith("|   ")]
        kept[first:first] = ["", ".. code-block:: console", "", *[f"   {one}" for one in examples]]
        kept.insert(first + len(examples) + 3, "")
        lines[:] = kept


def setup(app: Sphinx) -> None:
    """Add what is above to Sphinx."""
    app.add_post_transform(PlainWords)
    app.add_lexer("csv", TextLexer)
    app.connect("sphinx-click-process-arguments", without_nameless)
    app.connect("sphinx-click-process-epilog", with_examples)
