package org.dl4jsr.examples.run;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Document;
import org.dl4jsr.examples.data.Tokenizer;

/** Small runs for tests. */
public final class TestRuns {

    private TestRuns() {}

    /** The nano model with a context of 16. */
    public static RunConfig config(String policy, int batch, int accumulate, int steps) {
        RunConfig nano = Preset.NANO.config();
        return nano.withModel(nano.model().withContext(16))
                .withBudget(new TrainingBudget(16L * batch * accumulate * steps, batch, accumulate))
                .withPolicy(policy)
                .withLearningRate(1e-3);
    }

    /** A model smaller than any preset, with a context of 8, on {@code text}: for runs in processes of their own. */
    public static RunConfig tiny(Path text, int steps) {
        RunConfig nano = Preset.NANO.config();
        TrainingText read = nano.text().withPaths(List.of(text.toString()));
        return nano.withModel(new ModelShape("nano", 1, 2, 32, 8, nano.model().vocabulary(), false))
                .withText(read.asRead(read.load(8, null)))
                .withBudget(new TrainingBudget(8L * steps, 1, 1));
    }

    /** Some text with a pattern in it. */
    public static String text() {
        return IntStream.range(0, 400).mapToObj(i -> "line " + i * i).collect(Collectors.joining("\n"));
    }

    static Corpus corpus() {
        return Corpus.of("test", List.of(new Document("text", text())), Tokenizer.named("bytes"));
    }
}
