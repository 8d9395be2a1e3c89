"""The environment of a workload that is measured. It imports nothing: a workload may ask at no cost."""

PHASES_VARIABLE = "TERRAWATT_PHASES"  # the file that a workload appends its phases to; not set: nobody measures it
