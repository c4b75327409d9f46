"""The figures of ``trmsolve bench`` as lines of text."""

from typing import Any

Figures = dict[str, Any]
UNDER = {"cpu": "CPU", "cuda": "GPU"}


def rates(figures: Figures) -> str:
    """How fast a network solves and trains: a comparison, then the details of each part."""
    lines = [_heading(figures), *_comparison(figures)]
    if "single" in figures:
        lines += _lines(figures["single"])
    lines += _lines(figures)
    if "training" in figures:
        training = figures["training"]
        lines += [_heading({**training, "weights": None}), *_lines(training)]
    return "\n".join(lines)


def operations(part: Figures, recipe: str | None, weights: str | None) -> str:
    """Which operations take the time of a cycle, or of a step of training."""
    heading = _heading({**part, "weights": weights, "recipe": recipe or "laptop"})
    return "\n".join([heading, *_operations(part)])


def against_paper_heading(first: Figures) -> str:
    """What the rows of ``against_paper_row`` are."""
    lines = [
        f"seconds a puzzle, {first['device']}, {first['threads']} threads: the paper's network for "
        f"{first['paper_cycles']} cycles, with random",
        "weights of its shapes, which are enough for timing, and the bundled network until its "
        "answer is verified",
        f"{'':14}{'the paper':>12}{'bundled':>12}{'ratio':>9}",
    ]
    return "\n".join(lines)


def against_paper_row(row: Figures) -> str:
    """The paper's cycles beside the time to a verified answer."""
    timed = row["paper_cycles_timed"]
    cycles = "" if timed == row["paper_cycles"] else f", {timed} of the cycles timed"
    return (
        f"{row['task']:8}{row['dtype']:6}{row['paper_seconds_per_puzzle']:10.4g} s"
        f"{row['seconds_per_puzzle']:10.4g} s{row['ratio']:9.3g}   "
        f"{row['verified']} of {row['puzzles']} verified{cycles}"
    )


def gpu_heading(figures: Figures) -> str:
    """What the rows of ``gpu_row`` are."""
    network = figures["weights"] or f"recipe {figures['recipe']}"
    return (
        f"cycles a second of the network alone, {figures['task']}, {network}, "
        f"{figures['device_name']}"
    )


def gpu_row(row: Figures) -> str:
    """Cycles a second in one setting."""
    said = row.get("error") or f"{row['cycles_per_second']:.4g} cycles/s"
    return f"{row['mode']:6} {row['dtype']}  batch {row['batch_size']:<6} {said}"


def energy(figures: Figures) -> str:
    """Joules for each verified answer."""
    lines = [
        f"energy of solving {figures['task']}, {figures['weights']}, {figures['device']} "
        f"{figures['dtype']}, {figures['threads']} threads, by {', '.join(figures['counters'])}",
        f"answers   {figures['verified']} of {figures['answers']} verified in "
        f"{figures['seconds']:.1f} s",
        f"power     {figures['watts']:.3g} W, {figures['idle_watts']:.3g} W before it",
    ]
    each = figures["joules_per_verified"]
    if each is None:
        return "\n".join([*lines, "energy    no answer was verified"])
    above = figures["joules_per_verified_above_idle"]
    said = f"energy    {each:.3g} J a verified answer, {above:.3g} J above the idle machine"
    return "\n".join([*lines, said])


ARC_HEADING = "learning an ARC task from nothing, on one core, in steps a second"


def arc_row(row: Figures) -> str:
    """How fast ARC tasks of one size are learned on one core."""
    square = f"{row['side']}x{row['side']}"
    return (
        f"{square:8}{row['steps_per_second']:6.3g}/s  {row['demonstrations']} demonstrations, "
        f"{row['colours']} colours, {_giga(row['flop_per_second'])}: {row['fraction']:.1%} of "
        "matrix products"
    )


def _heading(figures: Figures) -> str:
    """What is measured, and where."""
    mode = "training" if figures["mode"] == "train" else "solving"
    network = figures["weights"] or f"recipe {figures['recipe']}"
    compiled = ", compiled" if figures["compiled"] else ""
    return (
        f"{mode} {figures['task']}, {network}, "
        f"{figures['parameters']:,} parameters, {figures['device']} {figures['dtype']}, "
        f"{figures['threads']} threads{compiled}"
    )


def _comparison(figures: Figures) -> list[str]:
    """The machine's products and everything that is measured, one line each."""
    machine = figures["matmul_flop_per_second"]
    lines = [f"{'':24}{'rate':>14}{'of products':>13}", _compared("matrix products", machine, 1.0)]
    parts = []
    if "single" in figures:
        parts.append(("solving", figures["single"]))
    parts.append(("training" if figures["mode"] == "train" else "solving", figures))
    if "training" in figures:
        parts.append(("training", figures["training"]))
    for name, part in parts:
        label = f"{name}, batch {part['batch_size']}"
        lines.append(_compared(label, part["flop_per_second"], part["fraction"]))
        own = part["network_matmul_flop_per_second"]
        shape = " x ".join(str(side) for side in part["network_matmul_shape"])
        lines.append(f"{_compared('  its largest product', own, own / machine)}  {shape}")
    return lines


def _compared(label: str, rate: float, fraction: float) -> str:
    return f"{label:24}{_giga(rate):>14}{fraction:13.1%}"


def _lines(figures: Figures) -> list[str]:
    """The rates of one size of batch, and where its time went."""
    steps = figures["steps_per_second"]
    lines = [
        f"batch     {figures['batch_size']}",
        f"steps     {steps:.4g}/s, {1000 / steps:.4g} ms each ({figures['steps']} in "
        f"{figures['seconds']:.1f} s, {_warm_up(figures)})",
        f"puzzles   {figures['examples_per_second']:.4g} cycles/s, "
        f"{figures['puzzles_per_second']:.4g} finished/s",
        f"work      {_metric(figures['flop_per_step'])}FLOP/step, "
        f"{_metric(figures['flop_per_second'])}FLOP/s: {figures['fraction']:.1%} of the "
        f"{_metric(figures['matmul_flop_per_second'])}FLOP/s of matrix products",
    ]
    if not figures["breakdown"]:
        lines.append("time      see --profile")
    for number, (kind, share) in enumerate(figures["breakdown"].items()):
        label = "time" if number == 0 else ""
        lines.append(f"{label:10}{share:6.1%}  {kind}")
    return lines


def _warm_up(figures: Figures) -> str:
    """How long the steps before those that count took."""
    seconds = figures["warm_up_seconds"]
    return f"after {seconds:.1f} s of warm-up" if seconds else "without a warm-up"


def _operations(part: Figures) -> list[str]:
    """The table of one profile."""
    unit = UNDER[part["device"].partition(":")[0]]
    lines = [
        f"batch {part['batch_size']}, {1000 * part['seconds_per_step']:.4g} ms a step under the "
        f"profiler, {part['steps']} steps",
        f"{'share':>7}{'self ' + unit:>14}{'calls/step':>12}  operation",
    ]
    for row in part["operations"]:
        lines.append(
            f"{row['share']:7.1%}{1000 * row['self_seconds_per_step']:11.4g} ms"
            f"{row['calls_per_step']:12.4g}  {row['name']}"
        )
    if part["other_operations"]:
        share = part["other_operations_share"]
        lines.append(f"{share:7.1%}{'':26}  {part['other_operations']} other operations")
    lines.append(f"{part['outside_share']:7.1%}{'':26}  outside of operations")
    return lines


def _giga(rate: float) -> str:
    return f"{rate / 1e9:.4g} GFLOP/s"


def _metric(value: float) -> str:
    """The value with a metric prefix, such as ``1.23 G``."""
    for scale, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= scale:
            return f"{value / scale:.3g} {prefix}"
    return f"{value:.3g} "
