"""Reads the pages of the documentation: their blocks of code."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`]*)$")
_MARKER = re.compile(r"^<!-- not run: (?P<reason>.+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code.

    Attributes:
        page: its page.
        line: of its fence, from 1.
        language: as the fence says, e.g. `sh`; empty for none.
        title: as the fence says.
        lines: inside.
        reason: why it is not run, of the marker before it; empty: it is.
    """

    page: Path
    line: int
    language: str
    title: str
    lines: tuple[str, ...]
    reason: str = ""

    @property
    def text(self) -> str:
        """The lines as a text."""
        return "\n".join(self.lines) + "\n"

    @property
    def where(self) -> str:
        """Page and line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in their order."""
    found: list[Block] = []
    fence, start, info, inside, before = "", 0, "", list[str](), ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        opened = _FENCE.match(line)
        if fence:
            if line.strip() == fence:
                found.append(_block(page, start, info, inside, before))
                fence, before = "", ""
            else:
                inside.append(line)
        elif opened:
            fence, start, info, inside = opened["fence"], number, opened["info"].strip(), []
        elif line.strip():
            before = line.strip()
    assert not fence, f"{page}:{start}: a block without an end"
    return found


def titled(page: Path, title: str) -> str:
    """The one block of a page with this title."""
    (found,) = [block for block in blocks(page) if block.title == title]
    return found.text


def _block(page: Path, line: int, info: str, inside: list[str], before: str) -> Block:
    language, _, rest = info.partition(" ")
    title = re.search(r'title="([^"]*)"', rest)
    marked = _MARKER.match(before)
    return Block(page, line, language, title[1] if title else "", tuple(inside), marked["reason"] if marked else "")
