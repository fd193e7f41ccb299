package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.AppProcess.Outcome;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.io.Sha256;

/**
 * Bad command lines, texts, configurations, checkpoints and environments, each under three languages and encodings: one
 * line that says what, exit code 2, or 1 where the JVM cannot go on, and all files as they were.
 */
final class BadInputs implements Torture.Part {

    private static final Map<String, List<String>> LOCALES = Map.of(
            "C", List.of("-Duser.language=en"),
            "C.UTF-8", List.of("-Duser.language=tr", "-Duser.country=TR"),
            "POSIX", List.of("-Duser.language=ar", "-Duser.country=EG", "-Duser.extensions=u-nu-arab"));

    private final Path directory;
    private final List<BadInput> inputs;
    private int processes;

    /** What is wrong, and the process that is to notice it. */
    record BadInput(String name, Preparation preparation) {}

    /** Writes what the process needs into an empty directory. */
    interface Preparation {
        AppProcess in(Path directory) throws IOException;
    }

    /** @param count inputs, chosen from all */
    BadInputs(Path directory, int count, long seed) throws IOException, InterruptedException {
        this.directory = directory.toRealPath();
        Random random = new Random(seed);
        GoodRun run = new GoodRun(Files.createDirectory(this.directory.resolve("good")));
        List<BadInput> all = new ArrayList<>();
        all.addAll(BadCommandLines.all());
        all.addAll(BadTexts.all(random));
        all.addAll(BadConfigurations.all(run, random));
        all.addAll(BadCheckpoints.all(run, random));
        all.addAll(BadEnvironments.all(run));
        if (count > all.size()) {
            throw new IllegalArgumentException("There are " + all.size() + " bad inputs, not " + count);
        }
        Collections.shuffle(all, random);
        inputs = List.copyOf(all.subList(0, count));
    }

    @Override
    public int size() {
        return inputs.size();
    }

    @Override
    public void run(int index) throws IOException, InterruptedException {
        BadInput input = inputs.get(index);
        for (String encoding : LOCALES.keySet()) {
            Path place = Files.createDirectory(directory.resolve("input-" + index));
            AppProcess app = input.preparation().in(place);
            Map<String, String> before = content(place);
            Outcome outcome = app.with(Map.of("LC_ALL", encoding))
                    .withJava(LOCALES.get(encoding).toArray(new String[0]))
                    .run();
            String where =
                    index + ", " + input.name() + " under " + encoding + ", " + app.wrapper() + app.arguments() + ": ";
            requireOneLine(where, outcome);
            if (!content(place).entrySet().containsAll(before.entrySet())) {
                throw new AssertionError(where + "files were changed: " + outcome.error());
            }
            Folders.delete(place);
            synchronized (this) {
                processes++;
            }
        }
    }

    static void requireOneLine(String where, Outcome outcome) {
        List<String> lines = outcome.error().lines().toList();
        boolean oneLine = !lines.isEmpty()
                && lines.stream().filter(line -> line.startsWith("Error: ")).count() == 1
                && lines.get(lines.size() - 1).startsWith("Error: ");
        boolean trace = lines.stream().anyMatch(line -> line.startsWith("\tat ") || line.startsWith("Exception in "));
        boolean exit = outcome.exitCode() == App.BAD_INPUT || outcome.exitCode() == App.FAILED;
        if (!oneLine || trace || !exit) {
            throw new AssertionError(where + "exit code " + outcome.exitCode() + " and " + outcome.error());
        }
    }

    /** The regular files below {@code place}, by path, but for locks. */
    private static Map<String, String> content(Path place) throws IOException {
        Map<String, String> content = new TreeMap<>();
        for (Path file : Folders.walk(place)) {
            if (Files.isRegularFile(file) && Files.size(file) < 1 << 28 && !file.endsWith(".lock")) {
                Sha256 sha256 = new Sha256();
                Files.copy(file, sha256.over(OutputStream.nullOutputStream()));
                content.put(file.toString(), sha256.hex());
            }
        }
        return content;
    }

    @Override
    public synchronized String summary() {
        return processes + " processes with " + inputs.size() + " bad inputs under " + LOCALES.size() + " locales";
    }
}
