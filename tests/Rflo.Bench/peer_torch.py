"""Backpropagation through time as PyTorch does it: eager mode, gradients by autograd and a step of its SGD after every trial, or after
so many trials side by side. RULE is bptt; see peer.py for how it is asked.
"""

import torch

from peer import TAU, open_blas, serve


class Network(torch.nn.Module):
    """One trial: states are vectors. Several: rows of a matrix, which is how a batch is trained."""

    def __init__(self, job):
        super().__init__()
        kind = torch.float32 if job.single else torch.float64
        self.w = torch.nn.Parameter(torch.from_numpy(job.w).to(kind))
        self.w_out = torch.nn.Parameter(torch.from_numpy(job.w_out.copy()).to(kind))
        shape = (job.units,) if job.batch == 1 else (job.batch, job.units)
        self.start = torch.full(shape, 0.1, dtype=kind)

    def forward(self, steps):
        h, outputs = self.start, []
        for _ in range(steps):
            u = torch.mv(self.w, h) if h.dim() == 1 else torch.mm(h, self.w.t())
            h = (1 - 1 / TAU) * h + torch.tanh(u) / TAU
            outputs.append(torch.matmul(h, self.w_out))
        return torch.stack(outputs)


OPEN_BLAS = open_blas()


def make(job):
    # OpenBLAS has threads of its own, which PyTorch does not count.
    torch.set_num_threads(job.threads)
    if OPEN_BLAS is not None:
        OPEN_BLAS.openblas_set_num_threads(job.threads)
    network = Network(job)
    optimiser = torch.optim.SGD(network.parameters(), lr=job.rate)
    target = torch.from_numpy(job.target.copy()).to(network.w.dtype)
    if job.batch > 1:
        target = target[:, None].expand(-1, job.batch).contiguous()

    def trial(_):
        optimiser.zero_grad()
        loss = 0.5 * torch.mean((target - network(job.steps)) ** 2)
        loss.backward()
        optimiser.step()
        return loss.detach()

    return trial


if __name__ == "__main__":
    serve("torch", torch.__version__, make)
