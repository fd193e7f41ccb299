package org.dl4jsr.kernel.cuda;

import java.util.ArrayDeque;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * Blocks of the host's memory that a GPU sees, by powers of two, cut from slabs that are kept. A block is handed out again
 * only once the GPU has done what it was given before the block came back, so that the CPU may write to it at once. For
 * one thread at a time.
 */
final class SlabPool {

    /** The largest block, in bytes. */
    static final long LARGEST = 512 << 10;
    /** Bytes of a slab. */
    static final long SLAB = 4 << 20;

    private static final long SMALLEST = 64;

    private final CudaStream stream;
    private final LongSupplier slabs;
    private final NavigableMap<Long, Queue<Unused>> unused = new TreeMap<>();
    private long slab;
    private long slabEnd;

    /**
     * A block that nobody has.
     *
     * @param given how much work the stream had been given when it came back
     */
    private record Unused(long address, long given) {}

    /** @param slabs allocates one and returns its address */
    SlabPool(CudaStream stream, LongSupplier slabs) {
        this.stream = stream;
        this.slabs = slabs;
    }

    /** The size of the block that holds {@code bytes}, at most {@link #LARGEST}. */
    static long sizeFor(long bytes) {
        return Math.max(SMALLEST, Long.highestOneBit(Math.max(1, bytes - 1)) << 1);
    }

    /** The address of a block of this size, which {@link #sizeFor} gave. */
    long take(long size) {
        Queue<Unused> blocks = unused.get(size);
        if (blocks != null && !blocks.isEmpty() && blocks.peek().given <= stream.done()) {
            return blocks.remove().address;
        }
        if (slabEnd - slab < size) {
            giveRest();
            slab = slabs.getAsLong();
            slabEnd = slab + SLAB;
        }
        long address = slab;
        slab += size;
        return address;
    }

    /** Takes a block of this size back. */
    void give(long address, long size) {
        unused.computeIfAbsent(size, s -> new ArrayDeque<>()).add(new Unused(address, stream.given()));
    }

    /** What the last slab has left is smaller than what was asked for; it serves smaller blocks. */
    private void giveRest() {
        for (long size = LARGEST; size >= SMALLEST; size /= 2) {
            while (slabEnd - slab >= size) {
                give(slab, size);
                slab += size;
            }
        }
    }
}
