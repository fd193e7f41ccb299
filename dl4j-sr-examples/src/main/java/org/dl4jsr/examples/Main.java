package org.dl4jsr.examples;

import org.deeplearning4j.util.CrashReportingUtil;
import org.dl4jsr.examples.command.BenchCommand;
import org.dl4jsr.examples.command.CompareCommand;
import org.dl4jsr.examples.command.PlanCommand;
import org.dl4jsr.examples.command.PretrainCommand;
import org.dl4jsr.examples.command.SampleCommand;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.JavaCppSettings;
import org.dl4jsr.policy.Bf16Runtime;
import org.dl4jsr.updater.NonFiniteGradientException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;

/** The command line. Exit codes: 0 done, 2 bad input with one line that says what, 1 a failure of this program. */
@Command(
        name = "dl4j-sr-examples",
        mixinStandardHelpOptions = true,
        description = "Pretrains small GPTs in pure BF16 with stochastic rounding, on Deeplearning4j.",
        subcommands = {
            PretrainCommand.class,
            SampleCommand.class,
            CompareCommand.class,
            BenchCommand.class,
            PlanCommand.class
        })
public final class Main {

    static final int FAILED = 1;
    static final int BAD_INPUT = 2;

    private Main() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs one command and returns the exit code. */
    static int run(String... args) {
        JavaCppSettings.apply();
        CrashReportingUtil.crashDumpsEnabled(false);
        CommandLine commandLine = new CommandLine(new Main());
        commandLine.setExecutionStrategy(Main::execute);
        commandLine.setParameterExceptionHandler(Main::badParameter);
        commandLine.setExecutionExceptionHandler((e, command, parsed) -> failed(e));
        try {
            return args.length == 0 ? usage(commandLine) : commandLine.execute(args);
        } catch (OutOfMemoryError e) {
            return failed(e);
        }
    }

    private static int execute(ParseResult parsed) {
        Integer helped = CommandLine.executeHelpRequest(parsed);
        if (helped != null) {
            return helped;
        }
        String problem = Bf16Runtime.problem();
        return problem == null ? new RunLast().execute(parsed) : failed(new BadInput(problem));
    }

    private static int usage(CommandLine commandLine) {
        commandLine.usage(System.err);
        return BAD_INPUT;
    }

    private static int badParameter(ParameterException e, String[] args) {
        System.err.println("Error: " + e.getMessage().lines().findFirst().orElse("bad parameters") + " (see "
                + e.getCommandLine().getCommandSpec().qualifiedName() + " --help)");
        return BAD_INPUT;
    }

    private static int failed(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BadInput) {
                System.err.println("Error: " + cause.getMessage());
                return BAD_INPUT;
            }
            if (cause instanceof NonFiniteGradientException) {
                System.err.println("Error: training has stopped: " + cause.getMessage());
                return BAD_INPUT;
            }
            if (cause instanceof OutOfMemoryError) {
                System.err.println("Error: not enough memory (" + cause.getMessage()
                        + "): see the plan command for what a model needs; a smaller --batch, --context or --preset"
                        + " needs less");
                return BAD_INPUT;
            }
        }
        failure.printStackTrace();
        return FAILED;
    }
}
