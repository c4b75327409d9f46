"""Training: recipes, runs and what they write. ``trmsolve.train(...)`` itself trains a network.

The package and the function have one name. Python sets the attribute ``trmsolve.train`` to the
package whenever a module of it is imported, so that a function cannot stand there as well. The
package is therefore made callable; ``trmsolve.train.start.train`` is the function, and has its
documentation.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trmsolve.train.start import TrainResult


class _CallablePackage(ModuleType):
    def __call__(self, *args: Any, **settings: Any) -> "TrainResult":
        """Train a network: see ``trmsolve.train.start.train``."""
        from trmsolve.train.start import train  # with torch, which importing trmsolve must not load

        return train(*args, **settings)


sys.modules[__name__].__class__ = _CallablePackage
