package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Signals sent to real processes. */
class StopSignalTest {

    /** Gives a process the signals that these tests may have been started to ignore, as by nohup. */
    private static final List<String> ALL_SIGNALS = List.of("env", "--default-signal");

    /** Waits for a signal, and ends with its exit code; or, with an argument, goes on for ever. */
    static final class Waiting {

        private Waiting() {}

        public static void main(String[] args) throws InterruptedException {
            try (StopSignal stop = new StopSignal()) {
                System.out.println("ready");
                while (!stop.isReceived() || args.length > 0) {
                    Thread.sleep(1);
                }
                System.exit(stop.exitCode());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"HUP, 129", "INT, 130", "TERM, 143"})
    void theFirstSignalIsAWish(String signal, int exitCode) throws Exception {
        Process process = start(ALL_SIGNALS);
        BufferedReader errors = process.errorReader(StandardCharsets.UTF_8);
        send(signal, process);
        assertEquals(exitCode, process.waitFor());
        assertEquals("", errors.readLine());
        assertEquals("SIG" + signal + ": stopping after this step; a second signal stops at once", errors.readLine());
    }

    @Test
    void aSecondSignalEndsAtOnce() throws Exception {
        Process process = start(ALL_SIGNALS, "for ever");
        BufferedReader errors = process.errorReader(StandardCharsets.UTF_8);
        send("HUP", process);
        errors.readLine();
        errors.readLine();
        send("TERM", process);
        assertEquals(143, process.waitFor());
    }

    @Test
    void whatIsIgnoredStaysIgnored() throws Exception {
        Process process = start(List.of("nohup"));
        send("HUP", process);
        send("TERM", process);
        assertEquals(143, process.waitFor());
    }

    /** A process that is ready for signals. */
    private static Process start(List<String> wrapper, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(wrapper);
        command.addAll(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                Waiting.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).start();
        assertEquals("ready", process.inputReader(StandardCharsets.UTF_8).readLine());
        return process;
    }

    private static void send(String signal, Process process) throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("kill", "-" + signal, "" + process.pid())
                        .start()
                        .waitFor());
    }
}
