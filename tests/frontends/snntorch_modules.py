"""Modules with snnTorch neurons whose forward is written in the ways that people write it."""

from __future__ import annotations

import snntorch as snn
import torch
from snntorch import utils
from torch import nn

STEPS = 7


class Two(nn.Module):
    """6 → 9 → 4 leaky neurons, registered back to front."""

    def __init__(self, **options: object) -> None:
        super().__init__()
        self.lif2 = snn.Leaky(beta=0.8, threshold=0.3, **options)
        self.fc2 = nn.Linear(9, 4)
        self.lif1 = snn.Leaky(beta=0.9, threshold=0.4, **options)
        self.fc1 = nn.Linear(6, 9)

    def over(self, currents: object) -> tuple[torch.Tensor, torch.Tensor]:
        mem1, mem2, spikes, membranes = self.lif1.init_leaky(), self.lif2.init_leaky(), [], []
        for current in currents:
            spk, mem1 = self.lif1(current, mem1)
            spk, mem2 = self.lif2(self.fc2(spk), mem2)
            spikes.append(spk)
            membranes.append(mem2)
        return torch.stack(spikes), torch.stack(membranes)

    def forward(self, x: torch.Tensor) -> object:
        return self.over(self.fc1(x) for _ in range(STEPS))


class Normalised(Two):
    def forward(self, x: torch.Tensor) -> object:
        x = x / 255
        return super().forward((x - torch.arange(6) / 10) / 0.3)[0]


class InPlace(Two):
    def forward(self, x: torch.Tensor) -> object:
        x -= 0.5
        x *= 2
        counts = torch.zeros(len(x), 4)
        for spikes in super().forward(x)[0]:
            counts += spikes
        return torch.softmax(counts / STEPS, dim=1)


class BatchNorms(Two):
    def __init__(self) -> None:
        super().__init__()
        self.before, self.between, self.first = nn.BatchNorm1d(6), nn.BatchNorm1d(9), nn.Linear(6, 6)
        for norm in (self.before, self.between):
            for tensor in (norm.running_mean, norm.weight.data, norm.bias.data):
                tensor.normal_()
            norm.running_var.uniform_(0.5, 2)

    def forward(self, x: torch.Tensor) -> object:
        x = nn.functional.dropout(self.first(self.before(x)), 0.5, self.training)
        return self.over(1.5 * self.between(self.fc1(x)) for _ in range(STEPS))[0]


class LargestMembrane(Two):
    def forward(self, x: torch.Tensor) -> object:
        return super().forward(x)[1].max(0)[0]


class LastMembrane(Two):
    def forward(self, x: torch.Tensor) -> object:
        return {"membrane": super().forward(x)[1][-1]}


class TimeFirst(Two):
    def forward(self, x: torch.Tensor) -> object:
        return self.over(self.fc1(x[t].flatten(1)) for t in range(x.size(0)))[0]


class TimeSecond(Two):
    def forward(self, x: torch.Tensor) -> object:
        kept = torch.zeros(x.size(1), x.size(0), 4)
        for t, spikes in enumerate(self.over(self.fc1(step) for step in x.permute(1, 0, 2))[0]):
            kept[t] = spikes
        return kept


class StatesAsArguments(Two):
    def forward(self, x: torch.Tensor, mem1: torch.Tensor, mem2: torch.Tensor) -> object:
        spk1, mem1 = self.lif1(self.fc1(x), mem1)
        spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
        return mem2, spk1, mem1, spk2


class KeptStates(Two):
    def __init__(self) -> None:
        super().__init__(init_hidden=True)

    def forward(self, x: torch.Tensor) -> object:
        return self.lif2(self.fc2(self.lif1(self.fc1(x))))


class KeptStatesLooped(KeptStates):
    def forward(self, x: torch.Tensor) -> object:
        utils.reset(self)
        return torch.stack([super(KeptStatesLooped, self).forward(x) for _ in range(STEPS)], dim=1)


class OneModuleForTwoLayers(Two):
    def over(self, currents: object) -> tuple[torch.Tensor, torch.Tensor]:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif1.init_leaky(), []
        for current in currents:
            spk, mem1 = self.lif1(current, mem1)
            spk, mem2 = self.lif1(self.fc2(spk), mem2)
            spikes.append(spk)
        return torch.stack(spikes), mem2


class OwnRecurrence(Two):
    def __init__(self) -> None:
        super().__init__()
        self.back = nn.Linear(9, 9)

    def forward(self, x: torch.Tensor) -> object:
        mem1, mem2, spk1, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), torch.zeros(len(x), 9), []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x) + self.back(spk1), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


class LateByAStep(Two):
    def forward(self, x: torch.Tensor) -> object:
        mem1, mem2, spk1, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), torch.zeros(len(x), 9), []
        for _ in range(STEPS):
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spikes.append(spk2)
        return torch.stack(spikes)


class Skip(nn.Module):
    """Three layers of which the last takes the sum of the two before."""

    def __init__(self) -> None:
        super().__init__()
        self.c, self.b, self.a = nn.Linear(9, 4), nn.Linear(9, 9), nn.Linear(6, 9)
        options = {"R": 1.0, "C": 4.0, "time_step": 1.0, "threshold": 0.1, "init_hidden": True}
        self.third, self.second, self.first = (snn.Lapicque(**options) for _ in range(3))

    def forward(self, x: torch.Tensor) -> object:
        spk = self.first(self.a(x))
        return self.third(self.c(self.second(self.b(spk)) + spk))


class NeuronsAhead(Two):
    """Neurons that take the input itself."""

    def forward(self, x: torch.Tensor) -> object:
        mem1, mem2, spikes = None, None, []
        for _ in range(STEPS):
            spk, mem1 = self.lif2(2 * x - 0.1, mem1)
            spk, mem2 = self.lif1(self.fc1(spk), mem2)
            spikes.append(spk)
        return sum(spikes)


READ = (
    Two, Normalised, InPlace, BatchNorms, LargestMembrane, LastMembrane, TimeFirst, TimeSecond, StatesAsArguments,
    KeptStates, KeptStatesLooped, OneModuleForTwoLayers, OwnRecurrence, LateByAStep, Skip, NeuronsAhead,
)  # fmt: skip


# ---- what is refused


class Relu(Two):
    def forward(self, x: torch.Tensor) -> object:
        return self.over(torch.relu(self.fc1(x)) for _ in range(STEPS))[0]


class Branch(Two):
    def forward(self, x: torch.Tensor) -> object:
        spikes = super().forward(x)[0]
        return spikes if spikes.sum() > 20 else spikes * 2


class Noise(Two):
    def forward(self, x: torch.Tensor) -> object:
        return super().forward(x + torch.randn(6))[0]


class RandomSpikes(Two):
    def forward(self, x: torch.Tensor) -> object:
        return self.over(self.fc1(torch.bernoulli(x.abs() / 9)) for _ in range(STEPS))[0]


class Membranes(Two):
    def over(self, currents: object) -> tuple[torch.Tensor, torch.Tensor]:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for current in currents:
            _, mem1 = self.lif1(current, mem1)
            spk, mem2 = self.lif2(self.fc2(mem1), mem2)
            spikes.append(spk)
        return torch.stack(spikes), mem2


class ChangedState(Two):
    def over(self, currents: object) -> tuple[torch.Tensor, torch.Tensor]:
        mem1, mem2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), []
        for current in currents:
            spk, mem1 = self.lif1(current, mem1 * 0.5)
            spk, mem2 = self.lif2(self.fc2(spk), mem2)
            spikes.append(spk)
        return torch.stack(spikes), mem2


class Forgetful(Two):
    def forward(self, x: torch.Tensor) -> object:
        return self.over([self.fc1(x)])[0][0]


class OneState(KeptStates):
    def forward(self, x: torch.Tensor) -> object:
        return self.lif1(self.lif1(self.fc1(x)))


class Feedback(Two):
    def __init__(self) -> None:
        super().__init__()
        self.back = nn.Linear(4, 9)

    def forward(self, x: torch.Tensor) -> object:
        mem1, mem2, spk2, spikes = self.lif1.init_leaky(), self.lif2.init_leaky(), torch.zeros(len(x), 4), []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x) + self.back(spk2), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


class LastSpikes(Two):
    def forward(self, x: torch.Tensor) -> object:
        return super().forward(x)[0][-1]


class LinearTail(Two):
    def __init__(self) -> None:
        super().__init__()
        self.tail = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> object:
        return self.tail(super().forward(x)[0].mean(0))


class AlphaNeurons(KeptStates):
    def __init__(self) -> None:
        super().__init__()
        self.lif1 = snn.Alpha(alpha=0.9, beta=0.8, init_hidden=True)


class Begun(Two):
    def forward(self, x: torch.Tensor) -> object:
        mem, spikes = torch.ones(len(x), 9), []
        for _ in range(STEPS):
            spk, mem = self.lif1(self.fc1(x), mem)
            spikes.append(spk)
        return torch.stack(spikes)


REFUSED = {
    Relu: "relu is not read, and lif1",
    Branch: r"number taken out of a tensor \(bool\)",
    Noise: "gives other numbers each time",
    RandomSpikes: "is not read, and lif1",
    Membranes: r"lif2 \(Leaky\): takes the membrane of lif1",
    ChangedState: "lif1 .*membrane that was changed outside",
    Forgetful: "forgets the membranes",
    OneState: "lif1",
    Feedback: "lif1 .*adds what comes from the input, lif2",
    LastSpikes: "in one step alone",
    LinearTail: "ends in a linear layer",
    AlphaNeurons: "neurons of the class Alpha in lif1",
    Begun: "begins with a membrane that is not zero",
}
