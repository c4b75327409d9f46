// What is wrong with a text, in one line for the person who typed it.

export class PuzzleError extends Error {}

// A character as it can be read in a message: others than plain ones by their number.
export function shown(character) {
  if (/^[!-~]$/.test(character)) return `'${character}'`;
  return `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}
