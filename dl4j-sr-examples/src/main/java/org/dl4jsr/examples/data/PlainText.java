package org.dl4jsr.examples.data;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.dl4jsr.examples.io.Texts;

/** One text in UTF-8 without NUL; its units are characters (code points). */
final class PlainText implements TextFormat {

    /** Bytes or characters of a file at a time: most are small, and there are many. */
    private static final int BUFFER = 1 << 14;

    private static final long MOST_FOR_VALIDATION = 10_000_000;

    private final int pieceLength;

    PlainText() {
        this(PIECE);
    }

    /** @param pieceLength characters of a piece, at least 3 */
    PlainText(int pieceLength) {
        this.pieceLength = pieceLength;
    }

    @Override
    public String kind() {
        return "text";
    }

    @Override
    public long mostForValidation() {
        return MOST_FOR_VALIDATION;
    }

    @Override
    public long scan(InputStream in) throws IOException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer bytes = ByteBuffer.allocate(BUFFER);
        long offset = 0;
        long codePoints = 0;
        for (boolean end = false; !end; ) {
            int read = in.readNBytes(bytes.array(), bytes.position(), bytes.remaining());
            end = read < bytes.remaining();
            bytes.position(bytes.position() + read).flip();
            if (isAscii(bytes.array(), bytes.limit())) { // most text is, and need not be decoded
                codePoints += bytes.limit();
                bytes.position(bytes.limit());
            } else {
                codePoints += codePoints(bytes, decoder, offset, end);
            }
            offset += bytes.position();
            bytes.compact();
        }
        return codePoints;
    }

    /** Of the whole characters in {@code bytes}, which begin at {@code offset}; leaves the rest. */
    private static int codePoints(ByteBuffer bytes, CharsetDecoder decoder, long offset, boolean end)
            throws UnfitFileException {
        for (int i = 0; i < bytes.limit(); i++) {
            if (bytes.get(i) == 0) {
                throw new UnfitFileException("not UTF-8 text: a NUL byte at offset " + (offset + i));
            }
        }
        CharBuffer characters = CharBuffer.allocate(bytes.limit());
        CoderResult result = decoder.decode(bytes, characters, end);
        if (result.isError()) {
            throw new UnfitFileException(Texts.format(
                    "not UTF-8 text: byte 0x%02X at offset %d (convert it, for example with iconv)",
                    bytes.get(bytes.position()), offset + bytes.position()));
        }
        return Character.codePointCount(characters.array(), 0, characters.position());
    }

    /** Without NUL. */
    private static boolean isAscii(byte[] bytes, int length) {
        for (int i = 0; i < length; i++) {
            if (bytes[i] <= 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void read(InputStream in, long trainingUnits, PieceSink sink) throws IOException {
        byte[] start = in.readNBytes(pieceLength);
        if (start.length < pieceLength) {
            addWhole(new String(start, StandardCharsets.UTF_8), trainingUnits, sink);
        } else {
            addPieces(new SequenceInputStream(new ByteArrayInputStream(start), in), trainingUnits, sink);
        }
    }

    /** Most texts are a piece for training or one for validation: they take no look at their characters. */
    private static void addWhole(String text, long trainingUnits, PieceSink sink) {
        int cut = trainingUnits >= text.length()
                ? text.length()
                : text.offsetByCodePoints(0, (int) Math.min(trainingUnits, text.codePointCount(0, text.length())));
        if (cut > 0) {
            sink.add(new Piece(false, List.of(text.substring(0, cut)), true));
        }
        if (cut < text.length()) {
            sink.add(new Piece(true, List.of(text.substring(cut)), true));
        }
    }

    private void addPieces(InputStream in, long trainingUnits, PieceSink sink) throws IOException {
        Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
        int longest = pieceLength + 1; // a place more, for the second half of a character
        char[] buffer = new char[Math.min(longest, BUFFER)]; // grows
        long training = trainingUnits;
        int filled = 0;
        boolean end = false;
        while (!end || filled > 0) {
            while (!end && filled < longest && (filled < pieceLength || isHalf(buffer, filled))) {
                if (filled == buffer.length) {
                    buffer = Arrays.copyOf(buffer, Math.min(longest, 2 * buffer.length));
                }
                int read = reader.read(buffer, filled, Math.max(1, Math.min(pieceLength, buffer.length) - filled));
                end = read < 0;
                filled += Math.max(0, read);
            }
            int codePoints = Character.codePointCount(buffer, 0, filled);
            boolean isTraining = training > 0;
            boolean ends = isTraining && codePoints >= training || end;
            int cut = isTraining && codePoints > training
                    ? Character.offsetByCodePoints(buffer, 0, filled, 0, (int) training)
                    : ends ? filled : border(buffer, filled);
            if (cut > 0) {
                sink.add(new Piece(!isTraining, List.of(new String(buffer, 0, cut)), ends));
            }
            training -= isTraining ? Character.codePointCount(buffer, 0, cut) : 0;
            System.arraycopy(buffer, cut, buffer, 0, filled - cut);
            filled -= cut;
        }
    }

    private static boolean isHalf(char[] buffer, int length) {
        return length > 0 && Character.isHighSurrogate(buffer[length - 1]);
    }

    /**
     * Where a text can be cut so that its parts give the tokens of the whole: before white space after a letter, digit
     * or mark, which no tokenizer takes together. Text without such a place is cut near the end.
     */
    private static int border(char[] buffer, int length) {
        for (int i = length - 1; i > 0; i--) {
            char before = buffer[i - 1];
            boolean isInk = before > ' ' && before < 0x7F || Character.isLetterOrDigit(before);
            if (isInk && (buffer[i] == ' ' || buffer[i] == '\n')) {
                return i;
            }
        }
        // something is left, to end the text with
        int cut = Math.max(1, length - 1);
        return isHalf(buffer, cut) ? cut - 1 : cut;
    }
}
