#!/usr/bin/env python3
"""Measures PyTorch where dl4j-sr's GpuSelfTest measures itself: copy, fused AdamW, and the products of a GPT's layers.

Same names, sizes and JSON as GpuSelfTest, so that the two can be laid side by side:

    torch_adamw.py [--out FILE] [--elements N] [--rows N] [--only NAMES] [--device cuda|cpu]

On a CPU it is the counterpart of KernelBenchmark: --device cpu --elements 67108864 --only adamw, on OMP_NUM_THREADS
threads; the best of the rounds counts there, as they are on a machine that does other things, too.
"adamW fp32" is torch.optim.AdamW(fused=True) on FP32 parameters with FP32 state, "adamW bf16 nearest" the same on BF16
parameters with BF16 state, which torch rounds to nearest.
"""
import argparse
import json
import statistics
import sys
import time

WIDTH = 768
WARM_UPS, ROUNDS, REPETITIONS = 3, 7, 5


def milliseconds(torch, device, work):
    for _ in range(WARM_UPS):
        work()
    times = []
    if device == "cpu":
        for _ in range(ROUNDS * REPETITIONS):
            begin = time.perf_counter()
            work()
            times.append(1e3 * (time.perf_counter() - begin))
        return min(times)
    for _ in range(ROUNDS):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(REPETITIONS):
            work()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) / REPETITIONS)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out")
    parser.add_argument("--elements", type=int, default=1 << 28)
    parser.add_argument("--rows", type=int, default=1 << 16)
    parser.add_argument("--only", default="", help="measure only names with one of these texts, separated by commas")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    options = parser.parse_args()
    try:
        import torch
    except ImportError as e:
        print(f"PyTorch is not installed: {e}")
        return 2
    if options.device == "cuda" and not torch.cuda.is_available():
        print("PyTorch sees no GPU")
        return 2
    results = []

    def measure(name, size_in_bytes, operations, parameters, work):
        if name != "copy" and not any(text in name.lower() for text in options.only.lower().split(",")):
            return
        ms = milliseconds(torch, options.device, work)
        result = {"name": name, "ms": ms, "gb_per_s": size_in_bytes / ms / 1e6, "tflops": operations / ms / 1e9,
                  "parameters_per_s": parameters / ms * 1e3}
        results.append(result)
        print(f"{name:44} {ms:10.4f} ms {result['gb_per_s']:9.0f} GB/s {result['tflops']:9.1f} TFLOP/s"
              f" {result['parameters_per_s'] / 1e9:9.1f} G param/s")

    def random(*shape, dtype=torch.bfloat16):
        return torch.randn(*shape, device=options.device, dtype=dtype) * 0.1

    n = options.elements
    source, target = random(4 * n), random(4 * n)
    measure("copy", 16.0 * n, 0, 0, lambda: target.copy_(source))
    del source, target
    for name, dtype, size in (("adamW bf16 nearest", torch.bfloat16, 14), ("adamW fp32", torch.float32, 28)):
        weights = torch.nn.Parameter(random(n, dtype=dtype))
        weights.grad = random(n, dtype=dtype)
        optimizer = torch.optim.AdamW([weights], lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
        measure(name, float(size) * n, 0, n, optimizer.step)
        del weights, optimizer
    rows = options.rows
    for inputs, outputs in ((WIDTH, 3 * WIDTH), (WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH), (1024, 4096)):
        x, w, y, bias = random(rows, inputs), random(inputs, outputs), random(rows, outputs), random(outputs)
        residual = random(rows, outputs)
        shape, operations = f"{rows}x{inputs}x{outputs}", 2.0 * rows * inputs * outputs
        measure(f"gemm forward {shape}", 0, operations, 0, lambda: torch.mm(x, w, out=y))
        measure(f"gemm forward with bias {shape}", 0, operations, 0, lambda: torch.addmm(bias, x, w, out=y))
        measure(f"gemm forward with bias and residual {shape}", 0, operations, 0,
                lambda: torch.addmm(bias, x, w, out=y).add_(residual))
        measure(f"gemm input gradient {shape}", 0, operations, 0, lambda: torch.mm(y, w.t(), out=x))
        measure(f"gemm weight gradient {shape}", 0, operations, 0, lambda: torch.mm(x.t(), y, out=w))
    if options.out:
        device = torch.cuda.get_device_name() if options.device == "cuda" else options.device
        with open(options.out, "w") as file:
            json.dump({"program": "torch", "device": device, "version": torch.__version__, "results": results}, file,
                      indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
