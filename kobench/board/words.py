"""What tasks and simulation parameters are called in plain words, and in which order tasks are
told: the most demanding first.
"""

from __future__ import annotations

from collections.abc import Iterable

#: What the whole benchmark asks, in one sentence.
PURPOSE = "Can a method predict what removing a gene does, from unperturbed cells alone?"

#: Built-in tasks, the most demanding first; other tasks go by their own name and come last.
TASKS = {
    "response": "How each gene's mean changes after a knockout",
    "response-size": "Which knockouts change the cells most",
    "keystone": "Which genes matter most when removed",
    "knockout-impact": "How much a knockout changes each cell",
    "knockout-profile": "Expression of each cell after a knockout",
    "double-knockout": "What two genes removed together do beyond the sum",
    "triple-knockout": "What three genes removed together do beyond the sum",
    "transfer": "Expression of cells of other types than trained on",
    "profile": "Expression of held-out wild-type cells",
}

#: Tasks that ask nothing of a knockout.
WILD_TYPE = ("transfer", "profile")

#: Parameters of the simulated networks.
PARAMETERS = {
    "network": (
        "er: every gene regulates as often as another, sf: few hubs, out-degrees follow a power law"
    ),
    "gamma": "exponent of that power law",
    "degree": "mean number of regulators of a gene",
    "sigma": "each cell's own relative noise on every weight",
    "dropout": "chance of an entry below its gene's median to be read as 0",
}

#: Reasons for no number that do not explain themselves.
REASONS = {"none": "constant", "no ceiling": "ceiling unknown"}


def base(task: str) -> str:
    """A task's name without its version."""
    return task.partition("@")[0]


def in_words(task: str) -> str:
    """What a task asks, or its label where it is not built in.

    >>> in_words("profile@1"), in_words("mine@2")
    ('Expression of held-out wild-type cells', 'mine@2')
    """
    return TASKS.get(base(task), task)


def task_order(task: str) -> tuple[int, str]:
    """Sorts tasks, the most demanding first."""
    names = list(TASKS)
    return (names.index(base(task)) if base(task) in TASKS else len(names)), task


def reason(text: str) -> str:
    """Why there is no number, as a reader understands it.

    >>> reason("none"), reason("no headroom")
    ('constant', 'no headroom')
    """
    return REASONS.get(text, text)


def parameters_in_words(names: Iterable[str]) -> str:
    """`gamma: exponent of that power law; ...` for the parameters that have words; nothing for
    others.
    """
    return "; ".join(f"{name}: {PARAMETERS[name]}" for name in names if name in PARAMETERS)
