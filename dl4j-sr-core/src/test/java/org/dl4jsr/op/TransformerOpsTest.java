package org.dl4jsr.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.reference.JavaKernels;
import org.dl4jsr.kernel.reference.JavaMatmul;
import org.dl4jsr.kernel.reference.JavaTransformerKernels;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** What the ops accept. What the kernels behind them compute is tested there and in the layers. */
class TransformerOpsTest {

    private static final class JavaDevice extends Device {
        private final KernelSet set = new KernelSet(
                new JavaKernels(2),
                new JavaTransformerKernels(2),
                new JavaMatmul(1),
                new JavaMatmul(1),
                Optional.empty(),
                Optional.empty());

        @Override
        protected KernelSet set() {
            return set;
        }

        @Override
        public Kernels hostKernels() {
            return kernels();
        }

        @Override
        public long address(INDArray array) {
            return array == null ? 0 : array.data().addressPointer().address();
        }

        @Override
        public void written(List<INDArray> arrays) {
            // there is no other copy of them
        }

        @Override
        public boolean copy(INDArray source, INDArray target) {
            return false;
        }
    }

    private static INDArray floats(long... shape) {
        return Nd4j.zeros(DataType.FLOAT, shape);
    }

    private static INDArray ints(long... shape) {
        return Nd4j.zeros(DataType.INT32, shape);
    }

    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void matrixProduct(boolean transposeA, boolean transposeB) {
        INDArray a = Nd4j.rand(DataType.FLOAT, 4, 3);
        INDArray b = Nd4j.rand(DataType.FLOAT, 3, 5);
        INDArray bias = Nd4j.rand(DataType.FLOAT, 5);
        INDArray residual = Nd4j.rand(DataType.FLOAT, 4, 5);
        INDArray c = floats(2, 2, 5);
        new MatrixProduct(
                        StepPart.GEMM_FORWARD,
                        transposeA ? a.transpose().dup('c') : a,
                        transposeA,
                        transposeB ? b.transpose().dup('c') : b,
                        transposeB,
                        c,
                        bias,
                        residual)
                .run(new JavaDevice());
        INDArray expected = a.mmul(b).addRowVector(bias).add(residual);
        assertTrue(expected.equalsWithEps(c.reshape(4, 5), 1e-6), () -> expected + " but " + c);
    }

    @Test
    void matrixProductOfPartsOfLargerArrays() {
        INDArray all = Nd4j.rand(DataType.FLOAT, 30);
        INDArray a = all.get(NDArrayIndex.interval(7, 13)).reshape('c', 2, 3);
        INDArray b = all.get(NDArrayIndex.interval(13, 25)).reshape('c', 3, 4);
        INDArray c = floats(2, 4);
        new MatrixProduct(StepPart.GEMM_FORWARD, a, false, b, false, c).run(new JavaDevice());
        assertTrue(a.mmul(b).equalsWithEps(c, 1e-6));
    }

    @Test
    void shapesAndTypesAreChecked() {
        assertRefused(
                "Cannot multiply [2, 3] by [4, 5]",
                () -> new MatrixProduct(StepPart.GEMM_FORWARD, floats(2, 3), false, floats(4, 5), false, floats(2, 5)));
        assertRefused(
                "c has shape [3, 5], expected 2 rows of 5",
                () -> new MatrixProduct(StepPart.GEMM_FORWARD, floats(2, 3), false, floats(3, 5), false, floats(3, 5)));
        assertRefused(
                "b is BFLOAT16 [3, 5], expected FLOAT",
                () -> new MatrixProduct(
                        StepPart.GEMM_FORWARD,
                        floats(2, 3),
                        false,
                        floats(3, 5).castTo(DataType.BFLOAT16),
                        false,
                        floats(2, 5)));
        assertRefused(
                "a has shape [2, 3] and strides [1, 2], expected contiguous row-major; dup('c') it",
                () -> new MatrixProduct(
                        StepPart.GEMM_FORWARD, floats(2, 3).dup('f'), false, floats(3, 5), false, floats(2, 5)));
        assertRefused(
                "bias is FLOAT [4], expected FLOAT [5]",
                () -> new MatrixProduct(
                        StepPart.GEMM_FORWARD,
                        floats(2, 3),
                        false,
                        floats(3, 5),
                        false,
                        floats(2, 5),
                        floats(4),
                        null));
        assertRefused(
                "mean is FLOAT [3], expected FLOAT [2]",
                () -> new LayerNorm(floats(2, 4), floats(4), floats(4), floats(2, 4), floats(3), floats(2)));
        assertRefused(
                "x is FLOAT [2, 5], expected FLOAT [..., 4]",
                () -> new LayerNorm(floats(2, 5), floats(4), floats(4), floats(2, 5), floats(2), floats(2)));
        assertRefused(
                "dGain is FLOAT [5], expected FLOAT [4]",
                () -> new LayerNormGradient(
                        floats(2, 4),
                        floats(4),
                        floats(2),
                        floats(2),
                        floats(2, 4),
                        null,
                        floats(2, 4),
                        floats(5),
                        floats(4)));
        assertRefused("y is FLOAT [3], expected FLOAT [2]", () -> new Activate(Activation.GELU, floats(2), floats(3)));
        assertRefused(
                "dBias is FLOAT [3], expected FLOAT [4]",
                () -> new ActivationGradient(Activation.GELU, floats(2, 4), floats(2, 4), floats(2, 4), floats(3)));
        assertRefused("dy is FLOAT [2, 4], expected FLOAT [..., 3]", () -> new BiasGradient(floats(2, 4), floats(3)));
        assertRefused(
                "6 rows of width 4 are not 4 sequences with 2 heads",
                () -> new CausalAttention(floats(6, 12), floats(6, 4), floats(4, 3), 4, 2));
        assertRefused(
                "6 rows of width 4 are not 2 sequences with 3 heads",
                () -> new CausalAttention(floats(6, 12), floats(6, 4), floats(6, 3), 2, 3));
        assertRefused(
                "logSumExp is FLOAT [2, 3], expected FLOAT [4, 3]",
                () -> new CausalAttentionGradient(
                        floats(6, 12), floats(6, 4), floats(2, 3), floats(6, 4), floats(6, 12), 2, 2));
        assertRefused(
                "tokens has shape [2, 5], which is longer than the 4 positions",
                () -> new TokenEmbedding(ints(2, 5), floats(9, 3), floats(4, 3), floats(2, 5, 3)));
        assertRefused(
                "tokens is FLOAT [2, 4], expected INT",
                () -> new TokenEmbedding(floats(2, 4), floats(9, 3), floats(4, 3), floats(2, 4, 3)));
        assertRefused(
                "dPositionTable is FLOAT [4, 2], expected FLOAT [4, 3]",
                () -> new TokenEmbeddingGradient(ints(2, 4), floats(2, 4, 3), floats(9, 3), floats(4, 2), false));
        assertRefused(
                "targets is INT [3], expected INT [2]",
                () -> new SoftmaxCrossEntropy(floats(2, 4), ints(3), floats(2), null, 1));
    }

    @Test
    void typesWithoutKernelsAreRefused() {
        INDArray x = Nd4j.zeros(DataType.DOUBLE, 3);
        assertRefused(
                "Array of type DOUBLE where FLOAT or BFLOAT16 was expected",
                () -> new Activate(Activation.GELU, x, x.dup()).run(new JavaDevice()));
    }

    private static void assertRefused(String message, Runnable action) {
        var e = assertThrows(IllegalArgumentException.class, action::run);
        assertEquals(
                message,
                e.getMessage()
                        .substring(0, Math.min(message.length(), e.getMessage().length())));
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            names = {"FLOAT", "BFLOAT16"})
    void theBackwardPassGivesTheOutputOnceMore(DataType type) {
        INDArray x = Nd4j.randn(DataType.FLOAT, 3, 37).castTo(type);
        INDArray dy = Nd4j.randn(DataType.FLOAT, 3, 37).castTo(type);
        INDArray y = x.ulike();
        INDArray dx = x.ulike();
        INDArray dBias = Nd4j.create(type, 37);
        for (var activation : Activation.values()) {
            Nd4j.exec(new Activate(activation, x, y));
            Nd4j.exec(new ActivationGradient(activation, x, dy, dx, dBias));
            INDArray inPlace = x.dup();
            INDArray dInPlace = dy.dup();
            INDArray dBiasAgain = Nd4j.create(type, 37);
            Nd4j.exec(new ActivationGradient(activation, inPlace, dInPlace, inPlace, dInPlace, dBiasAgain));
            assertEquals(y, inPlace, activation::name);
            assertEquals(dx, dInPlace, activation::name);
            assertEquals(dBias, dBiasAgain, activation::name);
        }
    }
}
