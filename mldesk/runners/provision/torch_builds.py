"""Which build of torch a box can run, from its graphics driver. A table to read, and to mend when torch moves on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mldesk.core.errors import WorkFailed
from mldesk.runners.provision.probe import Gpu

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class TorchBuild:
    """One build of torch with what it brings along. Sizes are rounded up, for a plan; they promise nothing."""

    name: str                 # "cpu", "cu130": the part after + in its version
    driver: int               # lowest major version of the driver that it runs on
    download: int             # bytes, with its libraries
    installed: int            # bytes on disk

    @property
    def words(self) -> str:
        return "for the processor" if self.name == "cpu" else f"for CUDA {self.name[2:-1]}.{self.name[-1]}"


CPU = TorchBuild("cpu", 0, 200 * MB, 800 * MB)
# Newest first. CUDA 12 promises that any driver from 525 on runs its later minor versions.
BUILDS = (
    TorchBuild("cu130", 580, 2_000 * MB, 5_000 * MB),
    TorchBuild("cu128", 570, 3_000 * MB, 7_000 * MB),
    TorchBuild("cu126", 525, 2_700 * MB, 6_500 * MB),
)
DEFAULT_INDEX = "cu130"     # the build that the default index holds for Linux; whether it sees the cards is tried there


class UnknownDriver(WorkFailed):
    """A driver version that says nothing about what it can run. Nobody guesses; the user chooses or mends it."""

    code = "unknown_driver"


def torch_build(gpus: tuple[Gpu, ...]) -> TorchBuild:
    """Choose the build for these cards. Raises UnknownDriver; see there."""
    if not gpus:
        return CPU
    drivers = {gpu.driver for gpu in gpus}
    major = re.fullmatch(r"(\d{3})(\.\d{1,4}){1,3}", min(drivers))
    if major is None or len(drivers) > 1:
        raise UnknownDriver(f"The graphics driver calls itself {' and '.join(sorted(drivers))}, which says nothing "
                            "about the CUDA it runs.",
                            hint="Update the driver, or add the machine for the processor only.")
    for build in BUILDS:
        if int(major[1]) >= build.driver:
            return build
    raise UnknownDriver(f"The graphics driver {min(drivers)} is too old for today's torch, which needs "
                        f"{BUILDS[-1].driver} or newer.",
                        hint="Update the driver, or add the machine for the processor only.")
