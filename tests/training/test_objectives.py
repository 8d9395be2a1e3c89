import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from terrawatt.training.objectives import (
    LARGEST_CLASS_WEIGHT,
    class_weights,
    cross_entropy,
    objective,
    optimizer,
    presence,
    squared_error,
)
from terrawatt.training.options import from_parameters

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 3.0, -2.0]])
TARGETS = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


def test_bce_with_logits_by_its_formula():
    p = torch.sigmoid(LOGITS)
    wanted = -(TARGETS * p.log() + (1 - TARGETS) * (1 - p).log()).mean()
    torch.testing.assert_close(objective("BCEWithLogits", 2).loss(LOGITS, TARGETS), wanted)


def test_mse_is_of_sigmoid_probabilities():
    torch.testing.assert_close(squared_error(LOGITS, TARGETS), ((torch.sigmoid(LOGITS) - TARGETS) ** 2).mean())


def test_cross_entropy_is_against_equal_shares():
    log_p = torch.log_softmax(LOGITS, dim=1)
    wanted = -(0.5 * (log_p[0, 0] + log_p[0, 2]) + log_p[1, 1]) / 2
    torch.testing.assert_close(cross_entropy(LOGITS, TARGETS), wanted)


def test_an_image_without_labels_adds_nothing_to_cross_entropy():
    assert cross_entropy(LOGITS[:1], torch.zeros(1, 3)) == 0


@pytest.mark.parametrize("name", ["BCEWithLogits", "MSE"])
def test_sigmoid_losses_give_sigmoid_probabilities(name):
    torch.testing.assert_close(objective(name, 2).probabilities(LOGITS), torch.sigmoid(LOGITS))


@pytest.mark.parametrize("labels", [1, 2, 3, 4, 5])
def test_a_perfect_softmax_is_read_as_the_labels_it_was_trained_on(labels):
    targets = (torch.arange(19) < labels).float().unsqueeze(0)
    logits = torch.where(targets > 0, 20.0, 0.0)
    assert torch.equal(objective("CrossEntropy", 3.0).probabilities(logits) > 0.5, targets > 0)


def test_reading_a_softmax_keeps_its_order_over_images():
    logits = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    actual = np.random.default_rng(0).integers(0, 2, 200)
    share = torch.softmax(logits, dim=1)
    before, after = share[:, 2].numpy(), presence(logits, 0.2)[:, 2].numpy()
    assert average_precision_score(actual, after) == pytest.approx(average_precision_score(actual, before))
    assert ((after > 0) & (after < 1)).all()
    np.testing.assert_array_equal(after > 0.5, before > 0.2)


@pytest.mark.parametrize(
    ("name", "kind"), [("SGD", torch.optim.SGD), ("adam", torch.optim.Adam), ("ADAMW", torch.optim.AdamW)]
)
def test_the_named_optimizer_with_its_learning_rate_on_what_learns(name, kind):
    layer = torch.nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    made = optimizer(
        from_parameters({"model": "s-cnn-all", "optim": name, "lr": 0.3}), layer.parameters(), torch.device("cpu")
    )
    assert type(made) is kind
    assert made.param_groups[0]["lr"] == 0.3
    assert [p is layer.weight for p in made.param_groups[0]["params"]] == [True]


def test_class_weights_are_negatives_over_positives_within_a_limit():
    targets = np.zeros((100, 4), dtype=np.uint8)
    targets[:10, 0], targets[:80, 1], targets[:1, 2] = 1, 1, 1
    np.testing.assert_allclose(class_weights(targets), [9.0, 0.25, LARGEST_CLASS_WEIGHT, 1.0])


def test_weighted_positives_and_negatives_of_a_label_weigh_the_same():
    """Of logits of 0 each decision loses log 2: the weighted positives' sum is that of the negatives."""
    targets = torch.zeros(20, 1)
    targets[:5] = 1
    weights = torch.from_numpy(class_weights(targets.numpy().astype(np.uint8)))
    loss = objective("BCEWithLogits", 1.0, weights).loss
    positives, negatives = (
        float(loss(torch.zeros(n, 1), part)) * n for n, part in ((5, targets[:5]), (15, targets[5:]))
    )
    assert positives == pytest.approx(negatives)
