"""A folder like /sys/class/powercap."""

from pathlib import Path


def fake_zone(
    powercap: Path, folder: str, name: str, energy: int = 0, largest: int = 1_000_000
) -> Path:
    """Make a zone and return the file of its counter, in microjoules."""
    zone = powercap / folder
    zone.mkdir(parents=True)
    (zone / "name").write_text(name + "\n")
    (zone / "max_energy_range_uj").write_text(f"{largest}\n")
    counter = zone / "energy_uj"
    counter.write_text(f"{energy}\n")
    return counter
