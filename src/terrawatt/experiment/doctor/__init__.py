"""Whether this machine is fit for measuring now: facts, read from the machine, and what they mean.

`judge_*` modules are pure: facts in, findings out. `read_*` modules read the facts, from roots that tests can give.
"""
