"""Figures, one function each, and the registry that names them.

To add one: write a function from a table to a `Drawing` (or `Skipped`), and give it a name here.
"""

from collections.abc import Mapping

from terrawatt.report.figures.by_model import correlation_by_model
from terrawatt.report.figures.circle import pca_circle
from terrawatt.report.figures.components import pca_scores, pca_scree
from terrawatt.report.figures.distributions import distributions
from terrawatt.report.figures.effects import interactions, main_effects
from terrawatt.report.figures.energy import duration_performance, energy_performance
from terrawatt.report.figures.figure import Drawing, Figure, Skipped
from terrawatt.report.figures.frugality import frugality_curves
from terrawatt.report.figures.loadings import pca_by_model, pca_loadings
from terrawatt.report.figures.matrices import correlation_matrix, correlation_ranks, covariance_matrix
from terrawatt.report.figures.meters import energy_energy
from terrawatt.report.figures.neighbours import tsne
from terrawatt.report.language import mark

__all__ = ["FIGURES", "Drawing", "Figure", "Skipped"]

# In the page's order.
_ALL = (
    Figure("energy_performance", mark("Energy against performance"), energy_performance),
    Figure("duration_performance", mark("Duration against performance"), duration_performance),
    Figure("frugality", mark("Frugality: performance weighed against energy"), frugality_curves),
    Figure("distributions", mark("Distributions"), distributions),
    Figure("energy_energy", mark("The meter against CodeCarbon"), energy_energy),
    Figure("main_effects", mark("What the factors do: main effects"), main_effects),
    Figure("interactions", mark("What the factors do: interactions"), interactions),
    Figure("correlation_matrix", mark("Correlation matrix"), correlation_matrix),
    Figure("correlation_ranks", mark("Rank correlation matrix"), correlation_ranks),
    Figure("correlation_by_model", mark("Correlation matrices by model"), correlation_by_model),
    Figure("covariance_matrix", mark("Covariance matrix"), covariance_matrix),
    Figure("pca_scree", mark("Principal components: variance explained"), pca_scree),
    Figure("pca_circle", mark("Principal components: correlation circle"), pca_circle),
    Figure("pca_scores", mark("Principal components: repetitions"), pca_scores),
    Figure("pca_loadings", mark("Principal components: loadings with their bands"), pca_loadings),
    Figure("pca_by_model", mark("Principal components by model"), pca_by_model),
    Figure("tsne", mark("Repetitions by likeness (t-SNE)"), tsne, is_default=False),
)

FIGURES: Mapping[str, Figure] = {figure.name: figure for figure in _ALL}
