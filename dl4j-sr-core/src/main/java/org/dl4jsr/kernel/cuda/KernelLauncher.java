package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
import static org.bytedeco.cuda.global.cudart.cuFuncSetAttribute;
import static org.bytedeco.cuda.global.cudart.cuLaunchKernel;
import static org.dl4jsr.kernel.cuda.KernelConstant.LOOPS;
import static org.dl4jsr.kernel.cuda.KernelConstant.OCTET;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.bytedeco.cuda.cudart.CUfunc_st;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;

/**
 * Launches kernels on one stream: name a kernel, add its arguments in their order and with their types, launch. For
 * one thread at a time.
 */
final class KernelLauncher {

    private static final int MOST_ARGUMENTS = 32;
    private static final int MOST_BYTES = 4096; // as CUDA has it
    /** Up to 48 KiB of shared memory go without asking; what a kernel declares itself counts as well. */
    private static final int ORDINARY_SHARED_MEMORY = 40 << 10;
    /** Blocks of a grid that loops: a few times what a multiprocessor runs at once. */
    private static final int BLOCKS_PER_MULTIPROCESSOR = 32;

    private final CudaStream stream;
    private final KernelModules modules;
    private final BytePointer memory; // of the values
    private final ByteBuffer values;
    private final PointerPointer<Pointer> addresses;
    private final Object[] arguments = new Object[MOST_ARGUMENTS];
    private KernelSource source;
    private String name;
    private int count;
    private int position; // of the next argument in values
    private long runs; // of the loops among the arguments

    KernelLauncher(CudaStream stream) {
        this.stream = stream;
        modules = stream.device().modules();
        try (var scope = Pointers.scope()) {
            memory = new BytePointer(MOST_BYTES).retainReference();
            values = memory.asByteBuffer().order(ByteOrder.nativeOrder());
            addresses = new PointerPointer<>(MOST_ARGUMENTS).retainReference();
        }
    }

    /** Begins a launch of the kernel of this name that is compiled for {@code type}. */
    KernelLauncher kernel(KernelSource source, String name, FloatType type) {
        return kernel(source, name + "_" + suffix(type));
    }

    /** Begins a launch. */
    KernelLauncher kernel(KernelSource source, String name) {
        this.source = source;
        this.name = name;
        count = 0;
        position = 0;
        return this;
    }

    /** Addresses and 64-bit integers. */
    KernelLauncher add(long... values) {
        for (long value : values) {
            begin(value);
            put(value);
        }
        return this;
    }

    /** 32-bit integers. */
    KernelLauncher add(int... values) {
        for (int value : values) {
            begin(value);
            this.values.putInt(position, value);
            position += Integer.BYTES;
        }
        return this;
    }

    /** FP32. */
    KernelLauncher add(float... values) {
        for (float value : values) {
            begin(value);
            put(value);
        }
        return this;
    }

    /** One structure of addresses and 64-bit integers. */
    KernelLauncher addStructure(long... members) {
        begin(members);
        for (long member : members) {
            put(member);
        }
        return this;
    }

    /** One structure of FP32. */
    KernelLauncher addStructure(float... members) {
        begin(members);
        for (float member : members) {
            put(member);
        }
        return this;
    }

    /** One structure Loops of loops.h, for as many loops as it has at most, in runs of up to {@code length} elements. */
    KernelLauncher add(ElementLoops loops, int length) {
        begin(loops);
        putLoops(loops.sizes(), 1);
        for (long[] steps : loops.steps()) {
            putLoops(steps, 0);
        }
        long[] counts = loops.sizes().clone();
        int last = counts.length - 1;
        counts[last] = blocks(counts[last], length);
        runs = Arrays.stream(counts).reduce(1, Math::multiplyExact);
        if (runs > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("Kernel " + name + " needs " + runs + " runs over arrays of sizes "
                    + Arrays.toString(loops.sizes()) + ", at most " + Integer.MAX_VALUE + " are possible");
        }
        putLoops(Arrays.stream(counts).map(KernelLauncher::divisor).toArray(), divisor(1));
        return this;
    }

    /** What loops.h divides by {@code divisor} with, below 2^31: a multiplier, and above it a shift. */
    static long divisor(long divisor) {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(divisor - 1);
        int shift = Integer.SIZE - 1 + bits;
        return (long) shift << Integer.SIZE | ((1L << shift) + divisor - 1) / divisor;
    }

    /** values behind as many of {@code filler} as make LOOPS. */
    private void putLoops(long[] values, long filler) {
        for (int i = values.length; i < LOOPS.value; i++) {
            put(filler);
        }
        for (long value : values) {
            put(value);
        }
    }

    /** The next argument lies at the next multiple of 8 bytes. */
    private void begin(Object argument) {
        position = (position + Long.BYTES - 1) / Long.BYTES * Long.BYTES;
        Memory.putLong(addresses.address() + (long) count * Long.BYTES, memory.address() + position);
        arguments[count++] = argument;
    }

    private void put(long value) {
        values.putLong(position, value);
        position += Long.BYTES;
    }

    private void put(float value) {
        values.putFloat(position, value);
        position += Float.BYTES;
    }

    /** Launches a grid [x, y] of blocks of {@code threads} threads with {@code sharedMemory} bytes each. */
    void launch(int threads, long x, long y, int sharedMemory) {
        if (x < 1 || x > Integer.MAX_VALUE || y < 1 || y > 0xFFFF) {
            throw new IllegalArgumentException("Kernel " + name + " needs a grid of " + x + " x " + y
                    + " blocks, at most 2147483647 x 65535 are possible");
        }
        stream.device().makeCurrent();
        CUfunc_st function = modules.function(source, name);
        if (sharedMemory > ORDINARY_SHARED_MEMORY) {
            stream.check(
                    cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, sharedMemory),
                    () -> "cuFuncSetAttribute of " + name + " to " + sharedMemory + " bytes of shared memory");
        }
        stream.check(
                cuLaunchKernel(
                        function,
                        (int) x,
                        (int) y,
                        1,
                        threads,
                        1,
                        1,
                        sharedMemory,
                        stream.handle(),
                        addresses,
                        (PointerPointer<?>) null),
                () -> describe(threads, x, y, sharedMemory));
        stream.given(name);
    }

    /** As launch with a grid of one dimension and no shared memory but the kernel's own. */
    void launch(int threads, long blocks) {
        launch(threads, blocks, 1, 0);
    }

    /** As launch of a kernel that loops and could use {@code blocks}: no more of them than keep the GPU busy. */
    void launchLooping(int threads, long blocks) {
        launch(
                threads,
                Math.min(
                        blocks,
                        (long) BLOCKS_PER_MULTIPROCESSOR * stream.device().multiprocessors()));
    }

    /** As launch of a kernel that loops over the octets of {@code length} elements; without any, nothing. */
    void launchOctets(long length) {
        if (length > 0) {
            launchLooping(THREADS.value, octetBlocks(length));
        }
    }

    /** As launchOctets, a thread an octet: faster where threads have little to prepare. */
    void launchThreadPerOctet(long length) {
        if (length > 0) {
            launch(THREADS.value, octetBlocks(length));
        }
    }

    private static long octetBlocks(long length) {
        return blocks(blocks(length, OCTET.value) + 1, THREADS.value); // one more where the first octet is cut
    }

    /** As launch of a kernel that takes the runs of the loops added last. */
    void launchRuns() {
        launchLooping(THREADS.value, blocks(runs, THREADS.value));
    }

    /** How many blocks of {@code size} hold {@code length}. */
    static long blocks(long length, long size) {
        return (length + size - 1) / size;
    }

    /** How the names of kernels end that are compiled for {@code type}. */
    static String suffix(FloatType type) {
        return type == FloatType.FLOAT ? "float" : "bfloat16";
    }

    private static String text(Object argument) {
        if (argument instanceof Long address) {
            return "0x" + Long.toHexString(address);
        }
        if (argument instanceof long[] members) {
            return Arrays.toString(members);
        }
        if (argument instanceof float[] members) {
            return Arrays.toString(members);
        }
        return argument instanceof ElementLoops loops ? Arrays.toString(loops.toArray()) : argument.toString();
    }

    private String describe(int threads, long x, long y, int sharedMemory) {
        String text =
                Arrays.stream(arguments, 0, count).map(KernelLauncher::text).collect(Collectors.joining(", "));
        return "cuLaunchKernel of " + name + "(" + text + ") with " + x + " x " + y + " blocks of " + threads
                + " threads and " + sharedMemory + " bytes of shared memory on " + stream.device();
    }
}
