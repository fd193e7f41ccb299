package org.dl4jsr.examples.command;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.Pretraining;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.run.RunFacilities;
import org.dl4jsr.examples.run.SparkProcess;
import org.dl4jsr.examples.run.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code pretrain}: trains a GPT on text, in a run directory that a killed run can be resumed from. */
@Command(
        name = "pretrain",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Pretrains a GPT on text. Without options: nano on Java sources, in about two minutes.")
public final class PretrainCommand implements Callable<Integer> {

    @Mixin
    private TrainingOptions training = new TrainingOptions();

    @Mixin
    private PolicyOption policy = new PolicyOption();

    @Option(names = "--out", paramLabel = "DIR", description = "Run directory (default: runs/PRESET-POLICY-TIME).")
    private Path out;

    @Option(names = "--resume", paramLabel = "DIR", description = "Go on with the run in this directory.")
    private Path resume;

    @Mixin
    private UiOption ui = new UiOption();

    @Option(
            names = "--workers",
            paramLabel = "N",
            description =
                    "Train on N processes, which share a step's passes and the optimizer state: on this machine, or"
                            + " on the cluster of spark-submit. Needs a build with -Pspark.")
    private Integer workers;

    @Option(names = SparkProcess.OPTION, hidden = true)
    private boolean driver;

    @Spec
    private CommandSpec command;

    @Override
    public Integer call() {
        if (workers != null && !driver && !SparkProcess.isSubmitted()) {
            return SparkProcess.run(command.commandLine().getParseResult().originalArgs());
        }
        if (resume == null) {
            RunConfig config = policy.onto(training.config());
            Path directory = Objects.requireNonNullElseGet(out, () -> RunDirectory.newPath(config));
            return Pretraining.start(directory, config, facilities(directory));
        }
        if (out != null && !out.equals(resume)) {
            throw new BadInput("--out " + out + " and --resume " + resume + " differ: a resumed run goes on in its own"
                    + " directory; leave --out away");
        }
        return Pretraining.resume(
                resume,
                config -> {
                    training.requireSame(config, resume);
                    policy.requireSame(config, resume);
                },
                training.tokens(),
                facilities(resume));
    }

    private RunFacilities facilities(Path directory) {
        StopSignal launcher = driver ? StopSignal.from(System.in) : null;
        return new RunFacilities(training.tokenCache(directory), ui.port(), workers, launcher);
    }
}
