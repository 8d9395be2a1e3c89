import time

from servers.slurm import Slurm


def test_jobs_have_the_node_one_after_the_other_and_their_exit_codes_count() -> None:
    with Slurm() as slurm:
        good, bad = (
            slurm.call("sbatch", "--parsable", "--output=/dev/null", "--wrap", f"exit {code}").strip()
            for code in (0, 4)
        )
        end_s = time.monotonic() + 60
        while {good, bad} & slurm.states().keys():
            assert time.monotonic() < end_s, slurm.logs()
            time.sleep(0.05)
        assert slurm.completed() == {good: "COMPLETED", bad: "FAILED"}
        folder = slurm.folder
    assert not folder.exists()
