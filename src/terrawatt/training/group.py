"""The processes that train one model together, as each of them sees it. Nothing of torch is imported here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from terrawatt.errors import UsageError

_ENVIRONMENT = "env://"  # torch's name for the variables that torchrun sets


@dataclass(frozen=True, slots=True)
class Group:
    """One process and its place among those that train together.

    Attributes:
        rank: its number, from 0; rank 0 alone speaks, reports phases and writes outputs.
        size: how many there are.
        local_rank: its number on this machine.
        local_size: how many there are on this machine.
        rendezvous: where they find each other, as torch's `init_method`.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    rendezvous: str = _ENVIRONMENT

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Group":
        """The place that torchrun gave this process, in its variables; alone without them.

        Raises:
            UsageError: a variable is missing or no whole number.
        """
        if environment.get("WORLD_SIZE", "1") == "1":
            return ALONE
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
        given = [environment.get(name, "") for name in names]
        for name, text in zip(names, given, strict=True):
            if not text.isdigit():
                raise UsageError(
                    f"WORLD_SIZE is set, but {name} is {text!r}: start the processes with torchrun, or unset WORLD_SIZE"
                )
        rank, size, local_rank, local_size = map(int, given)
        return cls(rank, size, local_rank, local_size)

    @property
    def is_first(self) -> bool:
        """Whether it is the process that speaks for all."""
        return self.rank == 0


ALONE = Group()
