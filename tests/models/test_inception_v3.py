"""The three modes: what learns, and what changes when it does."""

import pytest
import torch

from terrawatt.data.bands import PUBLISHED
from terrawatt.models.inputs import Images
from terrawatt.models.registry import MODELS

HEAD = {"network.fc.weight", "network.fc.bias"}


@pytest.fixture
def build(weights_file):
    def make(mode: str):
        torch.manual_seed(0)
        spec = MODELS[f"inception-v3-{mode}"]
        return spec.build(19, PUBLISHED, weights=weights_file if spec.takes_weights else None)

    return make


def train_two_steps(model) -> tuple[set[str], set[str]]:
    """Names of the parameters and of the buffers that two steps of SGD change."""
    before = {name: value.clone() for name, value in model.state_dict().items()}
    generator = torch.Generator().manual_seed(1)
    images = Images(torch.randint(0, 3000, (2, 3, 120, 120), generator=generator).to(torch.uint16))
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.train()
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(model(images), torch.ones(2, 19)).backward()
        optimizer.step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    parameters = {name for name, _ in model.named_parameters()}
    return changed & parameters, changed - parameters


def trainable(model) -> set[str]:
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("mode", ["scratch", "finetune"])
def test_everything_learns_from_scratch_and_in_fine_tuning(build, mode):
    model = build(mode)
    everything = {name for name, _ in model.named_parameters()}
    assert trainable(model) == everything
    parameters, buffers = train_two_steps(model)
    assert parameters == everything
    assert buffers == {name for name, _ in model.named_buffers() if name.startswith("network.")}


def test_transfer_learning_changes_the_head_and_no_statistic(build):
    model = build("transfer")
    assert trainable(model) == HEAD
    assert model.n_parameters(trainable_only=True) == 2048 * 19 + 19
    assert train_two_steps(model) == (HEAD, set())


def test_a_frozen_backbone_stays_in_eval_while_the_head_trains(build):
    model = build("transfer").train()
    assert not model.network.Conv2d_1a_3x3.bn.training
    assert not model.network.Mixed_7c.training
    assert model.network.fc.training
    assert model.network.dropout.training
    assert model.training
    model.eval()
    assert not model.network.dropout.training


def test_what_each_mode_begins_with(build, weights_file):
    given = torch.load(weights_file, weights_only=True)
    scratch, transfer, finetune = (build(mode).network.state_dict() for mode in ("scratch", "transfer", "finetune"))
    backbone = [name for name in scratch if not name.startswith("fc.")]
    assert all(torch.equal(transfer[name], given[name]) for name in backbone)
    assert all(torch.equal(finetune[name], given[name]) for name in backbone)
    assert not torch.equal(scratch["Conv2d_1a_3x3.conv.weight"], given["Conv2d_1a_3x3.conv.weight"])
    assert not any(name.startswith("AuxLogits") for name in transfer)


def test_the_file_of_the_weights_is_known_afterwards(build, weights_file):
    assert build("scratch").weights is None
    found = build("finetune").weights
    assert found.path == weights_file
    assert weights_file.stem.endswith(found.sha256[:8])


@pytest.mark.parametrize("mode", ["scratch", "transfer", "finetune"])
def test_the_first_convolution_sees_the_picture_from_minus_1_to_1(build, mode):
    """ImageNet's normalisation and torchvision's transform_input together: 2 x - 1, once, in every mode."""
    model = build(mode).eval()
    seen = []
    model.network.Conv2d_1a_3x3.register_forward_pre_hook(lambda _module, arguments: seen.append(arguments[0]))
    numbers = torch.tensor([0, 1500, 3000]).to(torch.uint16).view(3, 1, 1, 1).expand(3, 3, 120, 120).contiguous()
    with torch.no_grad():
        logits = model(Images(numbers))
    assert logits.shape == (3, 19)
    wanted = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 3, 120, 120)
    torch.testing.assert_close(seen[0], wanted, rtol=0, atol=1e-5)
