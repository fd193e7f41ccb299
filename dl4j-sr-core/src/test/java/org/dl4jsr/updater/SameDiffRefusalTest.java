package org.dl4jsr.updater;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.stream.Stream;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.TrainingConfig;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;

/** SameDiff gives an updater gradients of arrays of their own, without the subtraction that a step waits for. */
class SameDiffRefusalTest {

    static Stream<IUpdater> updaters() {
        return Stream.of(
                new SrAdam(),
                SrAdam.builder().weightWrite(WeightWrite.MASTER).build(),
                new StochasticallyRounded(new Sgd(0.1)),
                new StochasticallyRounded(new Nesterovs(0.1)));
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void fitSaysWhatToDo(IUpdater updater) {
        SameDiff sameDiff = SameDiff.create();
        SDVariable input = sameDiff.placeHolder("in", DataType.BFLOAT16, -1, TestNetworks.INPUTS);
        SDVariable labels = sameDiff.placeHolder("labels", DataType.BFLOAT16, -1, TestNetworks.CLASSES);
        SDVariable weights = sameDiff.var("w", DataType.BFLOAT16, TestNetworks.INPUTS, TestNetworks.CLASSES);
        sameDiff.loss().meanSquaredError("loss", labels, input.mmul(weights), null);
        sameDiff.setLossVariables("loss");
        sameDiff.setTrainingConfig(TrainingConfig.builder()
                .updater(updater)
                .dataSetFeatureMapping("in")
                .dataSetLabelMapping("labels")
                .build());
        var error = assertThrows(UnsupportedOperationException.class, () -> sameDiff.fit(TestNetworks.DATA));
        assertTrue(error.getMessage().contains("does not train SameDiff models"), error::getMessage);
    }
}
