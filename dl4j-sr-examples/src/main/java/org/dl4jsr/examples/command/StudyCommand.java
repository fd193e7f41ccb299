package org.dl4jsr.examples.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.DirectoryLock;
import org.dl4jsr.examples.run.Environment;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.study.Study;
import org.dl4jsr.examples.study.StudyPage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code study}: one claim of the paper, put to the test. */
@Command(
        name = "study",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Puts a claim of the paper to the test: what it says, what is measured, whether they agree.")
public final class StudyCommand implements Callable<Integer> {

    @Parameters(
            paramLabel = "NAME",
            completionCandidates = Names.class,
            description = "One of ${COMPLETION-CANDIDATES}.")
    private String name;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The first of the seeds, of which the outcome is a function (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Directory for CSV and report (default: runs/study-NAME-TIME).")
    private Path out;

    private static final class Names extends ArrayList<String> {

        private static final long serialVersionUID = 1;

        Names() {
            super(Study.ALL.stream().map(Study::name).toList());
        }
    }

    @Override
    public Integer call() {
        Study study = Study.named(name);
        Path directory = Objects.requireNonNullElseGet(out, () -> RunDirectory.newPath("study-" + name));
        Path csv = directory.resolve(name + ".csv");
        Path html = directory.resolve(name + ".html");
        try (DirectoryLock lock = DirectoryLock.of(directory)) {
            AtomicFile.requireNew(csv);
            Environment.requireRuntime();
            StudyPage page = StudyPage.of(study, seed);
            System.out.print(page.toText());
            AtomicFile.write(csv, page.toCsv());
            page.toHtml().writeTo(html);
        }
        System.out.println("\nWritten: " + csv + " and " + html);
        return 0;
    }
}
