"""t-SNE: which repetitions are like which others."""

from terrawatt.analysis.embedding import neighbour_embedding
from terrawatt.analysis.statistics import quantities
from terrawatt.analysis.table import Table
from terrawatt.report.figures.captions import left_out_sentence
from terrawatt.report.figures.components import repetition_points
from terrawatt.report.figures.figure import Drawing
from terrawatt.report.grouping import group_rows
from terrawatt.report.language import say
from terrawatt.report.numbers import plain
from terrawatt.report.theme import MAX_COLOURS


def tsne(table: Table) -> Drawing:
    """The repetitions in a plane, neighbours by their standardised quantities near each other."""
    found = neighbour_embedding(quantities(table))
    grouping = group_rows(table, MAX_COLOURS)
    titles = say("t-SNE 1 (no unit)"), say("t-SNE 2 (no unit)")
    chart = repetition_points(table, grouping, found.places, found.rows, titles)
    caption = say(
        "Each point is a repetition; repetitions with like values lie near each other (t-SNE of the standardised "
        "quantities, perplexity {perplexity}, n = {n}). Distances between groups, and their sizes, mean nothing: for "
        "those see the principal components. {note}",
        perplexity=plain(found.perplexity, 3),
        n=len(found.rows),
        note=grouping.note,
    )
    alternative = say(
        "t-SNE of {n} repetitions in groups: {labels}. Only which points are neighbours means something.",
        n=len(found.rows),
        labels=", ".join(grouping.labels),
    )
    return Drawing(chart, caption.strip(), alternative, left_out_sentence(found.left_out))
