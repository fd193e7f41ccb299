package org.dl4jsr.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every file that is not what it should be ends in an IOException of one line. */
class BadFilesTest {

    @TempDir
    private Path folder;

    private Path weights;

    @BeforeEach
    void copy() throws IOException {
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(Fixtures.F32.resolve(name), folder.resolve(name));
        }
        weights = folder.resolve("model.safetensors");
    }

    private void assertBad(String message) {
        var e = assertThrows(IOException.class, () -> Gpt2Weights.open(folder).close());
        assertTrue(e.getMessage().contains(message), e.getMessage());
        assertEquals(1, e.getMessage().lines().count());
    }

    private static byte[] withLength(long length, byte[] rest) {
        return ByteBuffer.allocate(8 + rest.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length)
                .put(rest)
                .array();
    }

    private static byte[] withHeader(String header, int data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return withLength(
                text.length, ByteBuffer.allocate(text.length + data).put(text).array());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 7 | has 69 bytes, expected 70: it is cut off",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 9 | it is too long",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}} | 12 | but 8 bytes: F32 [2]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | 8 | but 8 bytes: F32 [2]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}} | 8 | has -8 in its shape or data_off",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}} | 8 | has 2.5 in its shape",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8,9]}} | 8 | expected [start, end]",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[9223372036854775800,9223372036854775807]}} | 8"
                        + " | but 8 bytes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}} | 8 | more bytes"
                        + " than can be",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[9223372036854775799,9223372036854775807]}} | 8"
                        + " | more bytes than can be",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,8]}} | 8 | expected a len",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],"
                        + "\"data_offsets\":[2,6]}} | 8 | begins at byte 2, expected 4: tensors overlap",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}} | 8 | begins at byte 4, expected 0",
                "{\"a\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | has type \"F4\", expected F32",
                "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | has type , expected F32 or BF16",
                "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}} | 4 | has no shape or no data_offsets",
                "{\"a\\nb\":3} | 0 | Tensor \"a\\nb\" of ",
                "{\"a\":3} | 0 | has type , expected F32 or BF16",
                "{\"a\":{},\"a\":{}} | 0 | Duplicate field 'a'",
                "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}} | 0 | Duplicate field 'dtype'",
                "{\"a\":} | 0 | is no sound JSON",
                "[1] | 0 | is no JSON object",
                "{} {} | 0 | is no sound JSON",
                "{} | 0 | has no tensor \"wte.weight\"",
            })
    void header(String header, int data, String message) throws IOException {
        Files.write(weights, withHeader(header, data));
        assertBad(message);
    }

    @Test
    void lengthOfTheHeader() throws IOException {
        Files.write(weights, new byte[] {1, 2, 3});
        assertBad("has 3 bytes and is no safetensors file");
        Files.write(weights, withLength(-1, new byte[100]));
        assertBad("its header would have 18446744073709551615 bytes, and the file has 108");
        Files.write(weights, withLength(0, new byte[100]));
        assertBad("its header would have 0 bytes");
        Files.write(weights, withLength(101, new byte[100]));
        assertBad("its header would have 101 bytes, and the file has 108");
        // 2 GB that are really there, as a sparse file
        Files.write(weights, withLength(1L << 31, new byte[0]));
        try (var file = new RandomAccessFile(weights.toFile(), "rw")) {
            file.setLength((1L << 31) + 100);
        }
        assertBad("with at most 16777216 of header");
    }

    @Test
    void whatMakesJsonReadersFail() throws IOException {
        Files.write(weights, withHeader("{\"a\":" + "[".repeat(100_000), 0));
        assertBad("is nested deeper than 50");
        Files.write(weights, withHeader("{\"a\":" + "9".repeat(1_000_000) + "}", 0));
        assertBad("has a number of 1000000 digits");
    }

    @ParameterizedTest
    @CsvSource({"1", "100", "10000"})
    void cutOff(int bytes) throws IOException {
        byte[] whole = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(whole, whole.length - bytes));
        assertBad(bytes > 10_000 ? "its header would have" : "it is cut off");
    }

    @Test
    void weightsThatAreNotFinite() throws IOException {
        byte[] bytes = Files.readAllBytes(weights);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 4, Float.NaN);
        Files.write(weights, bytes);
        try (Gpt2Weights opened = Gpt2Weights.open(folder)) {
            ComputationGraph graph = Fixtures.graph(opened.configuration(), Bf16Policy.SR);
            var e = assertThrows(IOException.class, () -> opened.copyTo(graph));
            assertTrue(e.getMessage().contains("has the value NaN: the model is of no use"), e.getMessage());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"n_embd\": 8 | \"n_embd\": 16 | Tensor \"wte.weight\" of",
                "\"n_layer\": 2 | \"n_layer\": 3 | has no tensor \"h.2.ln_1.weight\"",
                "\"n_layer\": 2 | \"n_layer\": 1 | is none of a GPT-2 by config.json",
                "\"n_layer\": 2 | \"n_layer\": 99999999 | has n_layer 99999999, expected 1 to 10000",
                "\"n_layer\": 2 | \"n_layer\": \"2\" | has n_layer \"2\", expected 1 to",
                "\"n_layer\": 2 | \"n_layer\": 2, \"n_layer\": 2 | Duplicate field",
                "\"n_head\": 2 | \"n_head\": 3 | has n_embd 8, which n_head 3 does not divide",
                "\"vocab_size\": 260 | \"vocab_size\": 259 | has shape [260, 8], expected [259, 8]",
                "\"gelu_new\" | \"gelu\" | has activation_function \"gelu\", which dl4j-sr's GPT does not do",
                "\"gpt2\" | \"llama\" | has model_type \"llama\"",
                "1e-05 | 1e-06 | has layer_norm_epsilon 1.0E-6",
                "\"n_inner\": null | \"n_inner\": 31 | has n_inner 31",
                "\"tie_word_embeddings\": true | \"tie_word_embeddings\": false | has no tensor \"lm_head.weight\"",
                "\"scale_attn_weights\": true | \"scale_attn_weights\": false | has scale_attn_weights false",
                "{ | | is no sound JSON",
            })
    void config(String from, String to, String message) throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace(from, to == null ? "" : to));
        assertBad(message);
    }

    @Test
    void missingFiles() throws IOException {
        Files.delete(weights);
        assertBad("has no model.safetensors");
        Files.write(folder.resolve("pytorch_model.bin"), new byte[] {(byte) 0x80, 2});
        assertBad(
                "has no model.safetensors, only pytorch_model.bin, a pickle, which can hold any code and is never read");
        // a pickle by another name
        Files.write(weights, new byte[] {(byte) 0x80, 2, 'c', 'o', 's', '\n', 's', 'y', 's', 't', 'e', 'm'});
        assertBad("is no whole safetensors file");
        Files.delete(folder.resolve("config.json"));
        assertBad("has no config.json: expected a GPT-2 as Hugging Face publishes it");
        folder = folder.resolve("none");
        assertBad("is no folder");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "model-00001-of-00003.safetensors | ../model.safetensors | expected a .safetensors beside it",
                "model-00001-of-00003.safetensors | model.bin | names the file \"model.bin\"",
                "model-00001-of-00003.safetensors | model-9.safetensors | has no model-9.safetensors, which",
                "transformer.h.0.ln_1.bias | transformer.h.0.ln_1.bia | has no tensor \"transformer.h.0.ln_1.bia\"",
                "lm_head.weight | transformer.lm_head.weight | has no tensor \"transformer.lm_head.weight\"",
            })
    void index(String from, String to, String message) throws IOException {
        Files.delete(weights);
        try (var files = Files.list(Fixtures.SHARDS)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
        Gpt2Weights.open(folder).close();
        Path index = folder.resolve("model.safetensors.index.json");
        Files.writeString(index, Files.readString(index).replace(from, to));
        assertBad(message);
    }
}
