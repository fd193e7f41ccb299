#!/usr/bin/env python3
"""Measures in PyTorch the networks that dl4j-sr's TrainingBenchmark trains: same layers, batches and Adam, on the CPU.

    pytorch_networks.py [--seconds N] [--threads N] [--inference BATCH] [NETWORK...]

Prints the best and the mean steps a second of each network in FP32 and under bf16 autocast, both with fused Adam. As in
DL4J's self-attention its projections have no biases, and LSTMs have one bias a gate.
"""
import argparse
import time

import torch
from torch import nn


class Recurrent(nn.Module):
    """[batch, time, 64] to [batch * time, 64]."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(64, 256, num_layers=2, batch_first=True)
        self.head = nn.Linear(256, 64)

    def forward(self, x):
        return self.head(self.lstm(x)[0]).flatten(0, 1)


class SelfAttention(nn.Module):
    """[batch, time, 128] to [batch, 10]."""

    def __init__(self):
        super().__init__()
        self.project = nn.Linear(128, 3 * 128, bias=False)
        self.merge = nn.Linear(128, 128, bias=False)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = self.project(x).view(batch, steps, 3, 4, width // 4).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(q, k, v)
        return self.head(self.merge(attended.transpose(1, 2).reshape(x.shape)).amax(1))


class Text(nn.Module):
    """[batch, time] tokens to [batch, 10]."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5000, 128)
        self.convolution = nn.Conv1d(128, 128, 5, padding="same")
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        return self.head(torch.relu(self.convolution(self.embedding(x).transpose(1, 2))).amax(2))


def block(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3), nn.BatchNorm2d(outputs), nn.ReLU()


def networks():
    """Name: model, batch size, a batch's features for a batch size, classes, labels an example."""
    return {
        "MLP": (nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10)),
                512, lambda n: torch.rand(n, 784), 10, 1),
        "LENET": (nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(),
                                nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)),
                  64, lambda n: torch.rand(n, 1, 28, 28), 10, 1),
        "CNN_BATCH_NORM": (nn.Sequential(*block(3, 32), nn.MaxPool2d(2), *block(32, 64), nn.MaxPool2d(2),
                                         *block(64, 128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)),
                           64, lambda n: torch.rand(n, 3, 32, 32), 10, 1),
        "LSTM": (Recurrent(), 32, lambda n: torch.rand(n, 50, 64), 64, 50),
        "ATTENTION": (SelfAttention(), 32, lambda n: torch.rand(n, 64, 128), 10, 1),
        "CONV_1D": (Text(), 32, lambda n: torch.randint(5000, (n, 100)), 10, 1),
    }


def rates(work, seconds):
    """Best and mean runs a second."""
    end = time.perf_counter() + min(2, seconds)
    while time.perf_counter() < end:
        work()
    best, runs, begin = float("inf"), 0, time.perf_counter()
    while time.perf_counter() < begin + seconds:
        start = time.perf_counter()
        work()
        best, runs = min(best, time.perf_counter() - start), runs + 1
    return 1 / best, runs / (time.perf_counter() - begin)


def measure(name, autocast, options):
    torch.manual_seed(1)
    model, batch, features, classes, labels = networks()[name]
    batch = options.inference or batch
    x, y = features(batch), torch.randint(classes, (batch * labels,))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    def infer():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            torch.softmax(model(x), -1)

    if options.inference:
        model.eval()
    best, mean = rates(infer if options.inference else step, options.seconds)
    print(f"{name:16} {'autocast' if autocast else 'FP32':9} best {best:8.1f}/s mean {mean:8.1f}/s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--inference", type=int, default=0)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(networks()))
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    for name in options.networks or networks():
        for autocast in (False, True):
            measure(name, autocast, options)


if __name__ == "__main__":
    main()
