package org.dl4jsr.kernel.cuda;

import java.util.Arrays;
import java.util.List;
import org.dl4jsr.rounding.BlockSum;

/** The sizes that the launches and the kernels have to agree on; the sources get them as definitions of these names. */
enum KernelConstant {
    /** Threads of a warp. */
    WARP(32),
    /** Neighbours that a thread takes at once. */
    OCTET(8),
    /** Threads of a block of all kernels but those on tensor cores. */
    THREADS(256),
    /** Elements of a block of {@link BlockSum}, and threads that sum it, each an octet of its lanes. */
    BLOCK(BlockSum.BLOCK),
    BLOCK_THREADS(BlockSum.LANES / OCTET.value),
    /** Arrays whose squares a kernel sums at most. */
    SUMMED_ARRAYS(128),
    /** Of the sums that a step of an optimizer counts for one block: two of 64-bit integers, three of doubles. */
    STEP_SUMS_BYTES(2 * Long.BYTES + 3 * Double.BYTES),
    /** Rows and columns that a block sums. */
    ROW_CHUNK(128),
    PANEL(WARP.value * OCTET.value),
    /** Octets of a row that a thread holds in registers, at most; and of one that leaves room for the next row. */
    HELD_OCTETS(4),
    NARROW_OCTETS(3),
    /** Sides of a tile that is transposed. */
    SQUARE(64),
    /** Threads, at most, of a block that takes a row of logits. */
    LOSS_THREADS(1024),
    /** Sorting tokens: bits that a pass sorts by, as many numbers as a block has threads, and rows of a block. */
    DIGIT_BITS(8),
    SORT_CHUNK(1024),
    /** Loops of a kernel over arrays of any strides. */
    LOOPS(6),
    /** Octets of a channel that a block sums: sixteen a thread. */
    PLANE_CHUNK(16 * THREADS.value),
    /** Queries and keys of a tile of scores in FP32 attention, a thread a score. */
    TILE(16),
    /** What its kernels keep in shared memory: tiles of a head's rows, and of scores. */
    FORWARD_TILES(3),
    FORWARD_SCORES(1),
    BACKWARD_KEYS_TILES(6),
    BACKWARD_QUERIES_TILES(5),
    BACKWARD_SCORES(2),
    /** Attention on tensor cores: threads and rows of a block, rows of the other operand's tile, padding of a row. */
    TENSOR_THREADS(128),
    TENSOR_ROWS(64),
    TENSOR_COLUMNS(64),
    TENSOR_PADDING(8);

    final int value;

    KernelConstant(int value) {
        this.value = value;
    }

    /** All of them, as the compilers take them. */
    static List<String> definitions() {
        return Arrays.stream(values())
                .map(constant -> "-D" + constant + "=" + constant.value)
                .toList();
    }
}
