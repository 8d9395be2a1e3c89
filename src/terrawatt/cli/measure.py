"""`terrawatt measure`."""


def measure() -> None:
    """Being written."""
