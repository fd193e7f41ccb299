package org.dl4jsr.parallel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.dl4jsr.kernel.Memory;

/**
 * What a message is: a header that says where the bytes belong, with a checksum over both, and a body of up to
 * {@value #BODY} bytes. Ranks take the same steps in the same order, so that a receiver knows the header that has to come.
 */
final class Message {

    /** Most bytes behind the header. */
    static final int BODY = 1 << 20;

    private static final int HEADER = Memory.ALIGNMENT;
    private static final int CHECKSUM = 40;

    /** What a message is part of. */
    enum Kind {
        /** A few numbers of each rank. */
        NUMBERS,
        /** A piece of a rank's array for the rank that owns it. */
        TO_OWNER,
        /** A piece that its owner has for all. */
        FROM_OWNER,
        /** A piece that its owner has for the first rank. */
        TO_FIRST
    }

    /**
     * Where the bytes belong.
     *
     * @param attempt at the training; another one's messages are stale
     * @param step of the training
     * @param operation of the collective, counted from its start
     * @param kind of the operation
     * @param start offset of the first byte in the array
     * @param length bytes
     */
    record Place(long attempt, long step, int operation, Kind kind, long start, int length) {}

    private final ByteBuffer header = ByteBuffer.allocateDirect(HEADER).order(ByteOrder.LITTLE_ENDIAN);

    /** The header of a message with this body, until the next call. */
    ByteBuffer header(Place place, ByteBuffer body) {
        header.clear();
        header.putLong(0, place.attempt)
                .putLong(8, place.step)
                .putInt(16, place.operation)
                .putInt(20, place.kind.ordinal())
                .putLong(24, place.start)
                .putInt(32, place.length)
                .putInt(36, 0)
                .putInt(CHECKSUM, checksum(header, body));
        return header;
    }

    private static int checksum(ByteBuffer header, ByteBuffer body) {
        var crc = new CRC32C();
        crc.update(header.slice(0, CHECKSUM));
        crc.update(body.duplicate());
        return (int) crc.getValue();
    }

    /**
     * Checks what has been received, and returns its body.
     *
     * @throws TransportException if it is not intact, or does not belong to {@code place}
     */
    static ByteBuffer body(ByteBuffer message, Place place, int from) {
        int length = message.remaining() - HEADER;
        if (length < 0) {
            throw new TransportException("A message of " + message.remaining() + " bytes from rank " + from
                    + ", expected " + (HEADER + place.length));
        }
        ByteBuffer bytes = message.slice().order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer body = bytes.slice(HEADER, length).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.getInt(CHECKSUM) != checksum(bytes, body)) {
            throw new TransportException("A message from rank " + from + " at step " + place.step
                    + " is damaged: its CRC32C is not that of its bytes; nothing of it has been used");
        }
        int kind = bytes.getInt(20);
        if (bytes.getLong(0) != place.attempt
                || bytes.getLong(8) != place.step
                || bytes.getInt(16) != place.operation
                || kind != place.kind.ordinal()
                || bytes.getLong(24) != place.start
                || bytes.getInt(32) != place.length
                || length != place.length) {
            throw new TransportException("A message from rank " + from + " belongs to attempt " + bytes.getLong(0)
                    + ", step " + bytes.getLong(8) + ", operation " + bytes.getInt(16) + ", kind " + kind + ", bytes "
                    + bytes.getLong(24) + "+" + bytes.getInt(32) + ", expected " + place
                    + ": it is stale or out of order, or the ranks do not train alike");
        }
        return body;
    }
}
