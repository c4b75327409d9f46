"""Short names for the checkpoints of Tiny Recursive Models that others have published.

The figures were measured by their publishers and not here. All of them are pickles, which
``trmsolve weights convert`` turns into weights. The revision and the hash stand where they are
known; otherwise the first download pins what it finds. The module uses no network.
"""

from typing import NamedTuple


class PublicCheckpoint(NamedTuple):
    """A published checkpoint."""

    name: str
    task: str
    repo: str
    file: str
    licence: str
    figure: str = ""
    """The score that its publishers report."""
    revision: str | None = None
    sha256: str | None = None

    @property
    def address(self) -> str:
        """The address on the hub, ``hf://user/repo[@revision]/file``."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"hf://{self.repo}{revision}/{self.file}"


PUBLIC = (
    PublicCheckpoint(
        "alphaxiv-sudoku",
        "sudoku",
        "alphaXiv/trm-model-sudoku",
        "step_32550_sudoku_epoch50k",
        "MIT",
        "79.4% exact",
    ),
    PublicCheckpoint(
        "sanjin-sudoku-mlp",
        "sudoku",
        "Sanjin2024/TinyRecursiveModels-Sudoku-Extreme-mlp",
        "step_16275",
        "Apache-2.0",
        "84.8% exact",
        "256f32fcbe7123e8bf8c449410773a5ad311dbc5",
        "20e9dc7ebf83b9b41a8b3f58f5fd94ee3a7eb0b0d245bdeeb14e2f1488d1daaf",
    ),
    PublicCheckpoint(
        "sanjin-sudoku-att",
        "sudoku",
        "Sanjin2024/TinyRecursiveModels-Sudoku-Extreme-att",
        "step_21700",
        "Apache-2.0",
        "77.7% exact",
    ),
    PublicCheckpoint(
        "cgar-sudoku",
        "sudoku",
        "Kaleemullah/trm-cgar-sudoku",
        "pytorch_model.bin",
        "see its page",
        "86.0% exact",
    ),
    PublicCheckpoint(
        "alphaxiv-maze",
        "maze",
        "alphaXiv/trm-model-maze",
        "maze_hard_step_32550",
        "MIT",
        "83.7% exact",
    ),
    PublicCheckpoint(
        "sanjin-maze",
        "maze",
        "Sanjin2024/TinyRecursiveModel-Maze-Hard",
        "step_9765",
        "Apache-2.0",
        "78.7% exact",
    ),
    PublicCheckpoint(
        "alphaxiv-arc1",
        "arc",
        "alphaXiv/trm-model-arc-agi-1",
        "step_259320_arc_ag1_attn_type_h3l4",
        "MIT",
    ),
    PublicCheckpoint(
        "sanjin-arc1",
        "arc",
        "Sanjin2024/TinyRecursiveModels-ARC-AGI-1",
        "step_155718",
        "Apache-2.0",
        "41.0% pass@2",
    ),
    PublicCheckpoint(
        "sanjin-arc2",
        "arc",
        "Sanjin2024/TinyRecursiveModels-ARC-AGI-2",
        "step_217602",
        "Apache-2.0",
        "3.3% pass@2",
    ),
    PublicCheckpoint(
        "arcprize-arc1",
        "arc",
        "arcprize/trm_arc_prize_verification",
        "arc_v1_public/step_518071",
        "MIT",
        "40% pass@2",
        "55ced5dd59de74c52f53d47aa2898232b5a15b7a",
        "53689643ad1606d7c22c758f8af0a71b3b66275dea074f214d2f1048d9a01fb0",
    ),
    PublicCheckpoint(
        "arcprize-arc2",
        "arc",
        "arcprize/trm_arc_prize_verification",
        "arc_v2_public/step_723914",
        "MIT",
        "6.2% pass@2",
        "55ced5dd59de74c52f53d47aa2898232b5a15b7a",
        "8d7036b97e7ea38c7dd29d01216bfcfc4e212af3024d5233fe40dd3059e8f4a9",
    ),
)


def find_public(name: str) -> PublicCheckpoint | None:
    """The checkpoint of that name, in upper or lower case; None if there is none."""
    for checkpoint in PUBLIC:
        if checkpoint.name == name.lower():
            return checkpoint
    return None
