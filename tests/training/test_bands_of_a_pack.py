"""A pack of RGB alone serves models of RGB; others refuse it before anything is measured."""

from pathlib import Path

import pytest

from terrawatt.data.archive import open_archive
from terrawatt.data.bands import RGB_RESOLUTIONS
from terrawatt.data.pack import Pack
from terrawatt.data.packer import Packing, pack_archive
from terrawatt.data.synth import synthesise
from terrawatt.errors import TrainingError
from terrawatt.training.suitability import check_pack


def test_a_pack_of_rgb_alone(options, tmp_path: Path) -> None:
    synthesise(tmp_path / "v1", version="v1", patches=12, seed=1)
    pack = Pack.open(pack_archive(open_archive(tmp_path / "v1"), tmp_path / "rgb", Packing(RGB_RESOLUTIONS)).path)
    check_pack(options(model="s-cnn-rgb", batch=2), pack)
    with pytest.raises(TrainingError, match="holds B04, B03, B02 alone, and s-cnn-all reads more; pack all bands"):
        check_pack(options(model="s-cnn-all", batch=2), pack)
