package org.dl4jsr.examples.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.weights.BytePairVocabulary;
import org.dl4jsr.weights.Gpt2Export;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tokenizer's files that follow from the tokens alone are those that OpenAI has published. */
class PublishedTokenizerTest {

    @Test
    void mergesAreThePublishedOnes(@TempDir Path directory) throws IOException {
        BytePairVocabulary gpt2 = Tokenizer.named("gpt2").pairs();
        ComputationGraph graph = new ComputationGraph(GptConfiguration.builder()
                .layers(1)
                .width(2)
                .heads(1)
                .context(4)
                .vocabulary(50_304)
                .build()
                .toGraph());
        graph.init();
        Path folder = directory.resolve("gpt2");
        Gpt2Export.of(graph).tokenizer(gpt2).toSafetensors(folder);
        List<String> merges = Files.readAllLines(folder.resolve("merges.txt"));
        assertEquals(1 + 50_000, merges.size());
        assertEquals(List.of("#version: 0.2", "Ġ t", "Ġ a", "h e", "i n", "r e", "o n"), merges.subList(0, 7));
        assertEquals(List.of("Ġinform ants", "Ġg azed"), merges.subList(49_999, 50_001));
        String vocabulary = Files.readString(folder.resolve("vocab.json"));
        assertTrue(vocabulary.startsWith("{\"!\":0,\"\\\"\":1,\"#\":2,"), vocabulary.substring(0, 40));
        assertTrue(vocabulary.endsWith("\"Ġgazed\":50255,\"<|endoftext|>\":50256}"));
        assertTrue(gpt2.isTokenizerOf(folder));
        assertFalse(Tokenizer.named("bytes").pairs().isTokenizerOf(folder));
    }
}
