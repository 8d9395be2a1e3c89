"""Tables for papers: LaTeX and Markdown, with uncertainties in brackets."""
