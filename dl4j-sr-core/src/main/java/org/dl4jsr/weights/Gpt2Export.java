package org.dl4jsr.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Writes a GPT of {@code org.dl4jsr.nn} for other programs: a graph of {@code GptConfiguration}, or a user's own of the
 * same layers, of any policy, whether it gives probabilities or logits.
 *
 * <pre>{@code
 * Gpt2Export.of(graph).tokenizer(vocabulary).toSafetensors(Path.of("my-gpt"));
 * }</pre>
 *
 * <pre>{@code
 * model = AutoModelForCausalLM.from_pretrained("my-gpt")  # Python, transformers
 * }</pre>
 *
 * A folder is written as a whole: where that fails there is none. Nothing of the graph changes.
 */
public final class Gpt2Export {

    /** The name that the format's own library gives its type. */
    private static final Map<DataType, String> TYPES = Map.of(DataType.FLOAT, "F32", DataType.BFLOAT16, "BF16");

    private final GptGraph gpt;
    private DataType type;
    private BytePairVocabulary tokenizer;
    private String card;

    private Gpt2Export(GptGraph gpt) {
        this.gpt = gpt;
        type = gpt.graph().getConfiguration().getDataType();
    }

    /** @throws IllegalArgumentException if {@code graph} is anything else than a GPT, or not initialized */
    public static Gpt2Export of(ComputationGraph graph) {
        return new Gpt2Export(GptGraph.of(graph));
    }

    /**
     * Type of the weights in the file; the graph's by default.
     *
     * @param type BFLOAT16, or FLOAT: with the digits that master weights or compensations have beyond BF16
     */
    public Gpt2Export dataType(DataType type) {
        if (!TYPES.containsKey(type)) {
            throw new IllegalArgumentException("dataType is " + type + ", expected FLOAT or BFLOAT16");
        }
        this.type = type;
        return this;
    }

    /**
     * What the model's tokens are: its files are written beside the weights. Rows of the token table behind its last id,
     * which only pad it, are left off. Without it there are no such files, and token 0 stands between texts.
     *
     * @throws IllegalArgumentException if it has more tokens than the model
     */
    public Gpt2Export tokenizer(BytePairVocabulary tokenizer) {
        if (tokenizer.size() > gpt.shape().vocabulary()) {
            throw new IllegalArgumentException("The tokenizer has " + tokenizer.size() + " tokens, and the model "
                    + gpt.shape().vocabulary());
        }
        this.tokenizer = tokenizer;
        return this;
    }

    /** The model card, Markdown: the folder's {@code README.md}. None by default. */
    public Gpt2Export card(String markdown) {
        card = markdown;
        return this;
    }

    /**
     * Writes Hugging Face's folder of a GPT-2: {@code model.safetensors}, {@code config.json},
     * {@code generation_config.json} and the tokenizer's files.
     *
     * @param folder not there, or empty
     * @throws IOException if it is not, or cannot be written
     */
    public void toSafetensors(Path folder) throws IOException {
        Gpt2Config shape = writtenShape();
        int endOfText = tokenizer == null ? 0 : tokenizer.endOfText();
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put(Gpt2Config.FILE, shape.toJson(type, endOfText));
        Map<String, Object> generation = new LinkedHashMap<>();
        generation.put("bos_token_id", endOfText);
        generation.put("eos_token_id", endOfText);
        texts.put("generation_config.json", StrictJson.indented(generation));
        if (tokenizer != null) {
            texts.putAll(tokenizer.files(shape.context()));
        }
        write(folder, texts, target -> {
            var values = new GptValues(gpt.graph(), type);
            List<Gpt2Tensor> tensors = writtenTensors();
            target.write(Gpt2Weights.WEIGHTS, out -> {
                out.write(header(tensors));
                for (Gpt2Tensor tensor : tensors) {
                    values.write(tensor, type, out);
                }
            });
        });
    }

    /**
     * Writes {@code model.gguf}, for llama.cpp and its kin. As there, only matrices are BF16: biases, layer norms and
     * positions are FLOAT.
     *
     * @param folder not there, or empty
     * @throws IOException if it is not, or cannot be written
     */
    public void toGguf(Path folder) throws IOException {
        write(folder, Map.of(), target -> {
            var gguf = new GgufFile(writtenShape(), writtenTensors(), new GptValues(gpt.graph(), type), tokenizer);
            target.write("model.gguf", gguf::writeTo);
        });
    }

    private void write(Path folder, Map<String, String> texts, NewFolder.Content weights) throws IOException {
        NewFolder.write(folder, target -> {
            for (var text : texts.entrySet()) {
                target.write(text.getKey(), text.getValue());
            }
            if (card != null) {
                target.write("README.md", card);
            }
            weights.writeTo(target);
        });
    }

    private Gpt2Config writtenShape() {
        Gpt2Config shape = gpt.shape();
        int vocabulary = tokenizer == null ? shape.vocabulary() : tokenizer.size();
        return new Gpt2Config(
                shape.layers(), shape.width(), shape.heads(), shape.context(), vocabulary, shape.tiedHead());
    }

    private List<Gpt2Tensor> writtenTensors() {
        int vocabulary = writtenShape().vocabulary();
        return gpt.tensors().values().stream()
                .map(tensor ->
                        tensor.name().equals(Gpt2Tensor.TOKENS) || tensor.name().equals(Gpt2Tensor.HEAD)
                                ? tensor.rows(vocabulary)
                                : tensor)
                .toList();
    }

    /** Its length and the header, which ends at a multiple of 8 bytes. */
    private byte[] header(List<Gpt2Tensor> tensors) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("__metadata__", Map.of("format", "pt"));
        long offset = 0;
        for (Gpt2Tensor tensor : tensors) {
            long end = offset + tensor.length() * GptValues.width(type);
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", TYPES.get(type));
            entry.put("shape", tensor.shape());
            entry.put("data_offsets", new long[] {offset, end});
            json.put(tensor.name().equals(Gpt2Tensor.HEAD) ? tensor.name() : Gpt2Weights.PREFIX + tensor.name(), entry);
            offset = end;
        }
        byte[] text = StrictJson.compact(json);
        int length = (text.length + 7) / 8 * 8;
        ByteBuffer header = ByteBuffer.allocate(8 + length).order(ByteOrder.LITTLE_ENDIAN);
        Arrays.fill(header.array(), (byte) ' ');
        return header.putLong(length).put(text).array();
    }
}
