package org.dl4jsr.policy;

import java.util.Objects;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Makes an output layer of a BF16 network compute and return FLOAT at inference: it shows the layer a FLOAT copy of its
 * parameters, and DL4J's output layers take the type of these for that of their results. So outputs have the digits of
 * the FP32 product, and DL4J's evaluations, which compute in the type of the predictions, compute in FLOAT. In training
 * the layer sees its BF16 parameters, with the noise that the configuration asks for.
 *
 * <p>{@link Bf16Policy#apply} puts it where DL4J looks for weight noise, in the configurations of output layers.
 */
public final class FloatOutputs implements IWeightNoise {

    private static final long serialVersionUID = 1;

    private final IWeightNoise noise;

    /** @param noise of the weights in training, null for none */
    public FloatOutputs(@JsonProperty("noise") IWeightNoise noise) {
        this.noise = noise;
    }

    /** The noise in training, or null. */
    public IWeightNoise getNoise() {
        return noise;
    }

    @Override
    public INDArray getParameter(
            Layer layer, String key, int iteration, int epoch, boolean train, LayerWorkspaceMgr workspaceMgr) {
        INDArray parameter = noise == null
                ? layer.getParam(key)
                : noise.getParameter(layer, key, iteration, epoch, train, workspaceMgr);
        if (train || parameter == null || parameter.dataType() != DataType.BFLOAT16) {
            return parameter;
        }
        return workspaceMgr
                .createUninitialized(ArrayType.FF_WORKING_MEM, DataType.FLOAT, parameter.shape(), parameter.ordering())
                .assign(parameter);
    }

    @Override
    public FloatOutputs clone() {
        return new FloatOutputs(noise == null ? null : noise.clone());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FloatOutputs that && Objects.equals(noise, that.noise);
    }

    @Override
    public int hashCode() {
        return Objects.hashCode(noise);
    }

    @Override
    public String toString() {
        return "FloatOutputs(" + noise + ")";
    }
}
