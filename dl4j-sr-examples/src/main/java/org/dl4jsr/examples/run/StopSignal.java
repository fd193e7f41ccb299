package org.dl4jsr.examples.run;

import java.util.Map;
import java.util.TreeMap;
import org.jline.utils.Signals;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a wish to stop, as long as this is open. A second signal ends the process at
 * once. A signal that the process was started to ignore, as by nohup, stays ignored.
 */
final class StopSignal implements AutoCloseable {

    /** Names and numbers; by convention a process that a signal ended has 128 and the number as exit code. */
    private static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);

    private final Map<String, Object> handlers = new TreeMap<>();
    private volatile String received;

    StopSignal() {
        for (String name : NUMBERS.keySet()) {
            handlers.put(name, Signals.register(name, () -> receive(name)));
        }
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
