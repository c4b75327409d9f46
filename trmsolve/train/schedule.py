"""What changes as a run goes on: the rate and the depth, both by the fraction of the run that is done.

A run may be bounded by the clock or by steps; the schedule only knows how much of it is over, and so ends annealed
whenever it ends.
"""

import math

from trmsolve.train.recipes import Recipe


def lr_factor(recipe: Recipe, done: float) -> float:
    """The factor of every rate at the fraction ``done``: linear warm-up, then a cosine down to ``final_lr``."""
    if done < recipe.warmup:
        return done / recipe.warmup
    after = min(1.0, (done - recipe.warmup) / (1 - recipe.warmup))
    return recipe.final_lr + (1 - recipe.final_lr) * 0.5 * (1 + math.cos(math.pi * after))


def depth(recipe: Recipe, done: float) -> tuple[int, int]:
    """(recursions, latent steps) at the fraction ``done``; shallow first if the recipe says so (arXiv 2511.08653)."""
    for until, recursions, latent_steps in recipe.curriculum:
        if done < until:
            return recursions or recipe.config.recursions, latent_steps or recipe.config.latent_steps
    return recipe.config.recursions, recipe.config.latent_steps
