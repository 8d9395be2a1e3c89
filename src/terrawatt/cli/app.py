"""The command `terrawatt`: its commands, and how errors reach the user.

Only typer and rich are imported here; everything heavy is imported inside the command that needs it, so that
`terrawatt --help` answers at once.
"""

import sys
import traceback
from typing import Annotated

import typer

from terrawatt import __version__
from terrawatt.cli import compare, data, demo, doctor, measure, plan, power, run, status, store, summary, train
from terrawatt.cli.many_values import ManyValues
from terrawatt.errors import DifferentRunError, TerrawattError

app = typer.Typer(
    name="terrawatt",
    help="Controlled energy experiments of deep learning on Earth-observation images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"terrawatt {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    _debug: Annotated[bool, typer.Option("--debug", help="Print tracebacks (anywhere before `--`).")] = False,
) -> None:
    pass


app.command("demo")(demo.demo)
app.command("train")(train.train)
app.command("run")(run.run)
app.command("measure")(measure.measure)
app.command("summary", cls=ManyValues)(summary.summary)
app.command("compare")(compare.compare)
app.command("plan")(plan.plan)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.add_typer(data.app, name="data")
app.add_typer(power.app, name="power")
app.add_typer(store.app, name="store")


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, or the exit code of the error (`errors`)."""
    arguments = sys.argv[1:] if argv is None else argv
    end = arguments.index("--") if "--" in arguments else len(arguments)
    debug = "--debug" in arguments[:end]
    own = [argument for argument in arguments[:end] if argument != "--debug"]
    try:
        app(args=own + arguments[end:], prog_name="terrawatt")
    except (TerrawattError, OSError) as error:
        if debug:
            traceback.print_exc()
        details = error.details if isinstance(error, DifferentRunError) else ()
        print("\n  ".join((f"terrawatt: error: {_one_line(error)}", *details)), file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code if isinstance(error, TerrawattError) else 1)


def _one_line(error: TerrawattError | OSError) -> str:
    """The error as one line; for an error of the system its file and reason, without its number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return " ".join(str(error).split())
