package org.dl4jsr.examples.io;

import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.nd4j.shade.jackson.core.JsonLocation;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.core.exc.InputCoercionException;
import org.nd4j.shade.jackson.databind.DeserializationFeature;
import org.nd4j.shade.jackson.databind.JsonMappingException;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.MapperFeature;
import org.nd4j.shade.jackson.databind.ObjectMapper;
import org.nd4j.shade.jackson.databind.ObjectWriter;
import org.nd4j.shade.jackson.databind.exc.MismatchedInputException;
import org.nd4j.shade.jackson.databind.exc.UnrecognizedPropertyException;
import org.nd4j.shade.jackson.databind.json.JsonMapper;

/** Records to JSON and back, by the Jackson that ND4J brings. Reading is strict: every field, each of its own type. */
public final class Json {

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(
                    DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
                    DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES,
                    DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
                    DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
                    DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .build();
    private static final ObjectWriter INDENTED = MAPPER.writerWithDefaultPrettyPrinter();

    private Json() {}

    public static String compact(Object value) {
        return write(MAPPER.writer(), value);
    }

    public static String indented(Object value) {
        return write(INDENTED, value) + "\n";
    }

    /** Throws IOException with one line where {@code json} is not exactly a {@code type}. */
    public static <T> T read(String json, Class<T> type) throws IOException {
        T value;
        try {
            value = MAPPER.readValue(json, type);
        } catch (JsonMappingException e) {
            throw new IOException(field(e) + reason(json, e), e);
        } catch (JsonProcessingException e) {
            throw new IOException("it is no JSON: " + position(e.getLocation()), e);
        }
        if (value == null) {
            throw new IOException("it is null");
        }
        return value;
    }

    /** The fields of a record and of those in it, by their path such as {@code model.width}, in JSON. */
    public static Map<String, String> fields(Object value) {
        Map<String, String> fields = new TreeMap<>();
        addFields("", MAPPER.valueToTree(value), fields);
        return fields;
    }

    private static void addFields(String path, JsonNode node, Map<String, String> fields) {
        if (node.isObject()) {
            node.fields()
                    .forEachRemaining(field -> addFields(
                            path.isEmpty() ? field.getKey() : path + "." + field.getKey(), field.getValue(), fields));
        } else {
            fields.put(path, node.toString());
        }
    }

    private static String position(JsonLocation location) {
        return "line " + location.getLineNr() + ", column " + location.getColumnNr() + " is not expected";
    }

    private static String field(JsonMappingException e) {
        String path = e.getPath().stream()
                .map(reference -> reference.getFieldName() == null ? "[]" : reference.getFieldName())
                .collect(Collectors.joining("."));
        return path.isEmpty() ? "" : path + ": ";
    }

    private static String reason(String json, JsonMappingException e) throws IOException {
        for (Throwable cause = e.getCause(); cause != null; cause = cause.getCause()) {
            if (cause instanceof BadInput) {
                return cause.getMessage();
            }
        }
        if (e instanceof UnrecognizedPropertyException) {
            return "no such field is known";
        }
        Class<?> type = null;
        if (e instanceof MismatchedInputException mismatch) {
            type = mismatch.getTargetType();
        } else if (e.getCause() instanceof InputCoercionException coercion) {
            type = coercion.getTargetType();
        }
        JsonNode found;
        try {
            found = MAPPER.readTree(json);
        } catch (JsonProcessingException ending) {
            return "it is no JSON: " + position(ending.getLocation());
        }
        for (JsonMappingException.Reference reference : e.getPath()) {
            found = reference.getFieldName() == null
                    ? found.path(reference.getIndex())
                    : found.path(reference.getFieldName());
        }
        return (found.isMissingNode() ? "is missing" : "is " + found) + ", expected " + words(type);
    }

    private static String words(Class<?> type) {
        if (type == int.class) {
            return "a whole number of at most " + Integer.MAX_VALUE;
        }
        if (type == long.class) {
            return "a whole number of at most " + Long.MAX_VALUE;
        }
        if (type == double.class) {
            return "a number";
        }
        return type == String.class ? "a text" : type == boolean.class ? "true or false" : "a list or an object";
    }

    private static String write(ObjectWriter writer, Object value) {
        try {
            return writer.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("Cannot write as JSON: " + value, e);
        }
    }
}
