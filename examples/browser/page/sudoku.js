// Sudoku: how it is read, what the network is asked, what its numbers mean, and the rules.
// Knows nothing of the page. A grid is 81 numbers, 0 for a blank; a question is 729 candidates,
// nine of each cell, 1 where the digit is possible.

import { HALT_PROBABILITY, logSoftmax, sigmoid } from "./network.js";
import { PuzzleError, shown } from "./errors.js";

const CERTAIN = Math.fround(0.01); // a candidate less probable than this is ruled out
const CERTAIN_AT_FIRST = Math.fround(0.01 * 0.1); // in the first cycle the network has thought least
const DIGITS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const CELLS = [...Array(81).keys()];
const HOUSES = [
  ...houses("row", (cell) => Math.floor(cell / 9)),
  ...houses("column", (cell) => cell % 9),
  ...houses("box", (cell) => 3 * Math.floor(cell / 27) + Math.floor((cell % 9) / 3)),
];

function houses(kind, numberOf) {
  return [...Array(9).keys()].map((number) => ({
    name: `${kind} ${number + 1}`,
    cells: CELLS.filter((cell) => numberOf(cell) === number),
  }));
}

// Reads 81 cells on one line or on nine. Frames of | + and lines of --- may stand between them.
export function read(text) {
  const lines = text.split("\n").filter((line) => !line.includes("---"));
  const characters = [...lines.join("").replace(/[\s|+]/g, "")];
  const wrong = characters.find((character) => !/^[0-9._*]$/.test(character));
  if (wrong !== undefined) {
    throw new PuzzleError(`wrong character ${shown(wrong)}: a cell is a digit 1-9 or . for a blank`);
  }
  if (characters.length !== 81) {
    throw new PuzzleError(`${characters.length} cells: a Sudoku has 81, on one line or in 9 rows`);
  }
  const grid = characters.map((character) => Number(character) || 0);
  return { grid, rows: 9, columns: 9 };
}

export function write(grid) {
  const rows = CELLS.filter((cell) => cell % 9 === 0).map((cell) => grid.slice(cell, cell + 9));
  return rows.map((row) => row.join("").replaceAll("0", ".")).join("\n");
}

export function question({ grid }) {
  const tokens = grid.flatMap((clue) => DIGITS.map((digit) => Number(!clue || clue === digit)));
  return { tokens, shape: [729] };
}

// What one cycle says. `next` are the candidates that it leaves, the question of the next cycle.
export function readCycle(puzzle, asked, { logits, halt, milliseconds, number }) {
  const certain = number === 1 ? CERTAIN_AT_FIRST : CERTAIN;
  const cells = CELLS.map((cell) => conclude(asked, logits, cell, certain));
  const grid = cells.map((cell) => cell.digit);
  const reason = brokenRule(puzzle, grid);
  const lost = halt[1] > HALT_PROBABILITY;
  const wrong = halt[0] > HALT_PROBABILITY && reason !== "";
  const over = lost || wrong;
  const next = over ? asked : cells.flatMap((cell) => cell.left);
  const candidates = CELLS.map((cell) => DIGITS.filter((digit) => next[9 * cell + digit - 1]));
  const decided = grid.map((digit, cell) => (candidates[cell].length === 1 ? digit : 0));
  const { broken } = faults(puzzle.grid, grid);
  return {
    grid,
    next,
    over,
    reason,
    candidates,
    broken,
    halt: halt[0],
    milliseconds,
    confidence: cells.map((cell) => cell.confidence),
    faulty: faults(puzzle.grid, decided).faulty,
    changed: CELLS.map((cell) => DIGITS.some((_, k) => next[9 * cell + k] !== asked[9 * cell + k])),
  };
}

// The best candidate of a cell among those that are left, and which ones the network leaves.
function conclude(asked, logits, cell, certain) {
  const open = DIGITS.filter((digit) => asked[9 * cell + digit - 1]);
  const keep = open.map((digit) => {
    const at = 2 * (9 * cell + digit - 1);
    return Math.fround(logits[at + 1] - logits[at]); // to keep it rather than to rule it out
  });
  const chances = logSoftmax(keep);
  const best = chances.indexOf(Math.max(...chances));
  const left = Array(9).fill(0);
  open.forEach((digit, at) => {
    left[digit - 1] = Number(at === best || sigmoid(keep[at]) >= certain);
  });
  return { digit: open[best], confidence: Math.exp(chances[best]), left };
}

// The first rule that an answer breaks, "" if there is none.
export function brokenRule({ grid: clues }, answer) {
  const place = (cell) => `r${Math.floor(cell / 9) + 1}c${(cell % 9) + 1}`;
  const changed = CELLS.find((cell) => clues[cell] && clues[cell] !== answer[cell]);
  if (changed !== undefined) {
    return `clue ${clues[changed]} at ${place(changed)} became ${answer[changed] || "blank"}`;
  }
  for (const { name, cells } of HOUSES) {
    const blank = cells.find((cell) => !answer[cell]);
    if (blank !== undefined) return `${place(blank)} is blank`;
    const digits = cells.map((cell) => answer[cell]);
    const missing = DIGITS.find((digit) => !digits.includes(digit));
    if (missing) {
      const twice = digits.find((digit, at) => digits.indexOf(digit) !== digits.lastIndexOf(digit));
      return `${name} has two ${twice}s and no ${missing}`;
    }
  }
  return "";
}

// The cells that clash or are changed clues, and how many houses and clues are broken.
function faults(clues, answer) {
  const faulty = clues.map((clue, cell) => clue !== 0 && clue !== answer[cell]);
  let broken = faulty.filter(Boolean).length;
  for (const { cells } of HOUSES) {
    const digits = cells.map((cell) => answer[cell]);
    const clashing = cells.filter(
      (cell) => answer[cell] && digits.indexOf(answer[cell]) !== digits.lastIndexOf(answer[cell]),
    );
    for (const cell of clashing) faulty[cell] = true;
    broken += Number(clashing.length > 0 || digits.includes(0));
  }
  return { faulty, broken };
}

// Figures of a cycle, as the command line has them.
export function facts(puzzle, cycle) {
  const open = cycle.candidates.filter((digits) => digits.length > 1);
  return [["candidates", open.reduce((total, digits) => total + digits.length, 0)]];
}

// Why no answer can be right; the rules of Sudoku see that only in the answer.
export function unsolvable() {
  return "";
}
