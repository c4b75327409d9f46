"""The commands as a user meets them: streams, exit codes, messages, interrupts."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.paths import ROOT
from trmsolve.cli import app
from trmsolve.cli.recognise import recognise
from trmsolve.errors import UsageError
from trmsolve.puzzles.registry import get_task
from trmsolve.solve import solver
from trmsolve.weights.file import bundled_weights, read_info
from trmsolve.wording import can_encode

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
GRID = "\n".join(EASY[i : i + 9] for i in range(0, 81, 9)) + "\n"
CLASH = "55" + EASY[2:]
RUN = [sys.executable, "-m", "trmsolve"]
COMMAND_ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=text)


def test_one_line_in_one_line_out() -> None:
    result = run("sudoku", "-", text=EASY + "\n")
    assert result.exit_code == 0
    assert result.stdout == SOLUTION + "\n"
    assert result.stderr.startswith("solved  ")


def test_answers_have_the_input_s_form(tmp_path: Path) -> None:
    framed = tmp_path / "framed.txt"
    rows = [EASY[i : i + 9] for i in range(0, 81, 9)]
    framed.write_text("\n".join(f"|{r[:3]}|{r[3:6]}|{r[6:]}|" for r in rows) + "\n")
    rows = [SOLUTION[i : i + 9] for i in range(0, 81, 9)]
    result = run("sudoku", str(framed))
    assert result.stdout == "\n".join(f"|{r[:3]}|{r[3:6]}|{r[6:]}|" for r in rows) + "\n"
    assert run("sudoku", str(framed), "--format", "line").stdout == SOLUTION + "\n"


def test_json_has_the_agreed_fields_in_input_order() -> None:
    result = run("sudoku", "-", "--json", text=f"{EASY}\n12345\n{EASY}\n")
    assert result.exit_code == 2
    first, wrong, last = (json.loads(line) for line in result.stdout.splitlines())
    assert list(first) == [
        "index",
        "source",
        "task",
        "puzzle",
        "answer",
        "verified",
        "reason",
        "remark",
        "solutions",
        "cycles",
        "views",
        "halt",
        "seconds",
        "weights",
    ]
    assert (first["index"], first["source"], first["task"]) == (0, "stdin:1", "sudoku")
    assert (first["puzzle"], first["answer"], first["verified"], first["reason"]) == (
        EASY,
        SOLUTION,
        True,
        "",
    )
    assert first["weights"].startswith("sudoku.safetensors@") and 0 <= first["halt"] <= 1
    assert list(wrong) == ["index", "source", "task", "error"]
    assert (wrong["index"], wrong["source"]) == (1, "stdin:2") and "5 cells" in wrong["error"]
    assert (last["index"], last["source"]) == (2, "stdin:3")


def test_show_steps_prints_every_cycle_without_a_terminal() -> None:
    result = run("sudoku", "-", "--show-steps", text=EASY)
    cycles = result.stderr.count("+-------+-------+-------+\n| ")
    assert cycles >= 1 and "\x1b" not in result.stderr
    assert result.stderr.count("cycle 1/16") == 1
    assert "solved" in result.stderr.splitlines()[-1]
    assert result.stdout == SOLUTION + "\n"


def test_quiet_and_verbose() -> None:
    assert run("sudoku", "-", "--quiet", text=EASY).stderr == ""
    where = ("--backend", "torch", "--device", "cpu", "--dtype", "fp32", "--threads", "1")
    result = run("sudoku", "-", "-v", *where, text=EASY)
    assert (
        "cpu (as requested, 1 threads), fp32 (as requested)" in result.stderr
        and result.exit_code == 0
    )


def test_many_puzzles_end_with_a_summary(tmp_path: Path) -> None:
    many = tmp_path / "many.sdm"
    many.write_text((EASY + "\n") * 12)
    result = run("sudoku", str(many))
    assert result.exit_code == 0 and result.stdout == (SOLUTION + "\n") * 12
    assert result.stderr.startswith("12 puzzles  12 solved  0 unverified  1.0 views on average")


def test_an_unverified_answer_is_exit_code_1() -> None:
    impossible = EASY[:2] + "2" + EASY[3:]
    result = run("sudoku", "-", "--views", "2", text=impossible)
    assert result.exit_code == 1
    assert (
        result.stdout == impossible + "\n"
    )  # the puzzle, not a grid that could be taken for an answer
    assert result.stderr.startswith("stdin:1: the puzzle has no solution\nunverified  1 cycle")
    assert run("sudoku", "-", "--views", "2", "--format", "line", text=impossible).stdout == "\n"
    kept = run(
        "sudoku", "-", "--views", "2", "--format", "line", "--keep-unverified", text=impossible
    )
    assert len(kept.stdout.strip()) == 81 and kept.stdout.strip() != impossible


def test_a_puzzle_with_several_solutions_may_get_one_of_them() -> None:
    several = SOLUTION.replace("1", ".").replace("2", ".")  # the two digits can change places
    result = run("sudoku", "-", "--json", text=several)
    answer = json.loads(result.stdout)
    assert answer["remark"] == "the puzzle has more than one solution"
    assert (answer["reason"] == "") == answer["verified"]
    assert answer["views"] <= 4
    told = run("sudoku", "-", "--views", "1", text=several).stderr
    assert "the puzzle has more than one solution" in told
    many = f"{several}\n" * 2 + f"{EASY}\n" * 7
    told = run("sudoku", "-", "--views", "1", text=many).stderr
    assert "2 where the puzzle has more than one solution" in told
    assert result.exit_code == (0 if answer["verified"] else 1)


BAD = {
    "wrong character": (EASY[:40] + "a" + EASY[41:], "stdin:1:41: wrong character 'a'"),
    "cell count": (EASY[:80], "stdin:1"),
    "ragged": (GRID.replace("6..195...", "6..195.."), "stdin:2"),
    "empty": ("", "stdin"),
    "clash": (CLASH, "two 5s in row 1: r1c1"),
    "candidates": ("{12} 3 67 5 8 9 1 2 4\n" * 9, "candidate"),
}


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_exit_code_2_and_never_reaches_the_model(
    text: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(solver, "load", refuse)
    result = run("sudoku", "-", text=text)
    assert result.exit_code == 2 and result.stdout == ""
    assert message in result.stderr and "Traceback" not in result.stderr


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "picture.txt"
    binary.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00")
    for name, message in (
        (str(tmp_path / "absent.txt"), "no such file"),
        (str(tmp_path), "this is a folder"),
        (str(binary), "PNG image"),
    ):
        result = run("sudoku", name)
        assert (
            result.exit_code == 2
            and message in result.stderr
            and name in result.stderr.replace("\n", "")
        )


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good = tmp_path / "good.txt"
    good.write_text(EASY)
    result = run("sudoku", str(tmp_path / "absent.txt"), str(good))
    assert result.exit_code == 2 and result.stdout == SOLUTION + "\n"


def test_usage_errors_are_exit_code_2() -> None:
    for arguments in (
        ["sudoku", "-", "--format", "xml"],
        ["sudoku", "-", "--device", "tpu"],
        ["sudoku", "-", "--views", "0"],
        ["train", "--out", "x"],
        ["train", "--out", "x", "--steps", "1", "--recipe", "magic"],
        ["generate", "--difficulty", "trivial"],
        ["generate", "--task", "chess"],
        ["nonsense"],
    ):
        result = run(*arguments, text=EASY)
        assert result.exit_code == 2, arguments
        assert result.stderr and "Traceback" not in result.stderr


def test_weights_errors_are_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "odd.safetensors").write_bytes(b"PK\x03\x04")
    for path, message in (
        (tmp_path / "absent", "no weights at"),
        (tmp_path / "odd.safetensors", "pickled"),
    ):
        result = run("sudoku", "-", "--weights", str(path), text=EASY)
        assert result.exit_code == 3 and message in result.stderr and result.stdout == ""


def test_generate_and_eval(tmp_path: Path) -> None:
    data = tmp_path / "easy.csv"
    assert run("generate", "-n", "6", "--seed", "4", "--out", str(data)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(data.read_text())))
    assert len(rows) == 6 and all(len(row["question"]) == len(row["answer"]) == 81 for row in rows)
    assert run("generate", "-n", "6", "--seed", "4").stdout == data.read_text()
    result = run("eval", "--data", str(data), "--json", "--views", "8", "--limit", "5")
    figures = json.loads(result.stdout)
    assert figures["n"] == 5 and figures["views"] == 8 and figures["task"] == "sudoku"
    for key in (
        "data",
        "exact",
        "exact_ci95",
        "cell",
        "verified",
        "mean_cycles",
        "mean_views",
        "puzzles_per_second",
        "cycles",
        "device",
        "dtype",
        "threads",
        "weights",
    ):
        assert key in figures
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(bundled_weights("sudoku").read_bytes())
    table = run(
        "eval", "--data", str(data), "--limit", "2", "--weights", str(copy), "--record"
    ).stdout
    assert read_info(copy).scores["easy.csv, 1 views"]["n"] == 2
    assert table.startswith("2 puzzles of easy.csv") and "exact" in table
    assert run("eval", "--data", str(tmp_path / "absent.csv")).exit_code == 2


def test_pairs_without_a_header_are_solved_and_measured(tmp_path: Path) -> None:
    data = tmp_path / "pairs.csv"
    data.write_text(f"{EASY.replace('.', '0')},{SOLUTION}\n")
    result = run("sudoku", str(data), "--json")
    assert result.exit_code == 0 and json.loads(result.stdout)["puzzle"] == EASY
    assert run("sudoku", str(data)).stdout == SOLUTION + "\n"
    measured = run("eval", "--data", str(data), "--json", "--cycles", "1")
    assert measured.exit_code == 0, measured.stderr
    assert json.loads(measured.stdout)["n"] == 1
    data.write_text(
        f"{SOLUTION},{EASY}\n"
    )  # the first is no question of the second: neither has an answer
    assert run("sudoku", str(data)).stdout == f"{SOLUTION}\n{SOLUTION}\n"
    assert run("eval", "--data", str(data)).exit_code == 2


def test_train_leaves_weights_that_solve_can_load(tmp_path: Path) -> None:
    data = tmp_path / "easy.csv"
    run("generate", "-n", "12", "--out", str(data))
    result = run(
        "train",
        "--out",
        str(tmp_path / "run"),
        "--data",
        str(data),
        "--steps",
        "2",
        "--batch-size",
        "2",
        "--held-out",
        "1",
        "--compile",
        "off",
    )
    assert result.exit_code == 0, result.stderr
    weights = tmp_path / "run" / "sudoku.safetensors"
    assert f"weights in {weights}" in result.stderr
    assert (tmp_path / "run" / "metrics.jsonl").read_text().count("\n") >= 1
    result = run("sudoku", "-", "--weights", str(weights), "--views", "1", text=EASY)
    assert result.exit_code == 1 and len(result.stdout) == 82


PROBE = """
import sys
import time
from trmsolve.__main__ import main
try:
    main()
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""
COMPLETE = {"_TRMSOLVE_COMPLETE": "complete_bash", "COMP_WORDS": "trmsolve su", "COMP_CWORD": "1"}


@pytest.mark.parametrize(
    ("arguments", "extra", "shown"),
    [
        (["--help"], {}, "sudoku"),
        (["--help"], {}, "Solve mazes and watch the model think."),
        (["sudoku", "--help"], {}, "--show-steps"),
        (["maze", "--help"], {}, "--accept-detours"),
        (["generate", "--help"], {}, "--path-length"),
        (["eval", "--help"], {}, "16; 64 for mazes"),
        (["train", "--help"], {}, "--minutes"),
        ([], COMPLETE, "sudoku"),
        ([], {**COMPLETE, "COMP_WORDS": "trmsolve ma"}, "maze"),
    ],
)
def test_help_and_completion_do_not_import_torch(
    arguments: list[str], extra: dict[str, str], shown: str
) -> None:
    command, env = (
        [sys.executable, "-c", PROBE, *arguments],
        {**COMMAND_ENV, "COLUMNS": "120", **extra},
    )
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert shown in done.stdout and done.stderr.strip().endswith("False"), done.stderr


def test_a_closed_pipe_leaves_no_traceback(tmp_path: Path) -> None:
    many = tmp_path / "many.sdm"
    many.write_text((EASY + "\n") * 400)
    done = subprocess.run(
        f"{sys.executable} -m trmsolve sudoku {many} --quiet | head -1",
        shell=True,
        capture_output=True,
        text=True,
        env=COMMAND_ENV,
        check=False,
    )
    assert done.stdout == SOLUTION + "\n" and done.stderr == ""


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_whole_lines_and_its_exit_code(
    sent: signal.Signals, code: int, tmp_path: Path
) -> None:
    many = tmp_path / "many.sdm"
    many.write_text((EASY + "\n") * 2_000)
    process = subprocess.Popen(
        [*RUN, "sudoku", str(many)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=COMMAND_ENV,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == SOLUTION + "\n"
    process.send_signal(sent)
    rest, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert rest.replace(SOLUTION + "\n", "") == ""
    assert "Traceback" not in errors
    assert ("interrupted" in errors) == (sent == signal.SIGINT)


def test_a_pipe_that_waits_for_its_answer_gets_it() -> None:
    process = subprocess.Popen(
        [*RUN, "sudoku", "-", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=COMMAND_ENV,
    )
    assert process.stdin is not None and process.stdout is not None
    for _ in range(3):
        process.stdin.write(EASY + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == SOLUTION + "\n"
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def test_an_interrupt_while_a_pipe_is_silent() -> None:
    process = subprocess.Popen(
        [*RUN, "sudoku", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=COMMAND_ENV,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.write(EASY + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == SOLUTION + "\n"
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert process.returncode == 130
    assert process.stderr.read().endswith("trmsolve: interrupted\n")
    process.stdin.close()


def test_errors_reach_a_waiting_pipe_at_once() -> None:
    process = subprocess.Popen(
        [*RUN, "sudoku", "-", "--json", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=COMMAND_ENV,
    )
    assert process.stdin is not None and process.stdout is not None
    for line, key in ((CLASH, "error"), (EASY, "answer"), (EASY[:50], "error"), (EASY, "answer")):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        assert key in json.loads(process.stdout.readline())
    process.stdin.close()
    assert process.wait(timeout=60) == 2


def test_a_file_of_junk_ends(tmp_path: Path) -> None:
    junk = tmp_path / "log.txt"
    junk.write_text(EASY + "\n" + "".join(f"{EASY[:70]}{i}\n" for i in range(300)) + EASY + "\n")
    result = run("sudoku", str(junk), "--batch-size", "1", "--format", "line")
    assert result.exit_code == 2 and result.stdout == (SOLUTION + "\n") * 2
    assert "300 unreadable" in result.stderr


def test_a_pipe_by_name_is_read_once(tmp_path: Path) -> None:
    many = tmp_path / "many.sdm"
    beside = f"# {'a comment, so that the file is longer than what a pipe holds':78}\n" * 50
    many.write_text((EASY + "\n" + beside) * 20)
    assert many.stat().st_size > 65536
    command = f"cat {many} | {sys.executable} -m trmsolve sudoku /dev/stdin --format line"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=COMMAND_ENV, check=False
    )
    assert done.returncode == 0 and done.stdout == (SOLUTION + "\n") * 20


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("sudoku - <&-", 2, "standard input is closed"),
        ("sudoku {easy} >&-", 0, ""),
        ("sudoku {easy} 2>&-", 0, ""),
        ("sudoku {easy} > /dev/full", 5, "No space left on device"),
        ("generate > /dev/full", 5, "No space left on device"),
        ("--help > /dev/full", 5, "No space left on device"),
        ("--version > /dev/full", 5, "No space left on device"),
        ("sudoku --help > /dev/full", 5, "No space left on device"),
        ("weights list --help > /dev/full", 5, "No space left on device"),
        ("weights list > /dev/full", 5, "No space left on device"),
        ("bench --seconds abc > /dev/full", 2, "--seconds"),
        ("generate --out /dev/full", 5, "No space left on device"),
        ("generate --out {folder}", 2, "cannot be written"),
        ("--help >&-", 0, ""),
        ("generate --out {folder}/absent/file.csv", 2, "cannot be written"),
        ("train --data {easy} --steps 1 --out {folder}/run", 2, "needs puzzles with answers"),
        ("train --data {two} --steps 1 --out {easy}", 2, "File exists"),
    ],
)
def test_streams_and_folders_that_cannot_be_used(
    command: str, code: int, said: str, tmp_path: Path
) -> None:
    easy, two = tmp_path / "easy.txt", tmp_path / "two.csv"
    easy.write_text(EASY + "\n")
    two.write_text(f"question,answer\n{EASY},{SOLUTION}\n{EASY},{SOLUTION}\n")
    command = command.format(easy=easy, two=two, folder=tmp_path)
    command = f"{sys.executable} -m trmsolve {command}"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=COMMAND_ENV, check=False
    )
    assert done.returncode == code and "Traceback" not in done.stderr
    assert said in done.stderr


def test_answers_go_on_when_the_reader_of_messages_leaves(tmp_path: Path) -> None:
    two = tmp_path / "two.txt"
    two.write_text((EASY + "\n") * 2)
    command = f"{sys.executable} -m trmsolve sudoku {two} --show-steps 2> >(head -1 > /dev/null)"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=COMMAND_ENV, check=False
    )
    assert (done.returncode, done.stdout) == (0, (SOLUTION + "\n") * 2)


@pytest.mark.parametrize(
    ("encoding", "kept"), [("ascii", "|534|678|912|"), ("utf-8", "│534│678│912│")]
)
def test_output_fits_the_encoding_of_its_stream(encoding: str, kept: str, tmp_path: Path) -> None:
    rows = [EASY[i : i + 9] for i in range(0, 81, 9)]
    framed = "\n".join(f"│{r[:3]}│{r[3:6]}│{r[6:]}│" for r in rows)
    (tmp_path / "framed.sdk").write_bytes(b"#A M\xfcller\n" + framed.encode() + b"\n")
    done = subprocess.run(
        [*RUN, "sudoku", "framed.sdk", "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**COMMAND_ENV, "PYTHONIOENCODING": f"{encoding}:strict"},
    )
    assert done.returncode == 0 and not done.stderr
    assert kept in done.stdout.decode(encoding)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "cp932"])
def test_mazes_that_the_stream_cannot_show_are_answered_in_ascii(
    encoding: str, tmp_path: Path
) -> None:
    plain = "#####\n#S  #\n# # #\n# #G#\n#####\n"
    solved = "#####\n#Soo#\n# #o#\n# #G#\n#####\n"
    files: list[str] = []
    answers: list[str] = []
    for cells in ("⬛⬜🟩🟥", "█ SG", "▓·SG"):
        wall, floor, start, goal = cells
        drawn = plain.translate(str.maketrans({"#": wall, " ": floor, "S": start, "G": goal}))
        files.append(f"maze{len(files)}.txt")
        (tmp_path / files[-1]).write_text(drawn, encoding="utf-8")
        shown = str.maketrans("# ", wall + floor) if can_encode(cells, encoding) else {}
        answers.append(solved.translate(shown))
    done = subprocess.run(
        [*RUN, "maze", *files],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        env={**COMMAND_ENV, "PYTHONIOENCODING": f"{encoding}:strict"},
    )
    answer, said = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 0, said
    assert answer == "\n".join(answers)
    assert said.count("answers are drawn in ASCII") == 1


def test_weights_error_while_a_pipe_is_open(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*RUN, "sudoku", "-", "--weights", str(tmp_path / "absent")],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=COMMAND_ENV,
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(EASY + "\n")
    process.stdin.flush()
    assert process.wait(timeout=60) == 3
    assert process.stderr.read().count("\n") == 1
    process.stdin.close()


def test_the_library_gives_what_the_command_gives() -> None:
    from trmsolve import load

    loaded = load("sudoku")
    said = json.loads(run("sudoku", "-", "--json", text=EASY).stdout)
    answer = loaded.solve(EASY)
    assert get_task("sudoku").line(answer.grid) == said["answer"]
    assert (answer.cycles, answer.views, answer.verified) == (
        said["cycles"],
        said["views"],
        said["verified"],
    )
    assert len(list(loaded.refine(EASY))) == answer.cycles


def test_version() -> None:
    assert run("--version").stdout.startswith("trmsolve 0.")


def test_a_puzzle_may_be_the_argument() -> None:
    result = run("sudoku", EASY)
    assert (result.exit_code, result.stdout) == (0, SOLUTION + "\n")
    result = run("sudoku", "53..7")
    assert result.exit_code == 2
    assert "no such file; to solve a puzzle that is no file, pipe it" in result.stderr


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("examples/sudoku/framed.ss", "sudoku"),
        ("examples/sudoku/list.sdm", "sudoku"),
        ("examples/maze/several.txt", "maze"),
        ("examples/maze/maze.csv", "maze"),
        ("docs/gallery/maze.gif", ""),
        ("examples/arc/mirror.json", "arc"),
        ("tests/files/sugoku_board.json", "sudoku"),
        ("tests/files/maze_numpy.txt", "maze"),
        ("tests/files/arc_rearc_pairs.json", "arc"),
        ("README.md", ""),
    ],
)
def test_the_kind_of_a_file_is_recognised(file: str, kind: str) -> None:
    if not kind:
        with pytest.raises(UsageError, match="no puzzle is recognised"):
            recognise(str(ROOT / file))
    else:
        assert recognise(str(ROOT / file)) == kind


def test_the_kind_of_a_pipe_is_recognised() -> None:
    result = run("solve", "-", "--quiet", text="###\n#S#\n#G#\n###\n")
    assert (result.exit_code, result.stdout) == (0, "###\n#S#\n#G#\n###\n")
    result = run("solve", "-", text="hello\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "stdin: no puzzle is recognised" in result.stderr


@pytest.mark.parametrize("grid", [EASY, "###\n#S#\n#G#\n###"])
def test_verbose_tells_once_which_lines_were_passed_over(grid: str, tmp_path: Path) -> None:
    file = tmp_path / "f.txt"
    file.write_text(f"{grid}\n\nTaken from a book\nVersion two\n")
    said = f"{file}:{grid.count(chr(10)) + 3}: passed over 'Taken from a book' and 1 more"
    assert run("solve", str(file)).stderr.count("passed over") == 0
    assert run("solve", str(file), "--verbose").stderr.splitlines().count(said) == 1


def test_only_a_regular_file_of_some_size_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for name in (pipe, tmp_path, tmp_path / "none", "/dev/zero"):
        result = run("solve", str(name))
        assert result.exit_code == 2
        assert f"{name} cannot be read: " in result.stderr
    monkeypatch.setattr("trmsolve.cli.recognise.LARGEST", 1 << 20)
    file = tmp_path / "large.txt"
    file.write_text("\n" * (1 + (1 << 20)))
    result = run("solve", "-", text=file.read_text())
    assert (result.exit_code, result.stdout) == (2, "")
    assert "standard input has more than 1 MiB: use one of arc, " in result.stderr
    result = run("solve", str(file))
    assert result.exit_code == 2
    assert "has more than 1 MiB: use one of arc, sudoku, maze" in result.stderr


def test_solve_calls_the_command_of_the_kind(tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text(EASY)
    result = run("solve", str(file), "--format", "line", "-q")
    assert (result.exit_code, result.stdout, result.stderr) == (0, SOLUTION + "\n", "")
    file.write_text("# #####\n#     #\n##### #\n")
    result = run("solve", str(file), "-q", "--start", "1,2", "--goal", "2,2")
    assert (result.exit_code, result.stdout) == (0, "# #####\n#     #\n##### #\n")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--start", "2"], "--start: '2' is not R,C"),
        (["--goal", "0,1"], "--goal: '0,1' is not R,C"),
        (["--map", "%"], "--map: '%' is not SIGN=MEANING"),
        (["--start", "1,1"], "--start: no floor at row 1, column 1 of 3 x 5 cells"),
    ],
)
def test_wrong_signs_and_ends_are_told(options: list[str], problem: str) -> None:
    result = run("maze", "-", *options, text="#####\n#S G#\n#####\n")
    assert result.exit_code == 2
    assert problem in result.stderr


def test_signs_and_ends_may_be_told() -> None:
    text = "@@@@@\n@a b@\n@   @\n@@@@@\n"
    result = run("maze", "-", "-q", "--map", "@=#,a=S,b=G", text=text)
    assert (result.exit_code, result.stdout) == (0, text.replace("a b", "aob"))
    result = run(
        "maze", "-", "-q", "--start", "2,2", "--goal", "3,4", text=text.replace("a b", "   ")
    )
    assert result.exit_code == 0
    assert result.stdout.count("o") == 2


SEVERAL = SOLUTION.replace("1", ".").replace("2", ".")
NONE = EASY[:2] + "2" + EASY[3:]


@pytest.mark.parametrize(
    ("text", "told", "counted"),
    [
        (EASY, "", 1),
        (NONE, "the puzzle has no solution", 0),
        (SEVERAL, "the puzzle has more than one solution", "several"),
    ],
)
def test_the_number_of_solutions_is_told_before_the_model_runs(
    text: str, told: str, counted: int | str
) -> None:
    result = run("sudoku", "-", "--json", "--views", "1", text=text)
    assert json.loads(result.stdout)["solutions"] == counted
    first, *_ = result.stderr.splitlines()
    assert first == (f"stdin:1: {told}" if told else first) and (not told) == ("stdin" not in first)


def test_seconds_are_those_of_work_and_not_of_pauses() -> None:
    result = run("sudoku", "-", "--json", "--show-steps", "--pace", "5", "--cycles", "1", text=EASY)
    assert 0 < json.loads(result.stdout)["seconds"] < 5


def test_the_seconds_of_a_batch_add_up_to_no_more_than_the_run(tmp_path: Path) -> None:
    many = tmp_path / "many.sdm"
    many.write_text((EASY + "\n") * 12)
    began = time.monotonic()
    result = run("sudoku", str(many), "--json", "--threads", "1")
    elapsed = time.monotonic() - began
    shares = [json.loads(line)["seconds"] for line in result.stdout.splitlines()]
    assert len(shares) == 12 and all(share > 0 for share in shares)
    assert sum(shares) < elapsed


def test_generate_says_what_it_replaces_and_what_no_network_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "made.csv"
    assert run("generate", "-n", "1", "--out", str(out)).stderr == ""
    assert run("generate", "-n", "1", "--out", str(out)).stderr == f"replacing {out}\n"
    monkeypatch.setattr("trmsolve.puzzles.maze.task.MazeFlow.largest", (128, 128))
    size = ("--task", "maze", "--size", "130x20", "-n", "1")
    assert run("generate", *size, "--out", str(tmp_path / "large.csv")).stderr.endswith(
        "trmsolve maze does not solve these puzzles: too large: 130 rows and 20 columns; "
        "these weights support mazes up to 128 x 128: give a part of it\n"
    )


EARLY = """
import sys
import time
from trmsolve.cli import app
try:
    app(prog_name="trmsolve", args=["eval", "--data", "absent.csv"])
finally:
    print("torch" in sys.modules)
"""


def test_eval_looks_at_its_file_before_it_loads_torch() -> None:
    given = [sys.executable, "-c", EARLY]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert done.stderr == "trmsolve: absent.csv: no such file\n"
