package org.dl4jsr.examples.run;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.DirectoryLock;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.MetricsFile;

/**
 * The directory of one run: {@code config.json}, {@code metrics.csv}, checkpoints and {@code report.html}. Locked as
 * long as it is open.
 */
public final class RunDirectory implements AutoCloseable {

    private static final String CONFIG = "config.json";
    private static final String METRICS = "metrics.csv";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Path path;
    private final DirectoryLock lock;
    private RunConfig config;

    private RunDirectory(Path path, DirectoryLock lock, RunConfig config) {
        this.path = path;
        this.lock = lock;
        this.config = config;
    }

    /** Where a run or comparison goes that was given no directory: {@code runs/NAME-TIME}, in UTC. */
    public static Path newPath(String name) {
        return Path.of("runs", name + "-" + TIME.format(Instant.now()));
    }

    /** The same of a run that is named by its model and its policy. */
    public static Path newPath(RunConfig config) {
        return newPath(config.model().preset() + "-" + config.policy());
    }

    /** Where the tokens of large texts are kept for runs in {@code path}, if the user does not say: beside it. */
    public static Path tokenCache(Path path) {
        return path.resolveSibling("token-cache");
    }

    /** A new run in {@code path}, which must not hold one. */
    public static RunDirectory create(Path path, RunConfig config) {
        DirectoryLock lock = DirectoryLock.of(path);
        try {
            requireNoRun(path);
            AtomicFile.write(path.resolve(CONFIG), Json.indented(config));
            return new RunDirectory(path, lock, config);
        } catch (BadInput e) {
            lock.close();
            throw e;
        }
    }

    /** Throws where there is a run in {@code path}. */
    static void requireNoRun(Path path) {
        if (Files.exists(path.resolve(CONFIG))) {
            throw new BadInput("Directory " + path + " already holds a run: continue it with --resume " + path
                    + ", or choose another --out");
        }
    }

    /** The run in {@code path}, to go on with. */
    static RunDirectory open(Path path) {
        requireRun(path);
        DirectoryLock lock = DirectoryLock.of(path);
        try {
            return new RunDirectory(path, lock, read(path.resolve(CONFIG)));
        } catch (BadInput e) {
            lock.close();
            throw e;
        }
    }

    /** Throws where there is no run in {@code path}. */
    public static void requireRun(Path path) {
        if (!Files.isDirectory(path)) {
            throw new BadInput("Run directory " + path + " does not exist");
        }
        if (!isRun(path)) {
            throw new BadInput("Directory " + path + " holds no run: there is no " + CONFIG + " in it");
        }
    }

    /** Whether {@code path} is a directory with a run in it. */
    public static boolean isRun(Path path) {
        return Files.exists(path.resolve(CONFIG));
    }

    /** The configuration of the run in {@code path}, which may be on. */
    public static RunConfig config(Path path) {
        requireRun(path);
        return read(path.resolve(CONFIG));
    }

    /** The metrics of the run in {@code path}, which may be on. */
    public static MetricsFile metrics(Path path) {
        return new MetricsFile(path.resolve(METRICS));
    }

    private static RunConfig read(Path file) {
        try {
            return Json.read(Texts.read(file), RunConfig.class);
        } catch (IOException e) {
            throw new BadInput(file + " is damaged or of another version: " + BadInput.reason(e), e);
        }
    }

    Path path() {
        return path;
    }

    RunConfig config() {
        return config;
    }

    /** Makes {@code newConfig} the run's. */
    void change(RunConfig newConfig) {
        AtomicFile.write(path.resolve(CONFIG), Json.indented(newConfig));
        config = newConfig;
    }

    MetricsFile metrics() {
        return metrics(path);
    }

    Checkpoints checkpoints() {
        return new Checkpoints(path);
    }

    Path report() {
        return path.resolve("report.html");
    }

    @Override
    public void close() {
        lock.close();
    }
}
