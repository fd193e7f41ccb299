package org.dl4jsr.consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The BOM, which has no parent, names the versions that dl4j-sr is built with. */
class BillOfMaterialsTest {

    @ParameterizedTest
    @ValueSource(strings = {"version", "dl4j.version", "javacpp.version", "dnnl.version", "opencl.version"})
    void versionsAreThoseOfTheRoot(String name) throws IOException {
        assertEquals(first(Path.of("../pom.xml"), name), first(Path.of("../dl4j-sr-bom/pom.xml"), name));
    }

    private static String first(Path pom, String name) throws IOException {
        Matcher element =
                Pattern.compile("<" + name + ">([^<]+)</" + name + ">").matcher(Files.readString(pom));
        assertTrue(element.find(), name);
        return element.group(1);
    }
}
