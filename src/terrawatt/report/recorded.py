"""Sentences that the record holds in English, as the analysis writes them: the templates that make them."""

RECORDED: tuple[str, ...] = ()
