// Mazes: how they are read, what the network is asked, what its numbers mean, and the rules.
// Knows nothing of the page. A grid is rows x columns numbers, row after row.

import { HALT_PROBABILITY, logSoftmax } from "./network.js";
import { PuzzleError, shown } from "./errors.js";

export const [WALL, FLOOR, START, GOAL, PATH] = [0, 1, 2, 3, 4];
const SYMBOLS = "#.SGo";
const NAMES = ["wall", "floor", "start", "goal", "path"];
const CONTENT_OF = { "#": WALL, " ": FLOOR, ".": FLOOR, S: START, G: GOAL, E: GOAL };
const LEAST = 3;
const MOST = 128;

// Tokens are padding, wall, floor, start, goal and path; then each of floor, path and start with
// the four directions: down, left, right, up.
const FOUR = [FLOOR, PATH, START].flatMap((content) => Array(4).fill(content));
const CONTENTS = [FLOOR, WALL, FLOOR, START, GOAL, PATH, ...FOUR];
const FIRST_ARROW = CONTENTS.length - FOUR.length;

// Reads rows of # for walls, . or a space for floor, one S and one G (or E).
export function read(text) {
  const lines = text.replace(/^(\r?\n)+|(\r?\n)+$/g, "").split(/\r?\n/);
  const rows = lines.length;
  const columns = lines[0].length;
  if (Math.min(rows, columns) < LEAST || Math.max(rows, columns) > MOST) {
    const size = `${rows} rows and ${columns} columns`;
    throw new PuzzleError(`${size}: a maze has ${LEAST} to ${MOST} of each, and one S and one G`);
  }
  lines.forEach((line, row) => {
    if (line.length !== columns) {
      const lengths = `row ${row + 1} is ${line.length} long, row 1 is ${columns}`;
      throw new PuzzleError(`${lengths}: write floor as . where spaces may be lost`);
    }
  });
  const grid = lines.flatMap((line, row) => Array.from(line, (character, column) => {
    if (Object.hasOwn(CONTENT_OF, character)) return CONTENT_OF[character];
    const place = `row ${row + 1}, column ${column + 1}`;
    throw new PuzzleError(`wrong character ${shown(character)} at ${place}: use # . S and G`);
  }));
  for (const end of [START, GOAL]) {
    const number = grid.filter((content) => content === end).length;
    if (number !== 1) {
      throw new PuzzleError(`${number || "no"} ${SYMBOLS[end]}: a maze has one ${NAMES[end]}`);
    }
  }
  return { grid, rows, columns };
}

export function write(grid, { columns }) {
  const text = grid.map((content) => SYMBOLS[content]).join("");
  return text.match(new RegExp(`.{${columns}}`, "g")).join("\n");
}

export function question({ grid, rows, columns }) {
  return { tokens: grid.map((content) => content + 1), shape: [rows, columns] };
}

// What one cycle says. `next` are its tokens, which are the question of the next cycle.
export function readCycle(puzzle, asked, { logits, halt, milliseconds }, { vocab, frozen }) {
  const next = [];
  const confidence = [];
  asked.forEach((token, cell) => {
    const spoken = Array.from(logits.subarray(vocab * cell, vocab * (cell + 1)));
    const likeliest = spoken.indexOf(Math.max(...spoken));
    next.push(frozen.includes(token) ? token : likeliest);
    confidence.push(Math.exp(logSoftmax(spoken)[next[cell]]));
  });
  const grid = next.map((token) => CONTENTS[token]);
  const before = asked.map((token) => CONTENTS[token]);
  const reason = brokenRule(puzzle, grid);
  const faulty = faults(puzzle, grid);
  return {
    grid,
    next,
    over: halt[0] > HALT_PROBABILITY,
    reason,
    broken: faulty.filter(Boolean).length || Number(reason !== ""),
    halt: halt[0],
    milliseconds,
    confidence,
    faulty,
    changed: grid.map((content, cell) => content !== before[cell]),
    arrows: next.map((token) => (token < FIRST_ARROW ? 0 : ((token - FIRST_ARROW) % 4) + 1)),
  };
}

// The first rule that an answer breaks, "" if it is a shortest path.
export function brokenRule(puzzle, answer) {
  const problem = changedCell(puzzle, answer) || brokenPath(puzzle, answer);
  if (problem) return problem;
  const steps = answer.filter((content) => content === PATH).length + 1;
  const least = distance(puzzle);
  return steps === least ? "" : `the path takes ${steps} steps, ${least} are enough`;
}

function changedCell(puzzle, answer) {
  const cell = answer.findIndex((_, at) => isOverwritten(puzzle, answer, at));
  if (cell < 0) return "";
  const [was, now] = [NAMES[puzzle.grid[cell]], NAMES[answer[cell]]];
  return `the ${was} at ${place(puzzle, cell)} became ${now}`;
}

// Floor may become path. No other change is allowed.
function isOverwritten({ grid }, answer, cell) {
  return grid[cell] !== answer[cell] && !(grid[cell] === FLOOR && answer[cell] === PATH);
}

// Why the marked cells are no single path from start to goal, "" if they are one.
function brokenPath(puzzle, answer) {
  const marked = new Set();
  answer.forEach((content, cell) => {
    if (content >= START) marked.add(cell);
  });
  let here = answer.indexOf(START);
  const walked = new Set([here]);
  while (answer[here] !== GOAL) {
    const further = beside(puzzle, here).filter((cell) => marked.has(cell) && !walked.has(cell));
    if (!further.length) {
      return walked.size > 1 ? `the path ends at ${place(puzzle, here)}` : "no path leaves the start";
    }
    if (further.length > 1) return `the path branches at ${place(puzzle, here)}`;
    here = further[0];
    walked.add(here);
  }
  const stray = [...marked].find((cell) => !walked.has(cell));
  return stray === undefined ? "" : `${place(puzzle, stray)} is marked and not on the path`;
}

// The least steps from start to goal, breadth first; undefined if walls are between them.
function distance(puzzle) {
  const start = puzzle.grid.indexOf(START);
  const steps = new Map([[start, 0]]);
  for (const here of steps.keys()) { // a map goes on with what is added meanwhile
    if (puzzle.grid[here] === GOAL) return steps.get(here);
    for (const cell of beside(puzzle, here)) {
      if (puzzle.grid[cell] !== WALL && !steps.has(cell)) steps.set(cell, steps.get(here) + 1);
    }
  }
  return undefined;
}

export function unsolvable(puzzle) {
  return distance(puzzle) === undefined ? "unsolvable: walls keep the start from the goal" : "";
}

// The cells that break a rule: changed walls and ends, loose ends and branches of the path.
function faults(puzzle, answer) {
  return answer.map((content, cell) => {
    if (isOverwritten(puzzle, answer, cell)) return true;
    if (content < START) return false;
    const neighbours = beside(puzzle, cell).filter((other) => answer[other] >= START).length;
    return neighbours !== (content === PATH ? 2 : 1);
  });
}

// The cells above, below, to the left and to the right.
function beside({ rows, columns }, cell) {
  const column = cell % columns;
  const found = [];
  if (cell >= columns) found.push(cell - columns);
  if (cell < (rows - 1) * columns) found.push(cell + columns);
  if (column > 0) found.push(cell - 1);
  if (column < columns - 1) found.push(cell + 1);
  return found;
}

function place({ columns }, cell) {
  return `row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1}`;
}

// Figures of a cycle, as the command line has them.
export function facts(puzzle, cycle) {
  const reached = cycle.arrows.filter(Boolean).length;
  const marked = cycle.grid.filter((content, cell) => content !== puzzle.grid[cell]).length;
  return [["reached", reached], ["marked", marked]];
}
