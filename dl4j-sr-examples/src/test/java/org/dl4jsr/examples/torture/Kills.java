package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.run.Checkpoints;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.run.TestRuns;
import org.dl4jsr.examples.run.TrainingState;
import org.dl4jsr.examples.run.TrainingState.RowSoFar;
import org.dl4jsr.examples.torture.KillAtCall.How;

/**
 * Runs that are killed, or whose disk fills up, and that are resumed: they must end as one that nothing disturbed, with
 * the same files and the same bits in them.
 */
final class Kills {

    /** Enough for three checkpoints, and so for an old one to be deleted. */
    private static final int STEPS = 60;

    /** Exit code after SIGKILL. */
    private static final int KILLED = 137;

    private static final Predicate<String> CANNOT_WRITE = Pattern.compile(
                    "Error: Cannot write .*(No space left on device|sync failed).*")
            .asMatchPredicate();

    private final Path directory;
    private final Path text;
    /** Null where runs begin by {@code --out}. */
    private final RunConfig begun;

    private final KillAtCall library;
    private final List<String> calls;
    private final long milliseconds;
    private final Map<String, String> expected;

    /**
     * What befalls a process.
     *
     * @param call the call at which, from 1; 0 where it comes by time
     * @param how what happens at the call
     * @param milliseconds after the start of the process, where it comes by time
     */
    record Kill(int call, How how, long milliseconds) {

        static Kill atCall(int call, How how) {
            return new Kill(call, how, 0);
        }

        static Kill after(long milliseconds) {
            return new Kill(0, How.BEFORE, milliseconds);
        }
    }

    /**
     * Has a run in {@code directory} that nothing disturbs.
     *
     * @param begun whether runs have their {@code config.json} already, of a model smaller than any preset; else they
     *     begin by {@code pretrain --out}
     */
    Kills(Path directory, boolean begun) throws IOException, InterruptedException {
        this.directory = directory.toRealPath();
        text = Files.writeString(this.directory.resolve("text"), TestRuns.text());
        this.begun = begun ? TestRuns.tiny(text, STEPS) : null;
        library = new KillAtCall(this.directory);
        Path run = this.directory.resolve("undisturbed");
        Path log = this.directory.resolve("undisturbed.calls");
        long start = System.nanoTime();
        AppProcess.Outcome outcome =
                process(run).with(library.logging(run, log)).run();
        milliseconds = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
        if (outcome.exitCode() != 0) {
            throw new IllegalStateException("The undisturbed run fails: " + outcome.error());
        }
        calls = KillAtCall.calls(log);
        expected = content(run);
    }

    /** The calls of the undisturbed run. */
    List<String> calls() {
        return calls;
    }

    /** How long the undisturbed run took. */
    long milliseconds() {
        return milliseconds;
    }

    /**
     * Has a run of this name killed so often, and resumed in the end.
     *
     * @return those that came before the run's end
     * @throws AssertionError where it does not end as the undisturbed run; its directory is kept
     */
    List<Kill> run(String name, List<Kill> kills) throws IOException, InterruptedException {
        Path run = directory.resolve(name);
        List<Kill> befallen = new ArrayList<>();
        for (Kill kill : kills) {
            if (isKilled(run, kill)) {
                befallen.add(kill);
            }
        }
        AppProcess.Outcome end = process(run).run();
        Map<String, String> actual = end.exitCode() == 0 ? content(run) : Map.of();
        if (!actual.equals(expected)) {
            throw new AssertionError(run + " after " + kills + " ended with exit code " + end.exitCode() + " and "
                    + difference(actual) + ": " + end.error());
        }
        Folders.delete(run);
        return befallen;
    }

    /** Whether the process did not come to the run's end. */
    private boolean isKilled(Path run, Kill kill) throws IOException, InterruptedException {
        AppProcess app = process(run);
        int exitCode;
        String error = "";
        if (kill.call() > 0) {
            AppProcess.Outcome outcome =
                    app.with(library.killing(run, kill.call(), kill.how())).run();
            exitCode = outcome.exitCode();
            error = outcome.error();
        } else {
            Process process = app.start();
            process.waitFor(kill.milliseconds(), TimeUnit.MILLISECONDS);
            exitCode = process.destroyForcibly().waitFor();
        }
        boolean expectedEnd = kill.how() == How.FULL_DISK
                ? exitCode == App.BAD_INPUT
                        && error.lines().filter(CANNOT_WRITE).count() == 1
                        && !error.contains("\tat ")
                : exitCode == KILLED;
        if (exitCode != 0 && !expectedEnd) {
            throw new AssertionError(run + " before " + kill + " ended with exit code " + exitCode + ": " + error);
        }
        return exitCode != 0;
    }

    /** The run's beginning, or where there is one, its resumption. */
    private AppProcess process(Path run) {
        if (begun != null && !Files.exists(run)) {
            RunDirectory.create(run, begun).close();
        }
        return Files.exists(run.resolve("config.json"))
                ? AppProcess.resume(run)
                : AppProcess.pretrain(run, text, STEPS);
    }

    private String difference(Map<String, String> actual) {
        return Stream.concat(expected.keySet().stream(), actual.keySet().stream())
                .distinct()
                .filter(name -> !Objects.equals(expected.get(name), actual.get(name)))
                .collect(Collectors.joining(", ", "other files (", ")"));
    }

    /** The files by name: what in them is of the run, and not of how fast it was. */
    private static Map<String, String> content(Path run) throws IOException {
        Map<String, String> content = new TreeMap<>();
        for (Path file : Folders.list(run)) {
            String name = file.getFileName().toString();
            if (name.endsWith(".zip")) {
                content.put(name, entries(file) + state(Checkpoints.of(file).state()));
            } else if (name.equals("metrics.csv")) {
                content.put(name, Files.readString(file).replaceAll(",[^,]*\n", "\n"));
            } else if (name.equals("config.json")) {
                content.put(name, Files.readString(file));
            } else {
                content.put(name, "");
            }
        }
        return content;
    }

    private static String state(TrainingState state) {
        RowSoFar row = state.row();
        return new TrainingState(
                        state.step(),
                        state.tokens(),
                        state.skipped(),
                        state.skippedInARow(),
                        new RowSoFar(row.start(), row.losses(), 0, row.stagnation()))
                .toString();
    }

    private static String entries(Path zip) throws IOException {
        try (ZipFile file = new ZipFile(zip.toFile())) {
            return file.stream()
                    .map((ZipEntry entry) -> entry.getName() + " " + entry.getSize() + " " + entry.getCrc() + "\n")
                    .sorted()
                    .collect(Collectors.joining());
        }
    }
}
