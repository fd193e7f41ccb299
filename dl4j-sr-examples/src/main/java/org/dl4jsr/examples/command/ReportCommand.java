package org.dl4jsr.examples.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.report.MetricsRow;
import org.dl4jsr.examples.report.RunsReport;
import org.dl4jsr.examples.report.RunsReport.Run;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.RunDirectory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code report}: several runs on one page, also while they are on. */
@Command(
        name = "report",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Compares runs: their curves on one page, their results, and the settings that differ.")
public final class ReportCommand implements Callable<Integer> {

    @Parameters(paramLabel = "DIR", arity = "1..*", description = "Run directories, and directories that hold some.")
    private List<Path> directories;

    @Option(names = "--out", paramLabel = "FILE", description = "The page to write (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("runs.html");

    @Override
    public Integer call() {
        List<String> leftOut = new ArrayList<>();
        List<Path> paths = new ArrayList<>();
        for (Path directory : directories) {
            List<Path> found = runsIn(directory);
            if (found.isEmpty()) {
                leftOut.add(directory + " holds no run");
            }
            paths.addAll(found);
        }
        List<Run> runs = new ArrayList<>();
        for (Path path : paths.stream().distinct().toList()) {
            List<MetricsRow> rows = RunDirectory.metrics(path).rows();
            if (rows.isEmpty()) {
                leftOut.add(path + " has no metrics yet");
            } else {
                runs.add(new Run(name(path, paths), settings(path), rows));
            }
        }
        if (runs.isEmpty()) {
            throw new BadInput("There is nothing to report: " + leftOut.get(0));
        }
        leftOut.forEach(reason -> System.err.println("Left out: " + reason));
        RunsReport report = new RunsReport(runs);
        report.toHtml().writeTo(out);
        System.out.print(report.results());
        TextTable differences = report.differences();
        if (!differences.rows().isEmpty()) {
            System.out.println();
            System.out.print(differences);
        }
        System.out.println();
        System.out.println("Written: " + out);
        return 0;
    }

    /** By their path in {@code config.json}; texts without JSON's quotes. */
    private static Map<String, String> settings(Path path) {
        Map<String, String> settings = Json.fields(RunDirectory.config(path));
        settings.replaceAll((name, value) -> value.replaceAll("^\"|\"$", ""));
        return settings;
    }

    private static List<Path> runsIn(Path directory) {
        if (!Files.isDirectory(directory) || RunDirectory.isRun(directory)) {
            RunDirectory.requireRun(directory);
            return List.of(directory);
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(RunDirectory::isRun).sorted().toList();
        } catch (IOException e) {
            throw new BadInput("Cannot read directory " + directory + ": " + BadInput.reason(e), e);
        }
    }

    /** The last part of its path, where that tells it from the others. */
    private static String name(Path path, List<Path> all) {
        String last = path.toAbsolutePath().normalize().getFileName().toString();
        long same = all.stream()
                .map(other -> other.toAbsolutePath().normalize())
                .distinct()
                .filter(other -> other.endsWith(last))
                .count();
        return same > 1 ? path.toString() : last;
    }
}
