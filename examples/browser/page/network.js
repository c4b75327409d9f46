// Runs the graph of a network, improvement cycle by improvement cycle.
// Knows onnxruntime-web and what the graph is asked; no rule of any puzzle, nothing of the page.

import * as ort from "./ort.wasm.bundle.min.mjs";

ort.env.wasm.proxy = true; // in a worker, so that the page answers while a cycle is computed
ort.env.wasm.numThreads = 1; // more need headers that a plain web server does not send
ort.env.wasm.wasmPaths = { wasm: new URL("ort-wasm-simd-threaded.wasm", import.meta.url).href };

// The command line runs graphs as they are, too.
const OPTIONS = { executionProviders: ["wasm"], graphOptimizationLevel: "disabled" };

// What the page has to know of a network is its record in bundled.json.
export async function loadNetwork(record) {
  const session = await ort.InferenceSession.create(record.graph, OPTIONS);
  return { record, session };
}

// Every cycle of the first view: the puzzle as it is given, without chance and without a guess.
// A task gives the first question and reads what the network says about it.
export async function* refine(network, task, puzzle) {
  const { record } = network;
  let { tokens, shape } = task.question(puzzle);
  let state = initialState(record.starts, shape);
  for (let number = 1; number <= record.cycles; number++) {
    const said = await runCycle(network, state, tokens, shape);
    const cycle = task.readCycle(puzzle, tokens, { ...said, number }, record);
    cycle.number = number;
    cycle.last = !cycle.reason || cycle.over || number === record.cycles;
    yield cycle;
    if (cycle.last) return;
    tokens = cycle.next;
    state = said.state;
  }
}

// The learned start: the same numbers for every token.
function initialState(starts, shape) {
  const tokens = shape.reduce((product, size) => product * size);
  return starts.map((start) => {
    const values = new Float32Array(tokens * start.length);
    for (let token = 0; token < tokens; token++) values.set(start, token * start.length);
    return new ort.Tensor("float32", values, [1, ...shape, start.length]);
  });
}

// One improvement cycle: what the network says, and the next state.
export async function runCycle(network, [y, z], tokens, shape) {
  const numbers = BigInt64Array.from(tokens, BigInt);
  const asked = new ort.Tensor("int64", numbers, [1, ...shape]);
  const started = performance.now();
  const said = await network.session.run({ tokens: asked, y, z });
  return {
    logits: said.logits.data,
    halt: Array.from(said.halt.data, sigmoid),
    state: [said.y_next, said.z_next],
    milliseconds: performance.now() - started,
  };
}

// All is rounded to 32 bits where the command line rounds.
export function sigmoid(x) {
  const small = Math.fround(Math.exp(-Math.abs(x)));
  return Math.fround((x >= 0 ? 1 : small) / Math.fround(1 + small));
}

// The logarithms of the probabilities of some logits.
export function logSoftmax(logits) {
  const most = Math.max(...logits);
  const shifted = logits.map((logit) => Math.fround(logit - most));
  const sum = shifted.reduce((total, x) => Math.fround(total + Math.fround(Math.exp(x))), 0);
  return shifted.map((x) => Math.fround(x - Math.fround(Math.log(sum))));
}

export const HALT_PROBABILITY = 0.5;
