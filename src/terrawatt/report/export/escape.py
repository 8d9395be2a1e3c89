"""Names as LaTeX and Markdown show them: whatever is in them, it is text and no command."""

import re
import unicodedata

_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "—": "---",
    "·": r"\textperiodcentered{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "°": r"\textdegree{}",
    "µ": r"\textmu{}",
    "μ": r"\textmu{}",
    "²": r"\textsuperscript{2}",
    "³": r"\textsuperscript{3}",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    **{chr(0x2080 + digit): rf"\textsubscript{{{digit}}}" for digit in range(10)},
}
_MARKDOWN = re.compile(r"([\\`*_\[\]|~#$!])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def latex(text: str) -> str:
    """Text for LaTeX (with UTF-8, T1 and textcomp). Letters without a command of their own stay as they are."""
    return "".join(_LATEX.get(character, character) for character in _one_line(text))


def markdown(text: str) -> str:
    """Text for a cell of a Markdown table: no mark-up, no HTML, no end of the cell."""
    text = "".join(_ENTITIES.get(character, character) for character in _one_line(text))
    return _MARKDOWN.sub(r"\\\1", text)


def _one_line(text: str) -> str:
    """Without line ends and control characters, which neither a cell nor TeX can hold."""
    printable = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character for character in text
    )
    return " ".join(printable.split())
