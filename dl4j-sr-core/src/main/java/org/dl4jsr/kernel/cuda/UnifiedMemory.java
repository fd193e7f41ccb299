package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.CU_MEMHOSTALLOC_DEVICEMAP;
import static org.bytedeco.cuda.global.cudart.CU_MEMHOSTALLOC_PORTABLE;
import static org.bytedeco.cuda.global.cudart.CU_MEMHOSTREGISTER_DEVICEMAP;
import static org.bytedeco.cuda.global.cudart.CU_MEMHOSTREGISTER_PORTABLE;
import static org.bytedeco.cuda.global.cudart.CU_MEM_ATTACH_GLOBAL;
import static org.bytedeco.cuda.global.cudart.cuMemAllocManaged;
import static org.bytedeco.cuda.global.cudart.cuMemFree;
import static org.bytedeco.cuda.global.cudart.cuMemHostAlloc;
import static org.bytedeco.cuda.global.cudart.cuMemHostRegister;
import static org.bytedeco.cuda.global.cudart.cuMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cuMemsetD8Async;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.Pointers;

/**
 * Memory that a GPU and the CPU share: one address for both. A block of more than {@value SlabPool#LARGEST} bytes is CUDA's
 * managed memory, whose pages move to whoever touches them and stay there. Smaller ones lie in pinned memory of the host,
 * which the GPU reads and writes over the bus: a page that the two touch in turns would move each time, which takes five
 * times as long as the kernel that wrote it.
 *
 * <p>The CPU must {@linkplain CudaStream#await await} the GPU before it touches a block, since work on it may still be queued. It need not
 * before it reads one {@linkplain #allocateForReading that the GPU only reads}.
 */
public final class UnifiedMemory {

    /** Blocks for reading of up to so many bytes lie in ordinary memory. */
    public static final long LARGEST_FOR_READING = SlabPool.LARGEST;

    /** Managed memory goes by pages of the GPU. */
    private static final long PAGE = 2 << 20;
    /** What is left to kernels, cuBLAS and CUDA itself: a part of the card's free memory, but at least so much. */
    private static final long RESERVE = 512L << 20;

    private static final int RESERVED_PART = 32;

    private final CudaStream stream;
    private final long free;
    private final long reserve;
    private final SlabPool pinned;
    private final SlabPool forReading;
    /** The blocks in use, by their addresses. */
    private final Map<Long, Block> blocks = new HashMap<>();
    /** Managed blocks given back, by size; work that was given before may still use them. */
    private final NavigableMap<Long, Queue<Long>> unused = new TreeMap<>();
    /** Ends of slabs and of managed blocks, by their starts. */
    private final NavigableMap<Long, Long> ranges = new TreeMap<>();

    /** Bytes of managed memory, and of these in blocks in use. */
    private long managed;

    private long used;

    /** @param pool where it belongs; null for managed memory */
    private record Block(long size, SlabPool pool) {}

    /** For the GPU and the work of {@code stream}; takes at most what the GPU has free now, less a reserve. */
    public UnifiedMemory(CudaStream stream) {
        this.stream = stream;
        free = stream.device().freeMemory();
        reserve = Math.max(RESERVE, free / RESERVED_PART);
        pinned = new SlabPool(stream, () -> added(pinnedSlab()));
        forReading = new SlabPool(stream, () -> added(registeredSlab()));
    }

    /** Bytes that blocks of managed memory can still have. */
    public synchronized long left() {
        return Math.max(0, limit() - used);
    }

    /** Bytes of the GPU's memory that are no longer free: of pages that have moved there, of scratch and of libraries. */
    public long taken() {
        return free - stream.device().freeMemory();
    }

    /**
     * The address of a new block.
     *
     * @param zero whether it is all zero; else its content is undefined
     * @throws OutOfMemoryError where the GPU has not as much memory left; says how much there is
     */
    public synchronized long allocate(long bytes, boolean zero) {
        long address = bytes <= SlabPool.LARGEST ? take(pinned, bytes) : takeManaged(roundUp(bytes));
        if (zero) {
            zero(address, bytes);
        }
        return address;
    }

    /**
     * The same of a block that the GPU only reads. One of at most {@link #LARGEST_FOR_READING} bytes lies in ordinary memory,
     * which the GPU knows: the CPU can read it at any time.
     */
    public synchronized long allocateForReading(long bytes, boolean zero) {
        if (bytes > LARGEST_FOR_READING) {
            return allocate(bytes, zero);
        }
        long address = take(forReading, bytes);
        if (zero) {
            Memory.zero(address, bytes);
        }
        return address;
    }

    /** Fills memory of this with zeros, after the work given so far: large blocks on the GPU, where they will be used. */
    public void zero(long address, long bytes) {
        if (bytes <= SlabPool.LARGEST && !stream.isBusy()) {
            Memory.zero(address, bytes);
            return;
        }
        stream.device().makeCurrent();
        stream.check(
                cuMemsetD8Async(address, (byte) 0, bytes, stream.handle()),
                () -> "cuMemsetD8Async of " + bytes + " bytes at 0x" + Long.toHexString(address));
        stream.given("memset");
    }

    /** Copies within this memory, after the work given so far. Between two small blocks CUDA waits for that. */
    public void copy(long source, long target, long bytes) {
        stream.device().makeCurrent();
        stream.check(
                cuMemcpyAsync(target, source, bytes, stream.handle()),
                () -> "cuMemcpyAsync of " + bytes + " bytes from 0x" + Long.toHexString(source) + " to 0x"
                        + Long.toHexString(target));
        stream.given("copy");
    }

    /**
     * Begins to read FP32 values.
     *
     * @param length at most {@link #LARGEST_FOR_READING} bytes of them
     * @param writer gives the GPU the work that writes them to an address
     */
    public EarlyReading read(int length, LongConsumer writer) {
        return new EarlyReading(this, stream, length, writer);
    }

    /** Takes the block at {@code address} back, once. */
    public synchronized void free(long address) {
        Block block = blocks.remove(address);
        if (block == null) {
            throw new IllegalArgumentException("No block of unified memory at 0x" + Long.toHexString(address));
        }
        if (block.pool == null) {
            used -= block.size;
            unused.computeIfAbsent(block.size, size -> new ArrayDeque<>()).add(address);
        } else {
            block.pool.give(address, block.size);
        }
    }

    /** Whether the GPU can be given {@code address}. */
    public synchronized boolean contains(long address) {
        Map.Entry<Long, Long> range = ranges.floorEntry(address);
        return range != null && address < range.getValue();
    }

    private long take(SlabPool pool, long bytes) {
        long size = SlabPool.sizeFor(bytes);
        long address = pool.take(size);
        blocks.put(address, new Block(size, pool));
        return address;
    }

    private long added(long slab) {
        ranges.put(slab, slab + SlabPool.SLAB);
        return slab;
    }

    private long pinnedSlab() {
        stream.device().makeCurrent();
        try (var address = new PointerPointer<Pointer>(1)) {
            stream.check(
                    cuMemHostAlloc(address, SlabPool.SLAB, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP),
                    () -> "cuMemHostAlloc of " + SlabPool.SLAB + " bytes");
            return address.get().address();
        }
    }

    private long registeredSlab() {
        stream.device().makeCurrent();
        Pointer memory = Pointer.malloc(SlabPool.SLAB + PAGE);
        if (memory == null || memory.isNull()) {
            throw new OutOfMemoryError("Failed to allocate " + SlabPool.SLAB + " bytes outside of Java's heap");
        }
        long address = roundUp(memory.address());
        stream.check(
                cuMemHostRegister(
                        Pointers.at(address),
                        SlabPool.SLAB,
                        CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP),
                () -> "cuMemHostRegister of " + SlabPool.SLAB + " bytes");
        return address;
    }

    private long takeManaged(long size) {
        Queue<Long> fitting = unused.get(size);
        long address;
        if (fitting == null || fitting.isEmpty()) {
            address = allocateManaged(size);
        } else {
            stream.await(); // the CPU may write to it at once
            address = fitting.remove();
        }
        used += size;
        blocks.put(address, new Block(size, null));
        return address;
    }

    private long allocateManaged(long size) {
        if (managed + size > limit()) {
            releaseManaged();
        }
        if (managed + size > limit()) {
            throw CudaException.outOfMemory(stream.device() + " has " + Math.max(0, limit() - managed)
                    + " bytes left of " + limit() + ", and " + size + " are needed");
        }
        stream.device().makeCurrent();
        long[] address = new long[1];
        stream.check(
                cuMemAllocManaged(address, size, CU_MEM_ATTACH_GLOBAL),
                () -> "cuMemAllocManaged of " + size + " bytes on " + stream.device());
        managed += size;
        ranges.put(address[0], address[0] + size);
        return address[0];
    }

    /** Gives the driver back what is unused. */
    private void releaseManaged() {
        stream.synchronize();
        unused.forEach((size, addresses) -> {
            for (long address : addresses) {
                stream.check(cuMemFree(address), () -> "cuMemFree of 0x" + Long.toHexString(address));
                ranges.remove(address);
                managed -= size;
            }
            addresses.clear();
        });
    }

    /** Bytes of managed memory at most: scratch that is more than the reserve takes from them. */
    private long limit() {
        return Math.max(0, free - Math.max(reserve, stream.device().scratch()));
    }

    private static long roundUp(long bytes) {
        return (bytes + PAGE - 1) / PAGE * PAGE;
    }
}
