package org.dl4jsr.benchmarks.families;

import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.layer.KernelLayers;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;

/**
 * What came of training a stock FLOAT network and its BF16 twin with stochastic rounding: same configuration, seed,
 * data and number of iterations.
 *
 * @param iterations how many
 * @param start the FLOAT network's loss before training
 * @param wide its loss after it
 * @param narrow the loss of the BF16 network after it
 * @param gradientError how far the BF16 network's first gradient is from the FLOAT one's, as a share of that, in the
 *     Euclidean norm, for the parameter array where it is worst
 * @param outputError how far its outputs at inference are from the FLOAT one's after training, as a share of those, in
 *     the Euclidean norm, for the output where it is worst; 0 where the first layer alone has learned
 * @param roundedError the same for what BF16 makes of the trained FLOAT network itself: what BF16 costs at best
 * @param wideEvaluation what an {@link InferenceEvaluation} says of the FLOAT network, NaN where there is none
 * @param narrowEvaluation what it says of the BF16 network
 */
record Twins(
        int iterations,
        double start,
        double wide,
        double narrow,
        double gradientError,
        double outputError,
        double roundedError,
        double wideEvaluation,
        double narrowEvaluation) {

    private static final int SEED = 7;
    private static final double RATE = 5e-3;
    /** Of {@link #gradientError}; where activations have no kinks, 0.01 is usual. */
    private static final double GRADIENT_TOLERANCE = 0.15;
    /** Of {@link #outputError}: what stochastic rounding makes of some weights. */
    private static final double OUTPUT_TOLERANCE = 0.1;
    /** Between evaluations: two of 16 examples. */
    private static final double EVALUATION_TOLERANCE = 0.13;

    /** On which layers the BF16 twin runs. */
    enum Implementation {
        /** Those on kernels, where there are some: what users have. */
        OURS,
        /** DL4J's own, op by op. */
        STOCK
    }

    static Twins networks(Family family, int iterations, Implementation layers) {
        var wide = new MultiLayerNetwork(family.network().apply(builder(RATE)));
        MultiLayerConfiguration configuration =
                Bf16Policy.SR.apply(family.network().apply(builder(RATE)));
        if (layers == Implementation.STOCK) {
            configuration.getConfs().forEach(Twins::makeStock);
        }
        var narrow = new MultiLayerNetwork(configuration);
        wide.init();
        narrow.init();
        return trained(wide, narrow, family, iterations);
    }

    static Twins graphs(Family family, int iterations, Implementation layers) {
        var wide = new ComputationGraph(family.graph().apply(builder(RATE)));
        ComputationGraphConfiguration configuration =
                Bf16Policy.SR.apply(family.graph().apply(builder(RATE)));
        if (layers == Implementation.STOCK) {
            configuration.getVertices().values().stream()
                    .filter(LayerVertex.class::isInstance)
                    .forEach(vertex -> makeStock(((LayerVertex) vertex).getLayerConf()));
        }
        var narrow = new ComputationGraph(configuration);
        wide.init();
        narrow.init();
        return trained(wide, narrow, family, iterations);
    }

    private static void makeStock(NeuralNetConfiguration layer) {
        layer.setLayer(KernelLayers.stock(layer.getLayer()));
    }

    /** How far the BF16 network's loss ends from the FLOAT one's, as a share of that one's fall. */
    double difference() {
        return Math.abs(narrow - wide) / (start - wide);
    }

    /** What the family had to reach and has not, or null. */
    String failure(Family family) {
        if (!(start - wide >= family.fall() * iterations / 100 * Math.abs(start))) {
            return "FLOAT does not learn: " + this;
        }
        if (!(difference() <= family.tolerance())) {
            return "BF16 ends off by " + difference() + " of the fall, allowed " + family.tolerance() + ": " + this;
        }
        if (!(outputError <= OUTPUT_TOLERANCE)) {
            return "The outputs at inference are off: " + this;
        }
        if (Math.abs(narrowEvaluation - wideEvaluation) > EVALUATION_TOLERANCE) {
            return "The evaluation at inference is off: " + this;
        }
        return gradientError <= GRADIENT_TOLERANCE ? null : "The first gradient is off: " + this;
    }

    static NeuralNetConfiguration.Builder builder(double learningRate) {
        return new NeuralNetConfiguration.Builder()
                .seed(SEED)
                .updater(new Adam(learningRate))
                .weightInit(WeightInit.XAVIER);
    }

    private static Twins trained(Model wide, Model narrow, Family family, int iterations) {
        if (narrow.params().dataType() != DataType.BFLOAT16) {
            throw new AssertionError(
                    "The twin's parameters are " + narrow.params().dataType());
        }
        double gradientError = largestError(gradients(wide, family), gradients(narrow, family));
        double start = loss(wide, family);
        for (Model model : List.of(wide, narrow)) {
            Nd4j.getRandom().setSeed(SEED); // dropout and noise
            for (int i = 0; i < iterations; i++) {
                fit(model, family);
            }
        }
        double wideLoss = loss(wide, family);
        double narrowLoss = loss(narrow, family);
        if (family.pretrained()) {
            return new Twins(iterations, start, wideLoss, narrowLoss, gradientError, 0, 0, Double.NaN, Double.NaN);
        }
        Map<String, INDArray> expected = outputs(wide, family);
        Map<String, INDArray> actual = outputs(narrow, family);
        return new Twins(
                iterations,
                start,
                wideLoss,
                narrowLoss,
                gradientError,
                largestError(expected, actual),
                largestError(expected, outputs(rounded(wide), family)),
                InferenceEvaluation.of(family.data(), expected.get("0")),
                InferenceEvaluation.of(family.data(), actual.get("0")));
    }

    private static Model rounded(Model wide) {
        return wide instanceof MultiLayerNetwork network
                ? Bf16Policy.SR.convert(network)
                : Bf16Policy.SR.convert((ComputationGraph) wide);
    }

    /** At inference, by number. */
    private static Map<String, INDArray> outputs(Model model, Family family) {
        MultiDataSet data = family.data();
        INDArray[] outputs = model instanceof MultiLayerNetwork network
                ? new INDArray[] {
                    network.output(data.getFeatures(0), false, data.getFeaturesMaskArray(0), data.getLabelsMaskArray(0))
                }
                : ((ComputationGraph) model)
                        .output(false, data.getFeatures(), data.getFeaturesMaskArrays(), data.getLabelsMaskArrays());
        return IntStream.range(0, outputs.length)
                .boxed()
                .collect(Collectors.toMap(String::valueOf, i -> outputs[i].castTo(DataType.DOUBLE)));
    }

    private static void fit(Model model, Family family) {
        MultiDataSet data = family.data();
        if (model instanceof MultiLayerNetwork network) {
            if (family.pretrained()) {
                network.pretrainLayer(0, data.getFeatures(0));
            } else {
                network.fit(single(data));
            }
        } else {
            var graph = (ComputationGraph) model;
            if (family.pretrained()) {
                graph.pretrainLayer("layer0", new SingletonMultiDataSetIterator(data));
            } else {
                graph.fit(data);
            }
        }
    }

    private static double loss(Model model, Family family) {
        if (family.pretrained()) {
            gradients(model, family);
            return firstLayer(model).score();
        }
        return model instanceof MultiLayerNetwork network
                ? network.score(single(family.data())) - network.calcRegularizationScore(true)
                : ((ComputationGraph) model).score(family.data())
                        - ((ComputationGraph) model).calcRegularizationScore(true);
    }

    /** The gradients of the first batch by parameter. */
    static Map<String, INDArray> gradients(Model model, Family family) {
        Nd4j.getRandom().setSeed(SEED);
        MultiDataSet data = family.data();
        Gradient gradient;
        if (family.pretrained()) {
            initGradientsView(model);
            Layer layer = firstLayer(model);
            layer.setInput(data.getFeatures(0), LayerWorkspaceMgr.noWorkspaces());
            layer.computeGradientAndScore(LayerWorkspaceMgr.noWorkspaces());
            gradient = layer.gradient();
        } else if (model instanceof MultiLayerNetwork network) {
            DataSet single = single(data);
            network.setInput(single.getFeatures());
            network.setLabels(single.getLabels());
            network.setLayerMaskArrays(single.getFeaturesMaskArray(), single.getLabelsMaskArray());
            network.computeGradientAndScore();
            gradient = network.gradient();
        } else {
            var graph = (ComputationGraph) model;
            graph.setInputs(data.getFeatures());
            graph.setLabels(data.getLabels());
            graph.setLayerMaskArrays(data.getFeaturesMaskArrays(), data.getLabelsMaskArrays());
            graph.computeGradientAndScore();
            gradient = graph.gradient();
        }
        Map<String, INDArray> gradients = gradient.gradientForVariable();
        Model owner = family.pretrained() ? firstLayer(model) : model;
        return owner.paramTable().keySet().stream()
                .filter(gradients::containsKey)
                .collect(Collectors.toMap(
                        Function.identity(), name -> gradients.get(name).castTo(DataType.DOUBLE)));
    }

    private static void initGradientsView(Model model) {
        if (model instanceof MultiLayerNetwork network) {
            network.initGradientsView();
        } else {
            ((ComputationGraph) model).initGradientsView();
        }
    }

    static Layer firstLayer(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.getLayer(0)
                : ((ComputationGraph) model).getLayer("layer0");
    }

    static double largestError(Map<String, INDArray> expected, Map<String, INDArray> actual) {
        double all =
                Math.sqrt(expected.values().stream().mapToDouble(Twins::square).sum());
        return expected.keySet().stream()
                .filter(actual::containsKey) // batch norm's variance has another name where it is kept as it is
                .mapToDouble(name -> {
                    double error = Math.sqrt(square(actual.get(name).sub(expected.get(name))));
                    return error / Math.max(Math.sqrt(square(expected.get(name))), 1e-2 * all);
                })
                .max()
                .orElse(0);
    }

    private static double square(INDArray array) {
        double norm = array.norm2Number().doubleValue();
        return norm * norm;
    }

    private static DataSet single(MultiDataSet data) {
        return new DataSet(
                data.getFeatures(0), data.getLabels(0), data.getFeaturesMaskArray(0), data.getLabelsMaskArray(0));
    }
}
