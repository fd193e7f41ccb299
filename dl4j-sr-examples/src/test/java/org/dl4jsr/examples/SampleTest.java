package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model that has learnt next to nothing writes bytes of all kinds. */
class SampleTest {

    private static final String PROMPT = "größer";

    @TempDir
    private Path directory;

    @Test
    void promptsComeFromEverywhere() throws IOException {
        Path text = Files.writeString(directory.resolve("text"), TestRuns.text());
        Path run = directory.resolve("run");
        assertEquals(
                0,
                App.run(
                        "pretrain",
                        "--text",
                        text.toString(),
                        "--out",
                        run.toString(),
                        "--batch",
                        "1",
                        "--context",
                        "16",
                        "--tokens",
                        "16"));
        String written = sample("", run, "--prompt", PROMPT);
        assertTrue(written.startsWith(PROMPT), written);
        // no byte of the model's reaches a terminal as a control character
        assertTrue(written.chars().noneMatch(c -> Character.isISOControl(c) && c != '\n' && c != '\t'), written);
        assertTrue(written.chars().anyMatch(c -> c >= '\u2400' && c <= '\u2421' || c == '\ufffd'), written);
        assertEquals(written, sample(PROMPT + "\n", run, "--prompt", "-"));

        String typed = sample(PROMPT + "\n" + PROMPT + "\n", run, "--interactive");
        String first = written.substring(PROMPT.length());
        assertTrue(typed.startsWith(first), typed);
        // each line has a seed of its own
        assertNotEquals(first + first, typed);
        assertEquals("", sample("", run, "--interactive"));
    }

    private static String sample(String standardInput, Path run, String... options) {
        List<String> arguments =
                new ArrayList<>(List.of("sample", "--model", run.toString(), "--tokens", "60", "--temperature", "1"));
        arguments.addAll(List.of(options));
        InputStream in = System.in;
        PrintStream out = System.out;
        ByteArrayOutputStream captured = new ByteArrayOutputStream();
        System.setIn(new ByteArrayInputStream(standardInput.getBytes(StandardCharsets.UTF_8)));
        System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
        try {
            assertEquals(0, App.run(arguments.toArray(new String[0])));
        } finally {
            System.setIn(in);
            System.setOut(out);
        }
        return captured.toString(StandardCharsets.UTF_8);
    }
}
