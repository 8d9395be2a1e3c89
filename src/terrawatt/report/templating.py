"""The template engine: everything that is put into a page is escaped."""

import base64
import gzip
import json
from functools import cache
from typing import Any

import jinja2

from terrawatt.report.language import current, decimal, moment, recorded, say, say_n, typeset


@cache
def environment() -> jinja2.Environment:
    """Templates of this package. A name that the page does not have is an error, not an empty place."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("terrawatt.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "ensure_ascii": False}  # a page holds megabytes
    made.filters |= {"packed": packed, "decimal": decimal, "typeset": typeset}
    made.globals |= {"say": say, "say_n": say_n, "recorded": recorded, "moment": moment, "spoken": current}
    return made


def packed(value: Any) -> str:
    """A value as JSON, gzip and base64, which `embed.js` unpacks; a tenth of the size where names repeat."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return base64.b64encode(gzip.compress(text.encode("utf-8"), mtime=0)).decode("ascii")
