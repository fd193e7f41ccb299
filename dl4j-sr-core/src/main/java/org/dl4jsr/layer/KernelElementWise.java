package org.dl4jsr.layer;

import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.jackson.annotation.JsonProperty;

/** DL4J's sum and the like of vertices, with results in the memory order of what comes in. */
public final class KernelElementWise extends ElementWiseVertex {

    /** @param op DL4J's */
    public KernelElementWise(@JsonProperty("op") Op op) {
        super(op);
    }

    @Override
    public KernelElementWise clone() {
        return new KernelElementWise(op);
    }

    @Override
    public GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int index,
            INDArray parameters,
            boolean initialize,
            DataType networkDataType) {
        return new KernelElementWiseVertex(
                graph,
                name,
                index,
                org.deeplearning4j.nn.graph.vertex.impl.ElementWiseVertex.Op.valueOf(op.name()),
                networkDataType);
    }
}
