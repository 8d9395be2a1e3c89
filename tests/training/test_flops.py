import pytest

from terrawatt.data.bands import PUBLISHED
from terrawatt.models.registry import MODELS
from terrawatt.training.flops import forward_flops


@pytest.mark.parametrize(
    ("name", "hidden", "gmac"),
    [
        ("s-cnn-rgb", 128, 0.151),
        ("s-cnn-all", 128, 0.254),
        ("s-cnn-rgb", 0, 0.146),
        ("s-cnn-all", 0, 0.250),
        ("inception-v3-scratch", None, 0.58),
        ("k-branch", None, 0.1835),
        ("resnet-50-all", None, 1.360),
    ],
)
def test_twice_the_multiply_accumulates_of_the_table(name, hidden, gmac):
    model = MODELS[name].build(43, PUBLISHED, hidden=hidden)
    assert forward_flops(model) / 2e9 == pytest.approx(gmac, rel=0.01)


def test_the_model_stays_as_it_was():
    model = MODELS["inception-v3-scratch"].build(19, PUBLISHED).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    forward_flops(model)
    assert model.training
    assert all((value == before[name]).all() for name, value in model.state_dict().items())
