import numpy as np
import pytest
import torch
from torch.nn import functional as F

from terrawatt.data.bands import PUBLISHED, BandStatistics
from terrawatt.models.inputs import BicubicUpsampling, ImageNetRGB, Images, StandardisedBands, bicubic_matrix
from terrawatt.models.native_bands import NativeBands


@pytest.fixture
def images() -> Images:
    rng = np.random.default_rng(1)
    shapes = ((3, 4, 120, 120), (3, 6, 60, 60), (3, 2, 20, 20))
    return Images(*(torch.from_numpy(rng.integers(0, 10_000, shape).astype(np.uint16)) for shape in shapes))


@pytest.mark.parametrize(("source", "target"), [(60, 120), (20, 120), (20, 60), (7, 31)])
def test_two_matrix_products_are_torchs_bicubic_interpolation(source, target):
    images = 150 * torch.randn(2, 3, source, source, generator=torch.Generator().manual_seed(0))
    wanted = F.interpolate(images, size=(target, target), mode="bicubic", align_corners=False)
    torch.testing.assert_close(BicubicUpsampling(source, target)(images), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("source", [20, 60])
def test_a_flat_image_stays_flat(source):
    torch.testing.assert_close(bicubic_matrix(source, 120).sum(dim=1), torch.ones(120))


def test_twelve_bands_are_upsampled_then_standardised(images):
    prepared = StandardisedBands(PUBLISHED, rgb_only=False)(images)
    upsampled = [F.interpolate(bands.float(), size=120, mode="bicubic") for bands in images]
    mean, std = (torch.tensor(v, dtype=torch.float32).view(-1, 1, 1) for v in (PUBLISHED.mean, PUBLISHED.std))
    torch.testing.assert_close(prepared, (torch.cat(upsampled, dim=1) - mean) / std, rtol=1e-3, atol=1e-3)


def test_rgb_is_the_first_three_bands_standardised(images):
    rgb = Images(images.r10[:, :3].contiguous())
    prepared = StandardisedBands(PUBLISHED, rgb_only=True)(rgb)
    torch.testing.assert_close(prepared, StandardisedBands(PUBLISHED, rgb_only=False)(images)[:, :3])


def test_the_record_says_whose_statistics(images):
    assert PUBLISHED.origin in StandardisedBands(PUBLISHED, rgb_only=True).description


def test_a_band_that_never_varies_is_not_divided_by_zero(images):
    flat = BandStatistics(PUBLISHED.mean, np.zeros(12), "flat")
    assert StandardisedBands(flat, rgb_only=False)(images).isfinite().all()


def test_imagenets_rgb_is_clipped_then_normalised_once():
    numbers = torch.tensor([0, 1500, 3000, 10_000]).to(torch.uint16).view(4, 1, 1, 1).expand(4, 3, 120, 120)
    prepared = ImageNetRGB()(Images(numbers.contiguous()))
    picture = prepared * torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1) + torch.tensor([0.485, 0.456, 0.406]).view(
        3, 1, 1
    )
    torch.testing.assert_close(picture[:, :, 0, 0], torch.tensor([0.0, 0.5, 1.0, 1.0]).view(4, 1).expand(4, 3))


@pytest.mark.parametrize("inputs", [ImageNetRGB(), StandardisedBands(PUBLISHED, rgb_only=False)])
def test_inputs_are_float32_under_autocast_and_learn_nothing(inputs, images):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        prepared = inputs(images)
    assert prepared.dtype == torch.float32
    assert prepared.shape == (3, inputs.n_channels, 120, 120)
    assert list(inputs.parameters()) == []
    assert inputs.state_dict() == {}


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", [StandardisedBands, NativeBands, ImageNetRGB])
def test_a_batch_in_memory_that_is_kept_is_its_images_one_by_one(kind, dtype, memory_format):
    rng = np.random.default_rng(2)
    shapes = ((23, 4, 120, 120), (23, 6, 60, 60), (23, 2, 20, 20))  # more than go through the cache at once
    batch = Images(*(torch.from_numpy(rng.integers(0, 10_000, shape).astype(np.uint16)) for shape in shapes))
    inputs = {
        StandardisedBands: lambda: StandardisedBands(PUBLISHED, rgb_only=False),
        NativeBands: lambda: NativeBands(PUBLISHED),
        ImageNetRGB: ImageNetRGB,
    }[kind]()
    alone = [groups_of(inputs(batch.map(lambda bands, row=row: bands[row : row + 1]))) for row in range(23)]
    inputs.dtype, inputs.memory_format, inputs.keeps_buffers = dtype, memory_format, True
    inputs(batch.map(lambda bands: bands.flip(0)))
    found = groups_of(inputs(batch))
    for position, group in enumerate(found):
        wanted = torch.cat([one[position] for one in alone])
        tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-2, "atol": 1e-3}
        torch.testing.assert_close(group.float(), wanted, **tolerance)
        assert (group.dtype, group.is_contiguous(memory_format=memory_format)) == (dtype, True)
    for group, again in zip(found, groups_of(inputs(batch)), strict=True):
        assert group.data_ptr() == again.data_ptr()


def groups_of(prepared):
    return (prepared,) if isinstance(prepared, torch.Tensor) else prepared
