package org.dl4jsr.layer;

import java.util.Map;
import java.util.function.Supplier;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.recurrent.FwdPassReturn;
import org.deeplearning4j.nn.layers.recurrent.LSTMHelper;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.Lstm;
import org.dl4jsr.op.LstmGradient;
import org.dl4jsr.op.LstmSequence;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.activations.impl.ActivationSigmoid;
import org.nd4j.linalg.activations.impl.ActivationTanH;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * The passes of an LSTM over whole sequences, where the device has {@link org.dl4jsr.kernel.ArrayKernels}, the
 * activation is tanh, the gates are sigmoids, and there is no mask: the layer asks. Weights that are not BF16 are left
 * to DL4J's own code. Between calls that carry a state the cells' is FLOAT.
 */
final class LstmKernel implements LSTMHelper {

    /** Gates that fit into a processor's second cache. */
    private static final long CACHED_GATES = 1 << 17;

    /** What the forward pass leaves. */
    private static final class Pass extends FwdPassReturn {
        private final LstmSequence sequence;

        Pass(LstmSequence sequence) {
            this.sequence = sequence;
        }
    }

    private final Layer layer;
    private boolean keeps;
    private boolean goesOn;
    private INDArray keptInput;
    private Pass kept;

    /** The passes of this layer. */
    LstmKernel(Layer layer) {
        this.layer = layer;
    }

    /**
     * Runs a forward pass and keeps what it leaves.
     *
     * @param input the layer's, to be asked for after the pass, in which dropout replaces it
     */
    INDArray keeping(Supplier<INDArray> input, Supplier<INDArray> forward) {
        forget();
        keeps = true;
        try {
            INDArray output = forward.get();
            keptInput = input.get();
            return output;
        } finally {
            keeps = false;
        }
    }

    /** Runs a backward pass on what the forward pass has left, if it was on the same input. */
    Pair<Gradient, INDArray> goingOnFrom(INDArray input, Supplier<Pair<Gradient, INDArray>> backward) {
        goesOn = kept != null && input == keptInput;
        try {
            return backward.get();
        } finally {
            goesOn = false;
            forget();
        }
    }

    /** Forgets what a forward pass has left. */
    void forget() {
        kept = null;
        keptInput = null;
    }

    @Override
    public FwdPassReturn activate(
            Layer layer,
            NeuralNetConfiguration conf,
            IActivation gateActivationFn,
            INDArray input,
            INDArray recurrentWeights,
            INDArray inputWeights,
            INDArray biases,
            boolean training,
            INDArray prevOutputActivations,
            INDArray prevMemCellState,
            boolean forBackprop,
            boolean forwards,
            String inputWeightKey,
            INDArray maskArray,
            boolean hasPeepholeConnections,
            LayerWorkspaceMgr workspaceMgr) {
        if (inputWeights.dataType() != DataType.BFLOAT16) {
            return null;
        }
        if (forBackprop && goesOn) {
            return kept;
        }
        boolean remains = keeps || forBackprop;
        ArrayType place = remains ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM;
        long time = input.size(2);
        long batch = input.size(0);
        long width = recurrentWeights.size(0);
        INDArray cells = workspaceMgr.createUninitialized(place, DataType.FLOAT, remains ? time + 1 : 1, batch, width);
        long atOnce = remains ? time : Math.min(time, Math.max(1, CACHED_GATES / (batch * 4 * width)));
        INDArray gates = workspaceMgr.createUninitialized(place, DataType.FLOAT, atOnce, batch, 4 * width);
        INDArray outputs =
                workspaceMgr.createUninitialized(ArrayType.ACTIVATIONS, DataType.BFLOAT16, time + 1, batch, width);
        INDArray x = timeFirst(input, place, workspaceMgr);
        if (remains) {
            x = workspaceMgr.leverageTo(place, x); // DL4J's BF16 copy of its input does not remain
        }
        step(cells, 0).assign(prevMemCellState);
        step(outputs, 0).assign(prevOutputActivations);
        var sequence = new LstmSequence(x, inputWeights, recurrentWeights, row(biases), gates, cells, outputs);
        Nd4j.exec(new Lstm(sequence));
        var pass = new Pass(sequence);
        INDArray output = outputs.get(NDArrayIndex.interval(1, time + 1));
        if (keeps) {
            kept = pass;
            // of its own, since DL4J's Bidirectional adds to it
            output = Layouts.copy(DataType.BFLOAT16, output, ArrayType.ACTIVATIONS, workspaceMgr);
        }
        pass.fwdPassOutput = output.permute(1, 2, 0);
        pass.lastAct = step(outputs, time);
        pass.lastMemCell = step(cells, cells.size(0) - 1);
        return pass;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(
            NeuralNetConfiguration conf,
            IActivation gateActivationFn,
            INDArray input,
            INDArray recurrentWeights,
            INDArray inputWeights,
            INDArray epsilon,
            boolean truncatedBPTT,
            int tbpttBackwardLength,
            FwdPassReturn fwdPass,
            boolean forwards,
            String inputWeightKey,
            String recurrentWeightKey,
            String biasWeightKey,
            Map<String, INDArray> gradientViews,
            INDArray maskArray,
            boolean hasPeepholeConnections,
            LayerWorkspaceMgr workspaceMgr) {
        if (!(fwdPass instanceof Pass pass)) {
            return null;
        }
        LstmSequence sequence = pass.sequence;
        int time = sequence.time();
        int steps = truncatedBPTT ? Math.min(time, tbpttBackwardLength) : time;
        INDArray dx = workspaceMgr.createUninitialized(
                ArrayType.ACTIVATION_GRAD, DataType.BFLOAT16, sequence.x().shape());
        boolean wanted = InputGradient.isWanted(layer);
        if (!wanted || steps < time) {
            dx.assign(0);
        }
        long batch = sequence.batch();
        long width = sequence.width();
        INDArray dBias = gradientViews.get(biasWeightKey);
        Nd4j.exec(new LstmGradient(
                sequence,
                steps,
                timeFirst(epsilon, ArrayType.BP_WORKING_MEM, workspaceMgr),
                workspaceMgr.createUninitialized(ArrayType.BP_WORKING_MEM, DataType.BFLOAT16, time, batch, 4 * width),
                workspaceMgr.createUninitialized(ArrayType.BP_WORKING_MEM, DataType.FLOAT, batch, width),
                workspaceMgr.create(ArrayType.BP_WORKING_MEM, DataType.FLOAT, batch, width),
                wanted ? dx : null,
                gradientViews.get(inputWeightKey),
                gradientViews.get(recurrentWeightKey),
                row(dBias)));
        var gradient = new DefaultGradient();
        gradient.gradientForVariable().put(inputWeightKey, gradientViews.get(inputWeightKey));
        gradient.gradientForVariable().put(recurrentWeightKey, gradientViews.get(recurrentWeightKey));
        gradient.gradientForVariable().put(biasWeightKey, dBias);
        return new Pair<>(gradient, dx.permute(1, 2, 0));
    }

    /** [batch, width, time] as BF16 [time, batch, width], or a copy of it that is dense. */
    private static INDArray timeFirst(INDArray sequences, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return Layouts.dense(sequences.permute(2, 0, 1), place, workspaceMgr);
    }

    private static INDArray step(INDArray array, long time) {
        return array.get(NDArrayIndex.point(time));
    }

    private static INDArray row(INDArray bias) {
        return bias.reshape(1, bias.length());
    }

    @Override
    public boolean checkSupported(
            IActivation gateActivationFn, IActivation activationFn, boolean hasPeepholeConnections) {
        return gateActivationFn instanceof ActivationSigmoid
                && activationFn instanceof ActivationTanH
                && !hasPeepholeConnections;
    }

    @Override
    public boolean checkSupported() {
        return KernelLayers.areSupported();
    }

    @Override
    public Map<String, Long> helperMemoryUse() {
        return Map.of();
    }
}
