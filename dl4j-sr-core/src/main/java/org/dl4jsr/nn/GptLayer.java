package org.dl4jsr.nn;

import java.util.Collection;
import java.util.List;
import org.deeplearning4j.exception.DL4JInvalidConfigException;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.FeedForwardLayer;
import org.deeplearning4j.nn.conf.memory.LayerMemoryReport;
import org.deeplearning4j.nn.conf.memory.MemoryReport;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the configurations of the GPT's layers share. Activations are DL4J's sequences [batch, time, width] ({@link
 * RNNFormat#NWC}), in memory the rows of a matrix [batch * time, width]. Parameters start as GPT-2's do, whatever
 * {@code weightInit} says; dropout and weight noise are refused.
 */
abstract class GptLayer extends FeedForwardLayer {

    /** Standard deviation of new weights, GPT-2's. */
    static final double DEVIATION = 0.02;

    GptLayer() {}

    GptLayer(Builder<?> builder) {
        super(builder);
    }

    /** Name, shape and start of each parameter: matrices first, so that updaters meet long ranges. */
    abstract List<Parameter> parameters();

    /** The layer without parameters. */
    abstract SequenceLayer<?> implementation(NeuralNetConfiguration conf, DataType dataType);

    /** Elements of working memory a token: in the forward pass, and in the backward pass of training. */
    abstract long forwardElements();

    abstract long backwardElements();

    /** Throws if sizes are missing or contradict each other. */
    abstract void check();

    @Override
    public Layer instantiate(
            NeuralNetConfiguration conf,
            Collection<TrainingListener> listeners,
            int layerIndex,
            INDArray layerParamsView,
            boolean initializeParams,
            DataType networkDataType) {
        check();
        if (networkDataType != DataType.FLOAT && networkDataType != DataType.BFLOAT16) {
            throw invalid("runs in FLOAT or BFLOAT16, but the network's data type is " + networkDataType);
        }
        if (getIDropout() != null || getWeightNoise() != null) {
            throw invalid("has neither dropout nor weight noise; remove them");
        }
        var layer = implementation(conf, networkDataType);
        layer.setListeners(listeners);
        layer.setIndex(layerIndex);
        layer.setParamsViewArray(layerParamsView);
        layer.setParamTable(initializer().init(conf, layerParamsView, initializeParams));
        return layer;
    }

    @Override
    public ParamInitializer initializer() {
        return ParameterViews.INSTANCE;
    }

    /** Takes the width of sequences as nIn. */
    @Override
    public void setNIn(InputType inputType, boolean override) {
        long width = sequence(inputType).getSize();
        if (nIn == 0 || override) {
            nIn = width;
        } else if (nIn != width) {
            throw invalid("has nIn " + nIn + ", but its input has width " + width);
        }
    }

    @Override
    public InputType getOutputType(int layerIndex, InputType inputType) {
        check();
        return InputType.recurrent(nOut, sequence(inputType).getTimeSeriesLength(), RNNFormat.NWC);
    }

    @Override
    public InputPreProcessor getPreProcessorForInputType(InputType inputType) {
        return null;
    }

    @Override
    public LayerMemoryReport getMemoryReport(InputType inputType) {
        var outputType = getOutputType(-1, inputType);
        long parameters = initializer().numParams(this);
        long tokens = Math.max(1, ((InputType.InputTypeRecurrent) outputType).getTimeSeriesLength());
        return new LayerMemoryReport.Builder(getLayerName(), getClass(), inputType, outputType)
                .standardMemory(parameters, getIUpdater().stateSize(parameters))
                .workingMemory(0, tokens * forwardElements(), 0, tokens * (forwardElements() + backwardElements()))
                .cacheMemory(MemoryReport.CACHE_MODE_ALL_ZEROS, MemoryReport.CACHE_MODE_ALL_ZEROS)
                .build();
    }

    final void requirePositive(String name, long value) {
        if (value <= 0) {
            throw invalid("needs " + name + " of 1 or more, but it is " + value);
        }
    }

    final DL4JInvalidConfigException invalid(String what) {
        String name = getLayerName() == null ? "" : " \"" + getLayerName() + "\"";
        return new DL4JInvalidConfigException(getClass().getSimpleName() + name + " " + what);
    }

    private InputType.InputTypeRecurrent sequence(InputType inputType) {
        if (inputType instanceof InputType.InputTypeRecurrent sequence && sequence.getFormat() == RNNFormat.NWC) {
            return sequence;
        }
        throw invalid("takes sequences [batch, time, width], InputType.recurrent(width, RNNFormat.NWC), but its input"
                + " is " + inputType);
    }
}
