package org.dl4jsr.weights;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.core.JsonToken;
import org.nd4j.shade.jackson.databind.DeserializationFeature;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.SerializationFeature;
import org.nd4j.shade.jackson.databind.json.JsonMapper;
import org.nd4j.shade.jackson.databind.node.TextNode;

/** JSON of files that need not be trusted: an object, of no great depth, no key twice, nothing behind it. */
final class StrictJson {

    private static final int DEEPEST_NESTING = 50;
    /** Of a number: Java takes time that grows with the square of it. */
    private static final int MOST_DIGITS = 40;

    private static final int MOST_SHOWN = 100;

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();

    private StrictJson() {}

    /** The object in {@code file}, which has at most so many bytes. */
    static JsonNode read(Path file, int largest) throws IOException {
        long size = Files.size(file);
        if (size > largest) {
            throw new IOException(file + " has " + size + " bytes, expected at most " + largest);
        }
        return parse(Files.readAllBytes(file), file.toString());
    }

    /** The object that {@code json} is; {@code what} is its name in messages. */
    static JsonNode parse(byte[] json, String what) throws IOException {
        try {
            requireSimple(json, what);
            JsonNode node = MAPPER.readTree(json);
            if (node == null || !node.isObject()) {
                throw new IOException(what + " is no JSON object");
            }
            return node;
        } catch (JsonProcessingException e) {
            String reason =
                    e.getOriginalMessage().lines().findFirst().orElse("").replaceAll(" at \\[Source.*", "");
            throw new IOException(what + " is no sound JSON: " + reason, e);
        }
    }

    private static void requireSimple(byte[] json, String what) throws IOException {
        try (JsonParser parser = MAPPER.getFactory().createParser(new ByteArrayInputStream(json))) {
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (depth > DEEPEST_NESTING) {
                    throw new IOException(what + " is nested deeper than " + DEEPEST_NESTING);
                }
                if (token.isNumeric() && parser.getTextLength() > MOST_DIGITS) {
                    throw new IOException(what + " has a number of " + parser.getTextLength() + " digits");
                }
            }
        }
    }

    /** {@code value} in one line of no great length, whatever the file that it comes from holds. */
    static String shown(JsonNode value) {
        String text = value.toString();
        return text.length() <= MOST_SHOWN ? text : text.substring(0, MOST_SHOWN) + "...";
    }

    /** As {@link #shown(JsonNode)}, in quotes. */
    static String shown(String value) {
        return shown(TextNode.valueOf(value));
    }

    static byte[] compact(Object value) throws IOException {
        return MAPPER.writeValueAsBytes(value);
    }

    static String indented(Object value) throws IOException {
        return MAPPER.writer(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value) + "\n";
    }
}
