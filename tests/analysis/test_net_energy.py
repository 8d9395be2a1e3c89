"""A shortened version of `benchmarks/net_energy.py`."""

from benchmark_modules import benchmark
from terrawatt.records import Semantics

net_energy = benchmark("net_energy")


def test_where_a_meter_reads_seldom_no_zero_is_given_and_the_error_is_smaller():
    found = net_energy.row(Semantics.MEAN, 30, 60, runs=6)
    assert found.ours.n_zero == 0
    assert found.ours.mean <= found.clipped.mean
    assert 40 <= found.original.mean <= 55  # the research scripts lose a reading's interval of each repetition
    assert found.is_reached


def test_shorter_than_the_interval_is_missing_where_the_scripts_say_0_joules():
    found = net_energy.row(Semantics.MEAN, 30, 20, runs=2)
    n = 2 * net_energy.REPETITIONS
    assert (found.original.n_zero, found.ours.n_zero, found.ours.n_missing) == (n, 0, n)
    assert str(found.ours) == f"none given, {n} missing"
