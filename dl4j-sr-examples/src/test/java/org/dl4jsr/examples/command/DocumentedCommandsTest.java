package org.dl4jsr.examples.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** The commands of the app that the Markdown files show are commands of the app. */
class DocumentedCommandsTest {

    private static final Path ROOT = Path.of("..");
    private static final Pattern SHELL = Pattern.compile("(?ms)^ *```sh\\n(.*?)^ *```");
    /** In a line of the shell. */
    private static final Pattern START = Pattern.compile("(?:\\bgpt|dl4j-sr-examples\\.jar|run app) +(?=[a-z])");
    /** In a text: code of one line. */
    private static final Pattern CODE = Pattern.compile("(?<!`)`([^`\\n]+)`(?!`)");

    private static final Pattern OPTION = Pattern.compile("(?<= |^|\\[)--[a-z][a-z0-9-]*");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(--[a-z0-9-]+)");
    /** Of other programs. */
    private static final Set<String> FOREIGN = Set.of("--ptxas-options");

    private final CommandLine app = App.commandLine();

    @Test
    void wholeCommandsAreParsed() throws IOException {
        var wrong = new ArrayList<String>();
        int found = 0;
        for (Path file : markdown()) {
            for (String line : shellLines(file)) {
                List<String> parts = List.of(START.split(line, 2));
                if (parts.size() > 1 && !line.contains("[")) {
                    found++;
                    try {
                        app.parseArgs(arguments(parts.get(1)));
                    } catch (ParameterException e) {
                        wrong.add(file + ": " + line + ": " + e.getMessage());
                    }
                }
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(found > 20, found + " commands");
    }

    @Test
    void optionsAreThere() throws IOException {
        var wrong = new ArrayList<String>();
        for (Path file : markdown()) {
            Stream<String> code = CODE.matcher(Files.readString(file)).results().map(match -> match.group(1));
            for (String text : Stream.concat(code, shellLines(file).stream()).toList()) {
                String command = START.matcher(text).replaceFirst("gpt ").replaceFirst("^.*gpt ", "");
                String name = command.split(" ", 2)[0];
                Set<String> known = app.getSubcommands().containsKey(name)
                        ? options(name)
                        : name.startsWith("--") ? allOptions() : null;
                if (known != null) {
                    OPTION.matcher(command)
                            .results()
                            .map(match -> match.group())
                            .filter(option -> !known.contains(option))
                            .forEach(option -> wrong.add(file + ": " + command + " has no " + option));
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void theTableHasAllOptionsOfPretrain() throws IOException {
        Set<String> rows = ROW.matcher(Files.readString(Path.of("README.md")))
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
        rows.addAll(List.of("--help", "--version"));
        assertEquals(new TreeSet<>(options("pretrain")), rows);
    }

    private Set<String> options(String command) {
        return app.getSubcommands().get(command).getCommandSpec().options().stream()
                .filter(option -> !option.hidden())
                .flatMap(option -> Arrays.stream(option.names()))
                .filter(option -> option.startsWith("--"))
                .collect(Collectors.toSet());
    }

    private Set<String> allOptions() {
        return Stream.concat(
                        FOREIGN.stream(),
                        app.getSubcommands().keySet().stream().flatMap(command -> options(command).stream()))
                .collect(Collectors.toSet());
    }

    /** Commands in blocks of the shell, without comments, continued lines joined. */
    private static List<String> shellLines(Path file) throws IOException {
        return SHELL.matcher(Files.readString(file))
                .results()
                .flatMap(block -> block.group(1).replaceAll("\\\\\\n *", "").lines())
                .map(line -> line.replaceFirst("(^| +)#.*", "").strip())
                .filter(line -> !line.isEmpty())
                .toList();
    }

    private static String[] arguments(String text) {
        return Pattern.compile("\"([^\"]*)\"|(\\S+)")
                .matcher(text)
                .results()
                .map(match -> match.group(1) != null ? match.group(1) : match.group(2))
                .toArray(String[]::new);
    }

    private static List<Path> markdown() throws IOException {
        try (Stream<Path> files = Files.find(
                ROOT,
                2,
                (path, attributes) ->
                        path.toString().endsWith(".md") && !path.toString().contains("/."))) {
            return files.toList();
        }
    }
}
