package org.dl4jsr.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class LocalClusterTest {

    /** As java -jar target/app.jar has it, and executors run elsewhere. */
    @Test
    void aRelativeClassPathIsThatOfThisDirectory() {
        String here = Path.of("").toAbsolutePath().toString();
        String library = Path.of("lib.jar").toAbsolutePath().toString();
        assertEquals(
                String.join(File.pathSeparator, here + File.separator + "app.jar", library, here),
                LocalCluster.absolute(String.join(File.pathSeparator, "app.jar", library, "")));
    }
}
