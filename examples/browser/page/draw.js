// Draws a puzzle, or what one cycle says of it. Knows no rule: the cycle says what is faulty.

import { FLOOR, GOAL, PATH, START, WALL } from "./maze.js";

const UNSURE = 0.5; // the probability below which a digit is drawn paler
const LARGEST_CELL = 28; // pixels of a maze's cell
const HIGHEST_MAZE = 640; // pixels
const LEAST_FOR_SIGNS = 11; // pixels of a cell that has room for a letter or an arrow

// The grid of a Sudoku as a table. Without a cycle each cell is a field to type into, and
// `edit(cell, digit)` is called when one changes.
export function drawSudoku(host, puzzle, cycle, edit) {
  const table = document.createElement("table");
  table.className = "sudoku";
  table.setAttribute("aria-label", cycle ? `The answer of cycle ${cycle.number}` : "The puzzle");
  for (let row = 0; row < 9; row++) {
    const line = table.insertRow();
    for (let column = 0; column < 9; column++) {
      const cell = 9 * row + column;
      const box = line.insertCell();
      if (cycle) fillCell(box, puzzle.grid[cell], cycle, cell);
      else box.append(field(puzzle.grid[cell], cell, edit));
    }
  }
  host.append(table);
}

function field(clue, cell, edit) {
  const input = document.createElement("input");
  input.inputMode = "numeric";
  input.autocomplete = "off";
  input.value = clue || "";
  input.tabIndex = cell ? -1 : 0; // the arrow keys lead from one field to the next
  input.setAttribute("aria-label", `row ${Math.floor(cell / 9) + 1}, column ${(cell % 9) + 1}`);
  input.addEventListener("focus", () => input.select());
  input.addEventListener("input", () => {
    edit(cell, Number(input.value.match(/[1-9]/g)?.at(-1) ?? 0));
  });
  input.addEventListener("keydown", (event) => moveFocus(event, input, cell));
  return input;
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function moveFocus(event, input, cell) {
  if (!Object.hasOwn(MOVES, event.key)) return;
  const [down, right] = MOVES[event.key];
  const row = (Math.floor(cell / 9) + down + 9) % 9;
  const column = ((cell % 9) + right + 9) % 9;
  event.preventDefault();
  input.closest("table").querySelectorAll("input")[9 * row + column].focus();
}

// A cell with several candidates is no digit yet, unless the whole answer breaks no rule.
function fillCell(box, clue, cycle, cell) {
  const left = cycle.candidates[cell];
  if (cycle.changed[cell]) box.classList.add("changed");
  if (left.length === 1 || cycle.broken === 0) {
    box.textContent = cycle.grid[cell];
    const sure = cycle.confidence[cell] >= UNSURE ? "sure" : "unsure";
    box.classList.add(clue ? "given" : sure);
    if (cycle.faulty[cell]) box.classList.add("faulty");
    return;
  }
  const digits = document.createElement("div");
  digits.className = "candidates";
  for (const digit of left) {
    const mark = document.createElement(digit === cycle.grid[cell] ? "b" : "span");
    mark.className = `at${digit}`;
    mark.textContent = digit;
    digits.append(mark);
  }
  box.append(digits);
}

// A maze on a canvas, in the colours of the style sheet.
export function drawMaze(host, puzzle, cycle) {
  const { rows, columns } = puzzle;
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  const fits = Math.min(host.clientWidth / columns, HIGHEST_MAZE / rows, LARGEST_CELL);
  const size = Math.max(1, Math.floor(fits * ratio));
  canvas.width = size * columns;
  canvas.height = size * rows;
  canvas.style.width = `${canvas.width / ratio}px`;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", cycle ? `The maze after cycle ${cycle.number}` : "The maze");
  host.append(canvas);
  const pen = canvas.getContext("2d");
  const colours = getComputedStyle(host);
  const signs = size / ratio >= LEAST_FOR_SIGNS;
  (cycle?.grid ?? puzzle.grid).forEach((content, cell) => {
    pen.setTransform(1, 0, 0, 1, size * (cell % columns), size * Math.floor(cell / columns));
    const kind = kindOf(content, cycle, cell);
    pen.fillStyle = colours.getPropertyValue("--floor");
    pen.fillRect(0, 0, size, size);
    pen.globalAlpha = content === PATH ? 0.25 + 0.75 * cycle.confidence[cell] : 1;
    pen.fillStyle = colours.getPropertyValue(`--${kind}`);
    pen.fillRect(0, 0, size, size);
    pen.globalAlpha = 1;
    const isEnd = content === START || content === GOAL;
    pen.fillStyle = colours.getPropertyValue(isEnd ? "--end-sign" : "--sign");
    if (signs) drawSign(pen, size, content, kind === "wave" ? cycle.arrows[cell] : 0);
  });
}

function kindOf(content, cycle, cell) {
  if (content === START) return "start";
  if (content === GOAL) return "goal";
  if (cycle?.faulty[cell]) return "faulty";
  if (content === WALL) return "wall";
  if (content === PATH) return "path";
  return content === FLOOR && cycle?.arrows[cell] ? "wave" : "floor";
}

// S, G, or a small triangle down, left, right or up: quarter turns from down.
const QUARTERS = [null, 0, 1, 3, 2];

function drawSign(pen, size, content, arrow) {
  if (content === START || content === GOAL) {
    pen.font = `bold ${Math.round(0.8 * size)}px sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(content === START ? "S" : "G", size / 2, 0.54 * size);
  } else if (arrow) {
    pen.translate(size / 2, size / 2);
    pen.rotate((QUARTERS[arrow] * Math.PI) / 2);
    pen.beginPath();
    pen.moveTo(0, 0.25 * size);
    pen.lineTo(0.2 * size, -0.15 * size);
    pen.lineTo(-0.2 * size, -0.15 * size);
    pen.fill();
  }
}
