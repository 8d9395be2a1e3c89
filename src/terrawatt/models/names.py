"""Other names of the models: those of the older scripts, of their tables and of their options.

`--model ShortCNN --rgb 1`, `S-CNN-RGB`, `InceptionV3-FromScratch` or `--model InceptionV3 --finetune 2` all mean a
model of the registry. Letters' case, spaces, `-` and `_` do not matter.
"""

from terrawatt.errors import UsageError
from terrawatt.models.registry import MODELS, Start, find, near_names
from terrawatt.models.torchvision_names import PREFIX

FINETUNE_STARTS = {0: Start.TRANSFER, 1: Start.FINETUNE, 2: Start.SCRATCH}

_ALIASES = {
    "shortcnnrgb": "s-cnn-rgb",
    "shortcnnall": "s-cnn-all",
    "inceptionv3fromscratch": "inception-v3-scratch",
    "inceptionv3transferlearning": "inception-v3-transfer",
    "inceptionv3finetuning": "inception-v3-finetune",
}
_S_CNN = {"scnn", "shortcnn"}
_INCEPTION = {"inceptionv3", "inception"}


def canonical_name(name: str, *, rgb: bool | None = None, finetune: int | None = None) -> str:
    """The registry's name of a model named in any of the known ways.

    Args:
        name: as given with `--model`.
        rgb: as given with `--rgb`; chooses between S-CNN-RGB and S-CNN-All.
        finetune: as given with `--finetune`: 0 transfer, 1 fine-tune, 2 from scratch.

    Raises:
        UsageError: the name is unknown (names the near ones), needs `--rgb` or `--finetune`, or contradicts them.
    """
    squeezed = _squeeze(name)
    if name.lower().startswith(PREFIX):
        canonical = find(name.lower()).name
    elif squeezed in _S_CNN:
        canonical = _s_cnn(name, rgb)
    elif squeezed in _INCEPTION:
        canonical = _inception(name, finetune)
    else:
        canonical = _ALIASES.get(squeezed) or {_squeeze(known): known for known in MODELS}.get(squeezed, "")
    if not canonical:
        raise UsageError(f"--model {name}: unknown model.{near_names(name.lower())}")
    _refuse_contradictions(name, canonical, rgb, finetune)
    return canonical


def _squeeze(name: str) -> str:
    return "".join(character for character in name.lower() if character not in " -_")


def _s_cnn(name: str, rgb: bool | None) -> str:
    if rgb is None:
        raise UsageError(f"--model {name}: add --rgb 1 (B04, B03, B02) or --rgb 0 (all 12 bands)")
    return "s-cnn-rgb" if rgb else "s-cnn-all"


def _inception(name: str, finetune: int | None) -> str:
    if finetune is None:
        raise UsageError(
            f"--model {name}: add --finetune 0 (only the classification layer learns), 1 (all learn, from ImageNet "
            "weights) or 2 (from scratch), or name inception-v3-transfer, inception-v3-finetune, inception-v3-scratch"
        )
    if finetune not in FINETUNE_STARTS:
        raise UsageError(f"--finetune {finetune}: write 0 (transfer), 1 (fine-tune) or 2 (from scratch)")
    return f"inception-v3-{FINETUNE_STARTS[finetune]}"


def _refuse_contradictions(name: str, canonical: str, rgb: bool | None, finetune: int | None) -> None:
    spec = find(canonical)
    if rgb is not None and spec.takes_bands:
        raise UsageError(f"--model {name}: write --bands {'rgb' if rgb else 'all'} instead of --rgb {int(rgb)}")
    if rgb is not None and rgb != spec.rgb_only:
        reads = "B04, B03, B02 only" if spec.rgb_only else "all 12 bands"
        raise UsageError(f"--model {name} reads {reads}: leave out --rgb {int(rgb)}")
    if finetune is not None and canonical != f"inception-v3-{FINETUNE_STARTS.get(finetune)}":
        raise UsageError(f"--model {name} is {spec.description}: leave out --finetune {finetune}")
