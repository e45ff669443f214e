"""Words that every board has, whatever its tasks and datasets."""

from __future__ import annotations

#: What the whole benchmark asks, in one sentence.
PURPOSE = "Can a method predict what removing a gene does, from unperturbed cells alone?"

#: The same of a board on which no gene is removed.
OF_PROFILES = (
    "Can a method predict the expression of cells that it has not seen, from which genes are on?"
    " No gene is removed here."
)

#: The mark of a predictor that knows more than the cells it was given. A row's name ends in it, so
#: that no table, picture or sentence can leave it out.
PRIOR = "◆"

#: The mark of a cost that was measured on another machine.
ELSEWHERE = "\N{DEGREE SIGN}"

#: What stands above rows with prior knowledge.
APART = "with prior knowledge, ranked among themselves"

#: Reasons for no number that do not explain themselves.
REASONS = {"none": "constant", "no ceiling": "ceiling unknown"}


def base(task: str) -> str:
    """A task's name without its version; a record of anyone may have a label without one.

    >>> base("response@1"), base("response")
    ('response', 'response')
    """
    return task.rpartition("@")[0] or task


def marked(name: str, prior: str) -> str:
    """The name of a row, with the mark of prior knowledge where it has some.

    >>> marked("linear", ""), marked("scgpt", "weights of 33 million cells")
    ('linear', 'scgpt ◆')
    """
    return f"{name} {PRIOR}" if prior else name


def unmarked(name: str) -> str:
    """The name of a row without that mark.

    >>> unmarked("scgpt ◆")
    'scgpt'
    """
    return name.removesuffix(f" {PRIOR}")


def reason(text: str) -> str:
    """Why there is no number, as a reader understands it.

    >>> reason("none"), reason("no headroom")
    ('constant', 'no headroom')
    """
    return REASONS.get(text, text)
