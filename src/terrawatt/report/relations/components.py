"""Principal components in words: how much each explains, and what it is made of."""

from terrawatt.analysis.loadings import Component, Components, Loading
from terrawatt.analysis.statistics import left_out_in_words
from terrawatt.report.relations.statement import Statement
from terrawatt.report.tables import Cell, Header, PageTable

_IN_WORDS = 4  # loadings of a component


def components_statement(found: Components) -> Statement:
    """The components with the largest loadings."""
    said = [_component(component) for component in found.components]
    if found.reason:
        said.append(f"No bands: {found.reason}.")
    drawn = "scenarios" if found.scenarios > 1 else "repetitions"
    bands = f" Bands (95 %) from {found.resamples} draws of {drawn}." if found.resamples else ""
    left_out = left_out_in_words(found.left_out)
    scenarios = f"{found.scenarios} scenario{'' if found.scenarios == 1 else 's'}"
    assumptions = (
        f"{len(found.components[0].loadings)} standardised quantities of {found.n} repetitions of {scenarios}. "
        "A loading is the correlation of a quantity with a component; its contribution, its squared share of the "
        f"component.{bands}{f' Columns left out – {left_out}.' if left_out else ''}"
    )
    return Statement("components", "Principal components", tuple(said), assumptions, _table(found), "Loadings")


def _component(component: Component) -> str:
    low, high = component.explained_low, component.explained_high
    band = "" if low is None or high is None else f" ({100 * low:.0f} to {100 * high:.0f} %)"
    parts = ", ".join(
        f"{loading.quantity} {_number(loading.loading)} ({100 * loading.contribution:.0f} %)"
        for loading in component.loadings[:_IN_WORDS]
    )
    share = f"{100 * component.explained:.1f} % of the variance{band}"
    return f"PC{component.number} holds {share}; most of it: {parts}."


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _table(found: Components) -> PageTable:
    headers = [Header("Quantity", "a column of the table", is_text=True)]
    for component in found.components:
        headers.append(Header(f"PC{component.number}", "loading, with its 95 % band"))
        headers.append(Header(f"contribution to PC{component.number} (%)", "share of the squared loadings"))
    by_name = [{loading.quantity: loading for loading in component.loadings} for component in found.components]
    rows = tuple(
        (Cell(name), *(cell for loadings in by_name for cell in _cells(loadings[name]))) for name in by_name[0]
    )
    return PageTable(tuple(headers), rows)


def _cells(loading: Loading) -> tuple[Cell, Cell]:
    text = _number(loading.loading)
    if loading.low is not None and loading.high is not None:
        text += f" ({_number(loading.low)} to {_number(loading.high)})"
    return Cell(text, f"{loading.loading:.9g}"), Cell(f"{100 * loading.contribution:.1f}")
