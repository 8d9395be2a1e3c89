import pytest

from terrawatt.errors import AnalysisError
from terrawatt.records import ExecutionResult, SeriesKey, Severity, Verdict, Window


def test_a_window_knows_its_length() -> None:
    assert Window(0, 1_500_000_000).duration_s == 1.5


@pytest.mark.parametrize("end_ns", [5, 4])
def test_a_window_that_does_not_end_after_its_start_is_refused(end_ns: int) -> None:
    with pytest.raises(AnalysisError, match="clock"):
        Window(5, end_ns)


def test_series_keys_are_equal_whatever_the_order_of_their_tags() -> None:
    assert SeriesKey.of("cpu", "usage_user", host="a", cpu="cpu-total") == SeriesKey(
        "cpu", "usage_user", (("cpu", "cpu-total"), ("host", "a"))
    )


def test_a_series_key_reads_like_line_protocol() -> None:
    key = SeriesKey.of("cpu", "usage_user", host="a", cpu="cpu-total")
    assert str(key) == "cpu,cpu=cpu-total,host=a usage_user"
    assert key.tag("host") == "a"
    assert key.tag("sensor") is None


def test_a_verdict_names_its_column() -> None:
    assert str(Verdict("no-sensor", Severity.NOTE, "no sensor", column="Temperature")) == "note: Temperature: no sensor"
    assert str(Verdict("gap", Severity.DOUBTFUL, "a gap of 5 s")) == "doubtful: a gap of 5 s"


@pytest.mark.parametrize(
    ("result", "succeeded"),
    [(ExecutionResult(0), True), (ExecutionResult(1), False), (ExecutionResult(None, signal=9), False)],
)
def test_only_exit_code_0_is_success(result: ExecutionResult, succeeded: bool) -> None:
    assert result.succeeded is succeeded
