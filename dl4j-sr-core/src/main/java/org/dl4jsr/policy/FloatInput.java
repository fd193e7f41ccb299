package org.dl4jsr.policy;

import java.util.Objects;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/**
 * Gives an output layer without parameters FLOAT input, so that its activation, its output and its loss are FLOAT; the
 * gradient is rounded to BF16 on its way back.
 *
 * <p>{@link Bf16Policy#apply} puts it before the loss layers of a BF16 network.
 */
public final class FloatInput implements InputPreProcessor {

    private static final long serialVersionUID = 1;

    private final InputPreProcessor first;

    /** @param first the preprocessor that the layer has, null for none */
    public FloatInput(@JsonProperty("first") InputPreProcessor first) {
        this.first = first;
    }

    /** The preprocessor that comes first, or null. */
    public InputPreProcessor getFirst() {
        return first;
    }

    @Override
    public INDArray preProcess(INDArray input, int miniBatchSize, LayerWorkspaceMgr workspaceMgr) {
        INDArray result = first == null ? input : first.preProcess(input, miniBatchSize, workspaceMgr);
        return cast(result, DataType.FLOAT, ArrayType.ACTIVATIONS, workspaceMgr);
    }

    @Override
    public INDArray backprop(INDArray output, int miniBatchSize, LayerWorkspaceMgr workspaceMgr) {
        INDArray gradient = cast(output, DataType.BFLOAT16, ArrayType.ACTIVATION_GRAD, workspaceMgr);
        return first == null ? gradient : first.backprop(gradient, miniBatchSize, workspaceMgr);
    }

    private static INDArray cast(INDArray array, DataType type, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return workspaceMgr
                .createUninitialized(place, type, array.shape(), array.ordering())
                .assign(array);
    }

    @Override
    public InputType getOutputType(InputType inputType) {
        return first == null ? inputType : first.getOutputType(inputType);
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(
            INDArray maskArray, MaskState currentMaskState, int minibatchSize) {
        return first == null
                ? new Pair<>(maskArray, currentMaskState)
                : first.feedForwardMaskArray(maskArray, currentMaskState, minibatchSize);
    }

    @Override
    public FloatInput clone() {
        return new FloatInput(first == null ? null : first.clone());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FloatInput that && Objects.equals(first, that.first);
    }

    @Override
    public int hashCode() {
        return Objects.hash(FloatInput.class, first);
    }

    @Override
    public String toString() {
        return "FloatInput(" + first + ")";
    }
}
