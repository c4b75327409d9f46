"""Counters of the energy that this machine has used, in joules.

The CPU's come from Linux: files below /sys/class/powercap, which the kernel fills for Intel and AMD
(RAPL). They are read directly. The libraries for it are either no longer maintained and ignore that
the counters wrap around, or estimate carbon dioxide and bring many dependencies. A GPU's come from
NVIDIA's own binding of its management library.
"""

from pathlib import Path
from typing import Any, Protocol

import torch

from trmsolve.wording import install_hint

POWERCAP = Path("/sys/class/powercap")
MICRO = 1e-6
MILLI = 1e-3


class Counter(Protocol):
    """A counter of energy."""

    @property
    def name(self) -> str:
        """The part of the machine that it counts for."""

    def joules(self) -> float:
        """The energy since the counter was made. To be called now and then, see ``Zone``."""


class Zone:
    """One zone of /sys/class/powercap, such as a CPU with its cores and caches, or its memory.

    Its counter goes back to 0 after ``max_energy_range_uj``, after some minutes under load.
    ``joules`` must be called at least once in that time. Raises OSError or ValueError if the zone
    cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.name = (folder / "name").read_text().strip()
        self.range = int((folder / "max_energy_range_uj").read_text())
        self.file = folder / "energy_uj"
        self.last = self._read()
        self.used = 0

    def joules(self) -> float:
        """The energy since the counter was made."""
        value = self._read()
        step = value - self.last
        if step < 0:
            # The largest value is followed by 0.
            step += self.range + 1
        self.used += step
        self.last = value
        return self.used * MICRO

    def _read(self) -> int:
        return int(self.file.read_text())


class NvmlCounter:
    """A GPU by NVIDIA's management library, which has the counter since Volta."""

    def __init__(self, nvml: Any, device: torch.device) -> None:
        self.nvml = nvml
        # NVML numbers all GPUs, CUDA those that CUDA_VISIBLE_DEVICES names; the identifier agrees.
        identifier = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        self.handle = nvml.nvmlDeviceGetHandleByUUID(identifier)
        self.name = f"{device} (NVML)"
        self.first = self._read()

    def joules(self) -> float:
        """The energy since the counter was made."""
        return (self._read() - self.first) * MILLI

    def _read(self) -> int:
        return int(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))


def find_counters(device: torch.device, powercap: Path | None = None) -> tuple[list[Counter], str]:
    """The counters that can be read here, and why there are none if there are none."""
    counters, reason = _zones(powercap or POWERCAP)
    if device.type == "cuda":
        gpu, reason_gpu = _gpu(device)
        # Without its GPU the figure would be wrong by far.
        return ([*counters, gpu], "") if gpu is not None else ([], reason_gpu)
    return counters, reason


def _zones(powercap: Path) -> tuple[list[Counter], str]:
    """Zones that do not contain one another: CPU packages, and memory where it has its own."""
    counters: list[Counter] = []
    # "intel-rapl-mmio:0" is a second view of "intel-rapl:0". AMD's zones have Intel's name too.
    folders = sorted(powercap.glob("intel-rapl:*"))
    refused = False
    for folder in folders:
        try:
            zone = Zone(folder)
        except PermissionError:
            refused = True
            continue
        except (OSError, ValueError):
            continue
        if zone.name.startswith("package") or zone.name == "dram":
            counters.append(zone)
    if counters:
        return counters, ""
    if refused:
        return [], f"only the administrator may read {powercap}/*/energy_uj"
    return [], f"there is no counter in {powercap}"


def _gpu(device: torch.device) -> tuple[Counter | None, str]:
    try:
        import pynvml
    except ImportError:
        return None, f"the GPU's counter needs its library: {install_hint('energy')}"
    try:
        pynvml.nvmlInit()
        return NvmlCounter(pynvml, device), ""
    except pynvml.NVMLError as error:
        return None, f"the GPU's counter cannot be read: {error}"
