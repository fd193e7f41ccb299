package org.dl4jsr.examples.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.report.MetricsFile;

/**
 * The directory of one run: {@code config.json}, {@code metrics.csv}, checkpoints and {@code report.html}. A process
 * that writes there holds a lock on {@code config.json}, which ends with the process.
 */
public final class RunDirectory implements AutoCloseable {

    private static final String CONFIG = "config.json";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

    private final Path path;
    private final RunConfig config;
    private final FileChannel lock;

    private RunDirectory(Path path, RunConfig config) {
        this.path = path;
        this.config = config;
        this.lock = locked(path.resolve(CONFIG));
    }

    /** Where a run or comparison goes that was given no directory: {@code runs/NAME-TIME}, in UTC. */
    public static Path newPath(String name) {
        return Path.of("runs", name + "-" + TIME.format(Instant.now()));
    }

    /** A new run in {@code path}, which must not hold one. */
    public static RunDirectory create(Path path, RunConfig config) {
        AtomicFile.makeWritable(path);
        if (Files.exists(path.resolve(CONFIG))) {
            throw new BadInput("Directory " + path + " already holds a run: continue it with --resume " + path
                    + ", or choose another --out");
        }
        AtomicFile.write(path.resolve(CONFIG), Json.indented(config));
        return new RunDirectory(path, config);
    }

    /** The run in {@code path}, to go on with. */
    static RunDirectory open(Path path) {
        RunConfig config = config(path);
        AtomicFile.makeWritable(path);
        return new RunDirectory(path, config);
    }

    /** The configuration of the run in {@code path}. */
    public static RunConfig config(Path path) {
        Path file = path.resolve(CONFIG);
        if (!Files.isDirectory(path)) {
            throw new BadInput("Run directory " + path + " does not exist");
        }
        if (!Files.exists(file)) {
            throw new BadInput("Directory " + path + " holds no run: there is no " + CONFIG + " in it");
        }
        try {
            return Json.read(Files.readString(file), RunConfig.class);
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

    MetricsFile metrics() {
        return new MetricsFile(path.resolve("metrics.csv"));
    }

    Checkpoints checkpoints() {
        return new Checkpoints(path);
    }

    Path report() {
        return path.resolve("report.html");
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new IllegalStateException("Cannot release the lock on " + path, e);
        }
    }

    private static FileChannel locked(Path file) {
        try {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock == null) {
                throw new BadInput("Another process is writing to the run of " + file + ": wait until it ends");
            }
            return channel;
        } catch (OverlappingFileLockException e) {
            throw new BadInput("This process is already writing to the run of " + file, e);
        } catch (IOException e) {
            throw new BadInput("Cannot lock " + file + ": " + BadInput.reason(e), e);
        }
    }
}
