"""Words that every board has, whatever its tasks and datasets."""

from __future__ import annotations

#: What the whole benchmark asks, in one sentence.
PURPOSE = "Can a method predict what removing a gene does, from unperturbed cells alone?"

#: Reasons for no number that do not explain themselves.
REASONS = {"none": "constant", "no ceiling": "ceiling unknown"}


def base(task: str) -> str:
    """A task's name without its version; a record of anyone may have a label without one.

    >>> base("response@1"), base("response")
    ('response', 'response')
    """
    return task.rpartition("@")[0] or task


def reason(text: str) -> str:
    """Why there is no number, as a reader understands it.

    >>> reason("none"), reason("no headroom")
    ('constant', 'no headroom')
    """
    return REASONS.get(text, text)
