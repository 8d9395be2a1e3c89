"""The template engine: everything that is put into a page is escaped."""

from functools import cache

import jinja2


@cache
def environment() -> jinja2.Environment:
    """Templates of this package. A name that the page does not have is an error, not an empty place."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("terrawatt.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
