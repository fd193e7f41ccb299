package org.dl4jsr.examples.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ArgumentsTest {

    @Test
    void whatTheLocaleLostComesBack() {
        byte[] commandLine = "java\0-jar\0app.jar\0sample\0--prompt\0Größe\0\0".getBytes(StandardCharsets.UTF_8);
        assertArrayEquals(
                new String[] {"sample", "--prompt", "Größe", ""},
                Arguments.asGiven(new String[] {"sample", "--prompt", "Gr??\uFFFDe", ""}, commandLine));
    }

    @Test
    void whatIsNotOnTheCommandLineStays() {
        String[] args = {"sample", "--prompt", "\uFFFD"};
        assertArrayEquals(args, Arguments.asGiven(args, "java\0@file\0".getBytes(StandardCharsets.UTF_8)));
        assertArrayEquals(
                args, Arguments.asGiven(args, "java\0-jar\0app.jar\0@file\0".getBytes(StandardCharsets.UTF_8)));
    }
}
