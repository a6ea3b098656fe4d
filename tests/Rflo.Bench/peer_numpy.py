"""The periodic-output experiment of Murray (2019) in plain numpy, with the work of the author's notebook: one Python
loop over time, one numpy call for each operation, a silent input channel, the slope by cosh. It is the peer that the
benchmark measures against, so it is written for readability, not against the clock; its indices are the right ones. The
slope that is measured is the notebook's approximation; trials whose losses are held against ours have the exact one.

RULE is one of rflo, rflo-online, bptt, rtrl; see peer.py for how it is asked.
"""

import numpy as np

from peer import TAU, serve


def exact_slope(u):
    return 1 / np.cosh(u) ** 2


def notebook_slope(u):
    return 1 / np.cosh(10 * np.tanh(u / 10)) ** 2


class Network:
    def __init__(self, job):
        self.n, self.tau, self.rate = job.units, TAU, job.rate
        self.w = job.w
        self.w_in = np.zeros((job.units, 1))
        self.w_out = job.w_out[None, :].copy()
        self.feedback = job.feedback[:, None].copy()

    def trial(self, x, target, rule, slope_of):
        online = rule == "rflo-online"
        steps, n, tau = len(target), self.n, self.tau
        h = np.zeros((steps + 1, n))
        h[0] = 0.1
        u = np.zeros((steps + 1, n))
        y = np.zeros((steps + 1, 1))
        error = np.zeros((steps + 1, 1))
        dw, dw_in, dw_out = np.zeros_like(self.w), np.zeros_like(self.w_in), np.zeros_like(self.w_out)
        if rule.startswith("rflo"):
            p, q = np.zeros((n, n)), np.zeros((n, 1))
        elif rule == "rtrl":
            p, q = np.zeros((n, n, n)), np.zeros((n, n, 1))
        for t in range(1, steps + 1):
            u[t] = np.dot(self.w, h[t - 1]) + np.dot(self.w_in, x[t - 1])
            h[t] = h[t - 1] + (-h[t - 1] + np.tanh(u[t])) / tau
            y[t] = np.dot(self.w_out, h[t])
            error[t] = target[t - 1] - y[t]
            if rule.startswith("rflo"):
                p = (1 - 1 / tau) * p + np.outer(slope_of(u[t]), h[t - 1]) / tau
                q = (1 - 1 / tau) * q + np.outer(slope_of(u[t]), x[t - 1]) / tau
                step_w = self.rate * np.outer(np.dot(self.feedback, error[t]), np.ones(n)) * p / steps
                step_in = 0.0 * np.outer(np.dot(self.feedback, error[t]), np.ones(1)) * q / steps
                step_out = self.rate / steps * np.outer(error[t], h[t])
                if online:
                    self.w = self.w + step_w
                    self.w_in = self.w_in + step_in
                    self.w_out = self.w_out + step_out
                else:
                    dw += step_w
                    dw_in += step_in
                    dw_out += step_out
            elif rule == "rtrl":
                p = np.tensordot((1 - 1 / tau) * np.eye(n) + slope_of(u[t])[:, None] * self.w / tau, p, axes=1)
                q = np.tensordot((1 - 1 / tau) * np.eye(n) + slope_of(u[t])[:, None] * self.w / tau, q, axes=1)
                for j in range(n):
                    p[j, j, :] += slope_of(u[t, j]) * h[t - 1] / tau
                    q[j, j, :] += slope_of(u[t, j]) * x[t - 1] / tau
                dw += self.rate / steps * np.tensordot(np.dot(error[t], self.w_out), p, axes=1)
                dw_in += 0.0 / steps * np.tensordot(np.dot(error[t], self.w_out), q, axes=1)
                dw_out += self.rate / steps * np.outer(error[t], h[t])
        if rule == "bptt":
            z = np.zeros((steps + 2, n))
            for t in range(steps, 0, -1):
                z[t] = np.dot(self.w_out.T, error[t])
                if t < steps:
                    z[t] += (1 - 1 / tau) * z[t + 1] + np.dot(z[t + 1] * slope_of(u[t + 1]), self.w) / tau
                dw_out += self.rate / steps * np.outer(error[t], h[t])
                dw += self.rate / (steps * tau) * np.outer(z[t] * slope_of(u[t]), h[t - 1])
                dw_in += 0.0 * np.outer(z[t] * slope_of(u[t]), x[t - 1])
        if not online:
            self.w = self.w + dw
            self.w_in = self.w_in + dw_in
            self.w_out = self.w_out + dw_out
        return 0.5 * np.mean(error[1:] ** 2)


def make(job):
    network = Network(job)
    target, x = job.target[:, None], np.zeros((job.steps, 1))

    def trial(checked):
        return network.trial(x, target, job.rule, exact_slope if checked else notebook_slope)

    return trial


if __name__ == "__main__":
    serve("numpy", np.__version__, make)
