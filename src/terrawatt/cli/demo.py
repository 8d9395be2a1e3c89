"""`terrawatt demo`."""


def demo() -> None:
    """Being written."""
