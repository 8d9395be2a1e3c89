"""Qanat's action `summary` of a run: `terrawatt summary`."""

import sys

try:
    from terrawatt.cli.qanat import make_summary
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable}: {error}; activate the environment in which terrawatt is installed")

if __name__ == "__main__":
    make_summary(sys.argv[1:])
