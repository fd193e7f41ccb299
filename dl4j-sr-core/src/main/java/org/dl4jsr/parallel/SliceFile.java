package org.dl4jsr.parallel;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.databind.JsonNode;
import org.nd4j.shade.jackson.databind.ObjectMapper;

/**
 * What one rank has written to a checkpoint: pieces of arrays one behind the other in a file, and an index beside it that
 * says where they belong, with a checksum of each, so that another rank can read a range of them and be sure of it.
 */
final class SliceFile {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PIECE = 1 << 22;

    /**
     * Some of one of a network's arrays.
     *
     * @param array "weights" or "state"
     * @param start first element in the array
     * @param values the elements, [n], a view
     */
    record Range(String array, long start, INDArray values) {

        int width() {
            return values.dataType().width();
        }
    }

    /**
     * A piece in the file.
     *
     * @param array as in {@link Range}
     * @param start first byte in the array
     * @param position first byte in the file
     * @param length bytes
     * @param crc CRC32C
     */
    private record Piece(String array, long start, long position, int length, long crc) {}

    private SliceFile() {}

    static String data(String folder, int rank) {
        return folder + "/slice-" + rank + ".bin";
    }

    private static String index(String folder, int rank) {
        return folder + "/slice-" + rank + ".json";
    }

    /** Writes a rank's ranges; returns the checksum of the index. */
    static long write(Storage storage, String folder, int rank, Device device, List<Range> ranges) throws IOException {
        var pieces = new ArrayList<Map<String, Object>>();
        try (OutputStream out = storage.create(data(folder, rank))) {
            var bytes = new byte[PIECE];
            long position = 0;
            for (Range range : ranges) {
                long address = device.hostAddress(range.values);
                long all = range.values.length() * range.width();
                for (long start = 0; start < all; start += PIECE) {
                    int length = (int) Math.min(PIECE, all - start);
                    ArrayBytes.at(address + start, length).get(bytes, 0, length);
                    out.write(bytes, 0, length);
                    var piece = new LinkedHashMap<String, Object>();
                    piece.put("array", range.array);
                    piece.put("start", range.start * range.width() + start);
                    piece.put("position", position);
                    piece.put("length", length);
                    piece.put("crc32c", crc(bytes, length));
                    pieces.add(piece);
                    position += length;
                }
            }
        }
        byte[] text = JSON.writeValueAsString(pieces).getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = storage.create(index(folder, rank))) {
            out.write(text);
        }
        return crc(text, text.length);
    }

    /**
     * Reads what a rank has written of some ranges.
     *
     * @param indexCrc what {@link #write} returned
     * @throws IOException where something is missing or is not what was written; the ranges may have changed then
     */
    static void read(Storage storage, String folder, int rank, long indexCrc, Device device, List<Range> ranges)
            throws IOException {
        byte[] text;
        try (InputStream in = storage.open(index(folder, rank), 0)) {
            text = in.readAllBytes();
        }
        require(crc(text, text.length) == indexCrc, index(folder, rank));
        for (JsonNode node : JSON.readTree(text)) {
            var piece = new Piece(
                    node.get("array").asText(),
                    node.get("start").asLong(),
                    node.get("position").asLong(),
                    node.get("length").asInt(),
                    node.get("crc32c").asLong());
            byte[] bytes = null;
            for (Range range : ranges) {
                long first = range.start * range.width();
                long from = Math.max(first, piece.start);
                long to = Math.min(first + range.values.length() * range.width(), piece.start + piece.length);
                if (range.array.equals(piece.array) && from < to) {
                    bytes = bytes == null ? read(storage, data(folder, rank), piece) : bytes;
                    ArrayBytes.at(device.hostAddress(range.values) + from - first, (int) (to - from))
                            .put(bytes, (int) (from - piece.start), (int) (to - from));
                    device.written(List.of(range.values));
                }
            }
        }
    }

    private static byte[] read(Storage storage, String name, Piece piece) throws IOException {
        try (InputStream in = storage.open(name, piece.position)) {
            byte[] bytes = in.readNBytes(piece.length);
            require(bytes.length == piece.length && crc(bytes, bytes.length) == piece.crc, name);
            return bytes;
        }
    }

    private static void require(boolean intact, String name) throws IOException {
        if (!intact) {
            throw new IOException(name + " is not what was written: its checksum differs");
        }
    }

    private static long crc(byte[] bytes, int length) {
        var crc = new CRC32C();
        crc.update(bytes, 0, length);
        return crc.getValue();
    }
}
