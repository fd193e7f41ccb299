package org.dl4jsr.nn;

import org.deeplearning4j.nn.conf.InputPreProcessor;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.graph.LayerVertex;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A {@link GptOutput} with a tied head in a graph: {@code graph.addVertex("output", new TiedHeadVertex(global,
 * "output", layer), "block11")}. A DL4J layer sees only its own parameters, a vertex sees the graph; so this one shows
 * the embedding to the output layer. Press, Wolf, <i>Using the Output Embedding to Improve Language Models</i>, 2017.
 *
 * <p>Fine-tuning with DL4J's TransferLearning replaces all layers' vertices by plain ones and so does not work on it.
 */
public final class TiedHeadVertex extends LayerVertex {

    private TiedHeadVertex() {}

    /**
     * @param global the settings that the graph's builder came from
     * @param name of the vertex
     */
    public TiedHeadVertex(NeuralNetConfiguration.Builder global, String name, GptOutput layer) {
        this(global.clone().layer(layer).build(), null);
        if (layer.getTiedTo() == null) {
            throw layer.invalid("has a head of its own; tiedTo() an embedding, or addLayer() it");
        }
        layer.setLayerName(name);
    }

    private TiedHeadVertex(NeuralNetConfiguration layerConf, InputPreProcessor preProcessor) {
        super(layerConf, preProcessor);
    }

    @Override
    public org.deeplearning4j.nn.graph.vertex.GraphVertex instantiate(
            ComputationGraph graph,
            String name,
            int idx,
            INDArray paramsView,
            boolean initializeParams,
            DataType networkDatatype) {
        var vertex = super.instantiate(graph, name, idx, paramsView, initializeParams, networkDatatype);
        var layer = (GptOutputLayer) vertex.getLayer();
        layer.tieTo(() -> graph.getLayer(layer.layerConf().getTiedTo()));
        return vertex;
    }

    @Override
    public GraphVertex clone() {
        return new TiedHeadVertex(
                getLayerConf().clone(),
                getPreProcessor() == null ? null : getPreProcessor().clone());
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof TiedHeadVertex && super.equals(o);
    }

    @Override
    public int hashCode() {
        return super.hashCode();
    }
}
