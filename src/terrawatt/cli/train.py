"""`terrawatt train`."""


def train() -> None:
    """Being written."""
