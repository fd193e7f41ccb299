package org.dl4jsr.spark;

import java.io.Serializable;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.apache.spark.network.sasl.SecretKeyHolder;

/**
 * What the ranks of one attempt prove to each other: a random secret that the driver makes and that leaves it in the
 * tasks alone.
 *
 * @param attempt counts from 0
 */
record AttemptKey(int attempt, String secret) implements SecretKeyHolder, Serializable {

    private static final int BYTES = 32;

    static AttemptKey random(int attempt) {
        var bytes = new byte[BYTES];
        new SecureRandom().nextBytes(bytes);
        return new AttemptKey(attempt, HexFormat.of().formatHex(bytes));
    }

    /** What a rank says it belongs to. */
    String application() {
        return "dl4j-sr-" + attempt;
    }

    @Override
    public String getSaslUser(String application) {
        return application;
    }

    /** Null, which is no key, for another attempt. */
    @Override
    public String getSecretKey(String application) {
        return application.equals(application()) ? secret : null;
    }

    /** Without the secret: messages and logs show it. */
    @Override
    public String toString() {
        return application();
    }
}
