package org.dl4jsr.examples.io;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Text from UTF-8 that comes in parts: characters as soon as they are whole, line ends too. U+FFFD stands for what is no
 * UTF-8.
 */
public final class Utf8Stream {

    /** The longest start of a character that waits for its end. */
    private static final int MOST_WAITING = 3;

    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer waiting = ByteBuffer.allocate(0);
    /** A carriage return that may be the first half of a line end, or nothing. */
    private String half = "";

    /** The characters that {@code bytes} bring to their end. */
    public String add(byte[] bytes) {
        String text = half + decoded(bytes, false);
        half = text.endsWith("\r") ? "\r" : "";
        return text.substring(0, text.length() - half.length());
    }

    /** What is left at the end: U+FFFD where a character has not come to its own. */
    public String end() {
        String text = half + decoded(new byte[0], true);
        half = "";
        return text;
    }

    private String decoded(byte[] bytes, boolean end) {
        ByteBuffer all = ByteBuffer.allocate(MOST_WAITING + bytes.length);
        all.put(waiting).put(bytes).flip();
        CharBuffer characters = CharBuffer.allocate(all.limit() + 1);
        decoder.decode(all, characters, end);
        if (end) {
            decoder.flush(characters);
            decoder.reset();
        }
        waiting = all;
        return characters.flip().toString();
    }
}
