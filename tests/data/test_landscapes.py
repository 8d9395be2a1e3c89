import numpy as np
import pytest

from terrawatt.data.labels import LABELS_43, TO_19
from terrawatt.data.landscapes import ACQUISITIONS, LANDSCAPES, REGIONS, draw_covers


def test_all_names_are_known_and_all_labels_occur() -> None:
    assert {label for landscape in LANDSCAPES.values() for label in landscape} == set(LABELS_43)
    assert {name for region in REGIONS.values() for name in region} == set(LANDSCAPES)
    assert {seen.region for seen in ACQUISITIONS} == set(REGIONS)


def test_names_of_v1_can_be_told_apart() -> None:
    assert len({(seen.satellite, seen.time) for seen in ACQUISITIONS}) == len(ACQUISITIONS)
    assert {len(seen.time.split("T")[1]) for seen in ACQUISITIONS} == {5, 6}


@pytest.mark.parametrize("region", REGIONS)
def test_draws(region: str) -> None:
    rng = np.random.default_rng(3)
    counts = []
    for _ in range(300):
        labels, shares = draw_covers(region, rng)
        assert len(labels) == len(set(labels)) == len(shares)
        assert sum(shares) == pytest.approx(1)
        assert min(shares) >= 0.1 - 1e-9
        assert any(TO_19[label] is not None for label in labels)
        counts.append(len(labels))
    assert 1 < np.mean(counts) < 4


def test_labels_meet_where_they_do_in_nature() -> None:
    rng = np.random.default_rng(4)
    draws = [{LABELS_43[label] for label in draw_covers(region, rng)[0]} for region in REGIONS for _ in range(400)]
    together = {frozenset(pair) for names in draws for pair in ((a, b) for a in names for b in names if a < b)}
    assert frozenset({"Coniferous forest", "Mixed forest"}) in together
    assert frozenset({"Olive groves", "Vineyards"}) in together
    assert frozenset({"Olive groves", "Peatbogs"}) not in together
    assert frozenset({"Rice fields", "Bare rock"}) not in together
    sea = [names for names in draws if "Sea and ocean" in names]
    assert sum(names == {"Sea and ocean"} for names in sea) > len(sea) / 2
