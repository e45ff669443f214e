"""The registry: all that plugins offer, by name, and what a name means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kobench.errors import UserError
from kobench.plugins.cache import digest_of
from kobench.plugins.entry import Entry, entry_of
from kobench.plugins.missing import to_blame, why_missing, why_missing_from
from kobench.plugins.ours import is_owners, owner_of, told_apart
from kobench.plugins.sources import PluginProblem, Source, normalise
from kobench.specs import KINDS, MetricSpec, PredictorSpec, kind_of


@dataclass(frozen=True)
class Registry:
    """What there is, by name: a list for each name, longer than one where distributions clash.

    Attributes
    ----------
    predictors, datasets, metrics, tasks : mapping of str to list of Entry
        By name. Metrics of one distribution may share a name when they measure different units.
    problems : sequence of PluginProblem
        What could not be loaded, and what clashes.
    sources : sequence of Source
        The distributions and files that were looked at.
    """

    predictors: Mapping[str, list[Entry]] = field(default_factory=dict)
    datasets: Mapping[str, list[Entry]] = field(default_factory=dict)
    metrics: Mapping[str, list[Entry]] = field(default_factory=dict)
    tasks: Mapping[str, list[Entry]] = field(default_factory=dict)
    problems: Sequence[PluginProblem] = ()
    sources: Sequence[Source] = ()

    def of_kind(self, kind: str) -> Mapping[str, list[Entry]]:
        """What there is of a kind ("predictors", ...), by name."""
        entries: Mapping[str, list[Entry]] = getattr(self, kind)
        return entries

    def predictors_in(self, environment: str) -> list[Entry]:
        """The predictors that live in an environment, by its name."""
        return [
            entry
            for entries in self.predictors.values()
            for entry in entries
            if entry.environment == environment
        ]

    def problems_in(self, environment: str) -> list[PluginProblem]:
        """What is wrong with the plugins of an environment, by its name."""
        return [problem for problem in self.problems if problem.environment == environment]

    def find(self, kind: str, text: str, of: str | None = None, prefer: str = "") -> Entry:
        """Find what a name means.

        Parameters
        ----------
        kind : str
            "predictors", "datasets", "metrics" or "tasks".
        text : str
            `name`, `distribution/name` or `environment/name`. A name alone means kobench's own
            where there is one, whatever strangers offer.
        of : str or None
            The kind of units, for a metric; None for any.
        prefer : str
            The distribution that wins a clash among strangers.

        Returns
        -------
        Entry
            The only one that is meant.

        Raises
        ------
        UserError
            Where there is none (with what was probably meant, and why a plugin that might have it
            is broken) or more than one.
        """
        found = self.find_all(kind, text, of)
        preferred = [entry for entry in found if entry.home == (normalise(prefer), "")]
        if len(found) > 1 and len(preferred) == 1:
            return preferred[0]
        if len(found) > 1:
            raise UserError(_ambiguous(kind, text, found))
        return found[0]

    def find_all(self, kind: str, text: str, of: str | None = None) -> list[Entry]:
        """Find everything that a name may mean; takes and raises what `find` does.

        Returns
        -------
        list of Entry
            At least one.
        """
        distribution, name = text.rpartition("/")[::2]
        found = self._matching(kind, distribution, name, of)
        if found:
            return found
        entries = self.of_kind(kind)
        if distribution:
            raise UserError(
                why_missing_from(distribution, kind, name, entries, self.problems, self.sources)
            )
        if others := self.shadowed(kind, name):
            raise UserError(f"{others}; {owner_of(kind, name, entries[name])} offers none here")
        raise UserError(why_missing(kind, name, entries, self.problems))

    def shadowed(self, kind: str, text: str) -> str:
        """What to know of strangers' entries whose name alone means another one.

        Parameters
        ----------
        kind, text
            As for `find`.

        Returns
        -------
        str
            One sentence, without the full stop; "" where there are none, or `text` names a
            distribution.
        """
        listed = self.of_kind(kind).get(text, ())
        full = dict.fromkeys(entry.full_name for entry in listed if entry.shadowed)
        return _shadowed(kind, text, owner_of(kind, text, listed), full) if full else ""

    def find_despite(self, text: str) -> Entry:
        """Find the predictor that a name means, also one whose plugin could not be loaded.

        A broken plugin is meant by the name of the predictor, where that is known, of its entry
        point, distribution or environment, and by any unknown name where one single plugin file is
        broken.

        Parameters
        ----------
        text : str
            As for `find`.

        Returns
        -------
        Entry
            Its `problem` says why the plugin could not be loaded.

        Raises
        ------
        UserError
            As `find`, where no broken plugin is meant either.
        """
        try:
            return self.find("predictors", text)
        except UserError:
            distribution, name = text.rpartition("/")[::2]
            if self._matching("predictors", distribution, name, None):
                raise
            problem = next(to_blame(distribution, name, self.problems), None)
            if problem is None:
                raise
        spec = PredictorSpec(name, make="", summary="could not be loaded")
        home = (problem.distribution, problem.environment)
        entry = Entry(spec, problem.distribution, "", "", environment=home[1])
        for source in self.sources:
            if (source.distribution, source.environment) == home:
                entry = entry_of(source, spec, digest_of(source), problem.entry_point)
                break
        owner = owner_of("predictors", name, self.predictors.get(name, ()))
        shadowed = not is_owners(entry, owner)
        return replace(entry, trusted=False, problem=problem, shadowed=shadowed)  # never to be run

    def _matching(self, kind: str, distribution: str, name: str, of: str | None) -> list[Entry]:
        """The entries of a name, narrowed to a distribution or environment and a kind of units."""
        listed = self.of_kind(kind).get(name, ())
        found = [entry for entry in listed if of is None or entry.spec.of == of]
        if not distribution:
            meant = [entry for entry in found if not entry.shadowed]
            if not owner_of(kind, name, listed):
                return meant
            # kobench's own may be in an environment, too; what is installed here comes first
            return [entry for entry in meant if not entry.environment] or meant
        # an environment may be called as a distribution is; then its name means what is installed
        # there
        there = [entry for entry in found if entry.environment == distribution]
        same = [
            entry for entry in found if normalise(entry.distribution) == normalise(distribution)
        ]
        return there or [entry for entry in same if not entry.environment] or same


def _ambiguous(kind: str, text: str, found: Sequence[Entry]) -> str:
    """Say that a name means more than one thing, and how to say which."""
    what = kind[:-1]
    if len({entry.home for entry in found}) > 1:
        origins = " and ".join(dict.fromkeys(entry.origin for entry in found))
        choices = " or ".join(dict.fromkeys(entry.full_name for entry in found))
        return f"{what} {text!r} is offered by {origins}; say {choices}"
    kinds = " or ".join(repr(entry.spec.of) for entry in found)
    return f"{what} {text!r} measures several kinds of units; say of which, {kinds}"


def _shadowed(kind: str, name: str, owner: str, full_names: Iterable[str]) -> str:
    """Say what a bare name means, and how that of a stranger is reached."""
    return f"the {kind[:-1]} {name!r} is that of {owner}; a stranger's is {' or '.join(full_names)}"


def make_registry(
    entries: Iterable[Entry], problems: Sequence[PluginProblem], sources: Sequence[Source]
) -> Registry:
    """Sort entries by kind and name.

    Parameters
    ----------
    entries : iterable of Entry
        The first wins where one distribution gives a name twice.
    problems : sequence of PluginProblem
        What could not be loaded; every clash is added.
    sources : sequence of Source
        What was looked at.

    Returns
    -------
    Registry
        All of it.
    """
    named: dict[str, dict[str, list[Entry]]] = {kind: {} for kind in KINDS}
    clashes: list[PluginProblem] = []
    for entry in entries:
        kind = kind_of(entry.spec)
        others = named[kind].setdefault(entry.spec.name, [])
        equal = [other for other in others if _measures_the_same(entry, other)]
        twice = next((other for other in equal if other.home == entry.home), None)
        if twice is not None:
            message = (
                f"{kind[:-1]} {entry.spec.name!r} is offered twice, by the entry points"
                f" {twice.entry_point!r} and {entry.entry_point!r}; the first is kept"
            )
            clashes.append(_clash(entry, message))
            continue
        others.append(entry)
    for kind, by_name in named.items():
        for name, listed in by_name.items():
            by_name[name] = told_apart(listed)
            clashes.extend(_clashes(kind, name, by_name[name]))
    return Registry(**named, problems=[*problems, *clashes], sources=sources)


def _clashes(kind: str, name: str, entries: Sequence[Entry]) -> Iterator[PluginProblem]:
    """What is to be known of those that share a kind and name."""
    owner = owner_of(kind, name, entries)
    for place, entry in enumerate(entries):
        if entry.shadowed:
            yield _clash(entry, _shadowed(kind, name, owner, [entry.full_name]))
            continue
        for other in entries[:place]:
            if not other.shadowed and _measures_the_same(entry, other):
                message = (
                    f"{kind[:-1]} {name!r} is offered by {other.origin} and {entry.origin}; say"
                    f" {other.full_name} or {entry.full_name}"
                )
                yield _clash(entry, message)


def _measures_the_same(entry: Entry, other: Entry) -> bool:
    """Whether two entries of one kind and name clash: metrics of different units do not."""
    return not isinstance(entry.spec, MetricSpec) or bool(other.spec.of == entry.spec.of)


def _clash(entry: Entry, message: str) -> PluginProblem:
    """The problem that a name is taken."""
    return PluginProblem(
        entry.distribution,
        entry.entry_point,
        "duplicate",
        message,
        name=entry.spec.name,
        environment=entry.environment,
    )
