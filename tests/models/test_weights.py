import hashlib
import http.server
import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from terrawatt.errors import ModelError
from terrawatt.models import weights
from terrawatt.models.weights import INCEPTION_V3, PretrainedWeights, load_into, locate


@pytest.fixture
def network() -> nn.Module:
    return nn.Linear(2, 1)


@pytest.fixture
def state(tmp_path, network) -> Path:
    """A file of the network's weights, under a name that says nothing."""
    path = tmp_path / "state.pth"
    torch.save({name: value + 1 for name, value in network.state_dict().items()}, path)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def published(path: Path, url: str = "http://127.0.0.1:9/weights.pth") -> PretrainedWeights:
    """Weights whose checksum is that of a file."""
    return PretrainedWeights(url, sha256(path)[:8])


@pytest.fixture
def torch_home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


def test_the_published_file_is_torchvisions():
    from torchvision.models import Inception_V3_Weights

    assert Inception_V3_Weights.IMAGENET1K_V1.url == INCEPTION_V3.url
    assert INCEPTION_V3.file_name == f"inception_v3_google-{INCEPTION_V3.sha256_prefix}.pth"


def test_a_given_file_is_used(state):
    assert locate(INCEPTION_V3, state) == state


def test_a_given_file_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match=r"absent\.pth: no such file.*inception_v3_google-0cc3c7bd\.pth"):
        locate(INCEPTION_V3, tmp_path / "absent.pth")


def test_torchvisions_cache_is_used_without_a_network(torch_home, state, monkeypatch):
    torch_home.mkdir(parents=True)
    cached = state.rename(torch_home / "weights.pth")
    assert locate(published(cached)) == cached


def test_without_a_network_one_line_says_which_file_to_put_where(torch_home, state):
    with pytest.raises(ModelError) as caught:
        locate(published(state))
    message = str(caught.value)
    assert str(torch_home / "weights.pth") in message
    assert "--weights" in message
    assert "\n" not in message
    assert not (torch_home / "weights.pth").exists()


@pytest.fixture
def server(tmp_path):
    """Serves the files of a folder on this machine, quietly."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments) -> None:
            super().__init__(*arguments, directory=str(tmp_path))

        def log_message(self, *_arguments) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_download_goes_into_the_cache(torch_home, state, server):
    path = locate(published(state, f"{server}/state.pth"))
    assert path == torch_home / "state.pth"
    assert sha256(path) == sha256(state)


def test_a_download_of_something_else_is_refused_and_not_kept(torch_home, state, server):
    with pytest.raises(ModelError, match="cannot be downloaded"):
        locate(PretrainedWeights(f"{server}/state.pth", "00000000"))
    assert list(torch_home.iterdir()) == []


def test_a_server_that_never_answers_does_not_hang_us(torch_home, state, monkeypatch):
    import socket

    monkeypatch.setattr(weights, "DOWNLOAD_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/weights.pth"
        with pytest.raises(ModelError, match="timed out"):
            locate(published(state, url))
    assert socket.getdefaulttimeout() is None


def test_weights_are_loaded_and_their_checksum_kept(network, state):
    before = network.weight.detach().clone()
    file = load_into(network, state, published(state))
    torch.testing.assert_close(network.weight.detach(), before + 1)
    assert file.sha256 == sha256(state)


def test_the_checksum_in_a_files_name_counts(network, state):
    named = state.rename(state.with_name(f"mine-{sha256(state)[:8]}.pth"))
    assert load_into(network, named, INCEPTION_V3).path == named


@pytest.mark.parametrize("name", ["mine-0123abcd.pth", "mine.pth"])
def test_another_checksum_than_the_names_or_the_published_one_is_refused(network, state, name):
    renamed = state.rename(state.with_name(name))
    with pytest.raises(ModelError, match=f"{name}: sha256 begins with {sha256(renamed)[:8]}, not"):
        load_into(network, renamed, INCEPTION_V3)


def test_weights_of_another_model_are_refused(state):
    with pytest.raises(ModelError, match=r"no weights of this model \(.*use weights\.pth") as caught:
        load_into(nn.Conv2d(1, 1, 1), state, published(state))
    assert "\n" not in str(caught.value)


def test_weights_of_another_number_of_classes_say_so(tmp_path):
    torch.save(nn.Linear(2, 19).state_dict(), tmp_path / "state.pth")
    with pytest.raises(ModelError, match=r"size mismatch for weight.*\[19, 2\].*\[1000, 2\]") as caught:
        load_into(nn.Linear(2, 1000), tmp_path / "state.pth", published(tmp_path / "state.pth"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 a broken archive"])
def test_a_file_that_is_no_checkpoint_is_refused(network, tmp_path, content):
    path = tmp_path / "state.pth"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="no weights of this model"):
        load_into(network, path, published(path))


def test_code_in_a_checkpoint_is_not_run(network, tmp_path):
    path = tmp_path / "state.pth"
    torch.save({"weight": threading.Thread}, path)
    with pytest.raises(ModelError, match="no weights of this model"):
        load_into(network, path, published(path))
