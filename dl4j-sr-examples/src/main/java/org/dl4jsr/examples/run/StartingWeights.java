package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.weights.Gpt2Weights;

/**
 * The weights that a run begins with.
 *
 * @param path absolute path of a published model's folder; empty for random weights
 * @param sha256 of its weights: tells whether a run that is resumed before its first checkpoint sees the same
 */
public record StartingWeights(String path, String sha256) {

    static final StartingWeights RANDOM = new StartingWeights("", "");

    /** Those of the model in {@code folder}. */
    static StartingWeights of(Path folder, Gpt2Weights weights) throws IOException {
        return new StartingWeights(folder.toAbsolutePath().normalize().toString(), hash(weights));
    }

    public boolean areRandom() {
        return path.isEmpty();
    }

    /** Gives {@code network}, whose weights are random, these. */
    void copyTo(ComputationGraph network) {
        if (areRandom()) {
            return;
        }
        try (Gpt2Weights weights = Gpt2Weights.open(Path.of(path))) {
            if (!hash(weights).equals(sha256)) {
                throw new BadInput("The weights in " + path + " are not those that the run began with: put them back,"
                        + " or start a new run");
            }
            weights.copyTo(network);
        } catch (IOException e) {
            throw new BadInput("Cannot read the weights that the run begins with: " + BadInput.reason(e), e);
        }
    }

    private static String hash(Gpt2Weights weights) throws IOException {
        Sha256 sha256 = new Sha256();
        for (Path file : weights.files()) {
            Files.copy(file, sha256.over(OutputStream.nullOutputStream()));
        }
        return sha256.hex();
    }
}
