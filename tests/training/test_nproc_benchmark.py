from benchmark_modules import benchmark


def test_a_shortened_benchmark_measures_both_kinds_in_pairs(tmp_path):
    nproc = benchmark("nproc")
    (pair,) = nproc.measure(tmp_path, pairs=1, patches=16, epochs=2, batch=4)
    assert pair.one > 0
    assert pair.two > 0
    assert pair.ratio == pair.two / pair.one
