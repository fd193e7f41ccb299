"""GPT-2s of transformers, as fixtures.py and round_trip.py make and look at them."""
import gguf
import torch
from transformers import GPT2Config, GPT2LMHeadModel


def random_gpt2(seed, spread, **shape):
    """A GPT-2 whose every weight matters: normal values of this spread, gains around 1."""
    torch.manual_seed(seed)
    net = GPT2LMHeadModel(GPT2Config(attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, **shape)).eval()
    with torch.no_grad():
        for name, values in net.named_parameters():
            values.normal_(0, spread)
            if "ln_" in name and name.endswith("weight"):
                values.add_(1)
    return net


def greedy(net, tokens, count):
    """The continuation of COUNT tokens that takes the likeliest one each time."""
    tokens = list(tokens)
    with torch.no_grad():
        for _ in range(count):
            tokens.append(int(net(torch.tensor([tokens])).logits[0, -1].argmax()))
    return tokens[-count:]


def gguf_tensors(net):
    """Names and FP32 values as llama.cpp has them: the blocks' matrices transposed, no head where it is tied."""
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GPT2, net.config.n_layer)
    for name, values in net.state_dict().items():
        if name == "lm_head.weight" and net.config.tie_word_embeddings:
            continue
        values = values.float()
        if ".c_" in name and values.dim() == 2:
            values = values.T.contiguous()
        yield names.get_name(name.removeprefix("transformer."), try_suffixes=(".weight", ".bias")), values
