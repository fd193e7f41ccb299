package org.dl4jsr.nn;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.random.impl.GaussianDistribution;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Cuts a {@link GptLayer}'s parameters and gradients out of the network's flattened arrays, in the order of {@link
 * GptLayer#parameters()}, and initializes them. Matrices are DL4J's weights, vectors its biases: bias updater and bias
 * regularization apply to biases and to layer norm's gains.
 */
final class ParameterViews implements ParamInitializer {

    static final ParameterViews INSTANCE = new ParameterViews();

    /** Normal values are drawn in FP32, this many at a time, and then rounded to the parameter's type. */
    private static final long CHUNK = 1 << 20;

    private ParameterViews() {}

    @Override
    public long numParams(NeuralNetConfiguration conf) {
        return numParams(conf.getLayer());
    }

    @Override
    public long numParams(Layer layer) {
        return parameters(layer).stream().mapToLong(Parameter::length).sum();
    }

    @Override
    public List<String> paramKeys(Layer layer) {
        return parameters(layer).stream().map(Parameter::name).toList();
    }

    @Override
    public List<String> weightKeys(Layer layer) {
        return parameters(layer).stream()
                .filter(Parameter::isMatrix)
                .map(Parameter::name)
                .toList();
    }

    @Override
    public List<String> biasKeys(Layer layer) {
        return parameters(layer).stream()
                .filter(p -> !p.isMatrix())
                .map(Parameter::name)
                .toList();
    }

    @Override
    public boolean isWeightParam(Layer layer, String key) {
        return weightKeys(layer).contains(key);
    }

    @Override
    public boolean isBiasParam(Layer layer, String key) {
        return biasKeys(layer).contains(key);
    }

    /** Draws from {@link Nd4j#getRandom()}, which DL4J seeds before it initializes a network. */
    @Override
    public Map<String, INDArray> init(NeuralNetConfiguration conf, INDArray paramsView, boolean initializeParams) {
        var views = views(conf, paramsView);
        for (var parameter : parameters(conf.getLayer())) {
            conf.addVariable(parameter.name());
            if (initializeParams) {
                initialize(parameter, views.get(parameter.name()));
            }
        }
        return views;
    }

    @Override
    public Map<String, INDArray> getGradientsFromFlattened(NeuralNetConfiguration conf, INDArray gradientView) {
        return views(conf, gradientView);
    }

    private static List<Parameter> parameters(Layer layer) {
        return ((GptLayer) layer).parameters();
    }

    private Map<String, INDArray> views(NeuralNetConfiguration conf, INDArray flattened) {
        if (flattened.length() != numParams(conf)) {
            throw new IllegalArgumentException(
                    "Flattened array has length " + flattened.length() + ", expected " + numParams(conf));
        }
        INDArray flat = flattened.reshape(flattened.length());
        var views = new LinkedHashMap<String, INDArray>();
        long offset = 0;
        for (var parameter : parameters(conf.getLayer())) {
            long end = offset + parameter.length();
            views.put(
                    parameter.name(),
                    flat.get(NDArrayIndex.interval(offset, end)).reshape('c', parameter.shape()));
            offset = end;
        }
        return views;
    }

    private static void initialize(Parameter parameter, INDArray view) {
        if (parameter.deviation() == 0) {
            view.assign(parameter.mean());
            return;
        }
        long length = view.length();
        INDArray flat = view.reshape(length);
        try (MemoryWorkspace outside = Nd4j.getMemoryManager().scopeOutOfWorkspaces();
                INDArray chunk = Nd4j.createUninitialized(DataType.FLOAT, Math.min(CHUNK, length))) {
            for (long start = 0; start < length; start += CHUNK) {
                long end = Math.min(start + CHUNK, length);
                INDArray values = chunk.get(NDArrayIndex.interval(0, end - start));
                Nd4j.exec(new GaussianDistribution(values, parameter.mean(), parameter.deviation()));
                flat.get(NDArrayIndex.interval(start, end)).assign(values);
            }
        }
    }
}
