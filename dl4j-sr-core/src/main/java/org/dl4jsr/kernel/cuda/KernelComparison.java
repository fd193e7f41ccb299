package org.dl4jsr.kernel.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Objects;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.rounding.BFloat16;

/** Runs an operation on {@link JavaKernels} and on a GPU, on copies of the same arrays, and compares both. */
final class KernelComparison {

    /** Bytes before and after each array, which nobody may touch. */
    private static final int GUARD = 256;

    private static final byte GUARD_VALUE = 0x5A;

    private final JavaKernels java = new JavaKernels(Runtime.getRuntime().availableProcessors());
    private final CudaStream stream;
    private final CudaStream again;
    private final CudaKernels cuda;
    private final CudaKernels cudaAgain;

    /** Operations run on {@code stream}, and to see whether they repeat bit for bit, on {@code again}. */
    KernelComparison(CudaStream stream, CudaStream again) {
        this.stream = stream;
        this.again = again;
        cuda = new CudaKernels(stream);
        cudaAgain = new CudaKernels(again);
    }

    /** An array's content, and by how many elements it lies behind a 256-byte boundary. */
    record Content(FloatType type, byte[] bytes, int offset) {}

    /** An operation on arrays at these addresses. */
    interface Operation {
        void run(Kernels kernels, long[] arrays);
    }

    /** An operation that returns something. */
    interface Function {
        Object run(Kernels kernels, long[] arrays);
    }

    /** Results and arrays must be equal, bit for bit. */
    void sameResult(String what, Function function, Content... arrays) {
        var results = new ArrayList<>();
        same(what, (kernels, addresses) -> results.add(function.run(kernels, addresses)), arrays);
        if (!Objects.equals(results.get(0), results.get(1))) {
            throw new IllegalStateException(what + ": returned " + results.get(1) + ", expected " + results.get(0));
        }
    }

    /** Arrays must be equal, bit for bit. */
    void same(String what, Operation operation, Content... arrays) {
        byte[][] expected = onHost(operation, arrays);
        byte[][] actual = onDevice(cuda, stream, operation, arrays);
        for (int i = 0; i < arrays.length; i++) {
            int at = Arrays.mismatch(expected[i], actual[i]);
            if (at >= 0) {
                throw new IllegalStateException(what + ": array " + i + " " + where(arrays[i], at) + " is 0x"
                        + hex(actual[i], at, arrays[i]) + ", expected 0x" + hex(expected[i], at, arrays[i]));
            }
        }
    }

    /**
     * Each value must be within one rounding of its type plus {@code tolerance} of the array's largest value, and the
     * same bits the second time; what lies around the arrays must be equal.
     */
    void close(String what, double tolerance, Operation operation, Content... arrays) {
        byte[][] expected = onHost(operation, arrays);
        byte[][] actual = onDevice(cuda, stream, operation, arrays);
        byte[][] repeated = onDevice(cudaAgain, again, operation, arrays);
        for (int i = 0; i < arrays.length; i++) {
            double[] expectedValues = values(arrays[i], expected[i]);
            double[] values = values(arrays[i], actual[i]);
            double rounding = arrays[i].type == FloatType.FLOAT ? 0x1p-22 : 0x1p-7;
            double largest = Arrays.stream(expectedValues)
                    .map(Math::abs)
                    .filter(x -> x == x)
                    .max()
                    .orElse(0);
            for (int k = 0; k < values.length; k++) {
                double bound = rounding * Math.abs(expectedValues[k]) + tolerance * largest + Double.MIN_VALUE;
                boolean equal = Double.compare(values[k], expectedValues[k]) == 0;
                if (!equal && !(Math.abs(values[k] - expectedValues[k]) <= bound)) {
                    throw new IllegalStateException(what + ": array " + i + " element " + k + " is " + values[k]
                            + ", expected " + expectedValues[k] + " within " + bound);
                }
            }
            int differs = Arrays.mismatch(actual[i], repeated[i]);
            if (differs >= 0) {
                throw new IllegalStateException(what + ": array " + i + " " + where(arrays[i], differs) + " is 0x"
                        + hex(repeated[i], differs, arrays[i]) + " the second time, 0x"
                        + hex(actual[i], differs, arrays[i]) + " the first");
            }
            int start = start(arrays[i]);
            int end = start + arrays[i].bytes.length;
            for (int at = 0; at < actual[i].length; at++) {
                if ((at < start || at >= end) && actual[i][at] != GUARD_VALUE) {
                    throw new IllegalStateException(
                            what + ": array " + i + " " + where(arrays[i], at) + " was written, out of bounds");
                }
            }
        }
    }

    private byte[][] onHost(Operation operation, Content[] arrays) {
        var memory = new BytePointer[arrays.length];
        long[] addresses = new long[arrays.length];
        for (int i = 0; i < arrays.length; i++) {
            memory[i] = new BytePointer(guarded(arrays[i]));
            addresses[i] = memory[i].address() + start(arrays[i]);
        }
        operation.run(java, addresses);
        byte[][] contents = new byte[arrays.length][];
        for (int i = 0; i < arrays.length; i++) {
            contents[i] = new byte[(int) memory[i].capacity()];
            memory[i].get(contents[i]);
            memory[i].close();
        }
        return contents;
    }

    private static byte[][] onDevice(CudaKernels cuda, CudaStream stream, Operation operation, Content[] arrays) {
        var memory = new DeviceMemory[arrays.length];
        long[] addresses = new long[arrays.length];
        byte[][] contents = new byte[arrays.length][];
        try {
            for (int i = 0; i < arrays.length; i++) {
                contents[i] = guarded(arrays[i]);
                memory[i] = new DeviceMemory(stream, contents[i].length);
                try (var bytes = new BytePointer(contents[i])) {
                    memory[i].write(0, bytes, contents[i].length);
                }
                addresses[i] = memory[i].address() + start(arrays[i]);
            }
            operation.run(cuda, addresses);
            for (int i = 0; i < arrays.length; i++) {
                try (var bytes = new BytePointer(contents[i].length)) {
                    memory[i].read(0, bytes, contents[i].length);
                    bytes.get(contents[i]);
                }
            }
            return contents;
        } finally {
            Arrays.stream(memory).filter(Objects::nonNull).forEach(DeviceMemory::close);
        }
    }

    private static int start(Content array) {
        return GUARD + array.offset * array.type.bytes();
    }

    private static byte[] guarded(Content array) {
        byte[] bytes = new byte[array.bytes.length + 2 * GUARD];
        Arrays.fill(bytes, GUARD_VALUE);
        System.arraycopy(array.bytes, 0, bytes, start(array), array.bytes.length);
        return bytes;
    }

    private static double[] values(Content array, byte[] bytes) {
        var buffer = ByteBuffer.wrap(bytes, start(array), array.bytes.length).order(ByteOrder.nativeOrder());
        double[] values = new double[array.bytes.length / array.type.bytes()];
        for (int i = 0; i < values.length; i++) {
            values[i] = array.type == FloatType.FLOAT ? buffer.getFloat() : BFloat16.toFloat(buffer.getShort());
        }
        return values;
    }

    private static String where(Content array, int at) {
        return "element " + Math.floorDiv(at - start(array), array.type.bytes()) + " of "
                + array.bytes.length / array.type.bytes();
    }

    private static String hex(byte[] bytes, int at, Content array) {
        int size = array.type.bytes();
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        return size == 4
                ? Integer.toHexString(buffer.getInt(at / 4 * 4))
                : Integer.toHexString(buffer.getShort(at / 2 * 2) & 0xFFFF);
    }
}
