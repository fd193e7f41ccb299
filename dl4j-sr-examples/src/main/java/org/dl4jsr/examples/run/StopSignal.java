package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.TreeMap;
import org.jline.utils.Signals;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a wish to stop, as long as this is open. A second signal ends the process at
 * once. A signal that the process was started to ignore, as by nohup, stays ignored.
 */
public final class StopSignal implements AutoCloseable {

    /** Names and numbers; by convention a process that a signal ended has 128 and the number as exit code. */
    private static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);

    private static final String TERM = "TERM";

    private final Map<String, Object> handlers = new TreeMap<>();
    private volatile String received;

    StopSignal() {
        for (String name : NUMBERS.keySet()) {
            handlers.put(name, Signals.register(name, () -> receive(name)));
        }
    }

    /**
     * The wish of the process that has started this one, a byte in {@code input}, whose end is that process's and this
     * one's end. Signals are that process's affair.
     */
    public static StopSignal from(InputStream input) {
        StopSignal stop = new StopSignal();
        stop.handlers.replaceAll((name, handler) -> {
            Signals.unregister(name, handler);
            return Signals.register(name, () -> {});
        });
        Thread reader = new Thread(() -> stop.read(input), "stop signal");
        reader.setDaemon(true);
        reader.start();
        return stop;
    }

    private void read(InputStream input) {
        try {
            while (input.read() >= 0) {
                received = TERM;
            }
        } catch (IOException e) {
            // as good as its end
        }
        Runtime.getRuntime().halt(128 + NUMBERS.get(TERM));
    }

    private void receive(String name) {
        if (received != null) {
            Runtime.getRuntime().halt(128 + NUMBERS.get(name));
        }
        System.err.println();
        System.err.println("SIG" + name + ": stopping after this step; a second signal stops at once");
        received = name;
    }

    boolean isReceived() {
        return received != null;
    }

    int exitCode() {
        return 128 + NUMBERS.get(received);
    }

    @Override
    public void close() {
        handlers.forEach(Signals::unregister);
    }
}
