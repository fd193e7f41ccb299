package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.Document;
import org.dl4jsr.examples.data.Tokenizer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class SamplerTest {

    private static final String CYCLE = "abcdefgh";

    private final Tokenizer bytes = Tokenizer.named("bytes");
    private final RunConfig config = TestRuns.config("fp32", 8, 1, 120);
    private final ComputationGraph network = trainedOnCycle();

    @Test
    void greedyTextFollowsWhatWasLearnt() {
        Sampler greedy = new Sampler(network, bytes, config.model().context(), 0, 0);
        // longer than the context, so that the window has to move on
        assertEquals(CYCLE.repeat(5), greedy.write(CYCLE, 40, 1));
        assertEquals("fgh" + CYCLE, greedy.write("abcde", 11, 2));
        assertEquals("ijkl".length(), greedy.write("", 4, 1).length());
    }

    @Test
    void oneOfTheTopOneIsGreedy() {
        assertEquals(CYCLE, new Sampler(network, bytes, config.model().context(), 5, 1).write(CYCLE, 8, 3));
    }

    @Test
    void drawsDependOnTheSeedAlone() {
        Sampler hot = new Sampler(network, bytes, config.model().context(), 10, 0);
        assertEquals(hot.write(CYCLE, 20, 1), hot.write(CYCLE, 20, 1));
        assertNotEquals(hot.write(CYCLE, 20, 1), hot.write(CYCLE, 20, 2));
    }

    private ComputationGraph trainedOnCycle() {
        Corpus corpus = Corpus.of("cycle", List.of(new Document("a", CYCLE.repeat(200))), bytes);
        ComputationGraph trained = GptNetwork.create(config);
        new Trainer(config, corpus, trained, row -> {}).run(TrainingState.START, () -> false);
        return trained;
    }
}
