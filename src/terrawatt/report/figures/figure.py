"""What a figure is, and what drawing one gives."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import altair as alt

from terrawatt.analysis.table import Table
from terrawatt.errors import AnalysisError
from terrawatt.report.language import recorded, say, typeset


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure of one table.

    Attributes:
        chart: in Altair; `theme.specification` makes it complete.
        caption: what a reader must know beside it.
        alternative: what a listener hears instead of it.
        details: what a reader may want to look up, e.g. the columns that were left out.
    """

    chart: alt.TopLevelMixin
    caption: str
    alternative: str
    details: str = ""

    def typeset(self) -> "Drawing":
        """The same with the spaces of the language."""
        return replace(
            self,
            caption=typeset(self.caption),
            alternative=typeset(self.alternative),
            details=typeset(self.details),
        )


@dataclass(frozen=True, slots=True)
class Skipped:
    """A figure that this table does not allow, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure by name: `name` is that of its files, `function` draws it; `is_default`: also where none is named."""

    name: str
    title: str
    function: Callable[[Table], Drawing | Skipped]
    is_default: bool = True

    def in_words(self) -> "Figure":
        """The same with its title in the current language."""
        return replace(self, title=recorded(say(self.title)))

    def draw(self, table: Table) -> Drawing | Skipped:
        """The figure of a table; skipped, with the reason, where the table is too small for its analysis."""
        try:
            drawn = self.function(table)
        except AnalysisError as error:
            return Skipped(recorded(str(error)))
        return drawn if isinstance(drawn, Skipped) else drawn.typeset()
