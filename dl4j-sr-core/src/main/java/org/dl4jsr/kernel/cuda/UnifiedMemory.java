package org.dl4jsr.kernel.cuda;

import static org.bytedeco.cuda.global.cudart.CU_MEMHOSTALLOC_DEVICEMAP;
import static org.bytedeco.cuda.global.cudart.CU_MEMHOSTALLOC_PORTABLE;
import static org.bytedeco.cuda.global.cudart.CU_MEM_ATTACH_GLOBAL;
import static org.bytedeco.cuda.global.cudart.cuMemAllocManaged;
import static org.bytedeco.cuda.global.cudart.cuMemFree;
import static org.bytedeco.cuda.global.cudart.cuMemHostAlloc;
import static org.bytedeco.cuda.global.cudart.cuMemcpyAsync;
import static org.bytedeco.cuda.global.cudart.cuMemsetD8Async;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.dl4jsr.kernel.Memory;

/**
 * Memory that a GPU and the CPU share: one address for both. A block of more than {@value #LARGEST_PINNED} bytes is CUDA's
 * managed memory, whose pages move to whoever touches them and stay there. Smaller ones lie in pinned memory of the host,
 * which the GPU reads and writes over the bus: a page that the two touch in turns would move each time, which takes five
 * times as long as the kernel that wrote it.
 *
 * <p>The CPU must {@link #await} the GPU before it touches a block, since work on it may still be queued.
 */
public final class UnifiedMemory {

    static final long LARGEST_PINNED = 512 << 10;

    private static final long SMALLEST = 64;
    private static final long SLAB = 4 << 20;
    /** Managed memory goes by pages of the GPU. */
    private static final long PAGE = 2 << 20;
    /** What is left to kernels, cuBLAS and CUDA itself: a part of the card's free memory, but at least so much. */
    private static final long RESERVE = 512L << 20;

    private static final int RESERVED_PART = 32;

    private final CudaStream stream;
    private final long free;
    private final long limit;
    /** Sizes of the blocks in use. */
    private final Map<Long, Long> sizes = new HashMap<>();
    /** Given back, by size; the work that was given before may still use them. */
    private final NavigableMap<Long, Queue<Unused>> unused = new TreeMap<>();
    /** Ends of slabs and of managed blocks, by their starts. */
    private final NavigableMap<Long, Long> ranges = new TreeMap<>();

    /** Bytes of managed memory, and of these in blocks in use. */
    private long managed;

    private long used;
    private long slab;
    private long slabEnd;

    /**
     * A block that nobody has.
     *
     * @param given how much work the stream had been given when it came back
     */
    private record Unused(long address, long given) {}

    /** For the GPU and the work of {@code stream}; takes at most what the GPU has free now, less a reserve. */
    public UnifiedMemory(CudaStream stream) {
        this.stream = stream;
        free = stream.device().freeMemory();
        limit = Math.max(0, free - Math.max(RESERVE, free / RESERVED_PART));
    }

    /** Bytes that blocks of managed memory can still have. */
    public synchronized long left() {
        return limit - used;
    }

    /** Bytes of the GPU's memory that are no longer free: of pages that have moved there, of scratch and of libraries. */
    public long taken() {
        return free - stream.device().freeMemory();
    }

    /** Waits until the GPU is done with what it was given; costs nothing where it is. */
    public void await() {
        stream.await();
    }

    /**
     * The address of a new block.
     *
     * @param zero whether it is all zero; else its content is undefined
     * @throws OutOfMemoryError where the GPU has not as much memory left; says how much there is
     */
    public synchronized long allocate(long bytes, boolean zero) {
        long size = bytes <= LARGEST_PINNED ? powerOfTwo(bytes) : roundUp(bytes, PAGE);
        Unused block = take(size);
        long address = block != null ? block.address : isPinned(size) ? cut(size) : allocateManaged(size);
        sizes.put(address, size);
        used += isPinned(size) ? 0 : size;
        if (zero) {
            zero(address, bytes);
        }
        return address;
    }

    /** Fills memory of this with zeros, after the work given so far: large blocks on the GPU, where they will be used. */
    public void zero(long address, long bytes) {
        if (isPinned(bytes) && !stream.isBusy()) {
            Memory.zero(address, bytes);
            return;
        }
        stream.device().makeCurrent();
        checkDriver(
                cuMemsetD8Async(address, (byte) 0, bytes, stream.handle()),
                () -> "cuMemsetD8Async of " + bytes + " bytes at 0x" + Long.toHexString(address));
        stream.given("memset");
    }

    /** Copies within this memory, after the work given so far. */
    public void copy(long source, long target, long bytes) {
        stream.device().makeCurrent();
        checkDriver(
                cuMemcpyAsync(target, source, bytes, stream.handle()),
                () -> "cuMemcpyAsync of " + bytes + " bytes from 0x" + Long.toHexString(source) + " to 0x"
                        + Long.toHexString(target));
        stream.given("copy");
    }

    /** Takes the block at {@code address} back, once. */
    public synchronized void free(long address) {
        Long size = sizes.remove(address);
        if (size == null) {
            throw new IllegalArgumentException("No block of unified memory at 0x" + Long.toHexString(address));
        }
        used -= isPinned(size) ? 0 : size;
        unused.computeIfAbsent(size, s -> new ArrayDeque<>()).add(new Unused(address, stream.given()));
    }

    /** Whether the GPU can be given {@code address}. */
    public synchronized boolean contains(long address) {
        Map.Entry<Long, Long> range = ranges.floorEntry(address);
        return range != null && address < range.getValue();
    }

    /** A block given back that no queued work uses, so that the CPU may write to it at once; null if there is none. */
    private Unused take(long size) {
        Queue<Unused> blocks = unused.get(size);
        if (blocks == null || blocks.isEmpty()) {
            return null;
        }
        if (blocks.peek().given > stream.done()) {
            if (isPinned(size)) {
                return null; // another one is cheaper than a wait
            }
            stream.await();
        }
        return blocks.remove();
    }

    private long cut(long size) {
        if (slabEnd - slab < size) {
            giveRest();
            stream.device().makeCurrent();
            try (var address = new PointerPointer<Pointer>(1)) {
                checkDriver(
                        cuMemHostAlloc(address, SLAB, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP),
                        () -> "cuMemHostAlloc of " + SLAB + " bytes");
                slab = address.get().address();
            }
            slabEnd = slab + SLAB;
            ranges.put(slab, slabEnd);
        }
        long address = slab;
        slab += size;
        return address;
    }

    /** What the last slab has left is smaller than what was asked for; it serves smaller blocks. */
    private void giveRest() {
        for (long size = LARGEST_PINNED; size >= SMALLEST; size /= 2) {
            while (slabEnd - slab >= size) {
                unused.computeIfAbsent(size, s -> new ArrayDeque<>()).add(new Unused(slab, 0));
                slab += size;
            }
        }
    }

    private long allocateManaged(long size) {
        if (managed + size > limit) {
            releaseManaged();
        }
        if (managed + size > limit) {
            throw new OutOfMemoryError(
                    stream.device() + " has " + (limit - managed) + " bytes left of " + limit + ", and " + size
                            + " are needed: take a smaller model, batch or context, or -Dorg.dl4jsr.device=cpu");
        }
        stream.device().makeCurrent();
        long[] address = new long[1];
        checkDriver(
                cuMemAllocManaged(address, size, CU_MEM_ATTACH_GLOBAL),
                () -> "cuMemAllocManaged of " + size + " bytes on " + stream.device());
        managed += size;
        ranges.put(address[0], address[0] + size);
        return address[0];
    }

    /** Gives the driver back what is unused. */
    private void releaseManaged() {
        stream.synchronize();
        unused.tailMap(LARGEST_PINNED, false).forEach((size, blocks) -> {
            for (Unused block : blocks) {
                checkDriver(cuMemFree(block.address), () -> "cuMemFree of 0x" + Long.toHexString(block.address));
                ranges.remove(block.address);
                managed -= size;
            }
            blocks.clear();
        });
    }

    private static boolean isPinned(long size) {
        return size <= LARGEST_PINNED;
    }

    private static long powerOfTwo(long bytes) {
        return Math.max(SMALLEST, Long.highestOneBit(Math.max(1, bytes - 1)) << 1);
    }

    private static long roundUp(long bytes, long unit) {
        return (bytes + unit - 1) / unit * unit;
    }
}
