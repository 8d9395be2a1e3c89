"""Principal components in words: how much each explains, and what it is made of."""

from terrawatt.analysis.loadings import Component, Components, Loading
from terrawatt.report.language import decimal, say, say_n
from terrawatt.report.left_out import left_out_words
from terrawatt.report.relations.statement import Statement
from terrawatt.report.tables import Cell, Header, PageTable

_IN_WORDS = 4  # loadings of a component


def components_statement(found: Components) -> Statement:
    """The components with the largest loadings."""
    said = [_component(component) for component in found.components]
    if found.reason:
        said.append(say("No bands: {reason}.", reason=found.reason))
    drawn = say("scenarios") if found.scenarios > 1 else say("repetitions")
    bands = (
        say(" Bands (95 %) from {resamples} draws of {drawn}.", resamples=found.resamples, drawn=drawn)
        if found.resamples
        else ""
    )
    left_out = left_out_words(found.left_out)
    scenarios = say_n("{scenarios} scenario", "{scenarios} scenarios", found.scenarios, scenarios=found.scenarios)
    assumptions = say(
        "{n_loadings} standardised quantities of {n} repetitions of {scenarios}. A loading is "
        "the correlation of a quantity with a component; its contribution, its squared share of "
        "the component.{bands}{what}",
        n_loadings=len(found.components[0].loadings),
        n=found.n,
        scenarios=scenarios,
        bands=bands,
        what=say(" Columns left out – {left_out}.", left_out=left_out) if left_out else "",
    )
    return Statement(
        "components", say("Principal components"), tuple(said), assumptions, _table(found), say("Loadings")
    )


def _component(component: Component) -> str:
    low, high = component.explained_low, component.explained_high
    band = "" if low is None or high is None else say(" ({low:.0f} to {high:.0f} %)", low=100 * low, high=100 * high)
    parts = ", ".join(
        f"{loading.quantity} {_number(loading.loading)} ({decimal(100 * loading.contribution, '.0f')} %)"
        for loading in component.loadings[:_IN_WORDS]
    )
    share = say("{explained:.1f} % of the variance{band}", explained=100 * component.explained, band=band)
    return say("PC{number} holds {share}; most of it: {parts}.", number=component.number, share=share, parts=parts)


def _number(value: float) -> str:
    return decimal(value, ".2f").replace("-", "−")


def _table(found: Components) -> PageTable:
    headers = [Header(say("Quantity"), say("a column of the table"), is_text=True)]
    for component in found.components:
        headers.append(Header(say("PC{n}", n=component.number), say("loading, with its 95 % band")))
        headers.append(
            Header(say("contribution to PC{number} (%)", number=component.number), say("share of the squared loadings"))
        )
    by_name = [{loading.quantity: loading for loading in component.loadings} for component in found.components]
    rows = tuple(
        (Cell(name), *(cell for loadings in by_name for cell in _cells(loadings[name]))) for name in by_name[0]
    )
    return PageTable(tuple(headers), rows)


def _cells(loading: Loading) -> tuple[Cell, Cell]:
    text = _number(loading.loading)
    if loading.low is not None and loading.high is not None:
        text += say(" ({low} to {high})", low=_number(loading.low), high=_number(loading.high))
    return Cell(text, f"{loading.loading:.9g}"), Cell(f"{decimal(100 * loading.contribution, '.1f')}")
