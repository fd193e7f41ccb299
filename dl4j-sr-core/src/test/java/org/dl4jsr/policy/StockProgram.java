package org.dl4jsr.policy;

import java.io.File;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A program that knows DL4J alone: restores two models from a directory, trains them one step and saves outputs. */
public final class StockProgram {

    private StockProgram() {}

    public static void main(String[] arguments) throws Exception {
        var directory = new File(arguments[0]);
        INDArray features = Nd4j.readBinary(new File(directory, "features.bin"));
        var data = new DataSet(features, Nd4j.readBinary(new File(directory, "labels.bin")));
        var network = ModelSerializer.restoreMultiLayerNetwork(new File(directory, "network.zip"), true);
        network.fit(data);
        Nd4j.saveBinary(network.output(features), new File(directory, "network.out"));
        var graph = ModelSerializer.restoreComputationGraph(new File(directory, "graph.zip"), true);
        graph.fit(data);
        Nd4j.saveBinary(graph.outputSingle(features), new File(directory, "graph.out"));
    }
}
