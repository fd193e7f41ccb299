package org.dl4jsr.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Stream;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.variational.BernoulliReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.CompositeReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.ExponentialReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.GaussianReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.LossFunctionWrapper;
import org.deeplearning4j.nn.conf.layers.variational.ReconstructionDistribution;
import org.deeplearning4j.nn.conf.layers.variational.VariationalAutoencoder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossMSE;

class Fp32ReconstructionTest {

    static Stream<ReconstructionDistribution> distributions() {
        var gaussian = new GaussianReconstructionDistribution(Activation.IDENTITY);
        var loss = new LossFunctionWrapper(Activation.IDENTITY, new LossMSE());
        return Stream.of(
                gaussian,
                new BernoulliReconstructionDistribution(Activation.SIGMOID),
                new ExponentialReconstructionDistribution(Activation.IDENTITY),
                loss,
                new CompositeReconstructionDistribution.Builder()
                        .addDistribution(1, gaussian)
                        .addDistribution(2, loss)
                        .build());
    }

    private static MultiLayerConfiguration autoencoder(ReconstructionDistribution distribution) {
        return new NeuralNetConfiguration.Builder()
                .list(new VariationalAutoencoder.Builder()
                        .nIn(3)
                        .nOut(2)
                        .reconstructionDistribution(distribution)
                        .build())
                .build();
    }

    private static ReconstructionDistribution distribution(MultiLayerConfiguration configuration) {
        return ((VariationalAutoencoder) configuration.getConf(0).getLayer()).getOutputDistribution();
    }

    /** FLOAT features beside BF16 parameters of the distribution, as pretraining has them. */
    @ParameterizedTest
    @MethodSource("distributions")
    void theNumbersAreThoseOfFloat(ReconstructionDistribution stock) {
        ReconstructionDistribution ours = distribution(Bf16Policy.SR.apply(autoencoder(stock)));
        INDArray features = Nd4j.create(new float[][] {{0, 1, 1}, {1, 0, 1}});
        INDArray narrow = Nd4j.linspace(DataType.FLOAT, -1, 0.25, 2L * stock.distributionInputSize(3))
                .reshape(2, stock.distributionInputSize(3))
                .castTo(DataType.BFLOAT16);
        INDArray wide = narrow.castTo(DataType.FLOAT);
        assertEquals(stock.distributionInputSize(3), ours.distributionInputSize(3));
        assertEquals(stock.negLogProbability(features, wide, true), ours.negLogProbability(features, narrow, true));
        assertEquals(stock.exampleNegLogProbability(features, wide), ours.exampleNegLogProbability(features, narrow));
        assertEquals(stock.gradient(features, wide).castTo(DataType.BFLOAT16), ours.gradient(features, narrow));
        assertEquals(stock.generateAtMean(wide).castTo(DataType.BFLOAT16), ours.generateAtMean(narrow));
        Nd4j.getRandom().setSeed(1);
        INDArray sample = stock.generateRandom(wide).castTo(DataType.BFLOAT16);
        Nd4j.getRandom().setSeed(1);
        assertEquals(sample, ours.generateRandom(narrow));
    }

    @ParameterizedTest
    @MethodSource("distributions")
    void aPolicyPutsItInAndTakesItOut(ReconstructionDistribution stock) {
        MultiLayerConfiguration configuration = Bf16Policy.SR.apply(Bf16Policy.NEAREST.apply(autoencoder(stock)));
        assertEquals(configuration, MultiLayerConfiguration.fromJson(configuration.toJson()));
        assertEquals(stock, distribution(Bf16Policy.FP32.apply(configuration)));
    }
}
