package org.dl4jsr.backend;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

    /**
     * The content of {@code buffer}, big-endian as {@link DataBuffer#asBytes} says. ND4J's {@code toFlatArray} alone
     * gets it as {@link FlatBufferArrays} says.
     */
    public static byte[] bytes(DataBuffer buffer) {
        if (FlatBufferArrays.areWritten()) {
            return nativeBytes(FlatBufferArrays.content(buffer));
        }
        byte[] bytes = nativeBytes(buffer);
        if (ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN) {
            for (int i = 0; i < bytes.length; i += 2) {
                byte low = bytes[i];
                bytes[i] = bytes[i + 1];
                bytes[i + 1] = low;
            }
        }
        return bytes;
    }

    private static byte[] nativeBytes(DataBuffer buffer) {
        var bytes = new byte[Math.toIntExact(buffer.length() * buffer.getElementSize())];
        buffer.asNio().get(bytes);
        return bytes;
    }

    /**
     * Copies {@code length} elements of {@code bytes} from element {@code offset} on. They are in native order, whatever
     * order the buffer has, as in ND4J's other buffers: BinarySerde leaves it at big-endian.
     */
    public static void copy(ByteBuffer bytes, long offset, ShortIndexer bits, long length) {
        var source = bytes.duplicate().order(ByteOrder.nativeOrder()).asShortBuffer();
        for (long i = 0; i < length; i++) {
            bits.put(i, source.get(Math.toIntExact(offset + i)));
        }
    }
}
