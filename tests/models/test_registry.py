import subprocess
import sys

import pytest

from terrawatt.data.bands import PUBLISHED
from terrawatt.errors import UsageError
from terrawatt.models.registry import MODELS, Start, find

COUNTS = [  # docs/models.md: model, hidden, parameters with 43 and with 19 classes
    ("s-cnn-rgb", 128, 7_425_035, 7_421_939),
    ("s-cnn-all", 128, 7_432_235, 7_429_139),
    ("s-cnn-rgb", 0, 2_523_403, 1_140_979),
    ("s-cnn-all", 0, 2_530_603, 1_148_179),
    ("inception-v3-scratch", None, 21_873_675, 21_824_499),
    ("k-branch", None, 9_459_019, 9_455_923),
    ("resnet-50-all", None, 23_624_363, 23_575_187),
]


@pytest.mark.parametrize(("name", "hidden", "with_43", "with_19"), COUNTS)
def test_parameter_counts_equal_the_published_table(name, hidden, with_43, with_19):
    counts = [MODELS[name].build(n, PUBLISHED, hidden=hidden).n_parameters() for n in (43, 19)]
    assert counts == [with_43, with_19]


def test_s_cnn_has_128_hidden_units_unless_told():
    assert MODELS["s-cnn-rgb"].build(19, PUBLISHED).n_parameters() == 7_421_939


def test_the_models():
    assert list(MODELS) == [
        "s-cnn-rgb",
        "s-cnn-all",
        "inception-v3-scratch",
        "inception-v3-transfer",
        "inception-v3-finetune",
        "k-branch",
        "resnet-50-all",
    ]
    assert {name: spec.start for name, spec in MODELS.items() if spec.start is not Start.SCRATCH} == {
        "inception-v3-transfer": Start.TRANSFER,
        "inception-v3-finetune": Start.FINETUNE,
    }
    assert [name for name, spec in MODELS.items() if not spec.rgb_only] == ["s-cnn-all", "k-branch", "resnet-50-all"]


def test_an_unknown_name_brings_the_near_ones():
    with pytest.raises(UsageError, match=r"s-cnn-al'.*Did you mean s-cnn-all"):
        find("s-cnn-al")


def test_names_and_options_need_no_torch():
    code = "import sys, terrawatt.models.names, terrawatt.training.options; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
