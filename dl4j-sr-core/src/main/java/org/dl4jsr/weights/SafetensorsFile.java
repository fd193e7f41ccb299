package org.dl4jsr.weights;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.dl4jsr.rounding.BFloat16;
import org.nd4j.shade.jackson.databind.JsonNode;

/**
 * A safetensors file, open to be read: 8 bytes with the header's length, the header, JSON with type, shape and place of
 * each tensor, and the tensors. These are mapped, one after the other, so that the file may be larger than memory.
 */
final class SafetensorsFile implements Closeable {

    /** A GPT-2 of 36 layers has 40 kB. */
    static final int LARGEST_HEADER = 16 << 20;
    /** Bytes of a tensor that are mapped at once, and those that are given on at once. */
    private static final int MAPPED = 1 << 30;

    private static final int PIECE = 4 << 20;

    private static final String METADATA = "__metadata__";
    /** Bytes an element. */
    private static final Map<String, Integer> WIDTHS = Map.ofEntries(
            Map.entry("BOOL", 1),
            Map.entry("U8", 1),
            Map.entry("I8", 1),
            Map.entry("F8_E5M2", 1),
            Map.entry("F8_E4M3", 1),
            Map.entry("U16", 2),
            Map.entry("I16", 2),
            Map.entry("F16", 2),
            Map.entry("BF16", 2),
            Map.entry("U32", 4),
            Map.entry("I32", 4),
            Map.entry("F32", 4),
            Map.entry("U64", 8),
            Map.entry("I64", 8),
            Map.entry("F64", 8));

    /** Where a tensor lies in the file: bytes from {@code start} to {@code end}. */
    record Tensor(String type, long[] shape, long start, long end) {

        /** Whether its elements can be read as floats without loss. */
        boolean isFloat() {
            return type.equals("F32") || type.equals("BF16");
        }

        /** Number of elements. */
        long length() {
            return (end - start) / width();
        }

        private int width() {
            return WIDTHS.get(type);
        }
    }

    private final Path path;
    private final FileChannel channel;
    private final Map<String, Tensor> tensors;

    private SafetensorsFile(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        tensors = tensors();
    }

    /** Throws an IOException that names the file and what is wrong with it. */
    static SafetensorsFile open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        try {
            return new SafetensorsFile(path, channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    Path path() {
        return path;
    }

    /** By name, in the header's order. */
    Map<String, Tensor> all() {
        return tensors;
    }

    /** Takes elements of a tensor, from {@code first} on. */
    interface Piece {
        void take(Tensor tensor, long first, float[] values) throws IOException;
    }

    /**
     * Reads the file once, from its first byte to its last. A file that is cut off meanwhile ends in an InternalError.
     *
     * @param bytes takes all of them
     * @param wanted which tensors {@code piece} takes, all of which can be read as floats
     */
    void read(Consumer<ByteBuffer> bytes, Predicate<Tensor> wanted, Piece piece) throws IOException {
        List<Tensor> inOrder = tensors.values().stream()
                .sorted(Comparator.comparingLong(Tensor::start))
                .toList();
        bytes.accept(read(0, (int) (inOrder.isEmpty() ? channel.size() : inOrder.get(0).start)));
        for (Tensor tensor : inOrder) {
            for (long start = tensor.start; start < tensor.end; start += MAPPED) {
                int length = (int) Math.min(MAPPED, tensor.end - start);
                ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, start, length);
                for (int at = 0; at < length; at += PIECE) {
                    ByteBuffer elements = mapped.slice(at, Math.min(PIECE, length - at));
                    bytes.accept(elements.duplicate());
                    if (wanted.test(tensor)) {
                        long first = (start + at - tensor.start) / tensor.width();
                        piece.take(tensor, first, floats(tensor, elements.order(ByteOrder.LITTLE_ENDIAN)));
                    }
                }
            }
        }
    }

    private static float[] floats(Tensor tensor, ByteBuffer elements) {
        var values = new float[elements.remaining() / tensor.width()];
        if (tensor.type.equals("F32")) {
            elements.asFloatBuffer().get(values);
        } else {
            for (int i = 0; i < values.length; i++) {
                values[i] = BFloat16.toFloat(elements.getShort(2 * i));
            }
        }
        return values;
    }

    private ByteBuffer read(long position, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, position + bytes.position()) < 0) {
                throw new EOFException(path + " ends at byte " + channel.size() + ", expected " + (position + length));
            }
        }
        return bytes.flip();
    }

    private Map<String, Tensor> tensors() throws IOException {
        long size = channel.size();
        if (size < 8) {
            throw new IOException(path + " has " + size + " bytes and is no safetensors file");
        }
        long length = read(0, 8).getLong();
        if (length < 2 || length > Math.min(size - 8, LARGEST_HEADER)) {
            throw new IOException(path + " is no whole safetensors file: its header would have "
                    + Long.toUnsignedString(length) + " bytes, and the file has " + size
                    + (length > 0 && length <= size - 8 ? ", with at most " + LARGEST_HEADER + " of header" : ""));
        }
        JsonNode header = StrictJson.parse(read(8, (int) length).array(), "The header of " + path);
        Map<String, Tensor> found = new LinkedHashMap<>();
        for (var fields = header.fields(); fields.hasNext(); ) {
            var field = fields.next();
            if (!field.getKey().equals(METADATA)) {
                found.put(field.getKey(), tensor(field.getKey(), field.getValue(), 8 + length));
            }
        }
        requireDense(found, 8 + length, size);
        return found;
    }

    private Tensor tensor(String name, JsonNode entry, long data) throws IOException {
        JsonNode type = entry.path("dtype");
        if (!type.isTextual() || !WIDTHS.containsKey(type.textValue())) {
            throw invalid(name, "has type " + type + ", expected F32 or BF16");
        }
        long[] shape = numbers(name, entry.path("shape"));
        long[] offsets = numbers(name, entry.path("data_offsets"));
        if (offsets.length != 2) {
            throw invalid(name, "has data_offsets " + Arrays.toString(offsets) + ", expected [start, end]");
        }
        try {
            long bytes = WIDTHS.get(type.textValue());
            for (long length : shape) {
                bytes = Math.multiplyExact(bytes, length);
            }
            if (Math.subtractExact(offsets[1], offsets[0]) != bytes) {
                throw invalid(
                        name,
                        "has data_offsets " + Arrays.toString(offsets) + ", but " + bytes + " bytes: "
                                + type.textValue() + " " + Arrays.toString(shape));
            }
            return new Tensor(
                    type.textValue(), shape, Math.addExact(data, offsets[0]), Math.addExact(data, offsets[1]));
        } catch (ArithmeticException e) {
            throw invalid(
                    name,
                    "has more bytes than can be: shape " + Arrays.toString(shape) + ", data_offsets "
                            + Arrays.toString(offsets));
        }
    }

    private long[] numbers(String name, JsonNode array) throws IOException {
        if (!array.isArray()) {
            throw invalid(name, "has no shape or no data_offsets");
        }
        long[] numbers = new long[array.size()];
        for (int i = 0; i < numbers.length; i++) {
            JsonNode number = array.get(i);
            if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
                throw invalid(
                        name,
                        "has " + StrictJson.shown(number)
                                + " in its shape or data_offsets, expected a length or an offset");
            }
            numbers[i] = number.longValue();
        }
        return numbers;
    }

    /** Each tensor begins where the one before ends, the first behind the header, and the last ends with the file. */
    private void requireDense(Map<String, Tensor> found, long data, long size) throws IOException {
        List<Map.Entry<String, Tensor>> inOrder = found.entrySet().stream()
                .sorted(Comparator.comparingLong(
                                (Map.Entry<String, Tensor> e) -> e.getValue().start())
                        .thenComparingLong(e -> e.getValue().end()))
                .toList();
        long end = data;
        for (var entry : inOrder) {
            if (entry.getValue().start() != end) {
                throw invalid(
                        entry.getKey(),
                        "begins at byte " + (entry.getValue().start() - data) + ", expected " + (end - data)
                                + ": tensors overlap or have a gap between them");
            }
            end = entry.getValue().end();
        }
        if (end != size) {
            throw new IOException(path + " has " + size + " bytes, expected " + end + ": it is "
                    + (size < end ? "cut off" : "too long"));
        }
    }

    private IOException invalid(String name, String what) {
        return new IOException("Tensor " + StrictJson.shown(name) + " of " + path + " " + what);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
