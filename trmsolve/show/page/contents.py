"""What a page shows, as values for JSON.

A puzzle has stages: its views one after the other, or the learning of an ARC task, and at last the
answer. A stage has frames, and a frame has figures and rows of pictures. A picture is a grid whose
cells have a style each, as in the terminal. Arrays are written as in a trace.

Knows the figures of the live view; not HTML.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from trmsolve.arc.paint import size
from trmsolve.arc.task import ATTEMPTS, AdaptationProgress, ArcAnswer, ArcCycle, ArcTask, Candidate
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Cycle, Grid
from trmsolve.show import arc_frame, displays
from trmsolve.show.console import make_console
from trmsolve.show.frame import Fact, cycle_facts
from trmsolve.trace.arrays import bits_of, rows_of, shares_of
from trmsolve.trace.recording import Frame, Played, Recording
from trmsolve.wording import printable_line

Json = dict[str, Any]

KEY = " ▄"
"""What stands behind a figure in the terminal to show a colour. A page has a legend instead."""


def contents_of(recording: Recording, seconds: float) -> Json:
    """All that the page shows; ``seconds`` is how long a frame is shown when it plays."""
    console = make_console(io.StringIO(), force_terminal=False, color_system=None)
    puzzles: list[Json] = []
    task = None
    styles: list[str] = []
    if recording.task == "arc":
        for played in recording.played:
            puzzles.append(_ArcContents(played, recording.steps, console).contents())
    elif recording.task:
        task = get_task(recording.task)
        drawer = _PuzzleContents(task, console)
        puzzles = [drawer.contents(played) for played in recording.played]
        styles = list(drawer.codes)
    return {
        "kind": recording.task,
        "symbols": task.symbols if task else "",
        "styles": styles,
        "seconds": seconds,
        "problems": [printable_line(str(problem)) for problem in recording.problems],
        "puzzles": puzzles,
    }


@dataclass(frozen=True)
class _Picture:
    """A grid with what is known of its cells."""

    grid: Grid
    title: str = ""
    note: str = ""
    confidence: NDArray[np.float32] | None = None
    changed: NDArray[np.bool_] | None = None

    def fields(self) -> Json:
        """The picture for JSON, without what is not known."""
        fields: Json = {"grid": rows_of(self.grid)}
        if self.title:
            fields["title"] = self.title
        if self.note:
            fields["note"] = self.note
        if self.confidence is not None:
            fields["confidence"] = shares_of(self.confidence)
        if self.changed is not None:
            fields["changed"] = bits_of(self.changed)
        return fields


def _fact_fields(facts: Iterable[Fact]) -> list[list[Any]]:
    """Figures as label, text and share."""
    return [[fact.label, fact.value.plain.removesuffix(KEY), _share(fact)] for fact in facts]


def _share(fact: Fact) -> float | None:
    return None if fact.share is None else round(fact.share, 3)


def _outcome_fields(text: Text, style: str) -> Json:
    """An outcome of one line, whose parts the terminal sets two spaces apart."""
    return {"parts": text.plain.split("  "), "style": style}


class _PuzzleContents:
    """Turns the puzzles of one task into values for JSON."""

    def __init__(self, task: Task, console: Console) -> None:
        self.task = task
        self.console = console
        self.codes: dict[str, int] = {}
        """The numbers of all styles that have been used."""

    def contents(self, played: Played) -> Json:
        """A puzzle with a stage for each view, in the order of the views."""
        views: dict[int, list[Cycle]] = {}
        last = None
        for frame in played.frames:
            assert isinstance(frame, Cycle)
            views.setdefault(frame.view, []).append(frame)
            last = frame
        stages = []
        for view, cycles in sorted(views.items()):
            stages.append({"name": f"view {view}", "frames": [self._frame(one) for one in cycles]})
        fields: Json = {"name": printable_line(played.subject.source), "stages": stages}
        if isinstance(played.answer, Answer):
            answer = played.answer
            stages.append({"name": "answer", "frames": [self._last_frame(views, answer)]})
            style = "solved" if answer.verified else "unverified"
            outcome = displays.outcome(self.console, answer, last=last)
            fields["outcome"] = _outcome_fields(outcome, style)
        return fields

    def _last_frame(self, views: dict[int, list[Cycle]], answer: Answer) -> Json:
        """The frame that the answer came from; without any, the answer alone."""
        last = [cycles[-1] for cycles in views.values()]
        if last:
            return self._frame(displays.cycle_of(answer, last))
        nowhere = np.zeros(answer.grid.shape, np.bool_)
        cycle = Cycle(
            puzzle=answer.puzzle,
            number=1,
            limit=1,
            view=1,
            views=1,
            grid=answer.grid,
            confidence=np.ones(answer.grid.shape, np.float32),
            changed=nowhere,
            faulty=nowhere,
            violations=0,
            halt=answer.halt,
        )
        picture = _Picture(answer.grid).fields()
        picture["styles"] = self._styles(cycle)
        return {"facts": [], "rows": [[picture]]}

    def _frame(self, cycle: Cycle) -> Json:
        facts = cycle_facts(cycle, self.task.paint(cycle, False), plain=False)
        picture = _Picture(cycle.grid, confidence=cycle.confidence, changed=cycle.changed).fields()
        picture["styles"] = self._styles(cycle)
        if cycle.candidates is not None and cycle.violations:  # else the digits are shown
            picture["values"] = cycle.candidates.shape[-1]
            picture["candidates"] = bits_of(cycle.candidates)
        if cycle.arrows is not None:
            picture["arrows"] = rows_of(cycle.arrows)
        return {"facts": _fact_fields(facts), "rows": [[picture]]}

    def _styles(self, cycle: Cycle) -> list[str] | list[list[int]]:
        """The number of each cell's style."""
        rows = []
        for names in self.task.cell_styles(cycle):
            rows.append([self.codes.setdefault(name, len(self.codes)) for name in names])
        return rows_of(np.array(rows, np.int8))


class _ArcContents:
    """Turns one ARC task into values for JSON."""

    def __init__(self, played: Played, steps: int | None, console: Console) -> None:
        assert isinstance(played.subject, ArcTask)
        self.played = played
        self.task = played.subject
        self.steps = steps
        self.console = console
        self.stages: dict[str, list[Json]] = {}
        self.seen: dict[tuple[str, int, str], Grid] = {}
        """The grid that was drawn last, by the names of stage, test and picture."""

    def contents(self) -> Json:
        """The task with a stage for its learning, one for each view, and the answer."""
        for frame in self.played.frames:
            self._add(frame)
        fields: Json = {
            "name": printable_line(self.task.name),
            "demonstrations": [self._pair(number) for number in range(self._demonstrations)],
        }
        answer = self.played.answer
        if isinstance(answer, ArcAnswer):
            self.stages["answer"] = [{"facts": [], "rows": list(_attempts(answer))}]
            style = str(arc_frame.verdict(answer).style)
            fields["outcome"] = _outcome_fields(arc_frame.outcome(self.console, answer), style)
        fields["stages"] = [
            {"name": name, "frames": frames} for name, frames in self.stages.items()
        ]
        return fields

    @property
    def _demonstrations(self) -> int:
        return len(self.task.demonstrations)

    def _pair(self, number: int) -> list[Json]:
        """A demonstration as two pictures."""
        pair = self.task.demonstrations[number]
        assert pair.output is not None
        question = _Picture(pair.input, f"input {number + 1}", size(pair.input))
        answer = _Picture(pair.output, f"output {number + 1}", size(pair.output))
        return [question.fields(), answer.fields()]

    def _add(self, frame: Frame) -> None:
        if isinstance(frame, AdaptationProgress):
            self._add_learning(frame)
        elif isinstance(frame, ArcCycle):
            self._add_cycle(frame)

    def _add_learning(self, progress: AdaptationProgress) -> None:
        """The answers so far of all tests; where there are none, their inputs."""
        rows = []
        for moment, candidates in zip(progress.moments, progress.candidates, strict=True):
            leader = candidates[0]
            note = f"{size(leader.grid)}, {leader.votes}/{moment.views}"
            pictures = [
                _input(self.task, moment.test),
                self._so_far("learning", moment),
                self._marked("learning", moment.test, _Picture(leader.grid, "most votes", note)),
            ]
            rows.append(pictures)
        if not rows:
            rows = [[_input(self.task, test)] for test in range(len(self.task.tests))]
        facts = _fact_fields(arc_frame.adapting_facts(progress, self.steps))
        self.stages.setdefault("learning", []).append({"facts": facts, "rows": rows})

    def _add_cycle(self, cycle: ArcCycle) -> None:
        """The answer of one view to one test."""
        stage = f"view {cycle.view}"
        if len(self.task.tests) > 1:
            stage = f"test {cycle.test + 1}, {stage}"
        pictures = [_input(self.task, cycle.test), self._so_far(stage, cycle)]
        facts = _fact_fields(arc_frame.cycle_facts(cycle))
        self.stages.setdefault(stage, []).append({"facts": facts, "rows": [pictures]})

    def _so_far(self, stage: str, cycle: ArcCycle) -> Json:
        picture = _Picture(cycle.grid, "answer so far", size(cycle.grid), cycle.confidence)
        return self._marked(stage, cycle.test, picture)

    def _marked(self, stage: str, test: int, picture: _Picture) -> Json:
        """The picture, with the cells marked that have changed since it was drawn last."""
        key = (stage, test, picture.title)
        before = self.seen.get(key)
        self.seen[key] = picture.grid
        if before is not None and before.shape == picture.grid.shape:
            picture = replace(picture, changed=before != picture.grid)
        return picture.fields()


def _input(task: ArcTask, test: int) -> Json:
    number = f" {test + 1}" if len(task.tests) > 1 else ""
    grid = task.tests[test].input
    return _Picture(grid, f"test{number}", size(grid)).fields()


def _attempts(answer: ArcAnswer) -> Iterator[list[Json]]:
    """For each test its input, the attempts with their votes, and the known output if missed."""
    for test, candidates in enumerate(answer.candidates):
        output = answer.task.tests[test].output
        cast = sum(candidate.votes for candidate in candidates)
        row = [_input(answer.task, test)]
        for number, candidate in enumerate(candidates[:ATTEMPTS], 1):
            title = f"attempt {number}" if len(candidates) > 1 else "both attempts"
            title += _verdict(candidate, output)
            note = f"{size(candidate.grid)}, {candidate.votes} of {cast} votes"
            row.append(_Picture(candidate.grid, title, note).fields())
        if output is not None and not answer.right(test):
            row.append(_Picture(output, "right answer", size(output)).fields())
        yield row


def _verdict(candidate: Candidate, output: Grid | None) -> str:
    """Whether an attempt is right; nothing where that is not known."""
    if output is None:
        return ""
    return ": right" if np.array_equal(candidate.grid, output) else ": wrong"
