package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
            assertMessage("This process is already writing", () -> RunDirectory.open(first.path()));
        }
    }

    @Test
    void whatIsNoRunIsBadInput() throws IOException {
        assertMessage(
                "Run directory " + directory.resolve("x") + " does not exist",
                () -> RunDirectory.open(directory.resolve("x")));
        assertMessage("Directory " + directory + " holds no run", () -> RunDirectory.open(directory));
        for (String damaged :
                List.of("", "{", "{\"preset\": 5}", Json.indented(CONFIG).replace("16", "-16"))) {
            Files.writeString(directory.resolve("config.json"), damaged);
            assertMessage(directory.resolve("config.json") + " is damaged", () -> RunDirectory.open(directory));
        }
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
