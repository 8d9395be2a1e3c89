"""`terrawatt data`."""

import typer

app = typer.Typer(help="BigEarthNet data.", no_args_is_help=True)
