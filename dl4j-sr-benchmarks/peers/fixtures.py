"""Makes the files that the tests of org.dl4jsr.weights read, with the libraries that made the formats.

    python fixtures.py    (in the environment that round_trip.sh makes)

A GPT-2 of 2 blocks, width 8, 2 heads, 16 positions and 260 tokens: the bytes in GPT-2's order, 3 merges, the end of a
text. Some weights are a negative zero, a subnormal, the largest BF16.
"""
import json
import shutil
from pathlib import Path

import gguf
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers.convert_slow_tokenizer import bytes_to_unicode

from gpt2 import gguf_tensors, greedy, random_gpt2

TARGET = Path(__file__).parents[1].parent / "dl4j-sr-core/src/test/resources/org/dl4jsr/weights"
MERGES = [("t", "h"), ("th", "e"), ("Ġ", "the")]
TEXT = "the theme, then the end ö"
GREEDY = 8


def vocabulary():
    tokens = list(bytes_to_unicode().values()) + [a + b for a, b in MERGES] + ["<|endoftext|>"]
    return {token: i for i, token in enumerate(tokens)}


def model(tied):
    net = random_gpt2(
        8, 0.3, n_layer=2, n_embd=8, n_head=2, n_positions=16, vocab_size=260, tie_word_embeddings=tied,
        bos_token_id=259, eos_token_id=259)
    with torch.no_grad():
        table = net.transformer.wte.weight
        table[259, :4] = torch.tensor([-0.0, 1e-40, 1e-3, -1e-39])
    return net


def expected(net, tokens):
    """Logits of all positions, and the continuation that takes the likeliest token each time."""
    with torch.no_grad():
        logits = net(torch.tensor([tokens])).logits[0].float()
    return logits, greedy(net, tokens, GREEDY)


def write_gguf(net, vocab, merges, path):
    """As llama.cpp's converter writes a GPT-2: matrices transposed, BF16; the rest FP32."""
    config = net.config
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16)
    writer.add_block_count(config.n_layer)
    writer.add_context_length(config.n_positions)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(4 * config.n_embd)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(vocab))
    writer.add_token_types([gguf.TokenType.NORMAL] * (len(vocab) - 1) + [gguf.TokenType.CONTROL])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(config.bos_token_id)
    writer.add_eos_token_id(config.eos_token_id)
    for name, values in gguf_tensors(net):
        matrix = values.dim() == 2 and name != "position_embd.weight"
        kind = gguf.GGMLQuantizationType.BF16 if matrix else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(values.numpy(), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main():
    vocab = vocabulary()
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=MERGES))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokens = tokenizer.encode(TEXT).ids[:7]
    shutil.rmtree(TARGET, ignore_errors=True)

    plain = model(tied=True)
    plain.save_pretrained(TARGET / "f32")
    (TARGET / "f32/vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (TARGET / "f32/merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in MERGES))
    logits, continuation = expected(plain, tokens)
    save_file({"tokens": torch.tensor(tokens, dtype=torch.float32),
               "greedy": torch.tensor(continuation, dtype=torch.float32),
               "logits": logits[-2:].contiguous()}, TARGET / "f32/expected.safetensors")

    half = model(tied=True).bfloat16()
    half.save_pretrained(TARGET / "bf16")
    write_gguf(half, vocab, MERGES, TARGET / "bf16/model.gguf")

    untied = model(tied=False)
    untied.save_pretrained(TARGET / "shards", max_shard_size="12KB")
    logits, _ = expected(untied, tokens)
    save_file({"logits": logits[-2:].contiguous()}, TARGET / "shards/expected.safetensors")
    for path in TARGET.glob("*/generation_config.json"):
        path.unlink()


if __name__ == "__main__":
    main()
