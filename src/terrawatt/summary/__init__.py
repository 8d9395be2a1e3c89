"""Run folders and series in; table, statistics, figures and report out."""
