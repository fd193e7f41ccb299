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
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.convert_slow_tokenizer import bytes_to_unicode

TARGET = Path(__file__).parents[1].parent / "dl4j-sr-core/src/test/resources/org/dl4jsr/weights"
MERGES = [("t", "h"), ("th", "e"), ("Ġ", "the")]
TEXT = "the theme, then the end ö"
GREEDY = 8


def vocabulary():
    tokens = list(bytes_to_unicode().values()) + [a + b for a, b in MERGES] + ["<|endoftext|>"]
    return {token: i for i, token in enumerate(tokens)}


def model(tied):
    torch.manual_seed(8)
    net = GPT2LMHeadModel(GPT2Config(
        n_layer=2, n_embd=8, n_head=2, n_positions=16, vocab_size=260, tie_word_embeddings=tied,
        bos_token_id=259, eos_token_id=259, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)).eval()
    with torch.no_grad():
        for name, values in net.named_parameters():
            values.normal_(0, 0.3)
            if "ln_" in name and name.endswith("weight"):
                values.add_(1)
        table = net.transformer.wte.weight
        table[259, :4] = torch.tensor([-0.0, 1e-40, 1e-3, -1e-39])
    return net


def expected(net, tokens):
    """Logits of all positions, and the continuation that takes the likeliest token each time."""
    with torch.no_grad():
        logits = net(torch.tensor([tokens])).logits[0].float()
        all_tokens = list(tokens)
        for _ in range(GREEDY):
            all_tokens.append(int(net(torch.tensor([all_tokens])).logits[0, -1].argmax()))
    return logits, all_tokens[len(tokens):]


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
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, config.n_layer)
    for name, values in net.state_dict().items():
        if name == "lm_head.weight":
            continue
        values = values.float()
        matrix = values.dim() == 2 and "wpe" not in name
        if ".c_" in name and values.dim() == 2:
            values = values.T.contiguous()
        target = names.get_name(name.removeprefix("transformer."), try_suffixes=(".weight", ".bias"))
        kind = gguf.GGMLQuantizationType.BF16 if matrix else gguf.GGMLQuantizationType.F32
        writer.add_tensor(target, gguf.quants.quantize(values.numpy(), kind), raw_dtype=kind)
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
    logits, greedy = expected(plain, tokens)
    save_file({"tokens": torch.tensor(tokens, dtype=torch.float32), "greedy": torch.tensor(greedy, dtype=torch.float32),
               "logits": logits[-2:].contiguous()}, TARGET / "f32/expected.safetensors")

    half = model(tied=True).bfloat16()
    half.save_pretrained(TARGET / "bf16")
    write_gguf(half, vocab, MERGES, TARGET / "bf16/model.gguf")

    untied = model(tied=False)
    untied.save_pretrained(TARGET / "shards", max_shard_size="12KB")
    logits, greedy = expected(untied, tokens)
    save_file({"logits": logits[-2:].contiguous()}, TARGET / "shards/expected.safetensors")
    for path in TARGET.glob("*/generation_config.json"):
        path.unlink()


if __name__ == "__main__":
    main()
