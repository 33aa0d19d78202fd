"""How fast the command line answers, beside a bare interpreter: ``valuation --help`` and an unchanged run.

python benchmarks/bench_start.py [WORKSPACE [--set section.key=value …]]
"""

import subprocess
import sys
import time
from pathlib import Path


def seconds(command: list[str]) -> float:
    """Best of five: what the work costs, without what else the machine did."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        best = min(best, time.perf_counter() - started)
    return best


def main() -> None:
    valuation = str(Path(sys.executable).parent / "valuation")
    bare = seconds([sys.executable, "-c", "pass"])
    commands = [[valuation, "--help"], [valuation, "run", "--help"]]
    if len(sys.argv) > 1:
        commands += [[valuation, "-w", sys.argv[1], verb, *sys.argv[2:]] for verb in ("status", "run")]
    for command in commands:
        took = seconds(command)
        print(f"{' '.join(command[1:]):60s} {took:6.2f} s  {took / bare:5.1f} times a bare interpreter ({bare:.3f} s)")


if __name__ == "__main__":
    main()
