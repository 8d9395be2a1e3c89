import torch

from terrawatt.data.bands import PUBLISHED
from terrawatt.models.inputs import Images
from terrawatt.models.native_bands import NativeBands
from terrawatt.models.registry import find


def images(n: int = 2) -> Images:
    generator = torch.Generator().manual_seed(0)
    shapes = ((n, 4, 120, 120), (n, 6, 60, 60), (n, 2, 20, 20))
    return Images(*(torch.randint(0, 9000, shape, generator=generator).to(torch.uint16) for shape in shapes))


def test_its_parameters_are_those_of_its_layers_added_up():
    """Of each convolution and layer: inputs × outputs × kernel², and a bias an output."""
    r10 = 4 * 32 * 25 + 32 + 32 * 32 * 25 + 32 + 32 * 64 * 9 + 64 + 64 * 30 * 30 * 128 + 128
    r20 = 6 * 32 * 9 + 32 + 32 * 32 * 9 + 32 + 32 * 64 * 9 + 64 + 64 * 15 * 15 * 128 + 128
    r60 = 2 * 32 * 4 + 32 + 32 * 32 * 4 + 32 + 32 * 32 * 4 + 32 + 32 * 5 * 5 * 128 + 128
    fused = 3 * 128 * 128 + 128 + 128 * 19 + 19
    assert find("k-branch").build(19, PUBLISHED).n_parameters() == r10 + r20 + r60 + fused


def test_the_bands_are_standardised_at_their_own_resolutions():
    given = images()
    prepared = NativeBands(PUBLISHED)(given)
    assert [tuple(one.shape) for one in prepared] == [tuple(one.shape) for one in given if one is not None]
    mean, std = (torch.tensor(v, dtype=torch.float32).view(-1, 1, 1) for v in (PUBLISHED.mean, PUBLISHED.std))
    for one, values, bands in zip(prepared, given, (slice(0, 4), slice(4, 10), slice(10, 12)), strict=True):
        torch.testing.assert_close(one, (values.float() - mean[bands]) / std[bands])


def test_every_branch_reaches_the_logits_and_learns():
    torch.manual_seed(1)
    model = find("k-branch").build(19, PUBLISHED)
    logits = model(images())
    assert logits.shape == (2, 19)
    logits.square().mean().backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in model.parameters())


def test_dropout_is_off_when_it_predicts():
    model = find("k-branch").build(19, PUBLISHED).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(images()), model(images()), rtol=0, atol=0)
