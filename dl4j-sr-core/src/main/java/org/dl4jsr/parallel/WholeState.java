package org.dl4jsr.parallel;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import org.dl4jsr.op.Device;
import org.dl4jsr.updater.StateRange;

/** The updater state of all ranks on its way to a file and back; no rank need have room for it. */
final class WholeState {

    /**
     * What a rank has of a whole.
     *
     * @param start first byte in the whole
     * @param length bytes
     * @param address of the first byte; that rank's alone counts
     */
    record Part(int rank, long start, long length, long address) {

        /** Of the message with the bytes from {@code offset} on. */
        int pieceLength(long offset) {
            return (int) Math.min(Message.BODY, length - offset);
        }
    }

    private WholeState() {}

    /**
     * Brings the whole state to the first rank, from its start to its end. All ranks call it.
     *
     * @param own what this rank has of it; together all ranks have each element once
     * @param width bytes of an element
     * @param length elements of the whole
     * @param pieces takes the bytes on the first rank, some at a time, whole elements
     */
    static void toFirst(
            Collective collective, List<StateRange> own, int width, long length, Consumer<ByteBuffer> pieces) {
        List<Part> parts = parts(collective, own, width);
        long end = 0;
        for (Part part : parts) {
            if (part.start() != end) {
                throw new IllegalStateException("Rank " + part.rank() + " has updater state from byte " + part.start()
                        + " on, and the ranks before it end at " + end);
            }
            end += part.length();
        }
        if (end != length * width) {
            throw new IllegalStateException(
                    "The ranks have " + end + " bytes of updater state, expected " + length * width);
        }
        collective.toFirst(parts, pieces);
    }

    /** Those of all ranks, in the order of the whole. */
    private static List<Part> parts(Collective collective, List<StateRange> own, int width) {
        long most = Arrays.stream(collective.gather(own.size()))
                .mapToLong(rank -> rank[0])
                .max()
                .orElseThrow();
        var places = new long[Math.toIntExact(2 * most)];
        for (int i = 0; i < own.size(); i++) {
            places[2 * i] = own.get(i).start() * width;
            places[2 * i + 1] = own.get(i).values().length() * width;
        }
        long[][] all = collective.gather(places);
        var parts = new ArrayList<Part>();
        for (int rank = 0; rank < all.length; rank++) {
            for (int i = 0; i < most && all[rank][2 * i + 1] > 0; i++) {
                long address = rank == collective.rank()
                        ? collective.device().hostAddress(own.get(i).values())
                        : 0;
                parts.add(new Part(rank, all[rank][2 * i], all[rank][2 * i + 1], address));
            }
        }
        parts.sort(Comparator.comparingLong(Part::start));
        return parts;
    }

    /**
     * Reads what this rank has of the whole state.
     *
     * @param in the whole, its elements big-endian
     * @param own the rank's ranges
     * @param width bytes of an element
     */
    static void read(InputStream in, Device device, List<StateRange> own, int width) throws IOException {
        List<StateRange> sorted =
                own.stream().sorted(Comparator.comparingLong(StateRange::start)).toList();
        long position = 0;
        for (StateRange range : sorted) {
            in.skipNBytes(range.start() * width - position);
            long address = device.hostAddress(range.values());
            long length = range.values().length() * width;
            for (long offset = 0; offset < length; offset += Message.BODY) {
                byte[] piece = in.readNBytes((int) Math.min(Message.BODY, length - offset));
                if (piece.length < Math.min(Message.BODY, length - offset)) {
                    throw new EOFException("The updater state is cut short");
                }
                ArrayBytes.toBigEndian(piece, width);
                ArrayBytes.at(address + offset, piece.length).put(piece);
            }
            device.written(List.of(range.values()));
            position = range.start() * width + length;
        }
    }
}
