package org.dl4jsr.updater;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.UnaryOperator;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.schedule.FixedSchedule;

class SrAdamTest {

    private static final SrAdam EVERYTHING = SrAdam.builder()
            .learningRateSchedule(new WarmupCosineSchedule(3, 30, 1, 0.5))
            .beta1(0.8)
            .beta2(0.95)
            .epsilon(1e-6)
            .weightDecay(0.1)
            .weightWrite(WeightWrite.KAHAN)
            .stateRounding(StateRounding.NEAREST)
            .seed(-5_000_000_000L)
            .maxGradientNorm(1.5)
            .maxConsecutiveSkips(3)
            .build();

    @Test
    void defaults() {
        var adam = new SrAdam();
        assertEquals(1e-3, adam.getLearningRate(0, 0));
        assertNull(adam.getLearningRateSchedule());
        assertEquals(0.9, adam.getBeta1());
        assertEquals(0.999, adam.getBeta2());
        assertEquals(1e-8, adam.getEpsilon());
        assertEquals(0, adam.getWeightDecay());
        assertEquals(WeightWrite.STOCHASTIC, adam.getWeightWrite());
        assertEquals(StateRounding.STOCHASTIC, adam.getStateRounding());
        assertEquals(0, adam.getSeed());
        assertEquals(0, adam.getMaxGradientNorm());
        assertEquals(10, adam.getMaxConsecutiveSkips());
        assertTrue(adam.hasLearningRate());
    }

    @Test
    void aScheduleSetsTheLearningRate() {
        var adam = new SrAdam(new FixedSchedule(0.25));
        assertEquals(0.25, adam.getLearningRate(7, 1));
        adam.setLrAndSchedule(0.5, null);
        assertEquals(0.5, adam.getLearningRate(7, 1));
        adam.setLrAndSchedule(Double.NaN, new FixedSchedule(0.125));
        assertEquals(0.125, adam.getLearningRate(7, 1));
    }

    @Test
    void jsonRoundTripInBothConfigurations() {
        for (SrAdam adam : List.of(EVERYTHING, new SrAdam(2e-4), new SrAdam())) {
            var layers = MultiLayerConfiguration.fromJson(
                    TestNetworks.mlpConfiguration(adam, DataType.BFLOAT16).toJson());
            assertEquals(adam, updater(layers.getConf(1).getLayer()));
            var graph = ComputationGraphConfiguration.fromJson(
                    TestNetworks.graphConfiguration(adam, DataType.BFLOAT16).toJson());
            assertEquals(
                    adam,
                    updater(((LayerVertex) graph.getVertices().get("second"))
                            .getLayerConf()
                            .getLayer()));
        }
    }

    @Test
    void yamlRoundTrip() {
        var layers = MultiLayerConfiguration.fromYaml(
                TestNetworks.mlpConfiguration(EVERYTHING, DataType.BFLOAT16).toYaml());
        assertEquals(EVERYTHING, updater(layers.getConf(0).getLayer()));
    }

    private static IUpdater updater(Layer layer) {
        return ((BaseLayer) layer).getIUpdater();
    }

    @Test
    void jsonIsValidatedToo() {
        String json = TestNetworks.mlpConfiguration(new SrAdam(), DataType.BFLOAT16)
                .toJson()
                .replace("\"beta2\" : 0.999", "\"beta2\" : 1.5");
        var error = assertThrows(RuntimeException.class, () -> MultiLayerConfiguration.fromJson(json));
        assertTrue(error.toString().contains("SrAdam.beta2 is 1.5"), error::toString);
    }

    @Test
    void clonesAreEqualAndIndependent() {
        var copy = EVERYTHING.clone();
        assertNotSame(EVERYTHING, copy);
        assertEquals(EVERYTHING, copy);
        assertEquals(EVERYTHING.hashCode(), copy.hashCode());
        copy.setLrAndSchedule(1, null);
        assertNotEquals(EVERYTHING, copy);
    }

    @Test
    void everyParameterCountsInEquals() {
        List<UnaryOperator<SrAdam.Builder>> changes = List.of(
                b -> b.learningRate(0.5),
                b -> b.learningRateSchedule(new FixedSchedule(1e-3)),
                b -> b.beta1(0.5),
                b -> b.beta2(0.5),
                b -> b.epsilon(0.5),
                b -> b.weightDecay(0.5),
                b -> b.weightWrite(WeightWrite.NEAREST),
                b -> b.stateRounding(StateRounding.NEAREST),
                b -> b.seed(5),
                b -> b.maxGradientNorm(5),
                b -> b.maxConsecutiveSkips(5));
        for (var change : changes) {
            assertNotEquals(new SrAdam(), change.apply(SrAdam.builder()).build());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "learningRate, -1e-3",
        "learningRate, NaN",
        "learningRate, Infinity",
        "beta1, 1",
        "beta1, -0.1",
        "beta2, 1",
        "beta2, 0.99999999",
        "beta2, NaN",
        "epsilon, 0",
        "epsilon, 1e-50",
        "epsilon, -1",
        "epsilon, NaN",
        "weightDecay, -0.1",
        "weightDecay, NaN",
        "maxGradientNorm, -1",
        "maxGradientNorm, Infinity",
        "maxConsecutiveSkips, 0"
    })
    void badValuesAreNamed(String name, double value) {
        var builder = SrAdam.builder();
        switch (name) {
            case "learningRate" -> builder.learningRate(value);
            case "beta1" -> builder.beta1(value);
            case "beta2" -> builder.beta2(value);
            case "epsilon" -> builder.epsilon(value);
            case "weightDecay" -> builder.weightDecay(value);
            case "maxGradientNorm" -> builder.maxGradientNorm(value);
            default -> builder.maxConsecutiveSkips((int) value);
        }
        var error = assertThrows(IllegalArgumentException.class, builder::build);
        assertTrue(error.getMessage().startsWith("SrAdam." + name + " is "), error::getMessage);
        assertTrue(error.getMessage().contains("expected"), error::getMessage);
    }

    @Test
    void aBadScheduleIsNamedWithItsIteration() {
        var adam = new SrAdam(new FixedSchedule(-1));
        var error = assertThrows(IllegalArgumentException.class, () -> adam.getLearningRate(12, 0));
        assertTrue(error.getMessage().contains("iteration 12 is -1.0"), error::getMessage);
    }

    @Test
    void stateSizes() {
        assertEquals(2_000, new SrAdam().stateSize(1_000));
        assertEquals(2_000, write(WeightWrite.NEAREST).stateSize(1_000));
        assertEquals(3_000, write(WeightWrite.KAHAN).stateSize(1_000));
        assertEquals(6_016, write(WeightWrite.MASTER).stateSize(1_000));
        assertThrows(IllegalArgumentException.class, () -> new SrAdam().stateSize(1L << 30));
    }

    private static SrAdam write(WeightWrite weightWrite) {
        return SrAdam.builder().weightWrite(weightWrite).build();
    }
}
