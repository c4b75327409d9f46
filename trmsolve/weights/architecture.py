"""The architecture of a public checkpoint: from its shapes, its settings and the user's hints.

Shapes tell most of it. They cannot tell how often the network is applied, how many heads attention
has, or whether positions are rotated. These come from the user, else from a settings file, else
from the paper (arXiv 2510.04871), which differs by puzzle.

The module knows the names of the public code's tensors and settings. It does not read files.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from trmsolve.model.config import POSITIONS, TRMConfig
from trmsolve.puzzles.registry import task_forms
from trmsolve.weights.names import TABLE

EMBEDDING = "embed_tokens.embedding_weight"
_LEARNED_POSITIONS = "embed_pos.embedding_weight"
_TOKEN_MLP = "L_level.layers.0.mlp_t.gate_up_proj.weight"
_FEED_FORWARD = "L_level.layers.0.mlp.down_proj.weight"
_LAYER = re.compile(r"L_level\.layers\.([0-9]+)\.")

PREFIX_LEN = 16
"""The paper's number of slots for the puzzle embedding."""

EXPANSION = 4.0
INNER_MULTIPLE = 256
"""The paper's feed-forward: its hidden width is a multiple of 256."""

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class PaperNetwork:
    """The properties that the paper's networks for a puzzle share."""

    task: str
    seq_len: int
    latent_steps: int


ARC_TOKENS = 12
ARC_NETWORK = PaperNetwork("arc", 900, 4)


def paper_networks() -> dict[int, PaperNetwork]:
    """The paper's networks by the size of their vocabulary, for the tasks that have one."""
    networks = {}
    for form in task_forms():
        if form.paper_latent_steps is not None:
            network = PaperNetwork(form.name, form.seq_len, form.paper_latent_steps)
            networks[form.vocab_size] = network
    return {**networks, ARC_TOKENS: ARC_NETWORK}


@dataclass(frozen=True)
class ArchitectureHints:
    """Statements of the user about an architecture; None where there is none.

    A hint wins over the settings file.
    """

    recursions: int | None = None
    """T in the paper."""
    latent_steps: int | None = None
    """n in the paper."""
    positions: str | None = None
    num_heads: int | None = None

    def to_fields(self) -> dict[str, Any]:
        """The fields of the config that have a hint."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class ShapeFacts:
    """Facts about an architecture that the shapes of its tensors tell."""

    vocab_size: int
    hidden_size: int
    layers: int
    has_token_mlp: bool
    """Whether an MLP mixes the tokens, as in the paper's network for Sudoku, and not attention."""
    has_learned_positions: bool
    slots: int | None
    """Tokens and prefix together; None for attention without learned positions."""
    inner_size: int | None
    """The hidden width of the feed-forward; None if it is missing."""
    puzzle_emb_dim: int
    """The width of the table of puzzles; 0 without a table."""
    num_puzzles: int

    @property
    def show_positions(self) -> bool:
        """Whether the shapes tell how positions are encoded."""
        return self.has_token_mlp or self.has_learned_positions


@dataclass(frozen=True)
class Architecture:
    """The architecture of a checkpoint."""

    task: str
    config: TRMConfig
    assumed: tuple[str, ...]
    """The fields of the config that are the paper's, since neither hints nor settings have them."""


SETTING_OF_FIELD = {
    "recursions": "H_cycles",
    "latent_steps": "L_cycles",
    "num_heads": "num_heads",
    "positions": "pos_encodings",
    "prefix_len": "puzzle_emb_len",
    "expansion": "expansion",
    "rms_norm_eps": "rms_norm_eps",
    "rope_theta": "rope_theta",
}
"""The fields of the config that a settings file may have, and their names there."""


def infer_architecture(
    shapes: Shapes, settings: Mapping[str, Any], hints: ArchitectureHints
) -> Architecture:
    """The architecture of a network with these shapes, settings of the public code, and hints.

    Raises ValueError or TypeError where they make no sense.
    """
    return merge(from_shapes(shapes), from_settings(settings), hints)


def from_shapes(shapes: Shapes) -> ShapeFacts:
    """Read the facts that shapes tell.

    Raises ValueError if they are not the shapes of a network of the paper.
    """
    vocab_size = _side(shapes, EMBEDDING, 0)
    hidden_size = _side(shapes, EMBEDDING, 1)
    networks = paper_networks()
    if vocab_size not in networks:
        known = ", ".join(f"{size} ({paper.task})" for size, paper in networks.items())
        raise ValueError(f"it has {vocab_size} tokens, but known networks have {known}")
    has_table = TABLE in shapes
    puzzle_emb_dim = _side(shapes, TABLE, 1) if has_table else 0
    has_token_mlp = _TOKEN_MLP in shapes
    has_learned_positions = _LEARNED_POSITIONS in shapes
    slots = None
    if has_token_mlp:
        slots = _side(shapes, _TOKEN_MLP, 1)
    elif has_learned_positions:
        slots = _side(shapes, _LEARNED_POSITIONS, 0)
    has_feed_forward = len(shapes.get(_FEED_FORWARD, ())) == 2
    return ShapeFacts(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        layers=_count_layers(shapes),
        has_token_mlp=has_token_mlp,
        has_learned_positions=has_learned_positions,
        slots=slots,
        inner_size=_side(shapes, _FEED_FORWARD, 1) if has_feed_forward else None,
        puzzle_emb_dim=puzzle_emb_dim,
        num_puzzles=_side(shapes, TABLE, 0) if puzzle_emb_dim else 1,
    )


def from_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the config that the settings have. Their values are not checked here."""
    stated = {}
    for field, name in SETTING_OF_FIELD.items():
        if name in settings:
            stated[field] = settings[name]
    return stated


def merge(shapes: ShapeFacts, stated: Mapping[str, Any], hints: ArchitectureHints) -> Architecture:
    """The architecture: hints win over what the settings state, and that over the paper.

    Raises ValueError or TypeError where they contradict the shapes or make no sense.
    """
    paper = paper_networks()[shapes.vocab_size]
    prefix_len = _prefix_len(shapes, stated)
    config = TRMConfig(
        vocab_size=shapes.vocab_size,
        seq_len=paper.seq_len if shapes.slots is None else shapes.slots - prefix_len,
        hidden_size=shapes.hidden_size,
        layers=shapes.layers,
        recursions=stated.get("recursions", 3),
        latent_steps=stated.get("latent_steps", paper.latent_steps),
        mixer="mlp" if shapes.has_token_mlp else "attention",
        positions=_positions(shapes, stated),
        num_heads=hints.num_heads or stated.get("num_heads", 8),
        expansion=stated.get("expansion") or _expansion(shapes),
        puzzle_emb_dim=shapes.puzzle_emb_dim,
        prefix_len=prefix_len,
        num_puzzles=shapes.num_puzzles,
        rms_norm_eps=stated.get("rms_norm_eps", 1e-5),
        rope_theta=stated.get("rope_theta", 10000.0),
    )
    _check_hints(shapes, hints, config)
    hinted = hints.to_fields()
    known = {*stated, *hinted}
    assumed = tuple(name for name in _hidden_fields(shapes) if name not in known)
    return Architecture(paper.task, replace(config, **hinted), assumed)


def _side(shapes: Shapes, name: str, axis: int) -> int:
    """The length of one side of a matrix. Raises ValueError if there is no such matrix."""
    shape = shapes.get(name, ())
    if len(shape) != 2:
        raise ValueError(f"it has no tensor {name}")
    return shape[axis]


def _count_layers(shapes: Shapes) -> int:
    numbers = set()
    for name in shapes:
        match = _LAYER.match(name)
        if match is not None:
            numbers.add(match[1])
    return len(numbers)


def _prefix_len(shapes: ShapeFacts, stated: Mapping[str, Any]) -> Any:
    """The slots before the tokens; 0 in the settings means as many as the embedding fills."""
    if not shapes.puzzle_emb_dim:
        return 0
    filled = -(-shapes.puzzle_emb_dim // shapes.hidden_size)
    return stated.get("prefix_len", PREFIX_LEN) or filled


def _positions(shapes: ShapeFacts, stated: Mapping[str, Any]) -> str:
    """How positions are encoded. Raises ValueError if the settings contradict the shapes."""
    encoding = stated.get("positions", "rope")
    lacks_tensor = encoding == "learned" and not shapes.show_positions
    if encoding not in POSITIONS or lacks_tensor:
        raise ValueError(
            f"pos_encodings {encoding!r} in its settings file does not match its tensors"
        )
    if shapes.has_learned_positions:
        return "learned"
    # An MLP over the tokens has no use for rotary positions, whatever the settings say.
    return "rope" if encoding == "rope" and not shapes.has_token_mlp else "none"


def _expansion(shapes: ShapeFacts) -> float:
    """The paper's 4, unless the hidden width of the feed-forward tells another expansion.

    The width is two thirds of the expanded size, rounded up to a multiple of 256.
    """
    if shapes.inner_size is None:
        raise ValueError(f"it has no tensor {_FEED_FORWARD}")
    two_thirds = round(EXPANSION * shapes.hidden_size * 2 / 3)
    multiples = -(-two_thirds // INNER_MULTIPLE)
    if shapes.inner_size == multiples * INNER_MULTIPLE:
        return EXPANSION
    return 1.5 * shapes.inner_size / shapes.hidden_size


def _check_hints(shapes: ShapeFacts, hints: ArchitectureHints, config: TRMConfig) -> None:
    """Raise ValueError for a hint about what the shapes tell otherwise."""
    if hints.num_heads is not None and shapes.has_token_mlp:
        raise ValueError("it has no attention: omit --heads")
    if hints.positions is None or not shapes.show_positions:
        return
    if hints.positions != config.positions:
        raise ValueError(
            f"its tensor shapes require positions {config.positions}, not {hints.positions}"
        )


def _hidden_fields(shapes: ShapeFacts) -> list[str]:
    """The fields of the config that shapes do not tell."""
    hidden = ["recursions", "latent_steps"]
    if not shapes.has_token_mlp:
        hidden.append("num_heads")
    if not shapes.show_positions:
        hidden.append("positions")
    return hidden
