package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Family.graph;
import static org.dl4jsr.benchmarks.families.Layers.classifier;
import static org.dl4jsr.benchmarks.families.Layers.dense;

import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.CapsuleLayer;
import org.deeplearning4j.nn.conf.layers.CapsuleStrengthLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.PrimaryCapsules;
import org.deeplearning4j.nn.conf.layers.samediff.SDLayerParams;
import org.deeplearning4j.nn.conf.layers.samediff.SDVertexParams;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLambdaVertex;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffOutputLayer;
import org.deeplearning4j.nn.conf.layers.samediff.SameDiffVertex;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.weights.WeightInitUtil;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Layers defined in SameDiff: DL4J's capsules, and what users write. */
final class SameDiffFamilies {

    private static final InputType VECTOR = InputType.feedForward(8);

    private SameDiffFamilies() {}

    static List<Family> all() {
        return List.of(
                chain("SameDiffLayer", Tasks.patterns(8), VECTOR, new Residual(8), classifier()),
                chain("SameDiffLambdaLayer", Tasks.patterns(8), VECTOR, dense(8), new Squares(), classifier()),
                chain("SameDiffOutputLayer", Tasks.patterns(8), VECTOR, dense(6), new SquaredError(6)),
                graph(
                        "SameDiffVertex",
                        Tasks.patterns(8),
                        graph -> graph.addLayer("left", dense(6), "in")
                                .addVertex("vertex", new Gate(6), "left", "in")
                                .addLayer("out", classifier(), "vertex")
                                .setOutputs("out"),
                        VECTOR),
                graph(
                        "SameDiffLambdaVertex",
                        Tasks.patterns(8),
                        graph -> graph.addLayer("left", dense(6), "in")
                                .addLayer("right", dense(6), "in")
                                .addVertex("vertex", new Product(), "left", "right")
                                .addLayer("out", classifier(), "vertex")
                                .setOutputs("out"),
                        VECTOR),
                chain(
                        "Capsules",
                        Tasks.patterns(2, 6, 6),
                        InputType.convolutional(6, 6, 2),
                        new PrimaryCapsules.Builder(4, 2)
                                .kernelSize(3, 3)
                                .stride(3, 3)
                                .build(),
                        new CapsuleLayer.Builder(Tasks.CLASSES, 4, 2).build(),
                        new CapsuleStrengthLayer.Builder().build(),
                        new LossLayer.Builder(LossFunction.MSE)
                                .activation(Activation.IDENTITY)
                                .build()));
    }

    private static void initialize(Map<String, INDArray> parameters) {
        parameters.forEach((name, array) -> {
            if (array.rank() == 2) {
                WeightInitUtil.initWeights(
                        array.size(0), array.size(1), array.shape(), WeightInit.XAVIER, null, 'c', array);
            } else {
                array.assign(name.equals("gain") ? 1 : 0);
            }
        });
    }

    /** x + tanh(layerNorm(x w)). */
    public static final class Residual extends SameDiffLayer {

        private final int size;

        Residual(int size) {
            this.size = size;
        }

        @Override
        public void defineParameters(SDLayerParams parameters) {
            parameters.addWeightParam("w", size, size);
            parameters.addWeightParam("gain", size);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> parameters) {
            initialize(parameters);
        }

        @Override
        public SDVariable defineLayer(
                SameDiff sameDiff, SDVariable input, Map<String, SDVariable> parameters, SDVariable mask) {
            SDVariable product = sameDiff.mmul(input, parameters.get("w"));
            return input.add(sameDiff.math.tanh(sameDiff.nn.layerNorm(product, parameters.get("gain"), true, 1)));
        }

        @Override
        public InputType getOutputType(int index, InputType input) {
            return InputType.feedForward(size);
        }
    }

    /** x^2 + x. */
    public static final class Squares extends SameDiffLambdaLayer {

        @Override
        public SDVariable defineLayer(SameDiff sameDiff, SDVariable input) {
            return sameDiff.math.square(input).add(input);
        }

        @Override
        public InputType getOutputType(int index, InputType input) {
            return input;
        }
    }

    /** A linear map and its mean squared error. */
    public static final class SquaredError extends SameDiffOutputLayer {

        private final int inputs;

        SquaredError(int inputs) {
            this.inputs = inputs;
        }

        @Override
        public void defineParameters(SDLayerParams parameters) {
            parameters.addWeightParam("w", inputs, Tasks.CLASSES);
            parameters.addBiasParam("b", 1, Tasks.CLASSES);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> parameters) {
            initialize(parameters);
        }

        @Override
        public SDVariable defineLayer(
                SameDiff sameDiff, SDVariable input, SDVariable labels, Map<String, SDVariable> parameters) {
            SDVariable output = sameDiff.mmul(input, parameters.get("w")).add("output", parameters.get("b"));
            return sameDiff.math.square(output.sub(labels)).mean("loss");
        }

        @Override
        public String activationsVertexName() {
            return "output";
        }

        @Override
        public InputType getOutputType(int index, InputType input) {
            return InputType.feedForward(Tasks.CLASSES);
        }
    }

    /** left * sigmoid(right w + b). */
    public static final class Gate extends SameDiffVertex {

        private final int size;

        Gate(int size) {
            this.size = size;
        }

        @Override
        public SDVariable defineVertex(
                SameDiff sameDiff,
                Map<String, SDVariable> inputs,
                Map<String, SDVariable> parameters,
                Map<String, SDVariable> masks) {
            SDVariable gate =
                    sameDiff.mmul(inputs.get("right"), parameters.get("w")).add(parameters.get("b"));
            return inputs.get("left").mul(sameDiff.nn.sigmoid(gate));
        }

        @Override
        public void defineParametersAndInputs(SDVertexParams parameters) {
            parameters.defineInputs("left", "right");
            parameters.addWeightParam("w", 8, size);
            parameters.addBiasParam("b", size);
        }

        @Override
        public void initializeParameters(Map<String, INDArray> parameters) {
            initialize(parameters);
        }

        @Override
        public InputType getOutputType(int index, InputType... inputs) {
            return InputType.feedForward(size);
        }

        @Override
        public GraphVertex clone() {
            return new Gate(size);
        }
    }

    /** left * right. */
    public static final class Product extends SameDiffLambdaVertex {

        @Override
        public SDVariable defineVertex(SameDiff sameDiff, VertexInputs inputs) {
            return inputs.getInput(0).mul(inputs.getInput(1));
        }

        @Override
        public InputType getOutputType(int index, InputType... inputs) {
            return inputs[0];
        }
    }
}
