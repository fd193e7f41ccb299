package org.dl4jsr.backend;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.indexer.ShortIndexer;
import org.nd4j.linalg.api.buffer.DataBuffer;

/** The content of BF16 buffers bit by bit, in ND4J's serialized form, which is big-endian. */
public final class Bf16Bits {

    /** Elements serialized at a time. */
    private static final int CHUNK = 4096;

    private Bf16Bits() {}

    /** Writes {@code buffer}, whose content is {@code bits}, with ND4J's header. */
    public static void write(DataBuffer buffer, ShortIndexer bits, DataOutputStream out) throws IOException {
        out.writeUTF(buffer.allocationMode().name());
        out.writeLong(buffer.length());
        out.writeUTF(buffer.dataType().name());
        byte[] chunk = new byte[2 * CHUNK];
        for (long start = 0; start < buffer.length(); start += CHUNK) {
            int count = (int) Math.min(CHUNK, buffer.length() - start);
            for (int i = 0; i < count; i++) {
                short element = bits.get(start + i);
                chunk[2 * i] = (byte) (element >> 8);
                chunk[2 * i + 1] = (byte) element;
            }
            out.write(chunk, 0, 2 * count);
        }
    }

    /** Reads {@code length} elements, after the header. */
    public static void read(DataInputStream in, ShortIndexer bits, long length) {
        byte[] chunk = new byte[2 * CHUNK];
        try {
            for (long start = 0; start < length; start += CHUNK) {
                int count = (int) Math.min(CHUNK, length - start);
                in.readFully(chunk, 0, 2 * count);
                for (int i = 0; i < count; i++) {
                    bits.put(start + i, (short) (chunk[2 * i] << 8 | chunk[2 * i + 1] & 0xFF));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("BF16 buffer of " + length + " elements is cut short or unreadable", e);
        }
    }

    /** Copies {@code length} elements of {@code bytes}, in its byte order, from element {@code offset} on. */
    public static void copy(ByteBuffer bytes, long offset, ShortIndexer bits, long length) {
        var source = bytes.asShortBuffer();
        for (long i = 0; i < length; i++) {
            bits.put(i, source.get(Math.toIntExact(offset + i)));
        }
    }
}
