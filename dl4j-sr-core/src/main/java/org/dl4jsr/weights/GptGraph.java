package org.dl4jsr.weights;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.graph.vertex.GraphVertex;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.dl4jsr.nn.GptEmbedding;
import org.dl4jsr.nn.GptOutput;
import org.dl4jsr.nn.TransformerBlock;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A graph that is a GPT, whatever its vertices are called: an embedding, transformer blocks and an output, each the
 * input of the next. Frozen layers count as what they freeze.
 *
 * @param graph initialized
 * @param shape of the model
 * @param tensors by their names in Hugging Face's files
 */
record GptGraph(ComputationGraph graph, Gpt2Config shape, Map<String, Gpt2Tensor> tensors) {

    /** Of one tensor: the name within its block, that in GGUF, and the parameter's. */
    private record Names(String name, String gguf, String parameter) {}

    private static final List<Names> BLOCK = List.of(
            new Names("ln_1.weight", "attn_norm.weight", TransformerBlock.ATTENTION_NORM + TransformerBlock.GAIN),
            new Names("ln_1.bias", "attn_norm.bias", TransformerBlock.ATTENTION_NORM + TransformerBlock.BIAS),
            new Names("attn.c_attn.weight", "attn_qkv.weight", TransformerBlock.QKV),
            new Names("attn.c_attn.bias", "attn_qkv.bias", TransformerBlock.QKV + TransformerBlock.BIAS),
            new Names("attn.c_proj.weight", "attn_output.weight", TransformerBlock.PROJECTION),
            new Names("attn.c_proj.bias", "attn_output.bias", TransformerBlock.PROJECTION + TransformerBlock.BIAS),
            new Names("ln_2.weight", "ffn_norm.weight", TransformerBlock.MLP_NORM + TransformerBlock.GAIN),
            new Names("ln_2.bias", "ffn_norm.bias", TransformerBlock.MLP_NORM + TransformerBlock.BIAS),
            new Names("mlp.c_fc.weight", "ffn_up.weight", TransformerBlock.EXPAND),
            new Names("mlp.c_fc.bias", "ffn_up.bias", TransformerBlock.EXPAND + TransformerBlock.BIAS),
            new Names("mlp.c_proj.weight", "ffn_down.weight", TransformerBlock.CONTRACT),
            new Names("mlp.c_proj.bias", "ffn_down.bias", TransformerBlock.CONTRACT + TransformerBlock.BIAS));

    /** @throws IllegalArgumentException if {@code graph} is no such graph, or not initialized */
    static GptGraph of(ComputationGraph graph) {
        if (graph.getVertices() == null) {
            throw new IllegalArgumentException("The graph has no parameters: init() it first");
        }
        var chain = new Chain(graph);
        for (int index : graph.topologicalSortOrder()) {
            chain.add(graph.getVertices()[index]);
        }
        return chain.end();
    }

    /** The layers met so far. */
    private static final class Chain {

        private final ComputationGraph graph;
        private final Map<String, Gpt2Tensor> tensors = new LinkedHashMap<>();
        private final List<TransformerBlock> blocks = new ArrayList<>();
        private GptEmbedding embedding;
        private GptOutput output;
        private int last = -1;

        private Chain(ComputationGraph graph) {
            this.graph = graph;
        }

        private void add(GraphVertex vertex) {
            if (vertex.isInputVertex()) {
                if (last >= 0) {
                    throw invalid(vertex, "is a second input");
                }
                last = vertex.getVertexIndex();
                return;
            }
            var inputs = vertex.getInputVertices();
            if (inputs == null || inputs.length != 1 || inputs[0].getVertexIndex() != last || !vertex.hasLayer()) {
                throw invalid(vertex, "is not a layer on the one before it alone");
            }
            Layer layer = vertex.getLayer();
            while (layer instanceof BaseWrapperLayer wrapper) {
                layer = wrapper.getUnderlying();
            }
            var conf = layer.conf().getLayer();
            if (conf instanceof GptEmbedding first && embedding == null) {
                embedding = first;
                add(layer, GptEmbedding.TOKENS, Gpt2Tensor.TOKENS, "token_embd.weight");
                add(layer, GptEmbedding.POSITIONS, Gpt2Tensor.POSITIONS, "position_embd.weight");
            } else if (conf instanceof TransformerBlock block && embedding != null && output == null) {
                for (Names names : BLOCK) {
                    add(
                            layer,
                            names.parameter,
                            "h." + blocks.size() + "." + names.name,
                            "blk." + blocks.size() + "." + names.gguf);
                }
                blocks.add(block);
            } else if (conf instanceof GptOutput end && !blocks.isEmpty() && output == null) {
                output = end;
                add(layer, GptOutput.NORM_GAIN, "ln_f.weight", "output_norm.weight");
                add(layer, GptOutput.NORM_BIAS, "ln_f.bias", "output_norm.bias");
                if (end.getTiedTo() == null) {
                    add(layer, GptOutput.HEAD, Gpt2Tensor.HEAD, "output.weight");
                }
            } else {
                throw invalid(vertex, "is a " + conf.getClass().getSimpleName());
            }
            last = vertex.getVertexIndex();
        }

        /** The layer's parameters are views of the graph's. */
        private void add(Layer layer, String parameter, String name, String ggufName) {
            INDArray values = layer.getParam(parameter);
            boolean transposed = values.rank() == 2 && name.contains(".c_");
            long offset = values.offset() - graph.params().offset();
            tensors.put(
                    name, new Gpt2Tensor(name, ggufName, offset, values.shape().clone(), transposed));
        }

        private GptGraph end() {
            if (output == null) {
                throw new IllegalArgumentException("The graph does not end with a GptOutput: " + EXPECTED);
            }
            if (blocks.stream().mapToInt(TransformerBlock::getHeads).distinct().count() != 1) {
                throw new IllegalArgumentException("The graph's blocks have different heads, a GPT-2's have the same");
            }
            var shape = new Gpt2Config(
                    blocks.size(),
                    (int) embedding.getNOut(),
                    blocks.get(0).getHeads(),
                    embedding.getContextLength(),
                    (int) embedding.getNIn(),
                    output.getTiedTo() != null);
            return new GptGraph(graph, shape, tensors);
        }
    }

    private static final String EXPECTED = "expected a GptEmbedding, TransformerBlocks and a GptOutput, each on the one"
            + " before it, as GptConfiguration makes them";

    private static IllegalArgumentException invalid(GraphVertex vertex, String what) {
        return new IllegalArgumentException("Vertex \"" + vertex.getVertexName() + "\" " + what + ": " + EXPECTED);
    }
}
