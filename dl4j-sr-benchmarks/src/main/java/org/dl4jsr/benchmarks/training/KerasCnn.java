package org.dl4jsr.benchmarks.training;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.modelimport.keras.KerasSequentialModel;
import org.deeplearning4j.nn.modelimport.keras.exceptions.InvalidKerasConfigurationException;
import org.deeplearning4j.nn.modelimport.keras.exceptions.UnsupportedKerasConfigurationException;

/** Keras' example cifar10_cnn as DL4J imports it from what Keras' {@code to_json} writes, channels last. */
final class KerasCnn {

    private static final String MODEL = "cifar10_cnn.json";
    private static final String TRAINING =
            """
            {"loss": "categorical_crossentropy", "optimizer_config": {"class_name": "Adam", "config": {
                "lr": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "decay": 0.0}}}
            """;

    private KerasCnn() {}

    static MultiLayerConfiguration configuration() {
        try (InputStream model = KerasCnn.class.getResourceAsStream(MODEL)) {
            return new KerasSequentialModel()
                    .modelBuilder()
                    .modelJsonInputStream(model)
                    .trainingJson(TRAINING)
                    .enforceTrainingConfig(true)
                    .buildSequential()
                    .getMultiLayerConfiguration();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InvalidKerasConfigurationException | UnsupportedKerasConfigurationException e) {
            throw new IllegalStateException(MODEL + " cannot be imported", e);
        }
    }
}
