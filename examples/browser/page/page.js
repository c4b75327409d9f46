// The page: what one types, the buttons, and which cycle is seen. Text is set as text only.

import * as maze from "./maze.js";
import * as sudoku from "./sudoku.js";
import { drawMaze, drawSudoku } from "./draw.js";
import { PuzzleError } from "./errors.js";
import { loadNetwork, refine } from "./network.js";

const PACE = 600; // milliseconds for each cycle while it plays
const TASKS = {
  sudoku: { ...sudoku, draw: drawSudoku, label: "81 cells, . for a blank; or type into the grid" },
  maze: { ...maze, draw: drawMaze, label: "Rows of # for walls and . for floor, one S, one G" },
};

const element = (id) => document.getElementById(id);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const bundled = await (await fetch("bundled.json")).json();
const networks = {}; // promises, by task

// The puzzle under way. `shown` is the cycle that is seen, 0 for the puzzle itself.
// It is replaced, never reused: whoever waits for a cycle sees that the run is another one.
let name = "sudoku";
let run = null;

function newRun(puzzle) {
  return { name, puzzle, cycles: [], shown: 0, playing: false, waiting: false, failure: "" };
}

// Reads the text anew. The run is null where it is no puzzle.
function begin() {
  const task = TASKS[name];
  run = null;
  let problem = "";
  try {
    run = newRun(task.read(element("text").value));
    problem = task.unsolvable(run.puzzle);
    run.unsolvable = problem !== "";
  } catch (error) {
    if (!(error instanceof PuzzleError)) throw error;
    problem = error.message;
  }
  element("problem").textContent = problem;
  element("text").setAttribute("aria-invalid", String(problem !== ""));
  show();
}

// The next cycle: seen already, or computed now. The network is fetched when it is first needed.
async function forward() {
  const mine = run;
  if (!mine || mine.waiting || isAtEnd(mine)) return;
  if (mine.shown < mine.cycles.length) { // one has gone back
    mine.shown++;
    show();
    return;
  }
  mine.waiting = true;
  show();
  const seen = mine.shown;
  try {
    networks[mine.name] ??= loadNetwork(bundled.networks[mine.name]);
    mine.source ??= refine(await networks[mine.name], TASKS[mine.name], mine.puzzle);
    const { value } = await mine.source.next();
    mine.cycles.push(value);
    if (mine.shown === seen) mine.shown++; // unless one has gone back meanwhile
  } catch (error) {
    if (!mine.source) delete networks[mine.name]; // to be fetched again
    mine.failure = `The network cannot be run here: ${String(error?.message ?? error).slice(0, 200)}`;
    mine.playing = false;
  }
  mine.waiting = false;
  if (mine === run) show();
}

async function play() {
  const mine = run;
  if (!mine || isAtEnd(mine)) return;
  mine.playing = !mine.playing;
  show();
  while (mine === run && mine.playing && !isAtEnd(mine)) {
    await Promise.all([forward(), pause(PACE)]);
  }
  mine.playing = false;
  if (mine === run) show();
}

function step() {
  if (run) run.playing = false;
  forward();
}

function goTo(shown) {
  if (!run?.shown) return;
  run.playing = false;
  run.shown = shown;
  show();
}

function isAtEnd({ cycles, shown, unsolvable, failure }) {
  return unsolvable || failure !== "" || (shown > 0 && cycles[shown - 1].last);
}

function show() {
  const task = TASKS[name];
  const cycle = run?.shown ? run.cycles[run.shown - 1] : null;
  element("board").replaceChildren();
  if (run) task.draw(element("board"), run.puzzle, cycle, edit);
  element("answer").textContent = run ? task.write(cycle?.grid ?? run.puzzle.grid, run.puzzle) : "";
  showButtons();
  element("status").textContent = run ? status(cycle) : "";
  element("status").className = cycle?.last && !cycle.reason ? "solved" : "";
  const facts = cycle ? factsOf(task, cycle) : [];
  element("facts").replaceChildren(...facts.map(factBox));
}

function factBox([label, value]) {
  const box = document.createElement("div");
  const term = document.createElement("dt");
  const figure = document.createElement("dd");
  term.textContent = label;
  figure.textContent = value;
  box.append(term, figure);
  return box;
}

function showButtons() {
  const atEnd = !run || isAtEnd(run);
  const idle = { reset: !run?.shown, back: !run?.shown, play: atEnd, step: atEnd };
  // A button that is disabled outright would lose the focus of the keyboard.
  for (const id of Object.keys(idle)) element(id).setAttribute("aria-disabled", String(idle[id]));
  element("play").textContent = run?.playing ? "Pause" : "Play";
}

function status(cycle) {
  if (run.failure) return run.failure;
  if (run.waiting && !run.cycles.length) return "Fetching the network and computing cycle 1 …";
  if (!cycle) return run.unsolvable ? "" : "The puzzle. Step or play to ask the network.";
  const { cycles } = bundled.networks[name];
  const head = `Cycle ${cycle.number} of at most ${cycles}`;
  if (!cycle.last) return `${head}.`;
  return cycle.reason ? `${head}, not solved: ${cycle.reason}.` : `${head}: solved.`;
}

function factsOf(task, cycle) {
  const mean = cycle.confidence.reduce((total, one) => total + one, 0) / cycle.confidence.length;
  return [
    ...task.facts(run.puzzle, cycle),
    ["changed", cycle.changed.filter(Boolean).length],
    ["broken rules", cycle.broken],
    ["confidence", `${Math.round(100 * mean)} %`],
    ["halt", `${Math.round(100 * cycle.halt)} %`],
    ["time", `${Math.round(cycle.milliseconds)} ms`],
  ];
}

// A digit was typed into the grid.
function edit(cell, digit) {
  const grid = run.puzzle.grid.with(cell, digit);
  element("text").value = TASKS[name].write(grid, run.puzzle);
  begin();
  element("board").querySelectorAll("input")[cell].focus();
}

function choose(task) {
  name = task;
  for (const button of document.querySelectorAll("[data-task]")) {
    button.setAttribute("aria-pressed", String(button.dataset.task === name));
  }
  element("legend-sudoku").hidden = name !== "sudoku";
  element("legend-maze").hidden = name !== "maze";
  element("text-label").textContent = TASKS[name].label;
  element("weights").textContent = `Weights: ${bundled.networks[name].weights}`;
  const buttons = bundled.examples[name].map((example) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = example.name;
    button.addEventListener("click", () => fill(example.text));
    return button;
  });
  element("examples").replaceChildren(...buttons);
  fill(bundled.examples[name][0].text);
}

function fill(text) {
  const puzzle = TASKS[name].read(text);
  element("text").value = TASKS[name].write(puzzle.grid, puzzle);
  begin();
}

for (const button of document.querySelectorAll("[data-task]")) {
  button.addEventListener("click", () => choose(button.dataset.task));
}
element("text").addEventListener("input", begin);
element("reset").addEventListener("click", () => goTo(0));
element("back").addEventListener("click", () => goTo(run?.shown - 1));
element("step").addEventListener("click", step);
element("play").addEventListener("click", play);
// A maze is painted in the colours and for the width of the moment.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
window.addEventListener("resize", () => name === "maze" && show());
choose("sudoku");
