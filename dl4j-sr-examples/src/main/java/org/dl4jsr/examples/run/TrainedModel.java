package org.dl4jsr.examples.run;

import java.nio.file.Files;
import java.nio.file.Path;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.BadInput;

/**
 * A model that pretrain or finetune has trained.
 *
 * @param zip that holds the network
 */
public record TrainedModel(Checkpoint checkpoint, Path zip) {

    /** The checkpoint at {@code path}, or the newest of the run directory at {@code path}. */
    public static TrainedModel at(Path path) {
        if (Files.isRegularFile(path)) {
            return new TrainedModel(Checkpoints.of(path), path);
        }
        RunDirectory.requireRun(path);
        Checkpoints checkpoints = new Checkpoints(path);
        Checkpoint newest = checkpoints
                .newest()
                .orElseThrow(() -> new BadInput("Run directory " + path + " has no checkpoint yet"));
        return new TrainedModel(newest, checkpoints.zip(newest.step()));
    }

    public RunConfig config() {
        return checkpoint.config();
    }

    public Tokenizer tokenizer() {
        return Tokenizer.named(config().text().tokenizer());
    }

    public ComputationGraph network() {
        return GptNetwork.restore(checkpoint, zip);
    }
}
