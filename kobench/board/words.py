"""Words that every board has, whatever its tasks and datasets."""

from __future__ import annotations

from collections.abc import Iterable

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

#: The mark of a predictor that was developed or tuned on data of the board, and of one that is
#: given the equation of its simulator. They end names, too: scores of both are no evidence.
MADE_ON, EQUATION = "†", "‡"

#: What the two say, in a few words.
NO_EVIDENCE = {
    MADE_ON: "developed or tuned on these very data",
    EQUATION: "given the simulator's own equation",
}

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


def marked(name: str, signs: str) -> str:
    """The name of a row, with its marks where it has some.

    >>> marked("linear", ""), marked("scgpt", PRIOR)
    ('linear', 'scgpt ◆')
    """
    return f"{name} {signs}" if signs else name


def signs_of(name: str) -> str:
    """The marks at the end of a row's name.

    >>> signs_of("scgpt ◆†"), signs_of("linear")
    ('◆†', '')
    """
    _, blank, last = name.rpartition(" ")
    return last if blank and last and set(last) <= {PRIOR, MADE_ON, EQUATION} else ""


def unmarked(name: str) -> str:
    """The name of a row without them.

    >>> unmarked("scgpt ◆†"), unmarked("linear")
    ('scgpt', 'linear')
    """
    signs = signs_of(name)
    return name.removesuffix(f" {signs}") if signs else name


def is_evidence(name: str) -> bool:
    """Whether the scores of a row say how good the method is.

    >>> is_evidence("scgpt ◆"), is_evidence("twofold †")
    (True, False)
    """
    return not set(signs_of(name)) & NO_EVIDENCE.keys()


def no_evidence(names: Iterable[str]) -> str:
    """What the marks at the ends of names say whose scores are no evidence; "" where none is.

    >>> no_evidence(["linear", "twofold †"])
    '† developed or tuned on these very data, so no evidence'
    """
    signs = {sign for name in names for sign in signs_of(name)}
    said = [f"{sign} {text}" for sign, text in NO_EVIDENCE.items() if sign in signs]
    return f"{', '.join(said)}, so no evidence" if said else ""


def reason(text: str) -> str:
    """Why there is no number, as a reader understands it.

    >>> reason("none"), reason("no headroom")
    ('constant', 'no headroom')
    """
    return REASONS.get(text, text)
