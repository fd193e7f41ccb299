package org.dl4jsr.layer;

import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.AddOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The sum of two BF16 arrays of one shape, and its gradients, in their order in memory. DL4J's code, which runs for all
 * else, copies to 'c' order, in which what follows is slower: convolutions leave the channels last.
 */
final class KernelElementWiseVertex extends ElementWiseVertex {

    private static final long serialVersionUID = 1;

    private final Op operation;

    KernelElementWiseVertex(ComputationGraph graph, String name, int index, Op operation, DataType dataType) {
        super(graph, name, index, operation, dataType);
        this.operation = operation;
    }

    private boolean runs() {
        return operation == Op.Add
                && inputs.length == 2
                && inputs[0].dataType() == DataType.BFLOAT16
                && inputs[1].dataType() == DataType.BFLOAT16
                && inputs[0].equalShapes(inputs[1])
                && KernelLayers.areSupported();
    }

    @Override
    public INDArray doForward(boolean training, LayerWorkspaceMgr workspaceMgr) {
        if (!canDoForward() || !runs()) {
            return super.doForward(training, workspaceMgr);
        }
        INDArray sum = Layouts.alike(inputs[0], ArrayType.ACTIVATIONS, workspaceMgr);
        Nd4j.exec(new AddOp(inputs, new INDArray[] {sum}));
        return sum;
    }

    @Override
    public Pair<Gradient, INDArray[]> doBackward(boolean tbptt, LayerWorkspaceMgr workspaceMgr) {
        if (!canDoBackward() || !runs()) {
            return super.doBackward(tbptt, workspaceMgr);
        }
        return new Pair<>(null, new INDArray[] {copy(workspaceMgr), copy(workspaceMgr)}); // DL4J adds to them
    }

    private INDArray copy(LayerWorkspaceMgr workspaceMgr) {
        return Layouts.alike(getEpsilon(), ArrayType.ACTIVATION_GRAD, workspaceMgr)
                .assign(getEpsilon());
    }
}
