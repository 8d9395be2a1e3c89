"""The classifiers of torchvision, mostly on torch's device `meta`, which has shapes but no memory."""

import pytest
import torch
import torchvision
from torch import nn

from terrawatt.data.bands import PUBLISHED
from terrawatt.models.inputs import Images
from terrawatt.models.registry import find
from terrawatt.models.torchvision_classifier import adapt_first_convolution, classifier
from terrawatt.models.torchvision_names import NAMES, PREFIX, UNSUITABLE, has_batch_norm

ONE_OF_EACH_FAMILY = (
    "alexnet",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "googlenet",
    "inception_v3",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet50",
    "resnext50_32x4d",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "swin_t",
    "swin_v2_t",
    "vgg11",
    "vgg11_bn",
    "wide_resnet50_2",
)


def test_the_names_are_torchvisions():
    assert {*NAMES, *UNSUITABLE} == set(torchvision.models.list_models(module=torchvision.models))
    assert not set(NAMES) & set(UNSUITABLE)


@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
@pytest.mark.parametrize("n_channels", [3, 12])
def test_each_family_reads_our_images_and_gives_a_logit_a_label(name, n_channels):
    with torch.device("meta"):
        network = classifier(name, n_channels, 19).train()
        assert network(torch.empty(2, n_channels, 120, 120)).shape == (2, 19)
    norms = (nn.BatchNorm1d, nn.BatchNorm2d)
    assert any(isinstance(part, norms) for part in network.modules()) == has_batch_norm(name)


@pytest.mark.parametrize("name", ["maxvit_t", "vit_b_16", "vit_b_32"])
def test_what_is_called_unsuitable_is(name):
    with torch.device("meta"), pytest.raises((AssertionError, RuntimeError)):
        classifier(name, 3, 19)(torch.empty(2, 3, 120, 120))


@pytest.mark.parametrize("bands", ["all", "rgb"])
def test_a_real_one_learns(bands):
    torch.manual_seed(0)
    spec = find(f"{PREFIX}regnet_x_400mf").reading(bands)
    model = spec.build(19, PUBLISHED)
    shapes = ((2, 3, 120, 120),) if spec.rgb_only else ((2, 4, 120, 120), (2, 6, 60, 60), (2, 2, 20, 20))
    logits = model(Images(*(torch.full(shape, 900, dtype=torch.uint16) for shape in shapes)))
    assert logits.shape == (2, 19)
    logits.square().mean().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_only_the_first_convolution_is_made_anew():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False)), nn.Conv2d(8, 4, 1))
    second = network[1].weight.clone()
    adapt_first_convolution(network, 12)
    first = network.get_submodule("0.0")
    assert (first.in_channels, first.out_channels, first.kernel_size, first.stride) == (12, 8, (3, 3), (2, 2))
    assert first.bias is None
    torch.testing.assert_close(network[1].weight, second, rtol=0, atol=0)
    adapt_first_convolution(network, 12)
    assert network.get_submodule("0.0") is first
