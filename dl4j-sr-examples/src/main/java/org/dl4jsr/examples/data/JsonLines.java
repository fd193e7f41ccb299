package org.dl4jsr.examples.data;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.shade.jackson.core.JsonFactory;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.core.JsonToken;

/** JSON objects one after the other, a text in a field of each; its units are texts. */
final class JsonLines implements TextFormat {

    private static final JsonFactory JSON = new JsonFactory();
    private static final long MOST_FOR_VALIDATION = 10_000;

    private final String field;

    JsonLines(String field) {
        this.field = field;
    }

    @Override
    public String kind() {
        return "JSON lines, " + field;
    }

    @Override
    public long mostForValidation() {
        return MOST_FOR_VALIDATION;
    }

    @Override
    public long scan(InputStream in) throws IOException {
        long texts = 0;
        try (JsonParser parser = JSON.createParser(in)) {
            while (next(parser) != null) {
                texts++;
            }
        }
        return texts;
    }

    @Override
    public void read(InputStream in, long trainingUnits, PieceSink sink) throws IOException {
        List<String> texts = new ArrayList<>();
        int length = 0;
        long read = 0;
        boolean validation = trainingUnits == 0;
        try (JsonParser parser = JSON.createParser(in)) {
            for (String text = next(parser); text != null; text = next(parser)) {
                if (!text.isEmpty()) {
                    texts.add(text);
                    length += text.length();
                }
                read++;
                if (length >= PIECE || read == trainingUnits) {
                    sink.add(new Piece(validation, List.copyOf(texts), true));
                    texts.clear();
                    length = 0;
                }
                validation = read >= trainingUnits;
            }
        }
        sink.add(new Piece(validation, texts, true));
    }

    /** The text of the next object, without NUL, which may be the end of a text; null at the end. */
    private String next(JsonParser parser) throws IOException {
        try {
            JsonToken token = parser.nextToken();
            if (token == null) {
                return null;
            }
            int line = parser.getTokenLocation().getLineNr();
            String text = null;
            if (token == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean isText = parser.getCurrentName().equals(field);
                    if (parser.nextToken() == JsonToken.VALUE_STRING && isText) {
                        text = parser.getText();
                    }
                    parser.skipChildren();
                }
            }
            if (text == null) {
                throw new UnfitFileException("no JSON lines: line " + line + " is no object with a text in its field \""
                        + field + "\" (see --text-field)");
            }
            return text.indexOf('\0') < 0 ? text : text.replace("\0", "");
        } catch (JsonProcessingException e) {
            throw new UnfitFileException(
                    "no JSON lines: line " + e.getLocation().getLineNr() + ": "
                            + e.getOriginalMessage().lines().findFirst().orElse(""));
        }
    }
}
