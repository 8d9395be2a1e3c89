"""`terrawatt run`."""


def run() -> None:
    """Being written."""
