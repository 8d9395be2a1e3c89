"""Results in words: what the page says of the relations between a table's quantities.

To add one: write a function from a result to a `Statement` in a file of its own, and name it here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from terrawatt.analysis.relations import Relations
from terrawatt.report.language import mark, recorded_list, say
from terrawatt.report.relations.components import components_statement
from terrawatt.report.relations.correlations import correlations_statement
from terrawatt.report.relations.derived import TITLE as DERIVED
from terrawatt.report.relations.derived import derived_statement
from terrawatt.report.relations.frugality import frugality_statement
from terrawatt.report.relations.matched import TITLE as MATCHED
from terrawatt.report.relations.matched import matched_statement
from terrawatt.report.relations.meters import meters_statement
from terrawatt.report.relations.pareto import TITLE as PARETO
from terrawatt.report.relations.pareto import pareto_statement
from terrawatt.report.relations.statement import Statement

__all__ = ["Statement", "statements"]

# Attribute of `Relations` -> its title, and what says it in words; in the page's order.
_ALL: Mapping[str, tuple[str, Callable[[Any], Statement]]] = {
    "pareto": (PARETO, pareto_statement),
    "frugality": (mark("Frugality: performance weighed against energy"), frugality_statement),
    "matched": (MATCHED, matched_statement),
    "derived": (DERIVED, derived_statement),
    "meters": (mark("The meter against CodeCarbon"), meters_statement),
    "correlations": (mark("Correlations"), correlations_statement),
    "components": (mark("Principal components"), components_statement),
}


def statements(found: Relations | None) -> tuple[Statement, ...]:
    """Everything that is to be said, results that a table does not allow with the reason."""
    if found is None:
        return ()
    said = []
    for name, (title, words) in _ALL.items():
        result = getattr(found, name)
        reason = recorded_list(found.missing.get(name, "")) or say("not computed")
        said.append(words(result) if result is not None else Statement(name, say(title), (), "", reason=reason))
    return tuple(said)
