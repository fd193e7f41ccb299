package org.dl4jsr.examples.command;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.util.CrashReportingUtil;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.JvmFailure;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.run.Environment;
import org.dl4jsr.examples.run.JavaCppSettings;
import org.dl4jsr.policy.Bf16Runtime;
import org.dl4jsr.updater.NonFiniteGradientException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.TypeConversionException;

/** The command line. Exit codes: 0 done, 2 bad input with one line that says what, 1 a failure of this program. */
@Command(
        name = "dl4j-sr-examples",
        mixinStandardHelpOptions = true,
        description = "Pretrains small GPTs in pure BF16 with stochastic rounding, on Deeplearning4j.")
public final class App {

    public static final int FAILED = 1;
    public static final int BAD_INPUT = 2;

    private static final List<Class<?>> COMMANDS = List.of(
            PretrainCommand.class,
            FinetuneCommand.class,
            ExportCommand.class,
            SampleCommand.class,
            CompareCommand.class,
            ReportCommand.class,
            BenchCommand.class,
            PlanCommand.class,
            StudyCommand.class);

    private App() {}

    /** Runs one command and returns the exit code. */
    public static int run(String... args) {
        JavaCppSettings.apply();
        CrashReportingUtil.crashDumpsEnabled(false);
        CommandLine commandLine = commandLine(args);
        commandLine.registerConverter(Path.class, App::path);
        commandLine.setExpandAtFiles(false); // a prompt may begin with @
        commandLine.setExecutionStrategy(App::execute);
        commandLine.setParameterExceptionHandler(App::badParameter);
        commandLine.setExecutionExceptionHandler((e, command, parsed) -> failed(e));
        try {
            return args.length == 0 ? usage(commandLine) : commandLine.execute(args);
        } catch (VirtualMachineError | LinkageError e) {
            return failed(e);
        }
    }

    /** Knows the command alone that is named first, since all of them take a while; all where none is. */
    static CommandLine commandLine(String... args) {
        CommandLine commandLine = new CommandLine(new App());
        List<Class<?>> named = COMMANDS.stream()
                .filter(command -> args.length > 0
                        && args[0].equals(command.getAnnotation(Command.class).name()))
                .toList();
        (named.isEmpty() ? COMMANDS : named).forEach(commandLine::addSubcommand);
        return commandLine;
    }

    private static int execute(ParseResult parsed) {
        Integer helped = CommandLine.executeHelpRequest(parsed);
        if (helped != null) {
            return helped;
        }
        try { // picocli would show the stack of what is thrown around a command
            Environment.check();
            String problem = Bf16Runtime.problem();
            if (problem != null) {
                throw new BadInput(problem);
            }
            int exitCode = new RunLast().execute(parsed);
            if (System.out.checkError()) {
                throw new BadInput("Cannot write to standard output: the results are not all there");
            }
            return exitCode;
        } catch (BadInput e) {
            return failed(e);
        }
    }

    private static Path path(String name) {
        try {
            return Path.of(name);
        } catch (InvalidPathException e) {
            throw new TypeConversionException("'" + name + "' cannot be the name of a file in this environment's"
                    + " encoding: set LC_ALL=C.UTF-8");
        }
    }

    private static int usage(CommandLine commandLine) {
        commandLine.usage(System.err);
        return BAD_INPUT;
    }

    private static int badParameter(ParameterException e, String[] args) {
        String message = e.getMessage().lines().findFirst().orElse("bad parameters");
        System.err.println("Error: " + Texts.oneLine(message) + " (see "
                + e.getCommandLine().getCommandSpec().qualifiedName() + " --help)");
        return BAD_INPUT;
    }

    /** One line for what a user can do something about; a stack trace for a fault of this program. */
    private static int failed(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BadInput) {
                System.err.println("Error: " + Texts.oneLine(cause.getMessage()));
                return BAD_INPUT;
            }
            if (cause instanceof NonFiniteGradientException) {
                System.err.println("Error: training has stopped: " + cause.getMessage());
                return BAD_INPUT;
            }
        }
        String line = JvmFailure.line(failure);
        if (line == null) {
            failure.printStackTrace();
        } else {
            System.err.println("Error: " + line);
        }
        return FAILED;
    }
}
