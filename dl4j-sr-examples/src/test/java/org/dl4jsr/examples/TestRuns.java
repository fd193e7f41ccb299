package org.dl4jsr.examples;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Small runs for tests. */
final class TestRuns {

    private TestRuns() {}

    /** The nano model with a context of 16. */
    static RunConfig config(String policy, int batch, int accumulate, int steps) {
        ModelOptions options = new ModelOptions();
        options.batch = batch;
        options.accumulate = accumulate;
        options.context = 16;
        return options.config(policy, List.of(), 16L * batch * accumulate * steps, 1e-3, 1L);
    }

    /** Some text with a pattern in it. */
    static String text() {
        return IntStream.range(0, 400).mapToObj(i -> "line " + i * i).collect(Collectors.joining("\n"));
    }

    static Corpus corpus() {
        return Corpus.of("test", List.of(new Document("text", TestRuns::text)), Tokenizer.named("bytes"));
    }
}
