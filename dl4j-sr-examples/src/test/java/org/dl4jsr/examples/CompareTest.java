package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("slow")
class CompareTest {

    @TempDir
    private Path directory;

    @Test
    void policiesAndSeedsAreCompared() throws IOException {
        assertEquals(0, compare("--policies", "bf16-o1,bf16-sr", "--seeds", "2"));
        List<String> csv = Files.readAllLines(directory.resolve("out/compare.csv"));
        assertEquals("policy,seed,tokens,val_loss,val_perplexity,bits_per_byte,tok_per_s", csv.get(0));
        assertEquals(
                List.of("bf16-o1,1,320", "bf16-sr,1,320", "bf16-o1,2,320", "bf16-sr,2,320"),
                csv.stream()
                        .skip(1)
                        .map(line -> line.replaceAll("(320),.*", "$1"))
                        .toList());
        assertTrue(Files.readString(directory.resolve("out/compare.html")).contains("Policies compared on nano"));
        assertEquals(
                11,
                Files.readAllLines(directory.resolve("out/metrics-bf16-sr-lr0.002-seed2.csv"))
                        .size());
    }

    @Test
    void learningRatesAreSwept() throws IOException {
        assertEquals(0, compare("--policies", "bf16-sr", "--seeds", "1", "--lrs", "1e-4,1e-2"));
        List<String> csv = Files.readAllLines(directory.resolve("out/sweep.csv"));
        assertEquals("policy,lr,seed,tokens,val_loss,val_perplexity,bits_per_byte,tok_per_s", csv.get(0));
        assertTrue(csv.get(1).startsWith("bf16-sr,1.0E-4,1,320,"), csv.get(1));
        assertTrue(csv.get(2).startsWith("bf16-sr,0.01,1,320,"), csv.get(2));
        assertTrue(
                Files.readString(directory.resolve("out/compare.html")).contains("\"bf16-sr 0.0001\""),
                "numbers as people write them");
        assertEquals(App.BAD_INPUT, compare("--policies", "bf16-sr", "--lrs", "1e-3"));
        assertEquals(csv, Files.readAllLines(directory.resolve("out/sweep.csv")));
    }

    private int compare(String... arguments) throws IOException {
        Path text = Files.writeString(directory.resolve("text"), TestRuns.text());
        List<String> all = new ArrayList<>(List.of(
                "compare",
                "--text",
                text.toString(),
                "--out",
                directory.resolve("out").toString(),
                "--batch",
                "2",
                "--context",
                "16",
                "--tokens",
                "320"));
        all.addAll(List.of(arguments));
        return App.run(all.toArray(new String[0]));
    }
}
