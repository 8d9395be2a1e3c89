"""The classifiers of torchvision that can be named, without importing torch: `torchvision:resnet50`."""

PREFIX = "torchvision:"

# Families without batch normalisation, which can be trained on a batch of one image.
_WITHOUT_BATCH_NORM = (
    "alexnet",
    *(f"convnext_{size}" for size in ("tiny", "small", "base", "large")),
    "squeezenet1_0",
    "squeezenet1_1",
    *(f"swin{version}_{size}" for version in ("", "_v2") for size in ("t", "s", "b")),
    *(f"vgg{layers}" for layers in (11, 13, 16, 19)),
)

_WITH_BATCH_NORM = (
    *(f"densenet{layers}" for layers in (121, 161, 169, 201)),
    *(f"efficientnet_b{number}" for number in range(8)),
    *(f"efficientnet_v2_{size}" for size in ("s", "m", "l")),
    "googlenet",
    "inception_v3",
    *(f"mnasnet{width}" for width in ("0_5", "0_75", "1_0", "1_3")),
    "mobilenet_v2",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
    *(f"regnet_x_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")),
    *(f"regnet_y_{size}" for size in ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf", "128gf")),
    *(f"resnet{layers}" for layers in (18, 34, 50, 101, 152)),
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
    *(f"shufflenet_v2_x{width}" for width in ("0_5", "1_0", "1_5", "2_0")),
    *(f"vgg{layers}_bn" for layers in (11, 13, 16, 19)),
    "wide_resnet50_2",
    "wide_resnet101_2",
)

# Why a classifier of torchvision cannot read images of 120 × 120 pixels.
UNSUITABLE = {
    "maxvit_t": "its windows divide images of 224 pixels",
    **{
        f"vit_{size}_{patch}": f"it reads images of 224 pixels, and {patch} does not divide 120"
        for size, patch in (("b", 16), ("b", 32), ("l", 16), ("l", 32), ("h", 14))
    },
}

NAMES = tuple(sorted((*_WITHOUT_BATCH_NORM, *_WITH_BATCH_NORM)))


def has_batch_norm(name: str) -> bool:
    """Whether a classifier cannot be trained on a batch of one image."""
    return name not in _WITHOUT_BATCH_NORM
