package org.dl4jsr.nn;

import java.util.Arrays;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.api.MaskState;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.KernelOp;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What the GPT's layers share: parameters in row-major order, and arrays that the kernels can read. A mask of the
 * features changes no activation: causal attention never reads the padding behind a sequence.
 *
 * <p>DL4J hands a layer its input and then asks for activations or gradients. Whatever a layer holds from one of these
 * calls to the next it holds for the calling thread alone, so that one thread may ask for outputs while another trains.
 */
@SuppressWarnings("ThreadLocalUsage") // one a layer and thread: they go with the layer
abstract class SequenceLayer<C extends GptLayer> extends BaseLayer<C> {

    private final transient ThreadLocal<INDArray> inputs = new ThreadLocal<>();
    private final transient ThreadLocal<INDArray> masks = new ThreadLocal<>();

    SequenceLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public void setInput(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        inputs.set(workspaceMgr.leverageTo(ArrayType.INPUT, input));
    }

    /** This thread's input, or null. */
    @Override
    public INDArray input() {
        return inputs.get();
    }

    @Override
    public INDArray getInput() {
        return inputs.get();
    }

    @Override
    public void setMaskArray(INDArray maskArray) {
        masks.set(maskArray);
    }

    /** This thread's mask [batch, time], or null. */
    @Override
    public INDArray getMaskArray() {
        return masks.get();
    }

    @Override
    public Pair<INDArray, MaskState> feedForwardMaskArray(INDArray maskArray, MaskState state, int minibatchSize) {
        masks.set(maskArray);
        return new Pair<>(maskArray, state);
    }

    @Override
    public int getInputMiniBatchSize() {
        return (int) inputs.get().size(0);
    }

    @Override
    public void assertInputSet(boolean backprop) {
        if (inputs.get() == null) {
            throw new IllegalStateException(
                    "No input for the " + (backprop ? "backward" : "forward") + " pass " + layerId());
        }
    }

    /** Forgets what this thread's calls have left. */
    @Override
    public void clear() {
        inputs.remove();
        masks.remove();
    }

    @Override
    public void setParams(INDArray params) {
        setParams(params, 'c');
    }

    @Override
    public boolean isPretrainLayer() {
        return false;
    }

    /** The input, [batch, time, nIn], or a copy of it that the kernels can read. */
    final INDArray sequences(ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray input = input();
        long width = layerConf().getNIn();
        if (input.rank() != 3 || input.size(2) != width) {
            throw new DL4JInvalidInputException("Input has shape " + Arrays.toString(input.shape())
                    + ", expected [batch, time, " + width + "] " + layerId());
        }
        return dense(place, input, workspaceMgr);
    }

    /** {@code a}, or a copy of it, in the layer's data type, contiguous and row-major. */
    final INDArray dense(ArrayType place, INDArray a, LayerWorkspaceMgr workspaceMgr) {
        if (a.dataType() == dataType && KernelOp.isDense(a)) {
            return a;
        }
        return create(place, workspaceMgr, a.shape()).assign(a);
    }

    final INDArray create(ArrayType place, LayerWorkspaceMgr workspaceMgr, long... shape) {
        return workspaceMgr.createUninitialized(place, dataType, shape);
    }

    final INDArray createFloat(ArrayType place, LayerWorkspaceMgr workspaceMgr, long... shape) {
        return workspaceMgr.createUninitialized(place, DataType.FLOAT, shape);
    }

    /** All gradient views, which the backward pass has written. */
    final Gradient gradients() {
        var gradients = new DefaultGradient(gradientsFlattened);
        gradientViews.forEach((name, view) -> gradients.setGradientFor(name, view, 'c'));
        return gradients;
    }
}
