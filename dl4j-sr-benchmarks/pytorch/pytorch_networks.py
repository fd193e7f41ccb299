#!/usr/bin/env python3
"""Measures in PyTorch the networks that dl4j-sr's TrainingBenchmark trains: same layers, batches and Adam, on the CPU.

    pytorch_networks.py [--seconds N] [--threads N] [--inference BATCH] [--processor-time] [NETWORK...]
    pytorch_networks.py --serve [--threads N] [--processor-time]

Prints the best and the mean steps a second of each network in FP32 and under bf16 autocast, both with fused Adam. With
--processor-time it is the one thread's processor time, for a machine that others use. --serve is for NetworkTable: a
line "NETWORK fp32|autocast BATCH SECONDS" of standard input, BATCH 0 for training, is answered by "best"
and milliseconds, NaN for a network that is not here.

As in DL4J's self-attention its projections have no biases, and LSTMs have one bias a gate.
"""
import argparse
import sys
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


class Residual(nn.Module):
    """A block of the zoo's ResNet-50, which has its stride in the first convolution; without one, an identity block."""

    def __init__(self, inputs, width, stride=0):
        super().__init__()
        outputs = 4 * width
        self.main = nn.Sequential(
            *normalized(nn.Conv2d(inputs, width, 1, stride or 1)), nn.ReLU(),
            *normalized(nn.Conv2d(width, width, 3, padding=1)), nn.ReLU(),
            *normalized(nn.Conv2d(width, outputs, 1)))
        self.shortcut = nn.Sequential(*normalized(nn.Conv2d(inputs, outputs, 1, stride))) if stride else nn.Identity()

    def forward(self, x):
        return torch.relu(self.main(x) + self.shortcut(x))


def normalized(convolution):
    return convolution, nn.BatchNorm2d(convolution.out_channels)


def resnet50():
    """[batch, 3, 136, 136] to [batch, 100]; as in the zoo, the pooling at the end takes the maximum."""
    layers, inputs = [], 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for index in range(blocks):
            layers.append(Residual(inputs, width, 0 if index else 2))
            inputs = 4 * width
    return nn.Sequential(*normalized(nn.Conv2d(3, 64, 7, 2, padding=3)), nn.ReLU(), nn.MaxPool2d(3, 2), *layers,
                         nn.MaxPool2d(3), nn.Flatten(), nn.Linear(inputs, 100))


def keras_cnn():
    """Keras' example cifar10_cnn."""
    def pair(inputs, outputs):
        return (nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3), nn.ReLU(),
                nn.MaxPool2d(2), nn.Dropout(0.25))
    return nn.Sequential(*pair(3, 32), *pair(32, 64), nn.Flatten(), nn.Linear(2304, 512), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(512, 10))


def mlp():
    return nn.Sequential(nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def cnn_batch_norm():
    def block(inputs, outputs):
        return nn.Conv2d(inputs, outputs, 3), nn.BatchNorm2d(outputs), nn.ReLU()
    return nn.Sequential(*block(3, 32), nn.MaxPool2d(2), *block(32, 64), nn.MaxPool2d(2), *block(64, 128),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def networks():
    """Name: what makes model, batch size, a batch's features for a batch size, classes, labels an example."""
    return {
        "MLP": (mlp, 512, lambda n: torch.rand(n, 784), 10, 1),
        "LENET": (lenet, 64, lambda n: torch.rand(n, 1, 28, 28), 10, 1),
        "CNN_BATCH_NORM": (cnn_batch_norm, 64, lambda n: torch.rand(n, 3, 32, 32), 10, 1),
        "LSTM": (Recurrent, 32, lambda n: torch.rand(n, 50, 64), 64, 50),
        "ATTENTION": (SelfAttention, 32, lambda n: torch.rand(n, 64, 128), 10, 1),
        "CONV_1D": (Text, 32, lambda n: torch.randint(5000, (n, 100)), 10, 1),
        "RESNET50": (resnet50, 32, lambda n: torch.rand(n, 3, 136, 136), 100, 1),
        "KERAS_CNN": (keras_cnn, 32, lambda n: torch.rand(n, 3, 32, 32), 10, 1),
    }


def rates(work, seconds, clock):
    """Best and mean runs a second, after a warm-up of the same time, of 2 seconds at most."""
    end = time.perf_counter() + min(2, seconds)
    while time.perf_counter() < end:
        work()
    best, runs, begin = float("inf"), 0, time.perf_counter()
    while time.perf_counter() < begin + seconds:
        start = clock()
        work()
        best, runs = min(best, clock() - start), runs + 1
    return 1 / best, runs / (time.perf_counter() - begin)


def measure(name, autocast, inference, seconds, clock):
    """Best and mean runs a second of training steps or, for so many examples, inference."""
    torch.manual_seed(1)
    create, batch, features, classes, labels = networks()[name]
    model = create()
    batch = inference or batch
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

    if inference:
        model.eval()
    return rates(infer if inference else step, seconds, clock)


def serve(clock):
    for line in sys.stdin:
        name, mode, inference, seconds = line.split()
        if name in networks():
            best, _ = measure(name, mode == "autocast", int(inference), float(seconds), clock)
            print("best", 1000 / best, flush=True)
        else:
            print("best NaN", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--inference", type=int, default=0)
    parser.add_argument("--processor-time", action="store_true")
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(networks()))
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    clock = time.thread_time if options.processor_time else time.perf_counter
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads", flush=True)
    if options.serve:
        serve(clock)
        return
    for name in options.networks or networks():
        for autocast in (False, True):
            best, mean = measure(name, autocast, options.inference, options.seconds, clock)
            mode = "autocast" if autocast else "FP32"
            print(f"{name:16} {mode:9} best {best:8.1f}/s mean {mean:8.1f}/s", flush=True)


if __name__ == "__main__":
    main()
