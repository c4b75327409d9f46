"""The wheel as a stranger gets it: weights inside, no checkout, no network."""

import os
import site
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

from tests.support.paths import ROOT

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"


def test_an_installed_wheel_solves_offline_from_an_empty_folder(tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path / "dist"),
        str(ROOT),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    page = {f"trmsolve/show/page/page.{ending}" for ending in ("html", "css", "js")}
    assert page <= set(ZipFile(wheel).namelist())

    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    target = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    # The dependencies are lent by this environment, behind the new one's own packages; trmsolve is
    # not among them.
    lent = [path for path in site.getsitepackages() if "trmsolve" not in path]
    Path(target, "lent.pth").write_text("\n".join(lent))
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-index",
        "--no-deps",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)

    empty = tmp_path / "empty"
    empty.mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {
        "HF_HUB_OFFLINE": "1"
    }
    where = subprocess.run(
        [python, "-c", "import trmsolve; print(trmsolve.__file__)"],
        cwd=empty,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert Path(where).is_relative_to(environment)
    done = subprocess.run(
        [environment / "bin" / "trmsolve", "sudoku", "-"],
        input=EASY,
        cwd=empty,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, SOLUTION + "\n"), done.stderr
    assert not list(empty.iterdir())
