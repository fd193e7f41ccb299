package org.dl4jsr.weights;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.nd4j.shade.jackson.databind.JsonNode;

/**
 * The tokens of a byte pair encoding as GPT-2's: every byte is a token, and every other token is made of two of lower
 * ids. From the bytes of the tokens alone follow the files that other programs tokenize with. Sennrich et al.,
 * <i>Neural Machine Translation of Rare Words with Subword Units</i>, 2016.
 */
public final class BytePairVocabulary {

    private static final String VOCABULARY = "vocab.json";
    private static final String TOKENIZER = "tokenizer.json";
    private static final int LARGEST_FILE = 64 << 20;

    /** What stands for each byte in the files: itself where it can be seen in Latin-1, else from U+0100 on. */
    private static final char[] CHARACTERS = characters();

    private final List<String> tokens;
    private final int endOfText;
    private final boolean hasMark;

    private BytePairVocabulary(List<String> tokens, int endOfText, boolean hasMark) {
        this.tokens = tokens;
        this.endOfText = endOfText;
        this.hasMark = hasMark;
    }

    /** The 256 bytes, each its own id, of which {@code endOfText} stands between texts. */
    public static BytePairVocabulary bytes(int endOfText) {
        return new BytePairVocabulary(
                IntStream.range(0, 256)
                        .mapToObj(i -> text(new byte[] {(byte) i}))
                        .toList(),
                endOfText,
                false);
    }

    /**
     * The tokens by id, and one more id behind them for the mark between texts, {@code endOfText}.
     *
     * @param tokens their bytes
     * @param endOfText such as GPT-2's {@code <|endoftext|>}
     */
    public static BytePairVocabulary of(List<byte[]> tokens, String endOfText) {
        var all = new ArrayList<String>();
        for (byte[] token : tokens) {
            all.add(text(token));
        }
        all.add(endOfText);
        return new BytePairVocabulary(List.copyOf(all), tokens.size(), true);
    }

    private static char[] characters() {
        var characters = new char[256];
        char next = 0x100;
        for (int i = 0; i < 256; i++) {
            boolean seen = i >= '!' && i <= '~' || i >= 0xA1 && i <= 0xAC || i >= 0xAE;
            characters[i] = seen ? (char) i : next++;
        }
        return characters;
    }

    private static String text(byte[] token) {
        var text = new StringBuilder();
        for (byte b : token) {
            text.append(CHARACTERS[b & 0xFF]);
        }
        return text.toString();
    }

    /** Number of ids. */
    public int size() {
        return tokens.size();
    }

    /** The id that stands between texts. */
    public int endOfText() {
        return endOfText;
    }

    /** What stands for each id in the files. */
    List<String> tokens() {
        return tokens;
    }

    /** Whether {@code id} is a mark that no text has. */
    boolean isMark(int id) {
        return hasMark && id == endOfText;
    }

    /** Pairs to join, the first first, each "left right". Tokens that no pair makes are left out. */
    List<String> merges() {
        Map<String, Integer> ids = ids();
        var merges = new ArrayList<String>();
        for (int id = 0; id < tokens.size(); id++) {
            if (isMark(id) || tokens.get(id).length() < 2) {
                continue;
            }
            List<String> parts = parts(tokens.get(id), id, ids);
            if (parts.size() == 2) {
                merges.add(String.join(" ", parts));
            }
        }
        return merges;
    }

    private Map<String, Integer> ids() {
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (int id = 0; id < tokens.size(); id++) {
            ids.put(tokens.get(id), id);
        }
        return ids;
    }

    /** What {@code token} is made of by the tokens below {@code limit}: always the lowest pair is joined first. */
    private static List<String> parts(String token, int limit, Map<String, Integer> ids) {
        var parts = new ArrayList<String>();
        token.chars().forEach(c -> parts.add(String.valueOf((char) c)));
        while (parts.size() > 2) {
            int lowest = limit;
            int at = -1;
            for (int i = 0; i + 1 < parts.size(); i++) {
                int id = ids.getOrDefault(parts.get(i) + parts.get(i + 1), limit);
                if (id < lowest) {
                    lowest = id;
                    at = i;
                }
            }
            if (at < 0) {
                return parts;
            }
            parts.set(at, parts.get(at) + parts.remove(at + 1));
        }
        return parts;
    }

    /** Whether {@code folder} has the files of a tokenizer that can be compared. */
    public static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(VOCABULARY)) || Files.exists(folder.resolve(TOKENIZER));
    }

    /**
     * Whether the tokenizer in {@code folder} has exactly these tokens and ids.
     *
     * @throws IOException that names what is wrong with its files
     */
    public boolean isTokenizerOf(Path folder) throws IOException {
        Map<String, Integer> published = published(folder);
        return published.equals(ids());
    }

    private static Map<String, Integer> published(Path folder) throws IOException {
        Path file = folder.resolve(VOCABULARY);
        JsonNode vocabulary;
        Map<String, Integer> ids = new HashMap<>();
        if (Files.exists(file)) {
            vocabulary = StrictJson.read(file, LARGEST_FILE);
        } else {
            file = folder.resolve(TOKENIZER);
            JsonNode tokenizer = StrictJson.read(file, LARGEST_FILE);
            vocabulary = tokenizer.path("model").path("vocab");
            for (JsonNode added : tokenizer.path("added_tokens")) {
                ids.put(added.path("content").asText(), added.path("id").asInt(-1));
            }
        }
        if (!vocabulary.isObject()) {
            throw new IOException(file + " has no vocabulary");
        }
        vocabulary
                .fields()
                .forEachRemaining(entry -> ids.put(
                        entry.getKey(),
                        entry.getValue().isInt() ? entry.getValue().intValue() : -1));
        return ids;
    }

    /** The tokenizer's files for {@code transformers}, by name. */
    Map<String, String> files(int context) throws IOException {
        Map<String, String> files = new LinkedHashMap<>();
        List<String> merges = merges();
        if (hasMark) {
            files.put(VOCABULARY, new String(StrictJson.compact(ids()), StandardCharsets.UTF_8));
            files.put("merges.txt", "#version: 0.2\n" + String.join("\n", merges) + "\n");
        }
        files.put(TOKENIZER, StrictJson.indented(tokenizer(merges)));
        files.put("tokenizer_config.json", StrictJson.indented(configuration(context)));
        return files;
    }

    private Map<String, Object> configuration(int context) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("add_prefix_space", false);
        json.put("clean_up_tokenization_spaces", false);
        json.put("model_max_length", context);
        if (hasMark) {
            String mark = tokens.get(endOfText);
            json.put("bos_token", mark);
            json.put("eos_token", mark);
            json.put("unk_token", mark);
        }
        json.put("tokenizer_class", hasMark ? "GPT2Tokenizer" : "PreTrainedTokenizerFast");
        return json;
    }

    private Map<String, Object> tokenizer(List<String> merges) {
        Map<String, Object> model = new LinkedHashMap<>();
        model.put("type", "BPE");
        model.put("dropout", null);
        model.put("unk_token", null);
        model.put("continuing_subword_prefix", "");
        model.put("end_of_word_suffix", "");
        model.put("fuse_unk", false);
        model.put("vocab", ids());
        model.put("merges", merges);
        Map<String, Object> byteLevel = new LinkedHashMap<>();
        byteLevel.put("type", "ByteLevel");
        byteLevel.put("add_prefix_space", false);
        byteLevel.put("trim_offsets", true);
        // the pieces of GPT-2's pattern; without merges there is nothing to keep apart
        byteLevel.put("use_regex", hasMark);
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("version", "1.0");
        json.put("truncation", null);
        json.put("padding", null);
        json.put("added_tokens", hasMark ? List.of(mark()) : List.of());
        json.put("normalizer", null);
        json.put("pre_tokenizer", byteLevel);
        json.put("post_processor", byteLevel);
        json.put("decoder", byteLevel);
        json.put("model", model);
        return json;
    }

    private Map<String, Object> mark() {
        Map<String, Object> mark = new LinkedHashMap<>();
        mark.put("id", endOfText);
        mark.put("content", tokens.get(endOfText));
        mark.put("single_word", false);
        mark.put("lstrip", false);
        mark.put("rstrip", false);
        mark.put("normalized", true);
        mark.put("special", true);
        return mark;
    }
}
