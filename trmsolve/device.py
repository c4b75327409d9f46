"""Chooses where and in which precision to run, and says why.

Knows torch's devices and nothing else of the package.
"""

import platform
import shutil
from dataclasses import dataclass, replace

import torch

from trmsolve.errors import UsageError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Placement:
    """Where to run, and in which precision."""

    device: torch.device
    dtype: torch.dtype
    # Says in one line what was chosen, and why.
    reason: str

    @property
    def threads(self) -> int:
        """CPU threads torch may use."""
        return torch.get_num_threads()

    @property
    def dtype_name(self) -> str:
        """The precision as the options spell it: fp32 or bf16."""
        names = {dtype: name for name, dtype in DTYPES.items()}
        return names[self.dtype]


def choose_placement(
    device: str = "auto", dtype: str = "auto", threads: int | None = None
) -> Placement:
    """The device and precision that are asked for, or the best ones here for "auto".

    The best device is CUDA, else Apple's MPS, else the CPU. The best precision is bf16 where the
    processor has it in hardware, else fp32. ``threads`` bounds the CPU threads of the whole
    process. Raises UsageError for a device or dtype that does not exist here.
    """
    if threads is not None:
        if threads < 1:
            raise UsageError(f"threads must be at least 1, not {threads}")
        torch.set_num_threads(threads)
    where, why_where = _choose_device(device)
    kind, why_kind = _choose_dtype(dtype, where)
    counted = f", {torch.get_num_threads()} threads" if where.type == "cpu" else ""
    placement = Placement(where, kind, "")
    return replace(
        placement, reason=f"{where} ({why_where}{counted}), {placement.dtype_name} ({why_kind})"
    )


def choose_compiled(wanted: str, device: torch.device, worthwhile: bool) -> bool:
    """Whether to compile the network.

    ``wanted`` is on, off or auto. With auto it is compiled if that is ``worthwhile`` and there is a
    compiler. Raises UsageError for another word.
    """
    if wanted not in ("auto", "on", "off"):
        raise UsageError(f"--compile {wanted} is not known: use auto, on or off")
    if wanted != "auto":
        return wanted == "on"
    has_compiler = device.type == "cuda"
    if device.type == "cpu":
        has_compiler = shutil.which("g++") is not None
    return worthwhile and has_compiler


def _choose_device(asked: str) -> tuple[torch.device, str]:
    if asked == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda"), torch.cuda.get_device_name()
        if torch.backends.mps.is_available():
            return torch.device("mps"), "Apple GPU"
        return torch.device("cpu"), "no GPU found"
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise UsageError(
            f"--device {asked} is not known: use auto, cpu, cuda, cuda:0 or mps"
        ) from None
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if (device.index or 0) >= counts.get(device.type, 0):
        raise UsageError(f"--device {asked} is not available here: use auto or cpu")
    return device, "as requested"


def _choose_dtype(asked: str, device: torch.device) -> tuple[torch.dtype, str]:
    if asked != "auto":
        if asked not in DTYPES:
            raise UsageError(f"--dtype {asked} is not known: use auto, {' or '.join(DTYPES)}")
        return DTYPES[asked], "as requested"
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = device.type == "cpu" and _cpu_has_bf16()
    return (torch.bfloat16, "native support") if native else (torch.float32, "no native bf16")


def _cpu_has_bf16() -> bool:
    """Whether bf16 products run in hardware; emulated ones are slower than fp32."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
