package org.dl4jsr.examples.run;

import java.util.Map;
import java.util.Optional;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.JvmFailure;
import org.dl4jsr.policy.Bf16Runtime;

/** Variables of the environment under which ND4J would fail or, worse, compute nothing. */
public final class Environment {

    private Environment() {}

    /** More of them wait for each other than compute; a run from a larger machine may still want its threads. */
    private static final int THREADS_A_PROCESSOR = 16;

    /** Throws where one has a value that cannot be used; to be called before the first array. */
    public static void check() {
        check(System.getenv(), Runtime.getRuntime().availableProcessors());
    }

    /**
     * Throws where dl4j-sr cannot compute in this process because of what the environment or system properties say of
     * ND4J: another backend, no threads. Initializes ND4J.
     */
    public static void requireRuntime() {
        try {
            Bf16Runtime.current();
        } catch (IllegalStateException e) {
            if (JvmFailure.line(e) != null) {
                throw e;
            }
            throw new BadInput(e.getMessage(), e);
        }
    }

    static void check(Map<String, String> variables, int processors) {
        String threads = variables.get("OMP_NUM_THREADS");
        int most = THREADS_A_PROCESSOR * processors;
        if (threads != null && !isWithin(threads.strip(), most)) {
            throw new BadInput(
                    "OMP_NUM_THREADS is '" + threads + "', expected one whole number from 1 to " + most + ", "
                            + THREADS_A_PROCESSOR + " a processor"
                            + first(threads, most).map(n -> ": set it to " + n).orElse(", or unset"));
        }
    }

    /** OpenMP takes a list, a number for each level of nesting; ND4J does not. */
    private static Optional<String> first(String threads, int most) {
        return Optional.of(threads.split(",", 2)[0].strip()).filter(first -> isWithin(first, most));
    }

    private static boolean isWithin(String threads, int most) {
        return threads.matches("0*[1-9][0-9]{0,8}") && Integer.parseInt(threads) <= most;
    }
}
