import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import vl_convert

from terrawatt.analysis.pareto import pareto_front
from terrawatt.analysis.table import ColumnKind, Table
from terrawatt.report.figures import FIGURES, Drawing, Skipped
from terrawatt.report.figures.figure import Figure
from terrawatt.report.theme import MAX_COLOURS, PALETTE, specification

MakeTable = Callable[..., Table]

NAMES = [
    "energy_performance",
    "duration_performance",
    "frugality",
    "distributions",
    "energy_energy",
    "correlation_matrix",
    "correlation_ranks",
    "correlation_by_model",
    "covariance_matrix",
    "pca_scree",
    "pca_circle",
    "pca_scores",
    "pca_loadings",
    "pca_by_model",
]
ON_DEMAND = ("tsne",)
OF_THE_MODEL = ("main_effects", "interactions")  # of a sweep, which they need; tests of their own
# Axes that name scenarios, or columns with their units.
WITHOUT_TITLES = (
    "distributions",
    "correlation_matrix",
    "correlation_ranks",
    "correlation_by_model",
    "covariance_matrix",
    "pca_loadings",
    "pca_by_model",
)
# Figures that do not need complete rows of all quantities.
WITHOUT_MATRIX = ("energy_performance", "duration_performance", "distributions", "energy_energy")
# Figures that compare scenarios or models.
COMPARING = ("frugality", "correlation_by_model", "pca_by_model")
MANY_MODELS, MANY_LRS = ("S-CNN-RGB", "S-CNN-All", "InceptionV3-FineTune"), tuple(10.0**-k for k in range(1, 8))


def draw(name: str, table: Table) -> Drawing:
    drawn = FIGURES[name].draw(table)
    assert isinstance(drawn, Drawing), drawn
    return drawn


def axes(part: object) -> Iterator[dict[str, Any]]:
    """All axes of a compiled figure that show anything but grid lines."""
    if isinstance(part, dict):
        for axis in part.get("axes", []):
            if not (axis.get("grid") and not axis.get("labels", True)):
                yield axis
        for value in part.values():
            yield from axes(value)
    elif isinstance(part, list):
        for value in part:
            yield from axes(value)


def text_of(drawn: Drawing) -> str:
    return json.dumps(specification(drawn.chart), ensure_ascii=False)


def test_the_registry_holds_each_figure_under_its_name() -> None:
    assert set(FIGURES) == {*NAMES, *OF_THE_MODEL, *ON_DEMAND}
    assert all(figure.name == name and figure.title for name, figure in FIGURES.items())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("models", "lrs", "n"), [(("S-CNN-RGB", "S-CNN-All"), (0.1,), 3), (MANY_MODELS, MANY_LRS, 10)])
def test_a_figure_compiles_and_every_axis_has_a_title_with_its_unit(
    name: str, models: tuple[str, ...], lrs: tuple[float, ...], n: int, make_table: MakeTable
) -> None:
    table = make_table(models, lrs, n)
    drawn = draw(name, table)
    compiled = vl_convert.vegalite_to_vega(specification(drawn.chart))
    found = list(axes(compiled))
    assert found
    for axis in found:
        title = axis.get("title")
        if title is None:
            assert name in WITHOUT_TITLES
        else:
            assert re.search(r"\(.+\)$|^Principal component$", title), title
    assert drawn.caption.endswith(".")
    assert drawn.alternative.endswith(".")


@pytest.mark.parametrize("name", ["correlation_matrix", "covariance_matrix"])
def test_columns_of_a_matrix_show_their_units(name: str, make_table: MakeTable) -> None:
    text = text_of(draw(name, make_table()))
    assert "Energy (plug) (J)" in text
    assert "Emissions (kg CO2eq)" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_shows_hostile_names_as_they_are(name: str, make_table: MakeTable, hostile: str) -> None:
    drawn = draw(name, make_table((hostile, "b")))
    svg = vl_convert.vegalite_to_svg(specification(drawn.chart))
    assert "<script" not in svg


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_the_same_each_time(name: str, make_table: MakeTable) -> None:
    drawn = [draw(name, make_table()) for _ in range(2)]
    svgs = [vl_convert.vegalite_to_svg(specification(each.chart)) for each in drawn]
    first, second = (re.sub(r"(gradient_|clip)\d+", "", svg) for svg in svgs)  # Vega counts on
    assert first == second


@pytest.mark.parametrize("name", NAMES)
def test_one_repetition_is_drawn_or_skipped_with_a_reason(name: str, make_table: MakeTable) -> None:
    drawn = FIGURES[name].draw(make_table(("a",), n=1))
    if name in WITHOUT_MATRIX:
        assert isinstance(drawn, Drawing)
    elif name in COMPARING:
        assert isinstance(drawn, Skipped)
        assert "one model, or none" in drawn.reason or "1, and 2 are needed" in drawn.reason
    else:
        assert drawn == Skipped("too few complete repetitions to compare quantities: 1, and 3 are needed")


@pytest.mark.parametrize("name", NAMES)
def test_a_table_without_rows_is_skipped(name: str, make_table: MakeTable) -> None:
    table = make_table()
    assert isinstance(FIGURES[name].draw(Table(table.frame.iloc[:0], table.columns)), Skipped)


def test_values_that_are_all_equal_are_drawn(make_table: MakeTable) -> None:
    table = make_table(n=12)
    frame = table.frame.assign(**{"Energy (plug)": 100.0, "Duration": 0.5, "micro_f1": 0.5})
    for name in ("energy_performance", "distributions"):
        svg = vl_convert.vegalite_to_svg(specification(draw(name, Table(frame, table.columns)).chart))
        assert ">0.5</text>" in svg


def test_proportional_quantities_have_one_component_and_neither_circle_nor_scores(make_table: MakeTable) -> None:
    table = make_table()
    line = np.arange(1.0, 7.0)
    frame = table.frame[["Model"]].assign(**{"Energy (plug)": line, "Duration": 2 * line})
    for name in ("pca_circle", "pca_scores"):
        drawn = FIGURES[name].draw(Table(frame, table.columns))
        assert isinstance(drawn, Skipped)
        assert "one component" in drawn.reason


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        ((ColumnKind.PERFORMANCE,), "no score has a value"),
        ((ColumnKind.ENERGY, ColumnKind.EMISSIONS), "no energy has a value"),
    ],
)
def test_energy_against_performance_needs_both(
    kinds: tuple[ColumnKind, ...], reason: str, make_table: MakeTable
) -> None:
    table = make_table()
    without = Table(table.frame.assign(**dict.fromkeys(table.of_kind(*kinds))), table.columns)
    drawn = FIGURES["energy_performance"].draw(without)
    assert isinstance(drawn, Skipped)
    assert drawn.reason.startswith(reason)


def test_energy_and_score_that_never_meet_are_skipped(make_table: MakeTable) -> None:
    table = make_table(("a",), n=2)
    table.frame.loc[0, "Energy (plug)"] = None
    table.frame.loc[1, "micro_f1"] = None
    drawn = FIGURES["energy_performance"].draw(table)
    assert drawn == Skipped("no repetition has both Energy (plug) and micro_f1")


def points_of(drawn: Drawing, field: str) -> list[dict[str, Any]]:
    """The rows of the data set that has a field."""
    sets = specification(drawn.chart)["datasets"].values()
    return next((rows for rows in sets if rows and field in rows[0]), [])


def test_error_bars_are_the_expanded_uncertainty(make_table: MakeTable) -> None:
    table = make_table()
    bars = points_of(draw("energy_performance", table), "low")
    assert len(bars) == 6
    u_kj = table.frame["u Energy (plug)"][0] / 1000
    assert bars[0]["high"] - bars[0]["low"] == pytest.approx(4 * u_kj, rel=1e-4)


def test_bars_that_reach_zero_end_at_the_edge_of_a_logarithmic_axis(make_table: MakeTable) -> None:
    table = make_table()
    frame = table.frame.assign(**{"Energy (plug)": [1.0, 20.0, 60.0, 1e3, 2e3, 4e3], "u Energy (plug)": 30.0})
    drawn = draw("energy_performance", Table(frame, table.columns))
    lows = [row["low"] for row in points_of(drawn, "low")] + [row["x_low"] for row in points_of(drawn, "x_low")]
    assert min(lows) > 0
    assert "cut at the edge" in drawn.caption
    assert "cut at the edge" not in draw("energy_performance", table).caption


def test_many_repetitions_have_no_error_bars_of_their_own(make_table: MakeTable) -> None:
    drawn = draw("energy_performance", make_table(MANY_MODELS, MANY_LRS, 10))
    assert points_of(drawn, "low") == []
    assert "Pale bars" not in drawn.caption


def test_means_have_t_intervals_from_two_repetitions_on(make_table: MakeTable) -> None:
    drawn = draw("energy_performance", make_table(n=1))
    assert "2 of 2 scenarios have one repetition" in drawn.caption
    assert {row["x_low"] for row in points_of(drawn, "x_low")} == {None}


def test_many_scenarios_are_coloured_by_model_and_the_legend_stays_short(make_table: MakeTable) -> None:
    table = make_table(MANY_MODELS, MANY_LRS, 2)
    for name in ("energy_performance", "pca_scores", "distributions"):
        drawn = draw(name, table)
        assert "21 scenarios, pooled by Model." in drawn.caption
        domains = re.findall(r'"domain": (\[[^\]]*\])', text_of(drawn))
        assert all(len(json.loads(domain)) <= MAX_COLOURS for domain in domains)


def test_more_rows_than_colours_share_the_colour_of_their_model(make_table: MakeTable) -> None:
    drawn = draw("distributions", make_table(MANY_MODELS, MANY_LRS[:4], 2))
    scale = json.loads(re.search(r'"scale": (\{"domain": \["S-CNN[^}]*\})', text_of(drawn))[1])  # type: ignore[index]
    assert scale["range"] == [PALETTE[0]] * 4 + [PALETTE[1]] * 4 + [PALETTE[2]] * 4


@pytest.mark.parametrize(("n", "boxes", "densities"), [(4, False, False), (5, True, False), (10, True, True)])
def test_boxes_and_densities_wait_for_enough_repetitions(
    n: int, boxes: bool, densities: bool, make_table: MakeTable
) -> None:
    drawn = draw("distributions", make_table(n=n))
    assert ("Boxes hold" in drawn.caption) is boxes
    assert ("kernel density" in drawn.caption) is densities
    assert bool(points_of(drawn, "base")) is densities
    box = points_of(drawn, "q1")[0]
    assert (box["q1"] < box["x"] < box["q3"]) is boxes


def test_cells_of_a_matrix_hold_numbers_while_there_is_room(make_table: MakeTable) -> None:
    table = make_table()
    assert '"type": "text"' in text_of(draw("correlation_matrix", table))
    noise = np.random.default_rng(0).normal(size=(6, 4))
    more = dict(zip(("Parameters", "FLOPs", "Reads", "Reads count"), noise.T, strict=True))
    wide = draw("correlation_matrix", Table(table.frame.assign(**more), table.columns))
    assert '"type": "text"' not in text_of(wide)


def test_the_covariance_leaves_out_what_has_no_room_and_says_so(make_table: MakeTable) -> None:
    drawn = draw("covariance_matrix", make_table())
    assert "Columns not shown, for room: " in drawn.details
    assert "samples_f1" in drawn.details


@pytest.mark.parametrize("name", [name for name in NAMES if name not in (*WITHOUT_MATRIX, *COMPARING)])
def test_columns_left_out_are_named_with_the_reason(name: str, make_table: MakeTable) -> None:
    details = draw(name, make_table()).details
    assert "constant: Learning rate, Epochs" in details
    assert "no value: Temperature" in details
    assert "an uncertainty: u Energy (plug)" in details


def test_a_figure_that_cannot_be_analysed_is_skipped_but_a_bug_is_not_hidden(make_table: MakeTable) -> None:
    def broken(_table: Table) -> Drawing:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Figure("x", "X", broken).draw(make_table())


def test_the_front_is_a_staircase_and_named_where_legends_are_not_enough(make_table: MakeTable) -> None:
    few, many = (
        draw("energy_performance", make_table(n=5)),
        draw("energy_performance", make_table(MANY_MODELS, MANY_LRS)),
    )
    assert "step-after" in text_of(few)
    assert "Dashed: the Pareto front" in few.caption
    assert "On it:" not in few.caption
    assert re.search(r"On it: 1 S-CNN-RGB · lr [^;]+; 2 ", many.caption)
    assert "step-after" not in text_of(draw("duration_performance", make_table(n=5)))


def test_ellipses_wait_for_five_repetitions_and_for_few_scenarios(make_table: MakeTable) -> None:
    assert "Ellipses" not in draw("energy_performance", make_table(n=4)).caption
    assert "Ellipses" in draw("energy_performance", make_table(n=5)).caption
    assert "Ellipses" not in draw("energy_performance", make_table(MANY_MODELS, MANY_LRS, 5)).caption


def test_without_a_duration_there_is_no_figure_of_it(make_table: MakeTable) -> None:
    table = make_table()
    assert FIGURES["duration_performance"].draw(Table(table.frame.drop(columns="Duration"), table.columns)) == Skipped(
        "no duration has a value"
    )


def test_the_curves_of_frugality_are_few_and_named_where_best(make_table: MakeTable) -> None:
    drawn = draw("frugality", make_table(MANY_MODELS, MANY_LRS, 5))
    rows = points_of(drawn, "w")
    assert len({row["scenario"] for row in rows}) <= 21
    assert len({row["name"] for row in rows}) <= MAX_COLOURS
    assert "In colour" in drawn.caption


def test_bands_of_loadings_are_drawn_where_scenarios_suffice(make_table: MakeTable) -> None:
    assert "No bands: 2 scenarios, and 8 are needed" in draw("pca_loadings", make_table()).caption
    drawn = draw("pca_loadings", make_table(MANY_MODELS, MANY_LRS, 3))
    assert all(row["low"] <= row["loading"] <= row["high"] for row in points_of(drawn, "loading"))


def test_models_stand_side_by_side_and_one_that_is_too_small_is_named(make_table: MakeTable) -> None:
    table = make_table(n=5)
    rows = points_of(draw("correlation_by_model", table), "r")
    assert {row["model"] for row in rows} == {"S-CNN-RGB"}  # each panel has data of its own
    small = Table(table.frame.iloc[:7], table.columns)
    for name in ("correlation_by_model", "pca_by_model"):
        caption = draw(name, small).caption
        assert "Not drawn – S-CNN-All: too few complete repetitions" in caption


def test_of_very_many_scenarios_only_those_on_the_front_have_intervals(
    make_table: MakeTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("terrawatt.report.figures.energy._MANY_MEANS", 5)
    table = make_table(MANY_MODELS, (0.1, 0.01), n=4)
    drawn = draw("energy_performance", table)
    sets = specification(drawn.chart)["datasets"].values()
    means = next(rows for rows in sets if rows and "x_high" in rows[0])
    with_interval = {row["scenario"] for row in means if row["x_high"] is not None}
    front = {point.label for point in pareto_front(table).front}
    assert len(means) == 6
    assert with_interval == front != set()
    assert "only those on the Pareto front have their intervals" in drawn.caption
    assert "are not drawn" in draw("duration_performance", table).caption
    monkeypatch.undo()
    assert "Pareto front have" not in draw("energy_performance", table).caption
