"""What a training run shows, as exact text, and that its chart draws what was measured."""

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from tests.support.screen import ESCAPE, Ascii, pinned, screen, written
from trmsolve.show.chart import Axes, Series, chart, time_axis
from trmsolve.show.training import (
    LinesTrainingDisplay,
    PanelTrainingDisplay,
    TrainingDisplay,
    make_training_display,
    panel,
    report,
    time_left,
)
from trmsolve.train.schedule import Progress
from trmsolve.wording import duration


def at(
    minutes: float, accuracy: float = 0.5, exact: float | None = None, loss: float = 1.0
) -> Progress:
    return Progress(
        step=int(minutes * 100),
        seconds=minutes * 60,
        done=minutes / 20,
        loss=loss,
        token_accuracy=accuracy,
        mean_cycles=6.24,
        solved=0.125,
        lr=1e-4,
        examples_per_second=512.4,
        puzzles_per_second=41.26,
        held_out_exact=exact,
    )


RUN = [
    at(0.5, 0.25, loss=2.0),
    at(2, 0.5, loss=1.0),
    at(4, 0.75, exact=0.125, loss=0.5),
    at(6, 0.7, loss=0.75),
    at(8, 0.875, exact=0.5, loss=0.25),
    at(10, 0.9, loss=0.2),
]

PANEL = [
    "     ⠢⠔ cells  ⠒⠒ held-out exact",
    "100%┤                                ⢀   done            50%          ━━━━────",
    "    │                         ⠈          step            1000",
    "    │            ⠂      ⡀                spent           10.0 min",
    "    │                                    left            10.0 min",
    " 50%┤     ⠄                   ⠠⠤⠤⠤⠤⠤⠤⠤",
    "    │                                    held-out exact  50.0%        ━━━━────",
    "    │⠄                                   measured at     8.0 min",
    "    │            ⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⡀          cells           90.0%        ━━━━━━━─",
    "  0%┤                                    loss            0.200",
    "",
    "     ⠢⠔ loss                             train exact     12.5%",
    "2.00┤⠁                                   mean cycles     6.2",
    "    │                                    learning rate   1.0e-04",
    "    │     ⠄",
    "    │            ⠄      ⠁                puzzles         41.3/s",
    "   0┤                         ⠐      ⠐   puzzle cycles   512/s",
    "    ╰─────────────────────────────────",
    "     30 s                     10.0 min",
]
NARROW = [
    "     ⠢⠔ cells  ⠒⠒ held-out exact",
    "100%┤                         ⠠      ⠠",
    "    │            ⠂      ⠄",
    " 50%┤     ⠄                   ⠠⠤⠤⠤⠤⠤⠤⠤",
    "    │⠄",
    "  0%┤            ⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠒⠂",
    "     ⠢⠔ loss",
    "2.00┤⠁",
    "    │     ⠄             ⡀",
    "   0┤            ⠁            ⠠      ⠠",
    "    ╰─────────────────────────────────",
    "     30 s                     10.0 min",
    "done 50%  step 1000  spent 10.0 min",
    "left 10.0 min  held-out exact 50.0%",
    "measured at 8.0 min  cells 90.0%",
    "loss 0.200  train exact 12.5%",
    "mean cycles 6.2  learning rate 1.0e-04",
    "puzzles 41.3/s  puzzle cycles 512/s",
]
PLAIN = [
    "     . cells  = held-out exact           done            50%          ####----",
    "100%+                                    step            1000",
    "    |                         .      .   spent           10.0 min",
    "    |            .      .                left            10.0 min",
    " 50%+     .                   ========",
    "    |.                                   held-out exact  50.0%        ####----",
    "    |            =============           measured at     8.0 min",
    "  0%+                                    cells           90.0%        #######-",
    "     . loss                              loss            0.200",
    "2.00+.",
    "    |     .             .                train exact     12.5%",
    "   0+            .            .      .   mean cycles     6.2",
    "    +---------------------------------   learning rate   1.0e-04",
    "     30 s                     10.0 min",
    "                                         puzzles         41.3/s",
    "                                         puzzle cycles   512/s",
]
FIGURES = ["done 50%  step 1000", "spent 10.0 min", "left 10.0 min"]


def shown(console: Console, run: list[Progress] = RUN) -> list[str]:
    view = make_training_display(console)
    for progress in run:
        view.progress(progress)
    return screen(written(console))


# The panel


@pytest.mark.parametrize(
    ("width", "height", "options", "lines"),
    [
        (80, 24, {}, PANEL),
        (80, 60, {}, PANEL),
        (40, 20, {}, NARROW),
        (80, 18, {"no_color": True}, PLAIN),
        (22, 5, {}, FIGURES),
    ],
)
def test_the_panel_in_the_form_that_fits(
    width: int, height: int, options: dict[str, Any], lines: list[str]
) -> None:
    assert shown(pinned(width, height, **options)) == lines


@pytest.mark.parametrize("width", [8, 20, 30, 40, 55, 70, 80, 132])
@pytest.mark.parametrize("height", [1, 3, 8, 13, 20, 24, 50])
def test_it_is_never_larger_than_the_terminal_and_leaves_room_for_an_echoed_interrupt(
    width: int, height: int
) -> None:
    console = pinned(width, height)
    lines = console.render_lines(panel(console, RUN, height), pad=False)
    assert len(lines) <= height
    assert all(sum(segment.cell_length for segment in line) <= width - 2 for line in lines)


def test_before_anything_was_measured_nothing_is_claimed() -> None:
    first = replace(at(0.5), mean_cycles=0.0, solved=0.0, done=0.0)
    lines = shown(pinned(), [first])
    assert [line[41:] for line in lines if line[41:]] == [
        "done            0%           ────────",
        "step            50",
        "spent           30 s",
        "left            -",
        "held-out exact  not yet",
        "cells           50.0%        ━━━━────",
        "loss            1.000",
        "train exact     -",
        "mean cycles     -",
        "learning rate   1.0e-04",
        "puzzles         41.3/s",
        "puzzle cycles   512/s",
    ]


def test_figures_have_the_colours_of_the_chart() -> None:
    console = pinned()
    shown(console)
    for text, code in (("50.0%", "1;32"), ("90.0%", "36"), ("0.200", "35")):
        assert f"\x1b[{code}m{text}" in written(console)


def test_the_last_state_stays_under_the_messages() -> None:
    console = pinned()
    with make_training_display(console) as view:
        view.note("2000 puzzles, recipe laptop")
        for progress in RUN:
            view.progress(progress)
            if progress.held_out_exact:
                view.note(f"checkpoint written at step {progress.step}")
        view.note("loss is not finite", problem=True)
    assert screen(written(console)) == [
        "2000 puzzles, recipe laptop",
        "checkpoint written at step 400",
        "checkpoint written at step 800",
        "loss is not finite",
        *PANEL,
        "",
    ]
    assert written(console).endswith("\x1b[?25h")


def test_an_interrupt_leaves_the_last_state_and_gives_the_cursor_back() -> None:
    console = pinned()
    with pytest.raises(KeyboardInterrupt), make_training_display(console) as view:
        for progress in RUN:
            view.progress(progress)
        raise KeyboardInterrupt
    assert screen(written(console)) == [*PANEL, ""]
    assert written(console).endswith("\x1b[?25h")


def test_a_resumed_run_is_charted_from_where_it_began() -> None:
    console = pinned()
    with make_training_display(console, past=RUN[:-1]) as view:
        view.progress(RUN[-1])
    assert screen(written(console)) == [*PANEL, ""]


# Where nothing can be redrawn, and quiet

LINES = (
    "starting\n"
    "step 800  8.0 min  loss 0.250  cells 87.5%  512 puzzle cycles/s  held-out exact 50.0%\n"
    "step 1000  10.0 min  loss 0.200  cells 90.0%  512 puzzle cycles/s\n"
    "stopped early\n"
)


def told(view: TrainingDisplay) -> None:
    with view:
        view.note("starting")
        for progress in RUN[-2:]:
            view.progress(progress)
        view.note("stopped early", problem=True)


@pytest.mark.parametrize(
    "console", [pinned(20, terminal=False), pinned(20, force_interactive=False, color_system=None)]
)
def test_a_pipe_and_a_dumb_terminal_get_a_line_a_report(console: Console) -> None:
    told(make_training_display(console))
    assert written(console) == LINES


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_judging_is_counted_line_by_line_but_not_if_it_is_soon_over() -> None:
    console, clock = pinned(terminal=False), Clock()
    with LinesTrainingDisplay(console, clock) as view:
        for run in RUN[-2:]:
            for clock.now, judged in ((0.0, 0), (1.0, 32), (6.0, 64), (7.0, 64), (11.5, 96)):
                if run is RUN[-2] or clock.now < 2:
                    view.judging(judged, 128)
            view.progress(run)
    assert written(console) == (
        "evaluating 64/128 held-out puzzles\n"
        "evaluating 96/128 held-out puzzles\n"
        "step 800  8.0 min  loss 0.250  cells 87.5%  512 puzzle cycles/s  held-out exact 50.0%\n"
        "step 1000  10.0 min  loss 0.200  cells 90.0%  512 puzzle cycles/s\n"
    )


def test_judging_is_counted_above_the_panel_until_its_figure_is_there() -> None:
    console, clock = pinned(), Clock()
    with PanelTrainingDisplay(console, RUN[:-1], clock) as view:
        view.judging(0, 128)
        clock.now += 1
        view.judging(64, 128)
        assert screen(written(console))[:2] == ["evaluating 64/128 held-out puzzles", PANEL[0]]
        view.note("stopping")
        assert screen(written(console))[:2] == ["stopping", "evaluating 64/128 held-out puzzles"]
        view.progress(RUN[-1])
    assert screen(written(console)) == ["stopping", *PANEL, ""]


def test_judging_before_the_first_report_is_counted_too() -> None:
    console = pinned()
    with PanelTrainingDisplay(console) as view:
        view.judging(0, 128)
        assert screen(written(console)) == ["evaluating 0/128 held-out puzzles"]
        view.progress(at(0.5))
        assert "evaluating" not in "".join(screen(written(console)))


def test_a_figure_that_comes_later_takes_the_place_of_its_report() -> None:
    """As when a run that was over is judged after all."""
    console = pinned()
    with make_training_display(console, past=[*RUN[:-1], replace(RUN[-1], loss=2.0)]) as view:
        view.progress(RUN[-1])
    assert screen(written(console)) == [*PANEL, ""]


def test_quiet_tells_problems_only() -> None:
    console = pinned(terminal=False)
    told(make_training_display(console, quiet=True))
    assert written(console) == "stopped early\n"


def test_the_display_that_suits() -> None:
    assert type(make_training_display(pinned())) is PanelTrainingDisplay
    assert type(make_training_display(pinned(terminal=False))) is LinesTrainingDisplay
    assert type(make_training_display(pinned(), quiet=True)) is TrainingDisplay


def test_an_ascii_stream_gets_ascii_only() -> None:
    stream = Ascii()
    with make_training_display(pinned(stream=stream)) as view:
        view.note("rätsel.csv\x1b[2J")
        for progress in RUN:
            view.progress(progress)
    drawn = ESCAPE.sub("", stream.buffer.getvalue().decode("ascii"))  # type: ignore[attr-defined]
    assert r"r\xe4tsel.csv\x1b[2J" in drawn and ". cells  = held-out exact" in drawn


# What the figures say


def test_time_left_is_told_from_the_pace_so_far() -> None:
    assert time_left(at(5)) == "15.0 min"
    assert time_left(replace(at(5), done=1.0)) == "0 s"
    assert time_left(replace(at(5), done=0.0)) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (45.4, "45 s"), (738, "12.3 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_loss_that_is_not_a_number_is_said_and_not_drawn() -> None:
    broken = [*RUN[:-1], replace(RUN[-1], loss=float("nan"))]
    assert "loss nan" in report(broken[-1])
    lines = shown(pinned(), broken)
    assert lines[9].endswith("loss            nan")
    assert lines[12:17] == [
        *PANEL[12:16],
        PANEL[16].replace("      ⠐   puzzle", "          puzzle"),
    ]
    assert shown(pinned(), [replace(at(1), loss=float("inf"))])[12].startswith("1.00┤ ")


# The chart


def drawn(
    series: list[Series], rows: int = 2, inner: int = 4, plain: bool = False, top: float = 1
) -> list[str]:
    axes = Axes(0, inner * 2 - 1, inner + 2, 1, plain)  # a second is one column of dots
    return [line.plain for line in chart(axes, rows, series, {top: "1", 0: "0"})]


def test_every_point_is_one_dot_and_nothing_is_between() -> None:
    points = [(0, 1.0), (0, 0.0), (3, 1.0), (6, 4 / 7), (7, 3 / 7)]
    assert drawn([Series("it", points, "cells", ".")]) == ["  ⠢⠔ it", "1┤⠁⠈ ⡀", "0┤⡀  ⠈"]


def test_what_holds_is_a_staircase_to_the_end() -> None:
    assert drawn([Series("it", [(2, 0.0), (5, 1.0)], "exact", "=", holds=True)]) == [
        "  ⠒⠒ it",
        "1┤  ⠈⠉",
        "0┤ ⣀⡀ ",
    ]


def test_the_later_series_is_seen_where_both_are() -> None:
    both = [Series("a", [(0, 0.0), (2, 0.0)], "cells", "."), Series("b", [(0, 0.0)], "exact", "=")]
    assert drawn(both, plain=True) == ["  . a  = b", "1+    ", "0+=.  "]


def test_values_beyond_the_ticks_are_not_drawn() -> None:
    points = [(0, float("nan")), (1, float("inf")), (2, 1.5), (3, -0.1)]
    assert drawn([Series("it", points, "loss", ".")])[1:] == ["1┤    ", "0┤    "]
    assert drawn([Series("it", [], "exact", "=", holds=True)])[1:] == ["1┤    ", "0┤    "]


def test_time_is_written_at_both_ends_or_where_it_ends() -> None:
    assert [line.plain for line in time_axis(Axes(0, 1, 14, 1, False), "5 s", "10 s")] == [
        " ╰────────────",
        "  5 s     10 s",
    ]
    assert time_axis(Axes(0, 1, 8, 1, True), "5 s", "10 s")[1].plain == "  10 s"
