"""The language of a report: sentences by a gettext catalogue, numbers, dates and spaces by its rules.

`terrawatt compare` prints in it as well. The English texts are the keys of the catalogue,
`locale/<language>/LC_MESSAGES/report.po` (docs/report.md). Sentences are translated with their places, `{n}`, and
filled afterwards.
"""

import gettext
import re
import string
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from io import BytesIO
from numbers import Real
from typing import Any

from terrawatt.errors import UsageError, did_you_mean

_NUMBER = re.compile(r"(?<![\w.])(\d+)(?:\.(\d+))?(?=(?:e[+-]?\d+)?(?![\w.]))")
_GROUPED_FROM = 5  # digits before the decimal sign (SI brochure, 5.4.4)
_NO_BREAK, _THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
_UNIT = r"(?:[µmkMGT]?(?:J|W|Wh|s|g|m)|min|h|°C|PC\d)\b|%"


class Language(StrEnum):
    """What a report is written in."""

    ENGLISH = "en"
    FRENCH = "fr"


_current: ContextVar[Language] = ContextVar("language", default=Language.ENGLISH)


def parse_language(word: str | None) -> Language:
    """A language from its code, `fr`; English where none is given.

    Raises:
        UsageError: there is no catalogue of it.
    """
    code = (word or Language.ENGLISH).strip().lower()
    if code not in tuple(Language):
        raise UsageError(f"language {code!r} is unknown.{did_you_mean(code, tuple(Language))}")
    return Language(code)


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Everything that is said inside is in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Language:
    """The language that is spoken."""
    return _current.get()


def mark(text: str) -> str:
    """A text that the catalogue is to hold, and that is translated where it is said."""
    return text


def say(template: str, /, **values: object) -> str:
    """A sentence in the current language, its places filled: `say("{n} rows", n=3)`."""
    if current() is Language.ENGLISH or not template:
        return template.format(**values) if values else template
    return _filled(_catalogue(current()).gettext(template), values)


def say_n(one: str, many: str, n: float, /, **values: object) -> str:
    """A sentence in the form that its number asks for."""
    if current() is Language.ENGLISH:
        return (one if n == 1 else many).format(**values)
    return _filled(_catalogue(current()).ngettext(one, many, int(n)), values)


def decimal(value: float, form: str) -> str:
    """A number in a format, `.2f`, with the decimal sign of the language."""
    return localised(format(value, form))


def localised(text: str) -> str:
    """The numbers of a text with the decimal sign of the language, and thin spaces between their thousands."""
    return text if current() is Language.ENGLISH else _NUMBER.sub(_french_number, text)


def recorded(text: str) -> str:
    """A sentence of a record, which is in English, in the current language; as it is where the catalogue lacks it.

    Verdicts, and the reasons why something is missing, are data: the analysis writes them, `output_all.json` keeps
    them. The template that made one is found again, and what stood in its places.
    """
    return text if current() is Language.ENGLISH else _recorded(text, current())


def recorded_list(text: str) -> str:
    """Sentences of a record that stand in one cell of its table, between semicolons."""
    return text if current() is Language.ENGLISH else typeset("; ".join(map(recorded, text.split("; "))))


def moment(text: str) -> str:
    """A time as a record has it, `2026-02-03 14:05:06 UTC`, as a reader writes it."""
    if current() is Language.ENGLISH:
        return text
    from babel.dates import format_datetime

    try:
        found = datetime.strptime(text, "%Y-%m-%d %H:%M:%S UTC")  # noqa: DTZ007 - it is printed as it was written
    except ValueError:
        return text
    form = "d MMMM y 'à' HH:mm:ss"
    return f"{format_datetime(found, form, locale=current().value)} UTC"


def vega_locale() -> dict[str, Any]:
    """Vega's settings of numbers; empty for its own, English."""
    if current() is Language.ENGLISH:
        return {}
    form = {"decimal": ",", "thousands": _THIN, "grouping": [3], "currency": ["", f"{_NO_BREAK}€"]}
    return {"locale": {"number": form | {"percent": f"{_NO_BREAK}%"}}}


def typeset(text: str) -> str:
    """A text with the spaces of the language: none of them breaks before `:`, `;`, `%` or a unit."""
    if current() is Language.ENGLISH:
        return text
    text = re.sub(r"(?<=\S)[ \N{NARROW NO-BREAK SPACE}]?([;?!])(?=\s|$)", rf"{_THIN}\1", text)
    text = re.sub(r"(?<=\S)[ \N{NO-BREAK SPACE}]?(:)(?=\s|$)", rf"{_NO_BREAK}\1", text)
    text = re.sub(r"(?<=\d)%", f"{_NO_BREAK}%", text)
    text = re.sub(r" (?=»)|(?<=«) ", _NO_BREAK, text)
    return re.sub(rf"(?<=\d) (?={_UNIT})", _NO_BREAK, text)


class _Filler(string.Formatter):
    """Fills places: numbers by the rules of the language, sentences of the record in it."""

    def format_field(self, value: Any, format_spec: str) -> str:
        text = format(value, format_spec)
        if isinstance(value, str):
            return recorded(text)
        return localised(text) if isinstance(value, Real) else text


_FILLER = _Filler()


def _filled(template: str, values: dict[str, object]) -> str:
    return typeset(_FILLER.vformat(template, (), values) if values else template)


def _french_number(found: re.Match[str]) -> str:
    whole, decimals = found[1], found[2]
    if len(whole) >= _GROUPED_FROM:
        whole = f"{int(whole):,}".replace(",", _THIN)
    return whole if decimals is None else f"{whole},{decimals}"


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    """The catalogue of a language; read as it is written, so that no compiled copy can differ from it."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    place = resources.files("terrawatt.report") / "locale" / language.value / "LC_MESSAGES" / "report.po"
    compiled = BytesIO()
    with place.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


_COUNTS = frozenset({"n", "min", "few"})  # places that hold a number and nothing else
# A number alone or with its unit; other contents of a place are names.
_AMOUNT = re.compile(r"[+−-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?: ?[^\d\s]{1,4})?")


@cache
def _templates() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What makes the sentences of a record, those with the most words of their own first."""
    from terrawatt.report.recorded import RECORDED

    return tuple((template, pattern_of(template)) for template in sorted(RECORDED, key=_own_letters, reverse=True))


def pattern_of(template: str) -> re.Pattern[str]:
    """What matches all sentences that a template makes."""
    parts, seen = [], set[str]()
    for literal, place, _, _ in string.Formatter().parse(template):
        parts.append(re.escape(literal))
        if place is not None:
            form = r"[\d.,]+" if place in _COUNTS else r"\S|\S.*?\S"
            parts.append(f"(?P={place})" if place in seen else f"(?P<{place}>{form})")
            seen.add(place)
    return re.compile("".join(parts), re.DOTALL)


def _own_letters(template: str) -> int:
    return sum(len(literal) for literal, _, _, _ in string.Formatter().parse(template))


@lru_cache(maxsize=4096)
def _recorded(text: str, language: Language) -> str:
    for template, pattern in _templates():
        found = pattern.fullmatch(text)
        if found:
            places = {name: _place(value, language) for name, value in found.groupdict().items()}
            return typeset(_catalogue(language).gettext(template).format(**places))
    return text


def _place(text: str, language: Language) -> str:
    return localised(text) if _AMOUNT.fullmatch(text) else _recorded(text, language)
