"""`python …/experiments/conso/stats_summary.py [RUN_ID(S)] --grouped [True/False] --file [True/False]`."""

import sys
from pathlib import Path

try:
    from terrawatt.cli.qanat import stats_summary
except ModuleNotFoundError as error:
    sys.exit(f"{sys.executable}: {error}; activate the environment in which terrawatt is installed")

if __name__ == "__main__":
    stats_summary(Path(__file__), sys.argv[1:])
