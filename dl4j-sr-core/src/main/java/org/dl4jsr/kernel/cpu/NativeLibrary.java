package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.Platform;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.rounding.BlockSum;

/**
 * The functions of kernels.h, which JavaCPP compiles. The first two parameters of each kernel are the ordinal of an
 * {@link InstructionSet} that this processor has, and the number of threads.
 */
@Platform(
        include = "kernels.h",
        compiler = {"cpp17", "kernels"},
        preload = "gomp@.1",
        preloadresource = {"/org/bytedeco/dnnl/", "/org/nd4j/linalg/cpu/nativecpu/bindings/"})
@Namespace("dl4jsr")
final class NativeLibrary {

    static {
        OpenMpSettings.limitSpinning();
        Loader.load();
        requireSameFacts();
    }

    private NativeLibrary() {}

    /** The orders of enums and the constants that stand in Java and in C++ have to agree. */
    private static void requireSameFacts() {
        String facts = names(InstructionSet.values()) + names(FloatType.values()) + names(Arithmetic.values())
                + "BLOCK " + BlockSum.BLOCK + " MOST_MOMENTS " + Optimizer.MOST_MOMENTS;
        if (!facts.equals(commonFacts())) {
            throw new IllegalStateException("The native kernels are of another version: they have " + commonFacts()
                    + ", expected " + facts + "; build the jar again, mvn clean package");
        }
    }

    private static String names(Enum<?>[] constants) {
        return Arrays.stream(constants)
                .map(constant -> constant.name() + " ")
                .collect(Collectors.joining("", constants[0].getDeclaringClass().getSimpleName() + " ", ""));
    }

    private static native String commonFacts();

    static native int bestInstructionSet();

    static native int defaultThreads();

    /** How many threads OpenMP gives to what this thread calls from now on, oneDNN too; returns how many they were. */
    static native int setThreads(int threads);

    static native void toBFloat16(
            int instructionSet,
            int threads,
            @Cast("const float*") long source,
            @Cast("uint16_t*") long target,
            long length);

    static native void toFloat(
            int instructionSet,
            int threads,
            @Cast("const uint16_t*") long source,
            @Cast("float*") long target,
            long length);

    static native void accumulate(
            int instructionSet,
            int threads,
            int type,
            @Cast("const void*") long x,
            @Cast("bool") boolean first,
            @Cast("float*") long sums,
            long length);

    static native void mean(
            int instructionSet,
            int threads,
            @Cast("const float*") long sums,
            int count,
            int type,
            @Cast("void*") long mean,
            long length);

    static native void stochasticRound(
            int instructionSet,
            int threads,
            @Cast("const float*") long source,
            @Cast("uint16_t*") long target,
            long length,
            long seed,
            int step,
            long element);

    static native void stochasticSubtract(
            int instructionSet,
            int threads,
            @Cast("uint16_t*") long weights,
            int updateType,
            @Cast("const void*") long update,
            long length,
            long seed,
            int step,
            long element);

    static native double sumOfSquares(
            int instructionSet, int threads, int type, @Cast("const void*") long values, long length);

    /** Throws RuntimeException for a kernel that there is not. */
    static native void step(
            int instructionSet,
            int threads,
            String kernel,
            @Cast("const int64_t*") long[] arrays,
            float[] scalars,
            int scalarCount,
            @Cast("bool") boolean stochasticState,
            long seed,
            int step,
            @Cast("int64_t*") long[] counts,
            double[] squares);

    static native void layerNormForward(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long x,
            @Cast("void*") long gain,
            @Cast("void*") long bias,
            @Cast("void*") long y,
            @Cast("float*") long mean,
            @Cast("float*") long rstd,
            int rows,
            int width,
            float epsilon);

    static native void layerNormBackward(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long x,
            @Cast("void*") long gain,
            @Cast("const float*") long mean,
            @Cast("const float*") long rstd,
            @Cast("void*") long dy,
            @Cast("void*") long residual,
            @Cast("void*") long dx,
            @Cast("void*") long dGain,
            @Cast("void*") long dBias,
            int rows,
            int width);

    /** Throws RuntimeException for an activation that there is not. */
    static native void activationForward(
            int instructionSet,
            int threads,
            String activation,
            int type,
            @Cast("void*") long x,
            @Cast("void*") long y,
            long length);

    /** Throws RuntimeException for an activation that there is not. */
    static native void activationBackward(
            int instructionSet,
            int threads,
            String activation,
            int type,
            @Cast("void*") long x,
            @Cast("void*") long dy,
            @Cast("void*") long y,
            @Cast("void*") long dx,
            @Cast("void*") long dBias,
            int rows,
            int width);

    static native void biasGradient(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long dy,
            @Cast("void*") long dBias,
            int rows,
            int width);

    static native void attentionForward(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long qkv,
            @Cast("void*") long out,
            @Cast("float*") long logSumExp,
            int batch,
            int time,
            int heads,
            int headWidth);

    static native void attentionBackward(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long qkv,
            @Cast("void*") long out,
            @Cast("const float*") long logSumExp,
            @Cast("void*") long dOut,
            @Cast("void*") long dQkv,
            int batch,
            int time,
            int heads,
            int headWidth);

    static native void embeddingForward(
            int instructionSet,
            int threads,
            int type,
            @Cast("const int32_t*") long tokens,
            @Cast("void*") long tokenTable,
            @Cast("void*") long positionTable,
            @Cast("void*") long y,
            int batch,
            int time,
            int width);

    static native void embeddingBackward(
            int instructionSet,
            int threads,
            int type,
            @Cast("const int32_t*") long tokens,
            @Cast("void*") long dy,
            @Cast("void*") long dTokenTable,
            @Cast("void*") long dPositionTable,
            int batch,
            int time,
            int width,
            int vocabulary,
            @Cast("bool") boolean accumulate);

    static native void crossEntropy(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long logits,
            @Cast("const int32_t*") long targets,
            @Cast("float*") long losses,
            @Cast("void*") long dLogits,
            int rows,
            int vocabulary,
            float scale);

    static native void transpose(
            int instructionSet,
            int threads,
            int type,
            @Cast("void*") long x,
            @Cast("void*") long y,
            int rows,
            int columns);

    static native void arithmetic(
            int instructionSet,
            int threads,
            int operation,
            int rank,
            @Cast("const int64_t*") long[] loops,
            @Cast("const uint16_t*") long a,
            @Cast("const uint16_t*") long b,
            @Cast("uint16_t*") long c);

    static native void arithmetic(
            int instructionSet,
            int threads,
            int operation,
            int rank,
            @Cast("const int64_t*") long[] loops,
            @Cast("const uint16_t*") long a,
            float b,
            @Cast("uint16_t*") long c);

    static native void lookUp(
            int threads,
            int rank,
            @Cast("const int64_t*") long[] loops,
            @Cast("const uint16_t*") long table,
            @Cast("const uint16_t*") long x,
            @Cast("uint16_t*") long y);

    static native void multiplyLookUp(
            int instructionSet,
            int threads,
            @Cast("bool") boolean gate,
            int rank,
            @Cast("const int64_t*") long[] loops,
            @Cast("const float*") long table,
            @Cast("const uint16_t*") long x,
            @Cast("const uint16_t*") long dy,
            @Cast("uint16_t*") long dx);

    static native void im2col(
            int threads,
            @Cast("void*") long image,
            @Cast("const int64_t*") long[] imageShape,
            @Cast("const int64_t*") long[] imageStrides,
            @Cast("void*") long columns,
            @Cast("const int64_t*") long[] columnsShape,
            @Cast("const int64_t*") long[] columnsStrides,
            @Cast("const int64_t*") long[] window);

    static native void col2im(
            int threads,
            int columnsType,
            @Cast("void*") long columns,
            @Cast("const int64_t*") long[] columnsShape,
            @Cast("const int64_t*") long[] columnsStrides,
            @Cast("void*") long image,
            @Cast("const int64_t*") long[] imageShape,
            @Cast("const int64_t*") long[] imageStrides,
            @Cast("const int64_t*") long[] window);

    static native void maxPool(
            int instructionSet,
            int threads,
            @Cast("void*") long x,
            @Cast("const int64_t*") long[] xShape,
            @Cast("const int64_t*") long[] xStrides,
            @Cast("void*") long y,
            @Cast("const int64_t*") long[] yShape,
            @Cast("const int64_t*") long[] yStrides,
            @Cast("const int64_t*") long[] window);

    static native void maxPoolGradient(
            int instructionSet,
            int threads,
            @Cast("void*") long x,
            @Cast("const int64_t*") long[] xShape,
            @Cast("const int64_t*") long[] xStrides,
            @Cast("void*") long dy,
            @Cast("const int64_t*") long[] dyShape,
            @Cast("const int64_t*") long[] dyStrides,
            @Cast("void*") long dx,
            @Cast("const int64_t*") long[] dxStrides,
            @Cast("const int64_t*") long[] window);

    static native void lstmCell(
            int instructionSet,
            int threads,
            @Cast("float*") long gates,
            @Cast("const uint16_t*") long bias,
            @Cast("const float*") long previous,
            @Cast("float*") long cell,
            @Cast("uint16_t*") long output,
            int rows,
            int width);

    static native void lstmCellGradient(
            int instructionSet,
            int threads,
            @Cast("const float*") long gates,
            @Cast("const float*") long previous,
            @Cast("const float*") long cell,
            @Cast("const uint16_t*") long dOutput,
            @Cast("const float*") long dState,
            @Cast("float*") long dCell,
            @Cast("uint16_t*") long dGates,
            int rows,
            int width);

    static native void batchNormStatistics(
            int instructionSet,
            int threads,
            @Cast("const uint16_t*") long x,
            @Cast("const int64_t*") long[] shape,
            @Cast("const int64_t*") long[] strides,
            @Cast("float*") long mean,
            @Cast("float*") long variance);

    static native void batchNorm(
            int instructionSet,
            int threads,
            @Cast("const uint16_t*") long x,
            @Cast("const int64_t*") long[] shape,
            @Cast("const int64_t*") long[] strides,
            @Cast("const uint16_t*") long gain,
            @Cast("const uint16_t*") long bias,
            @Cast("const float*") long mean,
            @Cast("const float*") long variance,
            float epsilon,
            @Cast("uint16_t*") long y);

    static native void batchNormGradient(
            int instructionSet,
            int threads,
            @Cast("const uint16_t*") long x,
            @Cast("const int64_t*") long[] shape,
            @Cast("const int64_t*") long[] strides,
            @Cast("const uint16_t*") long gain,
            @Cast("const float*") long mean,
            @Cast("const float*") long variance,
            float epsilon,
            @Cast("const uint16_t*") long dy,
            @Cast("uint16_t*") long dx,
            @Cast("uint16_t*") long dGain,
            @Cast("uint16_t*") long dBias);

    static native void keyAttention(
            int instructionSet,
            int threads,
            @Cast("void*") long q,
            @Cast("void*") long k,
            @Cast("void*") long v,
            @Cast("const uint16_t*") long visible,
            @Cast("void*") long out,
            @Cast("float*") long logSumExp,
            int batch,
            int queries,
            int keys,
            int heads,
            int headWidth);

    static native void keyAttentionGradient(
            int instructionSet,
            int threads,
            @Cast("void*") long q,
            @Cast("void*") long k,
            @Cast("void*") long v,
            @Cast("const uint16_t*") long visible,
            @Cast("void*") long out,
            @Cast("const float*") long logSumExp,
            @Cast("void*") long dOut,
            @Cast("void*") long dQ,
            @Cast("void*") long dK,
            @Cast("void*") long dV,
            int batch,
            int queries,
            int keys,
            int heads,
            int headWidth);
}
