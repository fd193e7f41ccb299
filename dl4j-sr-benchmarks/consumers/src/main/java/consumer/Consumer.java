package consumer;

import org.bytedeco.javacpp.Loader;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.Bf16Runtime;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** A user's program: trains a network in pure BF16 and says on what it ran. */
public final class Consumer {

    private Consumer() {}

    public static void main(String[] arguments) {
        var configuration = new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-2))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(4)
                        .nOut(8)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(8)
                        .nOut(4)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(configuration));
        network.init();
        var features = Nd4j.linspace(DataType.FLOAT, -1, 0.05, 32).reshape(8, 4);
        var labels = Nd4j.eye(4).repeat(0, 2);
        double before = network.score(new DataSet(features, labels));
        for (int i = 0; i < 50; i++) {
            network.fit(features, labels);
        }
        if (!(network.score() < before)) {
            throw new IllegalStateException("It does not learn: " + network.score() + " after " + before);
        }
        System.out.println("trained: " + network.params().dataType() + ", " + Bf16Runtime.current());
        System.out.println("JavaCPP: " + Loader.class.getPackage().getImplementationVersion() + " of "
                + Loader.class.getProtectionDomain().getCodeSource().getLocation());
    }
}
