package org.dl4jsr.weights;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.dl4jsr.op.LayerNorm;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.node.MissingNode;

/** A GPT-2's {@code config.json}: the shape, and that it is computed as {@code org.dl4jsr.nn} computes it. */
record Gpt2Config(int layers, int width, int heads, int context, int vocabulary, boolean tiedHead) {

    static final String FILE = "config.json";

    private static final int LARGEST_FILE = 1 << 20;
    private static final int MOST = 1 << 24;
    private static final int MOST_LAYERS = 10_000;
    /** GPT-2's GELU in tanh form, by both of its names. */
    private static final List<String> GELU = List.of("gelu_new", "gelu_pytorch_tanh");

    /** Throws an IOException that names the setting that no GPT of ours has. */
    static Gpt2Config read(Path file) throws IOException {
        JsonNode json = StrictJson.read(file, LARGEST_FILE);
        require(file, json, "model_type", "gpt2", json.path("model_type").asText("nothing"));
        String gelu = json.path("activation_function").asText(GELU.get(0));
        require(file, json, "activation_function", GELU.get(0), GELU.contains(gelu) ? GELU.get(0) : gelu);
        require(
                file,
                json,
                "scale_attn_weights",
                true,
                json.path("scale_attn_weights").asBoolean(true));
        for (String name : List.of("scale_attn_by_inverse_layer_idx", "add_cross_attention")) {
            require(file, json, name, false, json.path(name).asBoolean(false));
        }
        require(file, json, "quantization_config", true, isAbsent(json.path("quantization_config")));
        float epsilon = (float) json.path("layer_norm_epsilon").asDouble(LayerNorm.EPSILON);
        require(file, json, "layer_norm_epsilon", LayerNorm.EPSILON, epsilon);
        int width = number(file, json, "n_embd");
        if (!isAbsent(json.path("n_inner"))) {
            require(file, json, "n_inner", 4 * width, number(file, json, "n_inner"));
        }
        int heads = number(file, json, "n_head");
        if (width % heads != 0) {
            throw new IOException(file + " has n_embd " + width + ", which n_head " + heads + " does not divide");
        }
        return new Gpt2Config(
                number(file, json, "n_layer", MOST_LAYERS),
                width,
                heads,
                number(file, json, "n_positions"),
                number(file, json, "vocab_size"),
                json.path("tie_word_embeddings").asBoolean(true));
    }

    private static boolean isAbsent(JsonNode node) {
        return node instanceof MissingNode || node.isNull();
    }

    private static void require(Path file, JsonNode json, String name, Object expected, Object found)
            throws IOException {
        if (!expected.equals(found)) {
            throw new IOException(file + " has " + name + " " + StrictJson.shown(json.path(name))
                    + ", which dl4j-sr's GPT does not do: only GPT-2 as published can be read");
        }
    }

    private static int number(Path file, JsonNode json, String name) throws IOException {
        return number(file, json, name, MOST);
    }

    private static int number(Path file, JsonNode json, String name, int most) throws IOException {
        JsonNode value = json.path(name);
        if (!value.isInt() || value.intValue() < 1 || value.intValue() > most) {
            throw new IOException(file + " has " + name + " " + StrictJson.shown(value) + ", expected 1 to " + most);
        }
        return value.intValue();
    }

    /** The shapes of all tensors, by the names of Hugging Face's files without their prefix. */
    Map<String, long[]> tensors() {
        long inner = 4L * width;
        Map<String, long[]> shapes = new LinkedHashMap<>();
        shapes.put(Gpt2Tensor.TOKENS, new long[] {vocabulary, width});
        shapes.put(Gpt2Tensor.POSITIONS, new long[] {context, width});
        for (int i = 0; i < layers; i++) {
            addNorm(shapes, "h." + i + ".ln_1");
            addLinear(shapes, "h." + i + ".attn.c_attn", width, 3L * width);
            addLinear(shapes, "h." + i + ".attn.c_proj", width, width);
            addNorm(shapes, "h." + i + ".ln_2");
            addLinear(shapes, "h." + i + ".mlp.c_fc", width, inner);
            addLinear(shapes, "h." + i + ".mlp.c_proj", inner, width);
        }
        addNorm(shapes, "ln_f");
        if (!tiedHead) {
            shapes.put(Gpt2Tensor.HEAD, new long[] {vocabulary, width});
        }
        return shapes;
    }

    private void addNorm(Map<String, long[]> shapes, String name) {
        shapes.put(name + ".weight", new long[] {width});
        shapes.put(name + ".bias", new long[] {width});
    }

    private static void addLinear(Map<String, long[]> shapes, String name, long rows, long columns) {
        shapes.put(name + ".weight", new long[] {rows, columns});
        shapes.put(name + ".bias", new long[] {columns});
    }

    /** For {@code transformers}: weights of {@code type}; token {@code endOfText} is beginning and end of a text. */
    String toJson(DataType type, int endOfText) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("architectures", List.of("GPT2LMHeadModel"));
        json.put("model_type", "gpt2");
        json.put("activation_function", GELU.get(0));
        json.put("attn_pdrop", 0.0);
        json.put("embd_pdrop", 0.0);
        json.put("resid_pdrop", 0.0);
        json.put("bos_token_id", endOfText);
        json.put("eos_token_id", endOfText);
        json.put("initializer_range", 0.02);
        json.put("layer_norm_epsilon", 1e-5);
        json.put("n_ctx", context);
        json.put("n_embd", width);
        json.put("n_head", heads);
        json.put("n_inner", null);
        json.put("n_layer", layers);
        json.put("n_positions", context);
        json.put("reorder_and_upcast_attn", false);
        json.put("scale_attn_by_inverse_layer_idx", false);
        json.put("scale_attn_weights", true);
        json.put("tie_word_embeddings", tiedHead);
        json.put("torch_dtype", type == DataType.FLOAT ? "float32" : "bfloat16");
        json.put("use_cache", true);
        json.put("vocab_size", vocabulary);
        return StrictJson.indented(json);
    }
}
