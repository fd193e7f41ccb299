package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryPlanTest {

    @ParameterizedTest
    @CsvSource({"fp32,16", "bf16-o1,16", "bf16-o2,16", "bf16-nearest,8", "bf16-kahan,10", "bf16-sr,8"})
    void modelStateHasTheBytesOfTheDesign(String policy, long bytesPerParameter) {
        RunConfig config = config(Preset.SMALL, policy);
        assertEquals(
                bytesPerParameter * config.model().parameters(),
                MemoryPlan.of(config).modelState());
    }

    /** Weights and gradients on every rank, all of the optimizer's state and the sums in N parts. */
    @ParameterizedTest
    @CsvSource({"fp32,8,8", "bf16-o2,4,12", "bf16-sr,4,4", "bf16-kahan,4,6"})
    void ranksShareTheState(String policy, long onEach, long shared) {
        RunConfig config = config(Preset.SMALL, policy);
        long parameters = config.model().parameters();
        MemoryPlan plan = MemoryPlan.of(config, 4);
        assertEquals(onEach * parameters + shared * parameters / 4, plan.modelState());
        assertEquals(parameters, plan.accumulation());
    }

    @ParameterizedTest
    @CsvSource({"fp32,2", "bf16-o1,2", "bf16-o2,6", "bf16-nearest,2", "bf16-kahan,3", "bf16-sr,2"})
    void updaterStateHasTheElementsOfSrAdam(String policy, long elementsPerParameter) {
        RunConfig config = config(Preset.SMALL, policy);
        assertEquals(elementsPerParameter * config.model().parameters(), MemoryPlan.updaterElements(config));
    }

    @ParameterizedTest
    @EnumSource(Preset.class)
    void presetsHaveTheirParameters(Preset preset) {
        double expected =
                switch (preset) {
                    case NANO -> 0.875e6;
                    case SMALL -> 10.9e6;
                    case GPT2_124M -> 124e6;
                    case GPT2_350M -> 355e6;
                    case GPT2_774M -> 774e6;
                    case GPT_NEO_1_3B -> 1316e6;
                };
        assertEquals(1, config(preset, "fp32").model().parameters() / expected, 0.01);
        assertTrue(config(preset, "fp32").steps() > 100);
    }

    @ParameterizedTest
    @EnumSource(Preset.class)
    void presetsBuildTheirConfigurations(Preset preset) {
        for (Bf16Policy policy : Bf16Policy.values()) {
            var network = GptNetwork.configuration(config(preset, policy.toString()));
            assertEquals(
                    preset.config().model().layers() + 2, network.getVertices().size());
            assertEquals(network, ComputationGraphConfiguration.fromJson(network.toJson()));
        }
    }

    private static RunConfig config(Preset preset, String policy) {
        return preset.config().withPolicy(policy);
    }
}
