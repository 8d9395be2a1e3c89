"""`terrawatt summary`."""


def summary() -> None:
    """Being written."""
