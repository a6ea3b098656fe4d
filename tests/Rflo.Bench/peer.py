"""What the peers of the benchmark share: they train one network, of which they are told on standard input.

One JSON object a line, each answered by one line:
  {"rule", "units", "steps", "rate", "checked", "batch", "threads", "single", "file"}  takes the weights of the file, trains some updates: their losses
  {"seconds"}  trains for about so long: microseconds a step and trial, the median over updates
The file holds doubles: recurrent weights (units x units), readout (units), feedback (units), targets (steps).
Losses are 1 / (2 T) sum of squared errors, so that they can be held against ours.
"""

import ctypes
import json
import sys
import time

import numpy as np

TAU = 10.0


def open_blas():
    """The OpenBLAS that this process multiplies with, or None where it has another library."""
    with open("/proc/self/maps") as maps:
        paths = [line.split()[-1] for line in maps if "openblas" in line]
    return ctypes.CDLL(paths[0]) if paths else None


def blas():
    """Its name and that of its kernels, and how many multiply-adds a second it reaches: what is compared depends on it."""
    library = open_blas()
    if library is None:
        name = "reference BLAS"
    else:
        library.openblas_get_corename.restype = ctypes.c_char_p
        name = "OpenBLAS " + library.openblas_get_corename().decode()
    n, best = 512, float("inf")
    matrix = np.ones((n, n))
    for _ in range(5):
        start = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - start)
    return f"{name}, {n**3 / best / 1e9:.1f} G double multiply-adds a second"


class Job:
    """The network of Murray (2019), Fig 2, one readout, no input, rates that begin at 0.1."""

    def __init__(self, told):
        n, steps = told["units"], told["steps"]
        numbers = np.fromfile(told["file"])
        self.batch, self.threads, self.single = told.get("batch", 1), told.get("threads", 1), told.get("single", False)
        self.rule, self.units, self.steps, self.rate = told["rule"], n, steps, told["rate"]
        self.w, self.w_out, self.feedback, self.target = np.split(numbers, [n * n, n * n + n, n * n + 2 * n])
        self.w = self.w.reshape(n, n).copy()


def serve(name, version, make):
    """`make(job)` gives a function that trains one trial and answers its loss; it is told whether the loss is checked."""
    print(json.dumps({"peer": name, "version": f"{version} with {blas()}"}), flush=True)
    trial, steps, batch = None, 1, 1
    for line in sys.stdin:
        told = json.loads(line)
        if "file" in told:
            job = Job(told)
            trial, steps, batch = make(job), job.steps, job.batch
            answer = {"losses": [float(trial(True)) for _ in range(told["checked"])]}
        else:
            seconds, end = [], time.perf_counter() + told["seconds"]
            while not seconds or time.perf_counter() < end:
                start = time.perf_counter()
                trial(False)
                seconds.append(time.perf_counter() - start)
            answer = {"usPerStep": 1e6 * float(np.median(seconds)) / steps / batch}
        print(json.dumps(answer), flush=True)
