import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrawatt.errors import UsageError
from terrawatt.models.names import canonical_name
from terrawatt.models.registry import MODELS


@pytest.mark.parametrize(
    ("name", "rgb", "finetune", "canonical"),
    [
        ("ShortCNN", True, None, "s-cnn-rgb"),
        ("ShortCNN", False, None, "s-cnn-all"),
        ("S-CNN", True, None, "s-cnn-rgb"),
        ("S-CNN-RGB", None, None, "s-cnn-rgb"),
        ("S-CNN-All", False, None, "s-cnn-all"),
        ("InceptionV3", None, 0, "inception-v3-transfer"),
        ("InceptionV3", True, 1, "inception-v3-finetune"),
        ("inception_v3", None, 2, "inception-v3-scratch"),
        ("InceptionV3-FromScratch", None, None, "inception-v3-scratch"),
        ("InceptionV3 from scratch", None, 2, "inception-v3-scratch"),
        ("InceptionV3-Transfer", None, None, "inception-v3-transfer"),
        ("InceptionV3-FineTune", True, 1, "inception-v3-finetune"),
        ("K_Branch", None, None, "k-branch"),
        ("Torchvision:ResNet18", None, None, "torchvision:resnet18"),
    ],
)
def test_the_older_names(name, rgb, finetune, canonical):
    assert canonical_name(name, rgb=rgb, finetune=finetune) == canonical


@given(st.sampled_from(list(MODELS)), st.data())
def test_our_names_in_any_case_and_with_other_separators(name, data):
    written = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in name)
    assert canonical_name(written.replace("-", data.draw(st.sampled_from(["", "-", "_", " "])))) == name


@pytest.mark.parametrize(
    ("name", "rgb", "finetune", "message"),
    [
        ("ShortCNN", None, None, "add --rgb 1"),
        ("InceptionV3", None, None, "add --finetune 0"),
        ("InceptionV3", None, 3, "--finetune 3: write 0"),
        ("InceptionV3", False, 0, "leave out --rgb 0"),
        ("s-cnn-all", True, None, "reads all 12 bands: leave out --rgb 1"),
        ("s-cnn-rgb", False, None, "leave out --rgb 0"),
        ("ShortCNN", True, 1, "leave out --finetune 1"),
        ("inception-v3-scratch", None, 0, "leave out --finetune 0"),
        ("s-cnn-al", None, None, "Did you mean s-cnn-all"),
        ("InceptionV4", None, None, "Did you mean inception-v3"),
        ("efficientnet_b0", None, None, "Did you mean torchvision:efficientnet_b0"),
        ("torchvision:resnet19", None, None, "Did you mean torchvision:resnet1"),
        ("torchvision:vit_b_16", None, None, "cannot read images of 120 × 120 pixels"),
        ("torchvision:resnet18", True, None, "write --bands rgb instead of --rgb 1"),
        ("xyz", None, None, "Known: s-cnn-rgb.* and torchvision:NAME"),
        ("", None, None, "unknown model"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_do(name, rgb, finetune, message):
    with pytest.raises(UsageError, match=message):
        canonical_name(name, rgb=rgb, finetune=finetune)
