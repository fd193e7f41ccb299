package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunDirectoryTest {

    private static final RunConfig CONFIG = Preset.NANO
            .config()
            .withText(Preset.NANO.config().text().withPaths(List.of("/a text")))
            .withLearningRate(1e-3)
            .withSeed(-5);

    @TempDir
    private Path directory;

    @Test
    void theConfigurationComesBack() {
        Path path = directory.resolve("deep/run");
        RunDirectory.create(path, CONFIG).close();
        try (RunDirectory opened = RunDirectory.open(path)) {
            assertEquals(CONFIG, opened.config());
        }
    }

    @Test
    void aDirectoryTakesOneRun() {
        RunDirectory.create(directory, CONFIG).close();
        assertMessage("Directory " + directory + " already holds a run", () -> RunDirectory.create(directory, CONFIG));
    }

    @Test
    void oneProcessAtATimeWrites() {
        try (RunDirectory first = RunDirectory.create(directory, CONFIG)) {
            assertMessage("Another process is writing to " + directory, () -> RunDirectory.open(first.path()));
            assertMessage("Another process is writing to " + directory, () -> RunDirectory.create(directory, CONFIG));
            // renames and replacements in the directory do not end the lock
            first.change(CONFIG.withSeed(7));
            assertMessage("Another process is writing to " + directory, () -> RunDirectory.open(first.path()));
        }
    }

    @Test
    void whatIsNoRunIsBadInput() throws IOException {
        assertMessage(
                "Run directory " + directory.resolve("x") + " does not exist",
                () -> RunDirectory.open(directory.resolve("x")));
        assertMessage("Directory " + directory + " holds no run", () -> RunDirectory.open(directory));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"batch\" : 16 | \"batch\" : -16 | budget: --batch -16 is out of range: expected 1 to 65536",
                "\"tokens\" : 2000000 | \"tokens\" : 1.5 | budget.tokens: is 1.5, expected a whole number of at most 9223372036854775807",
                "\"tokens\" : 2000000 | \"tokens\" : \"5\" | budget.tokens: is \"5\", expected a whole number of at most 9223372036854775807",
                "\"tokens\" : 2000000, | `` | budget.tokens: is missing, expected ",
                "\"heads\" : 4 | \"heads\" : 0 | model: heads 0 is out of range: expected 1 to 128",
                "\"heads\" : 4 | \"heads\" : 3 | model: heads 3 do not divide the width of 128",
                "\"layers\" : 4 | \"layers\" : -1 | model: layers -1 is out of range",
                "\"layers\" : 4 | \"layers\" : 2147483647 | model: layers 2147483647 is out of range",
                "\"layers\" : 4 | \"layers\" : null | model.layers: is null, expected a whole number of at most 2147483647",
                "\"vocabulary\" : 256 | \"vocabulary\" : 99999999 | model: vocabulary 99999999 is out of range",
                "\"tokenizer\" : \"bytes\" | \"tokenizer\" : \"words\" | text: Unknown tokenizer 'words'",
                "\"paths\" : [ \"/a text\" ] | \"paths\" : null | text.paths: is null, expected a list",
                "\"policy\" : \"bf16-sr\" | \"policy\" : \"x\" | Unknown policy \"x\"",
                "\"beta2\" : 0.95 | \"beta2\" : 1.0 | --beta2 1.0 is out of range",
                "\"learningRate\" : 0.001 | \"learningRate\" : \"NaN\" | --lr NaN is out of range",
                "\"seed\" : -5 | \"seed\" : 1, \"sead\" : 2 | sead: no such field is known",
                "\"seed\" : -5 | \"seed\" : 99999999999999999999 | seed: is 99999999999999999999, expected a whole number of at most 9223372036854775807",
                "{ | [ | it is no JSON: line ",
                "} | `` | ",
            })
    void aBadConfigurationIsOneLine(String from, String to, String reason) throws IOException {
        String good = Json.indented(CONFIG);
        String bad = good.replace(from, to == null ? "" : to);
        assertNotEquals(good, bad);
        Path config = Files.writeString(directory.resolve("config.json"), bad);
        assertMessage(
                config + " is damaged or of another version: " + (reason == null ? "" : reason),
                () -> RunDirectory.open(directory));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "5", "{}", "{\"preset\": 5}", "a text"})
    void whatIsNoConfigurationIsOneLine(String text) throws IOException {
        Path config = Files.writeString(directory.resolve("config.json"), text);
        assertMessage(config + " is damaged or of another version: ", () -> RunDirectory.open(directory));
    }

    @Test
    void aFileIsNoOutputDirectory() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        assertMessage("Cannot write to directory " + file, () -> RunDirectory.create(file, CONFIG));
        Path below = file.resolve("below");
        assertMessage("Cannot write to directory " + below, () -> RunDirectory.create(below, CONFIG));
    }

    private static void assertMessage(String start, Runnable action) {
        String message = assertThrows(BadInput.class, action::run).getMessage();
        assertTrue(message.startsWith(start) && !message.contains("\n"), message);
    }
}
