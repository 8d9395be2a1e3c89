import resource
import subprocess
import sys

import pytest

from terrawatt.training.allocator import can_tune_allocator

FAULTS = """
import resource, sys
from terrawatt.training.allocator import tune_allocator
if sys.argv[1] == "tuned":
    assert tune_allocator()
import numpy as np
for _ in range(3):
    np.ones(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(allocator: str) -> int:
    command = (sys.executable, "-c", FAULTS, allocator)
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not can_tune_allocator(), reason="the C library is not glibc")
def test_memory_that_is_kept_is_not_asked_for_again():
    pages = 10_000_000 * 8 / resource.getpagesize()
    assert page_faults("tuned") < pages  # of ten arrays
    assert page_faults("system") > 0
