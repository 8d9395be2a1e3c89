"""Which figures a report has, in which formats, and how they look."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from terrawatt.errors import UsageError, did_you_mean
from terrawatt.report.figures import FIGURES
from terrawatt.report.figures.power_curve import PREFIX
from terrawatt.report.figures.sweep import SWEEP_FIGURES
from terrawatt.report.language import Language, parse_language
from terrawatt.report.render import FORMATS
from terrawatt.report.theme import Theme

FIGURE_NAMES = (*FIGURES, *SWEEP_FIGURES, PREFIX)
NO_FIGURE = "none"


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be drawn.

    Attributes:
        names: of the figures; empty: all but those that must be asked for; `none`: no figure.
        formats: of their files.
        theme: for the page, or for print.
        language: of words and numbers, on the page and in the figures.
    """

    names: tuple[str, ...] = ()
    formats: tuple[str, ...] = ("svg", "png", "pdf", "html")
    theme: Theme = Theme.SCREEN
    language: Language = Language.ENGLISH

    def shows(self, name: str) -> bool:
        """Whether a figure is among those to be drawn."""
        if self.names:
            return name in self.names
        return name not in FIGURES or FIGURES[name].is_default


def parse_look(
    names: Sequence[str] | None, formats: Sequence[str] | None, theme: str | None, language: str | None = None
) -> Look:
    """A look from words as a user writes them: lists with commas, in any case.

    Raises:
        UsageError: a word is unknown; says which are known.
    """
    default = Look()
    return Look(
        _chosen(names, (*FIGURE_NAMES, NO_FIGURE), "figure") or default.names,
        _chosen(formats, FORMATS, "format") or default.formats,
        Theme(_chosen([theme], tuple(Theme), "theme")[0]) if theme else default.theme,
        parse_language(language),
    )


def _chosen(words: Sequence[str] | None, known: Iterable[str], what: str) -> tuple[str, ...]:
    known = tuple(known)
    found = [part.strip().lower() for word in words or () for part in word.split(",") if part.strip()]
    for word in found:
        if word not in known:
            raise UsageError(f"{what} {word!r} is unknown.{did_you_mean(word, known)}")
    return tuple(dict.fromkeys(found))
