package org.dl4jsr.policy;

import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.dropout.Dropout;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.DropoutLayer;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.layer.KernelLayers;
import org.dl4jsr.op.Autocast;
import org.dl4jsr.rounding.WeightWrite;
import org.dl4jsr.updater.ExactState;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What is stored in which type while a network trains, and how weights are written.
 *
 * <p>{@link #apply} sets a configuration's data type and turns DL4J's {@code Adam}, and any
 * {@link org.dl4jsr.updater.SrAdam}, into the {@code SrAdam} of this policy with the same hyper-parameters (Adam's
 * epsilon is added to the bias-corrected root then), taking over {@code WeightDecay}. In BF16 networks other updaters
 * become {@link org.dl4jsr.updater.StochasticallyRounded}, which under {@link #NEAREST} round to nearest. An updater that
 * names no seed, or 0, takes the network's for its random bits. The loss functions of a BF16 network compute in FP32
 * ({@link Fp32Loss}, {@link Fp32Reconstruction}), and so do its output layers at inference: outputs are FLOAT
 * ({@link FloatOutputs}, {@link FloatInput}). Batch normalization keeps its running variance as it is
 * ({@code useLogStd(false)}).
 *
 * <p>Autocast is a switch of the whole process: the policy applied last decides. Call {@link #activate} when a saved
 * network of this policy is restored.
 */
public enum Bf16Policy {
    /** Everything in FP32: the reference. */
    FP32("fp32", DataType.FLOAT, WeightWrite.STOCHASTIC),
    /** FP32 whose matmuls run in BF16 with FP32 accumulation: autocast, as torch.amp has it. */
    O1("bf16-o1", DataType.FLOAT, WeightWrite.STOCHASTIC),
    /** BF16 weights and gradients, FP32 master weights and moments, as Megatron has it. */
    O2("bf16-o2", DataType.BFLOAT16, WeightWrite.MASTER),
    /** All BF16, weights rounded to nearest: the baseline that fails. */
    NEAREST("bf16-nearest", DataType.BFLOAT16, WeightWrite.NEAREST),
    /** All BF16, weights rounded to nearest with a BF16 Kahan compensation. */
    KAHAN("bf16-kahan", DataType.BFLOAT16, WeightWrite.KAHAN),
    /** All BF16, weights rounded stochastically: what dl4j-sr is for. */
    SR("bf16-sr", DataType.BFLOAT16, WeightWrite.STOCHASTIC);

    private final String label;
    private final DataType dataType;
    private final WeightWrite weightWrite;

    Bf16Policy(String label, DataType dataType, WeightWrite weightWrite) {
        this.label = label;
        this.dataType = dataType;
        this.weightWrite = weightWrite;
    }

    /**
     * The policy of a name such as {@code bf16-sr}.
     *
     * @throws IllegalArgumentException naming all policies
     */
    public static Bf16Policy named(String name) {
        return Arrays.stream(values())
                .filter(policy -> policy.label.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("Unknown policy \"" + name + "\", expected one of "
                        + Arrays.stream(values()).map(Bf16Policy::toString).collect(Collectors.joining(", "))));
    }

    /** The name, such as {@code bf16-sr}. */
    @Override
    public String toString() {
        return label;
    }

    /** Type of weights, gradients and activations. */
    public DataType dataType() {
        return dataType;
    }

    /** How SrAdam writes weights; without effect where they are FLOAT. */
    public WeightWrite weightWrite() {
        return weightWrite;
    }

    /** Bytes a parameter of weight, gradient, Adam's two moments and compensation or master. */
    public int modelStateBytes() {
        int element = dataType.width();
        int stateElement = weightWrite.hasFp32State() ? Float.BYTES : element;
        boolean hasExtra = dataType == DataType.BFLOAT16 && weightWrite.hasExtra();
        return 2 * element + (hasExtra ? 3 : 2) * stateElement;
    }

    /** Switches autocast on for {@link #O1} and off for all others; {@link #apply} does it too. */
    public void activate() {
        Autocast.setEnabled(this == O1);
    }

    /**
     * A copy of {@code configuration} with this policy; outputs are FLOAT.
     *
     * @throws IllegalArgumentException for line-search optimizers, and for a weight decay that SrAdam cannot take over
     * @throws IllegalStateException if dl4j-sr's backend is not in force, for policies other than {@link #FP32}
     */
    public MultiLayerConfiguration apply(MultiLayerConfiguration configuration) {
        return apply(configuration, DataType.FLOAT);
    }

    /**
     * A copy of {@code configuration} with this policy.
     *
     * @param outputType of a BF16 network's outputs at inference: FLOAT, which its output layers compute in FP32 then,
     *     or BFLOAT16, for large outputs at less memory and time
     * @throws IllegalArgumentException for other types, for line-search optimizers, and for a weight decay that SrAdam
     *     cannot take over
     * @throws IllegalStateException if dl4j-sr's backend is not in force, for policies other than {@link #FP32}
     */
    public MultiLayerConfiguration apply(MultiLayerConfiguration configuration, DataType outputType) {
        PolicyOutputs outputs = outputs(outputType);
        MultiLayerConfiguration copy = ConfigurationCopies.of(configuration, this::layer);
        apply(ConfiguredLayers.of(copy));
        outputs.replace(copy);
        copy.setDataType(dataType);
        return copy;
    }

    /**
     * A copy of {@code configuration} with this policy; outputs are FLOAT.
     *
     * @throws IllegalArgumentException for line-search optimizers, and for a weight decay that SrAdam cannot take over
     * @throws IllegalStateException if dl4j-sr's backend is not in force, for policies other than {@link #FP32}
     */
    public ComputationGraphConfiguration apply(ComputationGraphConfiguration configuration) {
        return apply(configuration, DataType.FLOAT);
    }

    /**
     * A copy of {@code configuration} with this policy.
     *
     * @param outputType of a BF16 graph's outputs at inference: FLOAT, which its output layers compute in FP32 then, or
     *     BFLOAT16, for large outputs at less memory and time
     * @throws IllegalArgumentException for other types, for line-search optimizers, and for a weight decay that SrAdam
     *     cannot take over
     * @throws IllegalStateException if dl4j-sr's backend is not in force, for policies other than {@link #FP32}
     */
    public ComputationGraphConfiguration apply(ComputationGraphConfiguration configuration, DataType outputType) {
        PolicyOutputs outputs = outputs(outputType);
        ComputationGraphConfiguration copy = ConfigurationCopies.of(configuration, this::layer, this::vertex);
        apply(ConfiguredLayers.of(copy));
        outputs.replace(copy);
        copy.setDataType(dataType);
        return copy;
    }

    private PolicyOutputs outputs(DataType type) {
        if (type != DataType.FLOAT && type != DataType.BFLOAT16) {
            throw new IllegalArgumentException("outputType is " + type + ", expected FLOAT or BFLOAT16");
        }
        return new PolicyOutputs(dataType == DataType.BFLOAT16 && type == DataType.FLOAT);
    }

    private Layer layer(Layer layer) {
        return dataType == DataType.BFLOAT16 ? KernelLayers.ours(withoutIdleDropout(layer)) : KernelLayers.stock(layer);
    }

    /** DL4J's import of Keras models gives layers a dropout that keeps all, which takes time all the same. */
    private static Layer withoutIdleDropout(Layer layer) {
        if (new Dropout(1).equals(layer.getIDropout()) && !(layer instanceof DropoutLayer)) {
            layer.setIDropout(null);
        }
        return layer;
    }

    private GraphVertex vertex(GraphVertex vertex) {
        return dataType == DataType.BFLOAT16 ? KernelLayers.ours(vertex) : KernelLayers.stock(vertex);
    }

    private void apply(ConfiguredLayers configuration) {
        if (this != FP32) {
            Bf16Executioner.requiredBy("Bf16Policy " + label);
        }
        new PolicyUpdaters(this, configuration.seed()).replace(configuration);
        new PolicyLosses(dataType).replace(configuration);
        if (dataType == DataType.BFLOAT16) {
            RunningVariances.keep(configuration);
        }
        activate();
    }

    /**
     * A network of this policy with the parameters of {@code network}, rounded to nearest; under {@link #O2} and
     * {@link #KAHAN} the digits beyond BF16 are kept, of the network and in the new one. Its updater starts afresh, at
     * iteration 0.
     */
    public MultiLayerNetwork convert(MultiLayerNetwork network) {
        var configuration = apply(network.getLayerWiseConfigurations());
        configuration.setIterationCount(0);
        configuration.setEpochCount(0);
        INDArray weights = ExactState.weights(network);
        var converted = new MultiLayerNetwork(configuration);
        converted.init(weights.castTo(dataType).dup(), false);
        ExactState.keep(converted, weights);
        RunningVariances.convert(Arrays.asList(network.getLayers()), Arrays.asList(converted.getLayers()));
        return converted;
    }

    /** As {@link #convert(MultiLayerNetwork)}. */
    public ComputationGraph convert(ComputationGraph graph) {
        var configuration = apply(graph.getConfiguration());
        configuration.setIterationCount(0);
        configuration.setEpochCount(0);
        INDArray weights = ExactState.weights(graph);
        var converted = new ComputationGraph(configuration);
        converted.init(weights.castTo(dataType).dup(), false);
        ExactState.keep(converted, weights);
        RunningVariances.convert(Arrays.asList(graph.getVertices()), Arrays.asList(converted.getVertices()));
        return converted;
    }

    /**
     * The graph of the same layers, parameters and updater state, as DL4J's {@code toComputationGraph()} makes it of
     * networks that are not BF16.
     */
    public static ComputationGraph toComputationGraph(MultiLayerNetwork network) {
        MultiLayerConfiguration layers = ConfigurationCopies.of(network.getLayerWiseConfigurations());
        NeuralNetConfiguration first = layers.getConf(0);
        var builder = new NeuralNetConfiguration.Builder()
                .seed(first.getSeed())
                .miniBatch(first.isMiniBatch())
                .graphBuilder()
                .addInputs("in");
        String last = "in";
        for (int i = 0; i < layers.getConfs().size(); i++) {
            String name = String.valueOf(i);
            builder.addLayer(name, layers.getConf(i).getLayer(), layers.getInputPreProcess(i), last);
            last = name;
        }
        ComputationGraphConfiguration configuration =
                builder.setOutputs(last).backpropType(layers.getBackpropType()).build();
        configuration.setTbpttFwdLength(layers.getTbpttFwdLength());
        configuration.setTbpttBackLength(layers.getTbpttBackLength());
        configuration.setIterationCount(network.getIterationCount());
        configuration.setEpochCount(network.getEpochCount());
        configuration.setDataType(layers.getDataType());
        var graph = new ComputationGraph(configuration);
        graph.init(network.params().dup(), false);
        if (network.getUpdater(false) != null && network.getUpdater().getStateViewArray() != null) {
            graph.getUpdater().getStateViewArray().assign(network.getUpdater().getStateViewArray());
        }
        return graph;
    }

    /**
     * A FLOAT network of DL4J alone, which loads and trains where dl4j-sr is not: losses and updaters are DL4J's, SrAdam
     * becomes Adam with its moments and its weight decay, master weights and compensations are in the weights. It goes
     * on at the same iteration. A schedule of dl4j-sr's becomes a fixed learning rate, its present one, and what SrAdam
     * does beyond Adam (clipping, skipping) ends.
     *
     * @throws IllegalArgumentException if the network has layers of dl4j-sr, or anything else that only it can load
     */
    public static MultiLayerNetwork toStock(MultiLayerNetwork network) {
        MultiLayerConfiguration configuration =
                ConfigurationCopies.of(network.getLayerWiseConfigurations(), KernelLayers::stock);
        new PolicyOutputs(false).replace(configuration);
        toStock(ConfiguredLayers.of(configuration), network.getIterationCount(), network.getEpochCount());
        configuration.setIterationCount(network.getIterationCount());
        configuration.setEpochCount(network.getEpochCount());
        configuration.setDataType(DataType.FLOAT);
        requireStock(configuration.toJson());
        var stock = new MultiLayerNetwork(configuration);
        stock.init(ExactState.weights(network), false);
        ExactState.copyToStock(network, stock);
        return stock;
    }

    /** As {@link #toStock(MultiLayerNetwork)}. */
    public static ComputationGraph toStock(ComputationGraph graph) {
        ComputationGraphConfiguration configuration =
                ConfigurationCopies.of(graph.getConfiguration(), KernelLayers::stock, KernelLayers::stock);
        new PolicyOutputs(false).replace(configuration);
        toStock(ConfiguredLayers.of(configuration), configuration.getIterationCount(), configuration.getEpochCount());
        configuration.setDataType(DataType.FLOAT);
        requireStock(configuration.toJson());
        var stock = new ComputationGraph(configuration);
        stock.init(ExactState.weights(graph), false);
        ExactState.copyToStock(graph, stock);
        return stock;
    }

    private static void toStock(ConfiguredLayers configuration, int iteration, int epoch) {
        new StockUpdaters(iteration, epoch).replace(configuration);
        new PolicyLosses(DataType.FLOAT).replace(configuration);
    }

    private static void requireStock(String json) {
        Matcher ours = Pattern.compile("\"(org\\.dl4jsr\\.[^\"]*)\"").matcher(json);
        if (ours.find()) {
            throw new IllegalArgumentException("The network has a " + ours.group(1)
                    + ", which only dl4j-sr can load: there is no network of DL4J alone that is the same");
        }
    }
}
