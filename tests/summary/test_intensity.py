import numpy as np
import pytest

from run_folders import T0, S
from terrawatt.errors import AnalysisError, UsageError
from terrawatt.summary.intensity import given_intensity, read_intensity, recorded_intensity
from terrawatt.summary.summarise import summarise


@pytest.fixture
def csv(tmp_path):
    def write(text, name="grid.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_times_in_utc_with_and_without_an_offset(csv):
    found = read_intensity(
        csv("time,g_per_kwh\n2026-09-21T12:00:00Z,50\n2026-09-21 14:15:00+02:00,60\n2026-09-21T12:30,\n")
    )
    assert np.diff(found.t_ns).tolist() == [900 * S, 900 * S]
    assert found.g_per_kwh.tolist()[:2] == [50, 60]
    assert np.isnan(found.g_per_kwh[2])
    assert found.end_ns - found.t_ns[-1] == 900 * S


def test_the_export_of_electricity_maps(csv):
    header = "Datetime (UTC),Country,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle)"
    found = read_intensity(csv(f"{header}\n2026-01-01 00:00:00,France,20.1,40.2\n2026-01-01 01:00:00,France,21,41\n"))
    assert found.g_per_kwh.tolist() == [40.2, 41]


def test_two_columns_may_be_called_as_they_like(csv):
    assert read_intensity(csv("Heure,taux_co2\n2026-01-01,33\n")).g_per_kwh.tolist() == [33]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "no carbon intensity in it"),
        ("time,g_per_kwh\n", "no carbon intensity in it"),
        ("a,b,c\n1,2,3\n", "line 1: which column"),
        ("time,g_per_kwh\n2026-01-01,much\n", "line 2: not a time and an intensity"),
        ("time,g_per_kwh\nyesterday,5\n", "line 2: not a time"),
        ("time,g_per_kwh\n2026-01-01,-5\n", "line 2: .* is not from 0 on"),
        ("time,g_per_kwh\n2026-01-01,5\n2026-01-02\n", "line 3"),
        ("time,g_per_kwh\n2026-01-02,5\n2026-01-01,5\n", "line 3: times must rise"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(csv, text, where):
    with pytest.raises(AnalysisError, match=where):
        read_intensity(csv(text))


def test_a_number_or_a_file_is_given(csv):
    assert given_intensity("56").g_per_kwh.tolist() == [56]
    assert given_intensity(str(csv("time,g\n2026-01-01,5\n"))).origin == "grid.csv"
    with pytest.raises(UsageError, match="from 0 on"):
        given_intensity("-1")
    with pytest.raises(AnalysisError, match="cannot be read"):
        given_intensity("nowhere.csv")


def test_what_the_manifest_says(csv):
    path = csv("time,g\n2026-01-01,5\n")
    yearly = {"g_per_kwh": 56.0, "u_percent": None, "origin": "FRA by codecarbon 3.3.2", "is_yearly_mean": True}
    assert recorded_intensity({"intensity": yearly}).u_relative == 0.3
    assert recorded_intensity({"intensity": {"g_per_kwh": 56.0, "u_percent": None}}).u_relative == 0.1
    assert recorded_intensity({"intensity": {"g_per_kwh": 56.0, "u_percent": 0}}).u_relative == 0
    assert recorded_intensity({"intensity": {"file": str(path), "u_percent": 5}}).u_relative == 0.05
    assert "cannot be read" in recorded_intensity({"intensity": {"file": "/nowhere.csv"}})
    assert recorded_intensity({"intensity": {"missing": "CodeCarbon has ended"}}) == "CodeCarbon has ended"
    assert "names no carbon intensity" in recorded_intensity({"enabled": True})


def test_the_table_and_the_record_hold_the_emissions_of_each_source(make_run, tmp_path):
    result = summarise([make_run()], tmp_path / "a", figures=False)
    row = result.table.frame.iloc[0]
    assert row["Emissions (plug)"] == pytest.approx(5400 / 3.6e6 * 0.056)
    relative = np.hypot(row["u Energy gross (plug)"] / row["Energy gross (plug)"], 0.1)
    assert row["u Emissions (plug)"] == pytest.approx(relative * row["Emissions (plug)"])
    columns = list(result.table.frame)
    assert columns.index("u Energy gross (plug)") + 1 == columns.index("Emissions (plug)")
    assert columns.index("u Emissions (plug)") + 1 == columns.index("Emissions")


def test_an_intensity_given_to_the_summary_wins(make_run, tmp_path, csv):
    moments = [np.datetime64(T0 + t * S, "ns") for t in (0, 110, 500)]
    path = csv("time,g_per_kwh\n" + "".join(f"{str(m)[:26]},{g}\n" for m, g in zip(moments, (50, 100, 0), strict=True)))
    result = summarise([make_run()], tmp_path / "a", figures=False, intensity=given_intensity(str(path)))
    per_kwh = result.table.frame["Emissions (plug)"] / result.table.frame["Energy gross (plug)"] * 3.6e6
    # Repetitions of 60 s from 80 s on: the first is half before and half after the change.
    assert per_kwh.tolist() == pytest.approx([0.075, 0.1, 0.1])


def test_without_an_intensity_the_cell_is_empty_with_the_reason(make_run, tmp_path):
    result = summarise([make_run(1, emissions=(("enabled", True),))], tmp_path / "a", figures=False)
    row = result.table.frame.iloc[0]
    assert np.isnan(row["Emissions (plug)"])
    assert "Emissions (plug): the run's manifest names no carbon intensity" in row["Verdict"]
