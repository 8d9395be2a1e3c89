import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.report.export.escape import latex, markdown

NASTY = "a & b_%#$^~{}\\ <b>x</b> | y\n\\input{/etc/passwd} `z` [l](u) é µ CO₂"


def test_names_are_text_for_latex() -> None:
    assert latex("s-cnn_all & 5 %") == r"s-cnn\_all \& 5 \%"
    assert latex(r"\input{x}") == r"\textbackslash{}input\{x\}"
    assert latex("a\nb\x00c\u2028d") == "a b c d"
    assert latex("Éléphant µ² CO₂ – ±") == r"Éléphant \textmu{}\textsuperscript{2} CO\textsubscript{2} -- $\pm$"


def test_names_are_text_for_markdown() -> None:
    assert markdown("a|b") == r"a\|b"
    assert markdown("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert markdown("*x* [l](u) `c` a_b\nnew") == r"\*x\* \[l\](u) \`c\` a\_b new"


@pytest.mark.parametrize("special", list("&%$#_{}~^\\"))
@given(before=st.text(max_size=5), after=st.text(max_size=5))
def test_no_special_character_of_latex_is_left_alone(special: str, before: str, after: str) -> None:
    written = latex(before + special + after)
    commands = re.compile(r"\\text[a-z]+\{\d?\}|\\[&%$#_{}]|\$\\[a-z]+\$")
    assert not re.search(r"[&%$#_{}~^\\]", commands.sub("", written))


@given(st.text(max_size=30))
def test_a_cell_of_markdown_has_one_line_and_no_bare_mark_up(text: str) -> None:
    written = markdown(NASTY + text)
    assert "\n" not in written
    assert not re.search(r"[<>]", written)
    assert not re.search(r"(?<!\\)(?:\\\\)*\|", written)
