package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelSource.ATTENTION;
import static org.dl4jsr.kernel.cuda.KernelSource.OPTIMIZER;
import static org.dl4jsr.kernel.cuda.KernelSource.TENSOR_CORE_ATTENTION;
import static org.dl4jsr.kernel.cuda.KernelSource.TRANSFORMER;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.dl4jsr.kernel.AdamWArrays;
import org.dl4jsr.kernel.AdamWStatistics;
import org.dl4jsr.kernel.AdamWStep;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;

/**
 * The kernels in CUDA C++ (src/main/cuda) over device addresses, on one stream. Calls return as soon as the work is
 * queued, except those that return a value, which wait for it. An array lies at a multiple of its element's size;
 * where it also lies at a multiple of 16 bytes, and rows are a multiple of 16 bytes long, it is read 16 bytes at once.
 *
 * <p>{@link #attentionForward} and its backward pass run on tensor cores where storage is BF16, the head width is a
 * multiple of 8 up to 128, arrays lie at multiples of 16 bytes and the GPU has compute capability 8.0 or more;
 * probabilities and gradients of scores are then rounded to BF16 on the way. Otherwise all is FP32, far slower, with
 * heads as wide as the GPU's shared memory allows: 96 KiB hold backward's six tiles of 16 rows up to a width of 255.
 */
public final class CudaKernels implements Kernels {

    /** Threads of a block, as in the sources. */
    private static final int THREADS = 256;
    private static final int WARP = 32;
    private static final int OCTET = 8;
    /** Blocks of a grid that loops, a multiprocessor: a few times what it runs at once. */
    private static final int BLOCKS_PER_MULTIPROCESSOR = 32;

    /** As in optimizer.cu: elements of a block of sums, threads that sum it, and bytes of its AdamWSums. */
    private static final int BLOCK = 4096;
    private static final int BLOCK_THREADS = 2;
    private static final int ADAMW_SUMS = 40;

    /** As in transformer.cu: rows and columns that a block sums. */
    private static final int ROW_CHUNK = 128;
    private static final int PANEL = 256;
    private static final int TRANSPOSED_TILE = 32;

    /** As in attention.cu: rows of a tile, and how many tiles the kernels keep in shared memory. */
    private static final int ATTENTION_TILE = 16;
    private static final int FORWARD_TILES = 3;
    private static final int BACKWARD_KEYS_TILES = 6;
    private static final int BACKWARD_QUERIES_TILES = 5;

    /** As in attention_mma.cu: threads and rows of a block, rows of the other operand's tile, padding of a row. */
    private static final int TENSOR_THREADS = 128;
    private static final int TENSOR_ROWS = 64;
    private static final int TENSOR_COLUMNS = 32;
    private static final int TENSOR_PADDING = 8;
    private static final int TENSOR_WIDEST = 128;

    private final CudaStream stream;
    private final KernelLauncher launcher;
    private final DeviceScratch scratch;

    /** Kernels that run on {@code stream}; compiled when first used, or fetched from the cache on disk. */
    public CudaKernels(CudaStream stream) {
        this.stream = stream;
        launcher = new KernelLauncher(stream);
        scratch = new DeviceScratch(stream);
    }

    @Override
    public String description() {
        return "CUDA on " + stream.device();
    }

    /** Changes nothing: a GPU has as many threads as it has. */
    @Override
    public void setThreads(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected 1 or more");
        }
    }

    @Override
    public synchronized void toBFloat16(long source, long target, long length) {
        launchOctets(launcher.kernel(OPTIMIZER, "toBFloat16").add(source, target, length), length);
    }

    @Override
    public synchronized void toFloat(long source, long target, long length) {
        launchOctets(launcher.kernel(OPTIMIZER, "toFloat").add(source, target, length), length);
    }

    @Override
    public synchronized void stochasticRound(
            long source, long target, long length, long seed, int step, long element) {
        launchOctets(launcher.kernel(OPTIMIZER, "stochasticRound")
                .add(source, target, length, seed).add(step).add(element), length);
    }

    @Override
    public synchronized void stochasticSubtract(
            long weights, FloatType updateType, long update, long length, long seed, int step, long element) {
        launchOctets(launcher.kernel(OPTIMIZER, name("stochasticSubtract", updateType))
                .add(weights, update, length, seed).add(step).add(element), length);
    }

    @Override
    public synchronized double sumOfSquares(FloatType type, long values, long length) {
        if (length == 0) {
            return 0;
        }
        long blocks = ceil(length, BLOCK);
        DeviceMemory sums = scratch.reserve(Double.BYTES * blocks);
        launchBlocks(launcher.kernel(OPTIMIZER, name("sumOfSquares", type)).add(values, length, sums.address()),
                blocks);
        double total = 0;
        var onHost = read(sums, Double.BYTES * blocks).asDoubleBuffer();
        while (onHost.hasRemaining()) {
            total += onHost.get();
        }
        return total;
    }

    @Override
    public synchronized void adamW(AdamWStep step, AdamWArrays arrays, AdamWStatistics statistics) {
        if (arrays.length() == 0) {
            return;
        }
        String name = arrays.type() == FloatType.FLOAT ? "adamW_float" : switch (step.weightWrite()) {
            case STOCHASTIC -> "adamW_stochastic";
            case NEAREST -> "adamW_nearest";
            case KAHAN -> "adamW_kahan";
            case MASTER -> "adamW_master";
        };
        launcher.kernel(OPTIMIZER, statistics == null ? name : name + "_traced")
                .add(step.learningRate(), step.beta1(), step.beta2(), step.epsilon(), step.weightDecay(),
                        step.gradientScale(), step.biasCorrection1(), step.biasCorrection2())
                .add(step.stateRounding().ordinal()).add(step.seed()).add(step.step())
                .add(arrays.weights(), arrays.gradient(), arrays.m(), arrays.v(), arrays.extra(), arrays.length(),
                        arrays.element());
        if (statistics == null) {
            launchOctets(launcher, arrays.length());
            return;
        }
        long blocks = ceil(arrays.length(), BLOCK);
        DeviceMemory sums = scratch.reserve(ADAMW_SUMS * blocks);
        launchBlocks(launcher.add(sums.address()), blocks);
        ByteBuffer onHost = read(sums, ADAMW_SUMS * blocks);
        var range = new AdamWStatistics();
        range.weights = arrays.length();
        while (onHost.hasRemaining()) {
            range.stagnant += onHost.getLong();
            range.moved += onHost.getLong();
            range.squaredUpdate += onHost.getDouble();
            range.squaredWeight += onHost.getDouble();
            range.squaredGradient += onHost.getDouble();
        }
        statistics.add(range);
    }

    @Override
    public synchronized void layerNormForward(
            FloatType type, long x, long gain, long bias, long y, long mean, long rstd, int rows, int width,
            float epsilon) {
        launcher.kernel(TRANSFORMER, name("layerNormForward", type))
                .add(x, gain, bias, y, mean, rstd).add(rows, width).add(epsilon)
                .launch(THREADS, ceil((long) rows * WARP, THREADS));
    }

    @Override
    public synchronized void layerNormBackward(
            FloatType type, long x, long gain, long mean, long rstd, long dy, long residual, long dx, long dGain,
            long dBias, int rows, int width) {
        long sums = rowSums(rows, 2 * width);
        launcher.kernel(TRANSFORMER, name("layerNormGradients", type))
                .add(x, mean, rstd, dy, sums).add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, 2 * width, dGain, rows, width);
        addChunks(type, sums + (long) Float.BYTES * width, 2 * width, dBias, rows, width);
        launcher.kernel(TRANSFORMER, name("layerNormBackward", type))
                .add(x, gain, mean, rstd, dy, residual, dx).add(rows, width)
                .launch(THREADS, ceil((long) rows * WARP, THREADS));
    }

    @Override
    public synchronized void geluForward(FloatType type, long x, long y, long length) {
        launchOctets(launcher.kernel(TRANSFORMER, name("geluForward", type)).add(x, y, length), length);
    }

    @Override
    public synchronized void geluBackward(
            FloatType type, long x, long dy, long dx, long dBias, int rows, int width) {
        long sums = rowSums(rows, width);
        launcher.kernel(TRANSFORMER, name("geluBackward", type)).add(x, dy, dx, sums).add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, width, dBias, rows, width);
    }

    @Override
    public synchronized void biasGradient(FloatType type, long dy, long dBias, int rows, int width) {
        long sums = rowSums(rows, width);
        launcher.kernel(TRANSFORMER, name("biasGradient", type)).add(dy, sums).add(rows, width);
        launchRowSums(rows, width);
        addChunks(type, sums, width, dBias, rows, width);
    }

    @Override
    public synchronized void attentionForward(
            FloatType type, long qkv, long out, long logSumExp, int batch, int time, int heads, int headWidth) {
        if (runsOnTensorCores(type, headWidth, qkv, out)) {
            int width = tensorWidth(headWidth);
            launcher.kernel(TENSOR_CORE_ATTENTION, "attentionForward_mma" + width)
                    .add(qkv, out, logSumExp).add(time, heads, headWidth)
                    .launch(TENSOR_THREADS, (long) batch * heads, ceil(time, TENSOR_ROWS),
                            tensorTiles(2 * TENSOR_ROWS, width));
            return;
        }
        launchAttention(launcher.kernel(ATTENTION, name("attentionForward", type))
                .add(qkv, out, logSumExp), FORWARD_TILES, batch, time, heads, headWidth);
    }

    @Override
    public synchronized void attentionBackward(
            FloatType type, long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads,
            int headWidth) {
        if (runsOnTensorCores(type, headWidth, qkv, out, dOut, dQkv)) {
            attentionBackwardOnTensorCores(qkv, out, logSumExp, dOut, dQkv, batch, time, heads, headWidth);
            return;
        }
        launchAttention(launcher.kernel(ATTENTION, name("attentionBackwardKeys", type))
                .add(qkv, out, logSumExp, dOut, dQkv), BACKWARD_KEYS_TILES, batch, time, heads, headWidth);
        launchAttention(launcher.kernel(ATTENTION, name("attentionBackwardQueries", type))
                .add(qkv, out, logSumExp, dOut, dQkv), BACKWARD_QUERIES_TILES, batch, time, heads, headWidth);
    }

    private void attentionBackwardOnTensorCores(
            long qkv, long out, long logSumExp, long dOut, long dQkv, int batch, int time, int heads, int headWidth) {
        long rows = (long) batch * heads * time;
        long delta = scratch.reserve(Float.BYTES * rows).address();
        launcher.kernel(TENSOR_CORE_ATTENTION, "attentionDelta")
                .add(out, dOut, delta, rows).add(time, heads, headWidth)
                .launch(TENSOR_THREADS, ceil(rows * WARP, TENSOR_THREADS));
        int width = tensorWidth(headWidth);
        for (String kernel : new String[] {"attentionBackwardKeys_mma", "attentionBackwardQueries_mma"}) {
            launcher.kernel(TENSOR_CORE_ATTENTION, kernel + width)
                    .add(qkv, logSumExp, delta, dOut, dQkv).add(time, heads, headWidth)
                    .launch(TENSOR_THREADS, (long) batch * heads, ceil(time, TENSOR_ROWS),
                            tensorTiles(2 * (TENSOR_ROWS + TENSOR_COLUMNS), width));
        }
    }

    @Override
    public synchronized void embeddingForward(
            FloatType type, long tokens, long tokenTable, long positionTable, long y, int batch, int time, int width) {
        launcher.kernel(TRANSFORMER, name("embeddingForward", type))
                .add(tokens, tokenTable, positionTable, y).add(time, width)
                .launch(THREADS, (long) batch * time);
    }

    @Override
    public synchronized void embeddingBackward(
            FloatType type, long tokens, long dy, long dTokenTable, long dPositionTable, int batch, int time,
            int width, int vocabulary, boolean accumulate) {
        launcher.kernel(TRANSFORMER, name("embeddingBackwardTokens", type))
                .add(tokens, dy, dTokenTable).add(Math.multiplyExact(batch, time), width, accumulate ? 1 : 0)
                .launch(THREADS, vocabulary);
        launcher.kernel(TRANSFORMER, name("embeddingBackwardPositions", type))
                .add(dy, dPositionTable).add(batch, time, width)
                .launch(THREADS, time);
    }

    @Override
    public synchronized void crossEntropy(
            FloatType type, long logits, long targets, long losses, long dLogits, int rows, int vocabulary,
            float scale) {
        launcher.kernel(TRANSFORMER, name("crossEntropy", type))
                .add(logits, targets, losses, dLogits).add(vocabulary).add(scale)
                .launch(THREADS, rows);
    }

    @Override
    public synchronized void transpose(FloatType type, long x, long y, int rows, int columns) {
        launcher.kernel(TRANSFORMER, name("transpose", type)).add(x, y).add(rows, columns)
                .launch(THREADS, ceil(columns, TRANSPOSED_TILE), ceil(rows, TRANSPOSED_TILE), 0);
    }

    /** Launches a kernel that loops over the octets of {@code length} elements. */
    private void launchOctets(KernelLauncher kernel, long length) {
        if (length > 0) {
            long octets = ceil(length, OCTET) + 1; // one more where the first is cut
            kernel.launch(THREADS, looping(ceil(octets, THREADS)));
        }
    }

    /** Launches a kernel that loops over blocks of sums. */
    private void launchBlocks(KernelLauncher kernel, long blocks) {
        kernel.launch(THREADS, looping(ceil(blocks * BLOCK_THREADS, THREADS)));
    }

    /** The blocks of a grid that could use {@code blocks}, but may loop. */
    private long looping(long blocks) {
        return Math.min(blocks, (long) BLOCKS_PER_MULTIPROCESSOR * stream.device().multiprocessors());
    }

    /** Memory for the sums over chunks of rows, FP32 [chunks, columns]. */
    private long rowSums(int rows, int columns) {
        return scratch.reserve(Float.BYTES * ceil(rows, ROW_CHUNK) * columns).address();
    }

    private void launchRowSums(int rows, int width) {
        launcher.launch(THREADS, ceil(rows, ROW_CHUNK), ceil(width, PANEL), 0);
    }

    /** target [width] = the sums over chunks of {@code sums}, whose rows are {@code stride} apart. */
    private void addChunks(FloatType type, long sums, int stride, long target, int rows, int width) {
        launcher.kernel(TRANSFORMER, name("addChunks", type))
                .add(sums).add((int) ceil(rows, ROW_CHUNK), stride).add(target).add(width)
                .launch(THREADS, ceil(width, THREADS));
    }

    private void launchAttention(KernelLauncher kernel, int tiles, int batch, int time, int heads, int headWidth) {
        int bytes = tiles * ATTENTION_TILE * (headWidth + 1) * Float.BYTES;
        if (bytes > stream.device().sharedMemoryPerBlock()) {
            throw new IllegalArgumentException("A head of width " + headWidth + " needs " + bytes
                    + " bytes of shared memory, " + stream.device() + " has "
                    + stream.device().sharedMemoryPerBlock() + ": use more and narrower heads");
        }
        kernel.add(time, heads, headWidth)
                .launch(THREADS, (long) batch * heads, ceil(time, ATTENTION_TILE), bytes);
    }

    private boolean runsOnTensorCores(FloatType type, int headWidth, long... arrays) {
        return type == FloatType.BFLOAT16 && headWidth % OCTET == 0 && headWidth <= TENSOR_WIDEST
                && stream.device().computeCapability() >= 80 && Arrays.stream(arrays).allMatch(a -> a % 16 == 0);
    }

    /** The width that the kernels are compiled for: 32, 64 or 128. */
    private static int tensorWidth(int headWidth) {
        return headWidth <= 32 ? 32 : headWidth <= 64 ? 64 : TENSOR_WIDEST;
    }

    /** Bytes of so many rows in shared memory. */
    private static int tensorTiles(int rows, int width) {
        return rows * (width + TENSOR_PADDING) * Short.BYTES;
    }

    private static ByteBuffer read(DeviceMemory memory, long bytes) {
        var onHost = new BytePointer(bytes);
        memory.read(0, onHost, bytes);
        return onHost.asByteBuffer().order(ByteOrder.nativeOrder());
    }

    private static String name(String kernel, FloatType type) {
        return kernel + (type == FloatType.FLOAT ? "_float" : "_bfloat16");
    }

    private static long ceil(long dividend, long divisor) {
        return (dividend + divisor - 1) / divisor;
    }
}
