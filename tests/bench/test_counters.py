"""Counters of energy: which are read, and what happens when they wrap around."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from tests.support.powercap import fake_zone
from trmsolve.bench.counters import NvmlCounter, Zone, find_counters

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


def test_a_zone_counts_from_when_it_was_made(tmp_path: Path) -> None:
    counter = fake_zone(tmp_path, "intel-rapl:0", "package-0", energy=500_000)
    zone = Zone(tmp_path / "intel-rapl:0")
    assert zone.joules() == 0
    counter.write_text("750000\n")
    assert zone.joules() == pytest.approx(0.25)


def test_a_counter_that_wraps_around_goes_on(tmp_path: Path) -> None:
    counter = fake_zone(tmp_path, "intel-rapl:0", "package-0", energy=999_990, largest=999_999)
    zone = Zone(tmp_path / "intel-rapl:0")
    counter.write_text("40\n")
    assert zone.joules() == pytest.approx(50e-6)
    counter.write_text("30\n")
    assert zone.joules() == pytest.approx(50e-6 + 999_990e-6), "and once more"


def test_zones_that_contain_each_other_are_not_counted_twice(tmp_path: Path) -> None:
    for folder, name in (
        ("intel-rapl", "control"),
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0:0", "core"),
        ("intel-rapl:0:1", "uncore"),
        ("intel-rapl:0:2", "dram"),
        ("intel-rapl:1", "package-1"),
        ("intel-rapl:2", "psys"),
        ("intel-rapl-mmio:0", "package-0"),
    ):
        fake_zone(tmp_path, folder, name)
    counters, reason = find_counters(CPU, tmp_path)
    assert [counter.name for counter in counters] == ["package-0", "dram", "package-1"]
    assert reason == ""


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_counters(CPU, tmp_path) == ([], f"there is no counter in {tmp_path}")
    broken = fake_zone(tmp_path, "intel-rapl:0", "package-0")
    broken.write_text("nonsense\n")
    assert find_counters(CPU, tmp_path)[0] == []

    def refuse(zone: Zone) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Zone, "_read", refuse)
    counters, reason = find_counters(CPU, tmp_path)
    assert counters == [] and reason.startswith("only the administrator may read ")


def test_a_gpu_without_its_binding_is_not_half_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_zone(tmp_path, "intel-rapl:0", "package-0")
    monkeypatch.setitem(sys.modules, "pynvml", None)
    counters, reason = find_counters(CUDA, tmp_path)
    assert counters == [] and "pip install '.[energy]'" in reason


def test_a_gpu_counts_in_millijoules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([1000, 4500])
    asked: list[str] = []
    nvml = SimpleNamespace(
        NVMLError=ValueError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=asked.append,
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: next(values),
    )
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    properties = SimpleNamespace(uuid="1234")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    fake_zone(tmp_path, "intel-rapl:0", "package-0")
    counters, reason = find_counters(CUDA, tmp_path)
    assert [counter.name for counter in counters] == ["package-0", "cuda (NVML)"]
    assert isinstance(counters[1], NvmlCounter) and reason == ""
    assert counters[1].joules() == pytest.approx(3.5)
    assert asked == ["GPU-1234"]


def test_a_gpu_that_does_not_tell_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ValueError("no driver")

    monkeypatch.setitem(
        sys.modules, "pynvml", SimpleNamespace(NVMLError=ValueError, nvmlInit=refuse)
    )
    counters, reason = find_counters(CUDA, tmp_path)
    assert (counters, reason) == ([], "the GPU's counter cannot be read: no driver")
