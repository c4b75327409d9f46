
"use strict";
// Draws the values in the element "data". They are made by contents.py, which describes them.

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
const LEVELS = 4000; // of a probability
const ARROWS = ["", "\u2193", "\u2190", "\u2192", "\u2191"];
const WORDS = {
  given: "clue", answer: "digit of the network", unsure: "unsure", open: "several candidates",
  blank: "blank", changed: "changed", conflict: "breaks a rule", overwritten: "clue changed",
  wall: "wall", floor: "floor", wave: "reached", front: "reached, at the front",
  path: "path", likely: "likely path", start: "start", goal: "goal",
};
const MOST_BUTTONS = 6; // more choices are a list to select from
const WEAK = 0.5; // below it a cell of an ARC answer is marked
const FASTEST = 1 / 64; // seconds
const SLOWEST = 8;

const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const state = { puzzle: 0, stage: 0, frame: 0, seconds: data.seconds, timer: 0, picked: null };

const make = (tag, text = "", className = "") => {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
};
const percent = (share) => `${Math.round(100 * share)} %`;

// Arrays, as a trace has them

const valueAt = (rows, row, column) =>
  typeof rows[row] === "string" ? ALPHABET.indexOf(rows[row][column]) : rows[row][column];
const shareAt = (rows, row, column) =>
  (64 * valueAt(rows, row, 2 * column) + valueAt(rows, row, 2 * column + 1)) / LEVELS;
const bytesOf = (text) => Uint8Array.from(atob(text ?? ""), (character) => character.charCodeAt(0));
const bitAt = (bytes, at) => bytes.length > 0 && ((bytes[at >> 3] >> (7 - (at & 7))) & 1) === 1;

// What a cell shows

const symbolOf = (value) => (value === 0 ? "" : data.symbols[value] ?? "?");

const candidatesAt = (picture, at) => {
  const left = [];
  for (let value = 0; value < picture.values; value += 1) {
    if (bitAt(picture.candidateBits, at * picture.values + value)) left.push(value + 1);
  }
  return left;
};

// Candidates in their places: 1 2 3 above 4 5 6 above 7 8 9.
const pencilMarks = (left, values) => {
  const side = Math.ceil(Math.sqrt(values));
  const lines = [];
  for (let first = 1; first <= values; first += side) {
    let line = "";
    for (let value = first; value < first + side; value += 1) {
      line += left.includes(value) ? symbolOf(value) : " ";
    }
    lines.push(line);
  }
  return lines.join("\n");
};

const DRAW = {
  arc: (cell, look) => {
    cell.className = `colour-${look.value}`;
    if (look.share < WEAK) cell.classList.add("weak");
    cell.textContent = look.value === 0 ? "" : look.value;
    look.words = [`colour ${look.value}`];
  },
  maze: (cell, look) => {
    const ends = { start: "S", goal: "G" };
    const arrow = look.style === "wall" ? "" : ARROWS[look.arrow];
    cell.className = look.style;
    cell.textContent = ends[look.style] ?? arrow;
    look.words = [WORDS[look.style] ?? look.style];
    if (arrow) look.words.push(`arrow ${arrow}`);
  },
  other: (cell, look) => {
    const isOpen = look.style === "open";
    const isDead = look.left?.length === 0 && look.style === "conflict";
    const symbol = isDead ? "\u00d7" : symbolOf(look.value);
    cell.className = look.style;
    cell.replaceChildren(isOpen ? make("span", pencilMarks(look.left, look.values), "marks") : symbol);
    look.words = isOpen
      ? [`candidates ${look.left.map(symbolOf).join(" ")}`]
      : [symbol, WORDS[look.style] ?? look.style];
  },
};
const drawCell = DRAW[data.kind] ?? DRAW.other;

const lookAt = (picture, row, column) => {
  const at = row * picture.columns + column;
  return {
    value: valueAt(picture.grid, row, column),
    style: picture.styles ? data.styles[valueAt(picture.styles, row, column)] : "",
    share: picture.confidence ? shareAt(picture.confidence, row, column) : undefined,
    isChanged: bitAt(picture.changedBits, at),
    arrow: picture.arrows ? valueAt(picture.arrows, row, column) : 0,
    values: picture.values,
    left: picture.values ? candidatesAt(picture, at) : undefined,
  };
};

const fillCell = (cell, picture, row, column) => {
  const look = lookAt(picture, row, column);
  drawCell(cell, look);
  const words = look.words.filter(Boolean);
  if (look.isChanged) {
    cell.classList.add("touched");
    if (look.style !== "changed") words.push("changed");
  }
  if (look.share !== undefined) words.push(`confidence ${percent(look.share)}`);
  if (cell === state.picked) cell.classList.add("picked");
  cell.setAttribute("aria-label", words.join(", "));
};

// Grids. Their tables stay while their size does, and only their cells are drawn anew.

// How many rows a box of a Sudoku has: boxes are as near to squares as possible, and not high.
const boxRowsOf = (side) => {
  let boxRows = Math.floor(Math.sqrt(side));
  while (boxRows > 1 && side % boxRows !== 0) boxRows -= 1;
  return Math.max(boxRows, 1);
};

const newTable = (rows, columns) => {
  const known = ["sudoku", "maze", "arc"].includes(data.kind);
  const table = make("table", "", `grid ${known ? data.kind : "plain"}`);
  table.style.setProperty("--columns", columns);
  const boxRows = boxRowsOf(rows);
  const boxColumns = rows / boxRows;
  for (let row = 0; row < rows; row += 1) {
    const line = table.insertRow();
    if ((row + 1) % boxRows === 0) line.className = "ends-box";
    for (let column = 0; column < columns; column += 1) {
      const cell = line.insertCell();
      if ((column + 1) % boxColumns === 0) cell.dataset.ends = "box";
    }
  }
  return table;
};

const drawGrid = (picture, old) => {
  const rows = picture.grid.length;
  const columns = rows ? picture.grid[0].length : 0;
  const isSame = old?.rows.length === rows && old.rows[0]?.cells.length === columns;
  const table = isSame ? old : newTable(rows, columns);
  const title = picture.title ? [make("b", picture.title), picture.note ?? ""] : [];
  if (title.length) table.createCaption().replaceChildren(...title);
  const read = {
    ...picture, columns, changedBits: bytesOf(picture.changed), candidateBits: bytesOf(picture.candidates),
  };
  for (let row = 0; row < rows; row += 1) {
    const cells = table.rows[row].cells;
    for (let column = 0; column < columns; column += 1) fillCell(cells[column], read, row, column);
  }
  return table;
};

const drawRows = (place, rows) => {
  const old = Array.from(place.querySelectorAll("table"));
  const drawn = rows.map((pictures) => pictures.map((picture) => drawGrid(picture, old.shift())));
  const tables = drawn.flat();
  const isDrawn = tables.length > 0 && tables.every((table) => table.isConnected);
  if (isDrawn && place.querySelectorAll("table").length === tables.length) return;
  place.replaceChildren(...drawn.map((line) => {
    const block = make("div", "", "pictures");
    block.append(...line);
    return block;
  }));
};

// Figures

const drawFacts = (facts) => {
  const list = element("facts");
  list.replaceChildren();
  for (const [label, value, share] of facts) {
    list.append(make("dt", label), make("dd", value));
    if (share === null) continue;
    const bar = make("dd", "", "bar");
    bar.setAttribute("aria-hidden", "true");
    bar.append(make("span"));
    bar.firstChild.style.width = percent(share).replace(" ", "");
    list.append(bar);
  }
};

const SAMPLES = { given: "5", answer: "5", unsure: "5", changed: "5", conflict: "5", overwritten: "5", open: "\u2059" };

// The styles that any frame of the puzzle has.
const drawLegend = () => {
  const used = new Set();
  for (const frame of puzzle().stages.flatMap((stage) => stage.frames)) {
    for (const picture of frame.rows.flat()) {
      if (!picture.styles) continue;
      picture.styles.forEach((row) => Array.from(row, (_, column) => used.add(valueAt([row], 0, column))));
    }
  }
  const order = Object.keys(WORDS);
  const styles = data.styles.filter((style, number) => used.has(number) && style !== "blank");
  styles.sort((one, other) => order.indexOf(one) - order.indexOf(other));
  const items = styles.map((style) => {
    const item = make("li");
    const sample = data.kind === "maze" ? { start: "S", goal: "G" }[style] : SAMPLES[style];
    item.append(make("span", sample ?? "", `swatch ${style}`), WORDS[style] ?? style);
    item.firstChild.setAttribute("aria-hidden", "true");
    return item;
  });
  const legend = element("legend");
  legend.className = data.kind === "maze" ? "maze" : "";
  legend.replaceChildren(...items);
};

const describePicked = () => {
  const cell = state.picked;
  if (!cell?.isConnected) return;
  const row = cell.parentElement.rowIndex + 1;
  element("cell").textContent = `Row ${row}, column ${cell.cellIndex + 1}: ${cell.getAttribute("aria-label")}`;
};

// Where the reader is: a puzzle, one of its stages, one of that one's frames

const puzzle = () => data.puzzles[state.puzzle];
const stages = () => puzzle().stages;
const frames = () => stages()[state.stage]?.frames ?? [];
const isFirst = () => state.stage === 0 && state.frame === 0;
const isLast = () => state.stage >= stages().length - 1 && state.frame >= frames().length - 1;

const draw = () => {
  const frame = frames()[state.frame] ?? { facts: [], rows: [] };
  const last = Math.max(frames().length - 1, 0);
  const isAnswer = stages()[state.stage]?.name === "answer";
  const place = isAnswer ? "answer" : `${stages()[state.stage]?.name ?? "no frame"}, frame ${state.frame + 1} of ${last + 1}`;
  const slider = element("slider");
  slider.max = last;
  slider.value = state.frame;
  slider.disabled = last === 0;
  slider.setAttribute("aria-valuetext", place);
  element("place").setAttribute("aria-live", state.timer ? "off" : "polite");
  element("place").textContent = place;
  element("play").textContent = state.timer ? "Pause" : "Play";
  element("back").setAttribute("aria-disabled", String(isFirst()));
  element("on").setAttribute("aria-disabled", String(isLast()));
  mark("stages", state.stage);
  drawRows(element("board"), frame.rows);
  drawFacts(frame.facts);
  describePicked();
};

const moveTo = (stage, frame) => {
  state.stage = stage;
  state.frame = frame;
  draw();
};
const advance = () => {
  if (state.frame < frames().length - 1) moveTo(state.stage, state.frame + 1);
  else if (!isLast()) moveTo(state.stage + 1, 0);
};
const goBack = () => {
  if (state.frame > 0) moveTo(state.stage, state.frame - 1);
  else if (!isFirst()) moveTo(state.stage - 1, stages()[state.stage - 1].frames.length - 1);
};
const goLast = () => {
  const stage = Math.max(stages().length - 1, 0);
  moveTo(stage, Math.max((stages()[stage]?.frames.length ?? 0) - 1, 0));
};

// Choices: buttons where they are few, else a list

const mark = (id, chosen) => {
  element(id).querySelectorAll("button").forEach((button, at) => {
    button.setAttribute("aria-pressed", String(at === chosen));
  });
  const list = element(id).querySelector("select");
  if (list) list.selectedIndex = chosen;
};

const buttonsOf = (labels, choose) => labels.map((label, at) => {
  const button = make("button", label);
  button.type = "button";
  button.addEventListener("click", () => choose(at));
  return button;
});

const listOf = (title, labels, choose) => {
  const list = make("select");
  list.setAttribute("aria-label", title);
  list.append(...labels.map((label) => make("option", label)));
  list.addEventListener("change", () => choose(list.selectedIndex));
  return [list];
};

const offer = (id, title, labels, choose) => {
  const place = element(id);
  place.hidden = labels.length < 2;
  place.setAttribute("role", "group");
  place.setAttribute("aria-label", title);
  place.replaceChildren(...(labels.length > MOST_BUTTONS ? listOf(title, labels, choose) : buttonsOf(labels, choose)));
};

const chooseStage = (stage) => {
  stop();
  moveTo(stage, 0);
};

const choosePuzzle = (number) => {
  if (number < 0 || number >= data.puzzles.length) return;
  stop();
  state.puzzle = number;
  mark("puzzles", number);
  element("name").textContent = puzzle().name || data.kind;
  offer("stages", "Views", stages().map((stage) => stage.name), chooseStage);
  const outcome = puzzle().outcome ?? { parts: ["not finished"], style: "" };
  element("outcome").replaceChildren(...outcome.parts.map((part) => make("span", part)));
  element("outcome").className = outcome.style;
  drawLegend();
  const pairs = puzzle().demonstrations ?? [];
  element("demonstrations").hidden = pairs.length === 0;
  drawRows(element("pairs"), pairs);
  moveTo(0, 0);
};

// Playing

const stop = () => {
  clearTimeout(state.timer);
  state.timer = 0;
};
const wait = () => {
  state.timer = setTimeout(tick, 1000 * state.seconds);
};
const tick = () => {
  wait();
  advance();
  if (isLast()) {
    stop();
    draw();
  }
};
const toggle = () => {
  if (state.timer) {
    stop();
  } else {
    if (isLast()) moveTo(0, 0);
    wait();
  }
  draw();
};
const byHand = (move) => () => {
  stop();
  move();
};
const hold = (factor) => () => {
  state.seconds = Math.min(Math.max(state.seconds * factor, FASTEST), SLOWEST);
};

const KEYS = {
  " ": toggle,
  ArrowRight: byHand(advance),
  ArrowLeft: byHand(goBack),
  Home: byHand(() => moveTo(0, 0)),
  End: byHand(goLast),
  "+": hold(0.5),
  "=": hold(0.5), // the key of + without shift
  "-": hold(2),
  n: () => choosePuzzle(state.puzzle + 1),
  p: () => choosePuzzle(state.puzzle - 1),
};

const onKey = (event) => {
  const act = KEYS[event.key];
  const keepsKey = event.key === " " && event.target.closest("button, summary");
  if (!act || keepsKey || event.target.closest("select")) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  act();
};

const onPointer = (event) => {
  const cell = event.target.closest("td");
  if (!cell) return;
  state.picked?.classList.remove("picked");
  state.picked = cell;
  cell.classList.add("picked");
  describePicked();
};

document.addEventListener("keydown", onKey);
document.addEventListener("pointerover", onPointer);
document.addEventListener("pointerdown", onPointer);
element("play").addEventListener("click", toggle);
element("back").addEventListener("click", byHand(goBack));
element("on").addEventListener("click", byHand(advance));
element("slider").addEventListener("input", () => {
  stop();
  moveTo(state.stage, Number(element("slider").value));
});
document.body.className = `for-${data.kind}`;
element("problems").append(...data.problems.map((problem) => make("li", problem)));
element("problems").hidden = data.problems.length === 0;
element("puzzle-keys").hidden = data.puzzles.length < 2;
const names = data.puzzles.map((one, at) => (data.puzzles.length > MOST_BUTTONS ? `${at + 1}: ${one.name}` : `puzzle ${at + 1}`));
offer("puzzles", "Puzzles", names, choosePuzzle);
if (data.puzzles.length) choosePuzzle(0);
else element("board").append(make("p", "This recording has no puzzle."));
