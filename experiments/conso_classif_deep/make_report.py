"""Qanat's action `report` of a run: `terrawatt summary --file True`."""

import sys

try:
    from terrawatt.cli.qanat import make_report
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable}: {error}; activate the environment in which terrawatt is installed")

if __name__ == "__main__":
    make_report(sys.argv[1:])
