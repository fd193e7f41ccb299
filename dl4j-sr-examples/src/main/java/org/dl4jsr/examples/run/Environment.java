package org.dl4jsr.examples.run;

import java.util.Map;
import java.util.Optional;
import org.dl4jsr.examples.io.BadInput;

/** Variables of the environment under which ND4J would fail or, worse, compute nothing. */
public final class Environment {

    private Environment() {}

    /** Throws where one has a value that cannot be used; to be called before the first array. */
    public static void check() {
        check(System.getenv());
    }

    static void check(Map<String, String> variables) {
        String threads = variables.get("OMP_NUM_THREADS");
        if (threads != null && !threads.strip().matches("0*[1-9][0-9]{0,3}")) {
            throw new BadInput("OMP_NUM_THREADS is '" + threads + "', expected one whole number from 1 to 9999"
                    + first(threads).map(n -> ": set it to " + n).orElse(", or unset"));
        }
    }

    /** OpenMP takes a list, a number for each level of nesting; ND4J does not. */
    private static Optional<String> first(String threads) {
        String first = threads.split(",", 2)[0].strip();
        return first.matches("[1-9][0-9]{0,3}") ? Optional.of(first) : Optional.empty();
    }
}
