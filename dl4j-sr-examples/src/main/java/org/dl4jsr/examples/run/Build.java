package org.dl4jsr.examples.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * What this program was built from.
 *
 * @param version Maven's
 * @param commit Git's, with "-dirty" where files were changed; "unknown" without Git
 */
public record Build(String version, String commit) {

    private static final String UNKNOWN = "unknown";

    /** As Maven wrote it down. */
    public static Build current() {
        Properties properties = new Properties();
        try (InputStream in = Build.class.getResourceAsStream("build.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Build(properties.getProperty("version", UNKNOWN), properties.getProperty("commit", UNKNOWN));
    }

    @Override
    public String toString() {
        return version + ", commit " + commit;
    }
}
