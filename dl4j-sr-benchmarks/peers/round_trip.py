"""The comparison that round_trip.sh runs. Prints a line a check and ends with code 1 where one fails."""
import os
import shutil
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"

import gguf
import numpy as np
import torch
import transformers
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from gpt2 import gguf_tensors, greedy, random_gpt2

transformers.utils.logging.disable_progress_bar()
ROOT = Path(__file__).resolve().parents[2]
WORK = Path(sys.argv[1]).resolve()
LIBRARIES = ROOT / "dl4j-sr-examples/target"
CLASS_PATH = os.environ.get("PEERS_CLASS_PATH") or os.pathsep.join(
    str(p) for p in (ROOT / "dl4j-sr-benchmarks/target/classes", LIBRARIES / "dl4j-sr-examples.jar", LIBRARIES / "lib/*"))
JAVA = ["java", "-Xmx2g", "-cp", CLASS_PATH]
GREEDY = 24
failures = 0


def check(what, passed, detail=""):
    global failures
    failures += not passed
    print(f"{'ok  ' if passed else 'FAIL'}  {what}{': ' if detail else ''}{detail}", flush=True)


def java(*arguments):
    done = subprocess.run([*JAVA, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))} ended with code {done.returncode}:\n{done.stderr}")
    return done.stdout


def app(*arguments):
    return java("org.dl4jsr.examples.Main", *arguments)


def fresh(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def saved_gpt2(folder, dtype, tied):
    net = random_gpt2(
        11, 0.1, n_layer=4, n_embd=128, n_head=4, n_positions=64, vocab_size=1000, tie_word_embeddings=tied,
        bos_token_id=0, eos_token_id=0)
    net.to(dtype).save_pretrained(folder, max_shard_size="1MB" if not tied else "1GB")
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def same_tensors(a, b):
    """Bit for bit, whatever the number of files."""
    def tensors(folder):
        found = {}
        for file in sorted(folder.glob("*.safetensors")):
            with safe_open(file, "pt") as opened:
                found.update({name: opened.get_tensor(name) for name in opened.keys()})
        return found
    x, y = tensors(a), tensors(b)
    bits = lambda t: t.contiguous().view(torch.int16 if t.dtype == torch.bfloat16 else torch.int32)
    return x.keys() == y.keys() and all(x[n].dtype == y[n].dtype and torch.equal(bits(x[n]), bits(y[n])) for n in x)


def same_gguf(file, net):
    """Values of a GGUF against a model's."""
    found = {t.name: gguf.dequantize(t.data, t.tensor_type) for t in gguf.GGUFReader(file).tensors}
    for name, values in gguf_tensors(net):
        if not np.array_equal(found.pop(name).reshape(values.shape), values.numpy()):
            return False
    return not found


def distance(a, b):
    return float((a - b).abs().max())


def round_trip(title, dtype, tied, policy, type_):
    source = fresh("source")
    net = saved_gpt2(source, dtype, tied)
    tokens = [5 * i * i % 997 for i in range(32)]
    target = fresh("target")
    java("org.dl4jsr.benchmarks.peers.PeerModel", source, policy, type_, ",".join(map(str, tokens)), GREEDY, target)
    ours = torch.from_numpy(np.fromfile(target / "logits", "<f4").reshape(len(tokens), -1))
    with torch.no_grad():
        exact = deepcopy(net).float()(torch.tensor([tokens])).logits[0]
        theirs = deepcopy(net).bfloat16()(torch.tensor([tokens])).logits[0].float()
    error, their_error = distance(ours, exact), distance(theirs, exact)
    scale = float(exact.abs().max())
    bound = 1e-5 * scale if policy == "fp32" else 1.5 * their_error
    check(f"{title}, logits", error <= bound,
          f"off by at most {error:.2e} of {scale:.1f} (torch in BF16: {their_error:.2e}, bound {bound:.2e})")
    if policy == "fp32":
        text = [int(i) for i in (target / "greedy").read_text().split(",")]
        check(f"{title}, greedy continuation", text == greedy(net, tokens, GREEDY),
              f"{len(set(text))} different of {len(text)}")
    again = AutoModelForCausalLM.from_pretrained(target / "safetensors")
    check(f"{title}, transformers loads what is written", again.dtype == dtype and not again.training)
    check(f"{title}, tensors come back bit for bit", same_tensors(source, target / "safetensors"))
    check(f"{title}, gguf reads the same values", same_gguf(target / "gguf/model.gguf", again))


def trained(tokenizer, *options):
    """A nano model that pretrain has trained for a few steps, and what each side says with it."""
    title = f"nano with {tokenizer}"
    run, folder, ggufs = fresh("run"), fresh("exported"), fresh("exported-gguf")
    app("pretrain", "--tokenizer", tokenizer, "--out", run, *options)
    app("export", "--model", run, "--to", folder)
    app("export", "--model", run, "--to", ggufs, "--format", "gguf")
    net = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)
    prompt = "    public static void"
    ids = tokens(prompt)["input_ids"]
    check(f"{title}, a prompt's tokens and back", tokens.decode(ids) == prompt, str(ids[:8]))
    if tokenizer == "bytes":
        text = "\n\u0001\u0100 öß 漢字 😀<|endoftext|>"
        check(f"{title}, tokens are the bytes", tokens(text)["input_ids"] == list(text.encode()))
    else:
        check(f"{title}, tokens are the published ones",
              tokens("Hello, world! 😀<|endoftext|>")["input_ids"] == [15496, 11, 995, 0, 30325, 222, 50256])
    said = app("sample", "--model", run, "--prompt", prompt, "--temperature", "0", "--tokens", GREEDY).strip("\n")
    exact = tokens.decode(ids + greedy(net.float(), ids, GREEDY))
    check(f"{title}, greedy continuation in BF16 and in FP32", said == exact, repr(said))
    check(f"{title}, gguf reads the same values", same_gguf(ggufs / "model.gguf", net))
    fields = gguf.GGUFReader(ggufs / "model.gguf").fields
    check(f"{title}, gguf reads the tokens",
          len(fields["tokenizer.ggml.tokens"].data) == net.config.vocab_size == len(tokens))
    card = (folder / "README.md").read_text()
    check(f"{title}, model card", all(word in card for word in ("bf16-sr", "Seed", "Validation loss", "commit")))


def main():
    round_trip("FP32, tied head", torch.float32, True, "fp32", "FLOAT")
    round_trip("FP32, shards, head of its own", torch.float32, False, "fp32", "FLOAT")
    round_trip("FP32 through bf16-o2's masters", torch.float32, True, "bf16-o2", "FLOAT")
    round_trip("BF16, tied head", torch.bfloat16, True, "bf16-sr", "BFLOAT16")
    trained("bytes", "--tokens", "100000")
    trained("gpt2", "--tokens", "4096", "--batch", "4", "--context", "128")
    print(f"{failures} failures" if failures else "all agree")
    sys.exit(min(failures, 1))


if __name__ == "__main__":
    main()
