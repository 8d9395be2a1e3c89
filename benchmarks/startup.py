"""How long `terrawatt --help` takes, as a whole process, and which heavy modules it imports (none).

Prints the median, minimum and maximum of 20 starts after two that fill the file cache.
"""

import statistics
import subprocess
import sys
import time

COMMAND = [sys.executable, "-m", "terrawatt", "--help"]
HEAVY = ("torch", "pandas", "numpy", "altair", "pyarrow", "sklearn", "codecarbon", "rasterio", "pydantic")
RUNS = 20


def start_seconds() -> float:
    """Wall time of one start."""
    before = time.perf_counter()
    subprocess.run(COMMAND, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - before


def imported() -> set[str]:
    """The heavy modules that a start imports."""
    trace = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND[1:]], check=True, capture_output=True, text=True
    ).stderr
    names = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in trace.splitlines() if "|" in line}
    return names & set(HEAVY)


def main() -> None:
    """Print the table."""
    for _ in range(2):
        start_seconds()
    times = [start_seconds() for _ in range(RUNS)]
    print(f"terrawatt --help, {RUNS} starts")
    print(
        f"  median {statistics.median(times):.3f} s   min {min(times):.3f} s   max {max(times):.3f} s   (aim < 0.4 s)"
    )
    print(f"  heavy modules imported: {', '.join(sorted(imported())) or 'none'}")


if __name__ == "__main__":
    main()
