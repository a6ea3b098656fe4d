"""Backpropagation through time as PyTorch does it: eager mode, one thread, double precision, gradients by autograd and a
step of its SGD after every trial. RULE is bptt; see peer.py for how it is asked.
"""

import torch

from peer import TAU, serve


class Network(torch.nn.Module):
    def __init__(self, job):
        super().__init__()
        self.w = torch.nn.Parameter(torch.from_numpy(job.w))
        self.w_out = torch.nn.Parameter(torch.from_numpy(job.w_out.copy()))
        self.start = torch.full((job.units,), 0.1, dtype=torch.float64)

    def forward(self, steps):
        h, outputs = self.start, []
        for _ in range(steps):
            h = (1 - 1 / TAU) * h + torch.tanh(torch.mv(self.w, h)) / TAU
            outputs.append(torch.dot(self.w_out, h))
        return torch.stack(outputs)


def make(job):
    torch.set_num_threads(1)
    network = Network(job)
    optimiser = torch.optim.SGD(network.parameters(), lr=job.rate)
    target = torch.from_numpy(job.target.copy())

    def trial(_):
        optimiser.zero_grad()
        loss = 0.5 * torch.mean((target - network(job.steps)) ** 2)
        loss.backward()
        optimiser.step()
        return loss.detach()

    return trial


if __name__ == "__main__":
    serve("torch", torch.__version__, make)
