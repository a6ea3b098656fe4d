"""The loop of RFLO compiled by numba: double precision, fastmath, one thread, every sum and trace in one pass over a row.
The weights change at the end of a trial, by increments that are summed in every step as in the notebook, or online.
RULE is rflo or rflo-online; see peer.py for how it is asked. The first trials, which compile, are not measured.
"""

import numba
import numpy as np

from peer import TAU, serve


@numba.njit(fastmath=True)
def trial(w, w_out, feedback, target, tau, rate, online):
    n, steps = len(w_out), len(target)
    h, before = np.full(n, 0.1), np.empty(n)
    slope = np.empty(n)
    p, dw, dw_out = np.zeros((n, n)), np.zeros((n, n)), np.zeros(n)
    to, to_out = (w, w_out) if online else (dw, dw_out)
    loss = 0.0
    for t in range(steps):
        before[:] = h
        for i in range(n):
            u = 0.0
            for j in range(n):
                u += w[i, j] * before[j]
            rate_now = np.tanh(u)
            slope[i] = (1 - rate_now * rate_now) / tau
            h[i] = (1 - 1 / tau) * before[i] + rate_now / tau
        y = 0.0
        for i in range(n):
            y += w_out[i] * h[i]
        error = target[t] - y
        loss += error * error
        for i in range(n):
            told = rate / steps * feedback[i] * error
            for j in range(n):
                p[i, j] = (1 - 1 / tau) * p[i, j] + slope[i] * before[j]
                to[i, j] += told * p[i, j]
            to_out[i] += rate / steps * error * h[i]
    if not online:
        w += dw
        w_out += dw_out
    return loss / (2 * steps)


def make(job):
    w, w_out = job.w, job.w_out.copy()
    feedback, target = job.feedback.copy(), job.target.copy()
    online = job.rule == "rflo-online"
    return lambda _: trial(w, w_out, feedback, target, TAU, job.rate, online)


if __name__ == "__main__":
    serve("numba", numba.__version__, make)
