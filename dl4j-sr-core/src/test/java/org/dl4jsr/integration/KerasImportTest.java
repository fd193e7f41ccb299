package org.dl4jsr.integration;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.bytedeco.hdf5.Attribute;
import org.bytedeco.hdf5.DataSet;
import org.bytedeco.hdf5.DataSpace;
import org.bytedeco.hdf5.Group;
import org.bytedeco.hdf5.H5File;
import org.bytedeco.hdf5.PredType;
import org.bytedeco.hdf5.StrType;
import org.bytedeco.hdf5.global.hdf5;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.deeplearning4j.nn.modelimport.keras.KerasModelImport;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A Keras model becomes a BF16 network by way of a FLOAT one. */
@Tag("slow")
class KerasImportTest {

    private static final String LAYERS =
            """
            {"class_name": "Sequential", "config": {"name": "sequential", "layers": [
              {"class_name": "Dense", "config": {"name": "hidden", "trainable": true, "batch_input_shape": [null, 16],
                "dtype": "float32", "units": 32, "activation": "tanh", "use_bias": true,
                "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": null}},
                "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": null,
                "bias_regularizer": null, "activity_regularizer": null, "kernel_constraint": null,
                "bias_constraint": null}},
              {"class_name": "Dense", "config": {"name": "out", "trainable": true, "dtype": "float32", "units": 4,
                "activation": "softmax", "use_bias": true,
                "kernel_initializer": {"class_name": "GlorotUniform", "config": {"seed": null}},
                "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": null,
                "bias_regularizer": null, "activity_regularizer": null, "kernel_constraint": null,
                "bias_constraint": null}}]}}""";

    private static final String TRAINING =
            """
            {"optimizer_config": {"class_name": "Adam", "config": {"name": "Adam", "learning_rate": 0.005, "lr": 0.005,
              "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "decay": 0.0}}, "loss": "categorical_crossentropy",
              "metrics": [], "weighted_metrics": null, "sample_weight_mode": null, "loss_weights": null}""";

    private final Random random = new Random(2);

    @Test
    void anImportedModelGoesOnInBf16(@TempDir Path directory) throws Exception {
        assumeTrue(hdf5Loads(), "HDF5's native library is not there for this platform");
        String file = directory.resolve("model.h5").toString();
        write(file);
        MultiLayerNetwork wide = KerasModelImport.importKerasSequentialModelAndWeights(file, true);
        MultiLayerNetwork narrow = Bf16Policy.SR.convert(wide);
        assertEquals(DataType.BFLOAT16, narrow.params().dataType());
        INDArray difference = wide.output(TestNetworks.DATA.getFeatures())
                .sub(narrow.output(TestNetworks.DATA.getFeatures()).castTo(DataType.FLOAT));
        assertEquals(0, difference.amaxNumber().doubleValue(), 0.02);
        double before = TestNetworks.loss(narrow);
        TestNetworks.fit(wide, 30);
        TestNetworks.fit(narrow, 30);
        assertTrue(TestNetworks.loss(wide) < 0.5 * before, () -> before + " became " + TestNetworks.loss(wide));
        assertEquals(TestNetworks.loss(wide), TestNetworks.loss(narrow), 0.02);
    }

    private static boolean hdf5Loads() {
        try {
            Loader.load(hdf5.class);
            return true;
        } catch (LinkageError e) {
            return false;
        }
    }

    /** What {@code model.save("model.h5")} of Keras 2 writes, as far as the import reads it. */
    private void write(String name) {
        var file = new H5File(name, hdf5.H5F_ACC_TRUNC());
        attribute(file, "keras_version", "2.4.0");
        attribute(file, "backend", "tensorflow");
        attribute(file, "model_config", LAYERS);
        attribute(file, "training_config", TRAINING);
        Group weights = file.createGroup("model_weights");
        attribute(weights, "keras_version", "2.4.0");
        attribute(weights, "backend", "tensorflow");
        layer(weights, "hidden", 16, 32);
        layer(weights, "out", 32, 4);
        weights.deallocate();
        file.deallocate();
    }

    private void layer(Group weights, String name, long in, long out) {
        Group outer = weights.createGroup(name);
        attribute(outer, "weight_names", name + "/kernel:0");
        Group inner = outer.createGroup(name);
        values(inner, "kernel:0", Math.sqrt(2.0 / (in + out)), in, out);
        values(inner, "bias:0", 0, out);
        inner.deallocate();
        outer.deallocate();
    }

    private void values(Group group, String name, double deviation, long... shape) {
        var space = new DataSpace(shape.length, shape);
        DataSet set = group.createDataSet(name, new org.bytedeco.hdf5.DataType(PredType.NATIVE_FLOAT()), space);
        float[] values = new float[(int) space.getSimpleExtentNpoints()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        set.write(new FloatPointer(values), new org.bytedeco.hdf5.DataType(PredType.NATIVE_FLOAT()));
        set.deallocate();
        space.deallocate();
    }

    /** DL4J reads into buffers of 2,000 bytes and looks for a zero byte at the end. */
    private static void attribute(Group group, String name, String value) {
        byte[] bytes = Arrays.copyOf(value.getBytes(StandardCharsets.UTF_8), 1999);
        var type = new StrType(PredType.C_S1(), bytes.length);
        var scalar = new DataSpace(hdf5.H5S_SCALAR);
        Attribute attribute = group.createAttribute(name, type, scalar);
        attribute.write(type, new BytePointer(bytes));
        attribute.deallocate();
        scalar.deallocate();
        type.deallocate();
    }
}
