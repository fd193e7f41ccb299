"""PyTorch's whole training step for the GPT shapes of `bench`, to compare with on the same machine.

    python pytorch_gpt.py [--preset nano|small|gpt2-124m] [--context N] [--batch N] [--steps N] [--modes fp32,autocast,bf16]
                          [--device cpu|cuda] [--compile]

The same model as dl4j-sr's: pre-LN blocks, biases, tanh GELU, causal attention through
scaled_dot_product_attention, and per step forward, backward, global-norm clipping and fused AdamW.
  fp32      everything FP32
  autocast  FP32 weights and state, torch.autocast(bfloat16): the paper's O1
  bf16      weights, gradients and AdamW state in BF16, rounded to nearest (PyTorch has no stochastic rounding)
Prints a line a mode: best and median tokens/s over the steps after a warm-up; on a GPU the most memory that PyTorch held,
too, and steps are waited for as a whole, by the clock of the host. --compile runs the model through torch.compile.
"""
import argparse
import time

import torch
from torch import nn
from torch.nn import functional as F

PRESETS = {  # layers, heads, width, context, vocabulary, batch, tied head
    "nano": (4, 4, 128, 128, 256, 16, False),
    "small": (6, 6, 384, 256, 256, 8, False),
    "gpt2-124m": (12, 12, 768, 1024, 50304, 2, True),
}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x):
        batch, time_, width = x.shape
        q, k, v = (t.view(batch, time_, self.heads, -1).transpose(1, 2)
                   for t in self.qkv(self.norm1(x)).split(width, dim=2))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(y.transpose(1, 2).reshape(batch, time_, width))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Gpt(nn.Module):
    def __init__(self, layers, heads, width, context, vocabulary, tied):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)
        if tied:
            self.head.weight = self.token.weight

    def forward(self, tokens, targets):
        x = self.token(tokens) + self.position.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))


def measure(mode, shape, steps, device, compiled):
    layers, heads, width, context, vocabulary, batch, tied = shape
    torch.manual_seed(1)
    model = Gpt(layers, heads, width, context, vocabulary, tied).to(device)
    if mode == "bf16":
        model = model.to(torch.bfloat16)
    forward = torch.compile(model) if compiled else model
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    seconds = []
    for _ in range(steps):
        tokens = torch.randint(vocabulary, (batch, context))
        targets = torch.randint(vocabulary, (batch, context))
        start = time.perf_counter()
        with torch.autocast(device, torch.bfloat16, enabled=mode == "autocast"):
            loss = forward(tokens.to(device), targets.to(device))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    seconds = sorted(seconds[3:])
    tokens = batch * context
    memory = f"   {torch.cuda.max_memory_allocated() / 2**20:8.0f} MiB" if device == "cuda" else ""
    print(f"{mode:9} best {tokens / seconds[0]:8.0f} tok/s   median {tokens / seconds[len(seconds) // 2]:8.0f} tok/s{memory}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--context", type=int)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--modes", default="fp32,autocast,bf16")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    shape = list(PRESETS[arguments.preset])
    shape[3] = arguments.context or shape[3]
    shape[5] = arguments.batch or shape[5]
    processor = torch.cuda.get_device_name() if arguments.device == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"torch {torch.__version__}, {processor}{', compiled' if arguments.compile else ''}, {arguments.preset},"
          f" context {shape[3]}, batch {shape[5]}")
    for mode in arguments.modes.split(","):
        measure(mode, shape, arguments.steps, arguments.device, arguments.compile)


if __name__ == "__main__":
    main()
