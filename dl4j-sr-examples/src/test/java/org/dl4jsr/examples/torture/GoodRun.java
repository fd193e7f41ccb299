package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.run.TestRuns;

/** A finished run of two checkpoints, at steps 20 and 40, to make damaged copies of. */
final class GoodRun {

    private final Path text;
    private final Path run;

    GoodRun(Path directory) throws IOException, InterruptedException {
        text = Files.writeString(directory.resolve("text"), TestRuns.text());
        run = directory.resolve("run");
        RunDirectory.create(run, TestRuns.tiny(text, 40)).close();
        AppProcess.Outcome outcome = AppProcess.resume(run).run();
        if (outcome.exitCode() != 0) {
            throw new IllegalStateException("The good run fails: " + outcome.error());
        }
    }

    /** The text of the run. */
    Path text() {
        return text;
    }

    /** A copy of its directory below {@code directory}. */
    Path copyTo(Path directory) throws IOException {
        Path copy = Files.createDirectory(directory.resolve("run"));
        for (Path file : Folders.list(run)) {
            Files.copy(file, copy.resolve(file.getFileName()));
        }
        return copy;
    }
}
