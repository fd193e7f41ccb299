package org.dl4jsr.examples.run;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.weights.Gpt2Weights;

/**
 * The weights that a run begins with.
 *
 * @param path absolute path of a published model's folder; empty for random weights
 * @param sha256 of the files with its weights, which tells whether a run that is resumed before its first checkpoint
 *     sees the same; empty as long as they have not been read
 */
public record StartingWeights(String path, String sha256) {

    static final StartingWeights RANDOM = new StartingWeights("", "");

    /** Those of the model in {@code folder}, unread. */
    static StartingWeights of(Path folder) {
        return new StartingWeights(folder.toAbsolutePath().normalize().toString(), "");
    }

    public boolean areRandom() {
        return path.isEmpty();
    }

    /**
     * Gives {@code network}, whose weights are random, these. Reads their files once.
     *
     * @return the same as they were read
     */
    public StartingWeights copyTo(ComputationGraph network) {
        if (areRandom()) {
            return this;
        }
        Sha256 hash = new Sha256();
        try (Gpt2Weights weights = Gpt2Weights.open(Path.of(path))) {
            weights.copyTo(network, hash::update);
        } catch (IOException e) {
            throw new BadInput("Cannot read the weights that the run begins with: " + BadInput.reason(e), e);
        } catch (IllegalArgumentException e) { // of another shape
            throw new BadInput(others(), e);
        }
        StartingWeights read = new StartingWeights(path, hash.hex());
        if (!sha256.isEmpty() && !read.equals(this)) {
            throw new BadInput(others());
        }
        return read;
    }

    private String others() {
        return "The weights in " + path + " are not those that the run began with: put them back, or start a new run";
    }
}
