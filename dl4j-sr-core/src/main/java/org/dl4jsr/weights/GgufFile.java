package org.dl4jsr.weights;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.dl4jsr.op.LayerNorm;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A GPT-2 in GGUF, version 3, with the names and settings that llama.cpp gives one: head, settings, the tensors' places,
 * tensors. Matrices have [out, in] there.
 */
final class GgufFile {

    private static final int VERSION = 3;
    private static final int ALIGNMENT = 32;

    /** Numbers of types of settings. */
    private static final int UINT32 = 4;

    private static final int INT32 = 5;
    private static final int FLOAT32 = 6;
    private static final int STRING = 8;
    private static final int ARRAY = 9;

    /** Numbers of types of tensors, and of a file whose matrices are of them. */
    private static final int F32 = 0;

    private static final int BF16 = 30;
    private static final int FILE_F32 = 0;
    private static final int FILE_BF16 = 32;

    /** Kinds of tokens. */
    private static final int NORMAL = 1;

    private static final int CONTROL = 3;

    private final Gpt2Config shape;
    private final List<Gpt2Tensor> tensors;
    private final GptValues values;
    private final BytePairVocabulary tokenizer;
    private final ByteArrayOutputStream settings = new ByteArrayOutputStream();
    private int count;

    /** @param tokenizer null for a file without one */
    GgufFile(Gpt2Config shape, List<Gpt2Tensor> tensors, GptValues values, BytePairVocabulary tokenizer) {
        this.shape = shape;
        this.tensors = tensors;
        this.values = values;
        this.tokenizer = tokenizer;
    }

    void writeTo(OutputStream out) throws IOException {
        addSettings();
        byte[] places = places();
        var head = new ByteArrayOutputStream();
        head.write("GGUF".getBytes(StandardCharsets.US_ASCII));
        put(head, VERSION);
        put(head, (long) tensors.size());
        put(head, (long) count);
        head.write(settings.toByteArray());
        head.write(places);
        out.write(head.toByteArray());
        out.write(padding(head.size()));
        for (Gpt2Tensor tensor : tensors) {
            write(tensor, out);
            out.write(padding(bytes(tensor)));
        }
    }

    private void write(Gpt2Tensor tensor, OutputStream out) throws IOException {
        if (tensor.transposedInGguf()) {
            values.writeTransposed(tensor, type(tensor), out);
        } else {
            values.write(tensor, type(tensor), out);
        }
    }

    private DataType type(Gpt2Tensor tensor) {
        return tensor.isMatrix() && !tensor.name().equals(Gpt2Tensor.POSITIONS) ? values.type() : DataType.FLOAT;
    }

    private long bytes(Gpt2Tensor tensor) {
        return tensor.length() * GptValues.width(type(tensor));
    }

    private static byte[] padding(long length) {
        return new byte[(int) (-length & (ALIGNMENT - 1))];
    }

    private void addSettings() throws IOException {
        add("general.architecture", "gpt2");
        add("general.file_type", values.type() == DataType.FLOAT ? FILE_F32 : FILE_BF16);
        add("gpt2.block_count", shape.layers());
        add("gpt2.context_length", shape.context());
        add("gpt2.embedding_length", shape.width());
        add("gpt2.feed_forward_length", 4 * shape.width());
        add("gpt2.attention.head_count", shape.heads());
        key("gpt2.attention.layer_norm_epsilon", FLOAT32);
        put(settings, Float.floatToRawIntBits(LayerNorm.EPSILON));
        if (tokenizer != null) {
            add("tokenizer.ggml.model", "gpt2");
            add("tokenizer.ggml.pre", "gpt-2");
            add("tokenizer.ggml.tokens", tokenizer.tokens());
            array("tokenizer.ggml.token_type", INT32, tokenizer.size());
            IntStream.range(0, tokenizer.size()).forEach(id -> put(settings, tokenizer.isMark(id) ? CONTROL : NORMAL));
            add("tokenizer.ggml.merges", tokenizer.merges());
            add("tokenizer.ggml.bos_token_id", tokenizer.endOfText());
            add("tokenizer.ggml.eos_token_id", tokenizer.endOfText());
        }
    }

    /** Name, shape with the fastest dimension first, type and offset of each tensor. */
    private byte[] places() throws IOException {
        var places = new ByteArrayOutputStream();
        long offset = 0;
        for (Gpt2Tensor tensor : tensors) {
            put(places, tensor.ggufName());
            put(places, tensor.shape().length);
            boolean reversed = tensor.isMatrix() && !tensor.transposedInGguf();
            for (int i = 0; i < tensor.shape().length; i++) {
                put(places, tensor.shape()[reversed ? 1 - i : i]);
            }
            put(places, type(tensor) == DataType.FLOAT ? F32 : BF16);
            put(places, offset);
            offset += bytes(tensor) + padding(bytes(tensor)).length;
        }
        return places.toByteArray();
    }

    private void key(String key, int type) throws IOException {
        put(settings, key);
        put(settings, type);
        count++;
    }

    private void array(String key, int type, int length) throws IOException {
        key(key, ARRAY);
        put(settings, type);
        put(settings, (long) length);
    }

    private void add(String key, String value) throws IOException {
        key(key, STRING);
        put(settings, value);
    }

    private void add(String key, int value) throws IOException {
        key(key, UINT32);
        put(settings, value);
    }

    private void add(String key, List<String> value) throws IOException {
        array(key, STRING, value.size());
        for (String text : value) {
            put(settings, text);
        }
    }

    private static void put(ByteArrayOutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        put(out, (long) bytes.length);
        out.write(bytes);
    }

    private static void put(ByteArrayOutputStream out, int value) {
        out.writeBytes(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .array());
    }

    private static void put(ByteArrayOutputStream out, long value) {
        out.writeBytes(ByteBuffer.allocate(Long.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(value)
                .array());
    }
}
