package org.dl4jsr.examples.io;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Utf8StreamTest {

    @Test
    void charactersComeWhenTheyAreWhole() {
        Utf8Stream stream = new Utf8Stream();
        StringBuilder came = new StringBuilder();
        for (byte b : "aö日𝄞".getBytes(StandardCharsets.UTF_8)) {
            came.append(stream.add(new byte[] {b})).append('|');
        }
        assertEquals("a||ö|||日||||𝄞|", came.toString());
        assertEquals("", stream.end());
    }

    @Test
    void whatIsNoUtf8IsReplaced() {
        Utf8Stream stream = new Utf8Stream();
        assertEquals("a\uFFFDb", stream.add(new byte[] {'a', (byte) 0xFF, 'b', (byte) 0xE6, (byte) 0x97}));
        assertEquals("\uFFFDc", stream.add(new byte[] {'c'}));
        assertEquals("", stream.add(new byte[] {(byte) 0xF0, (byte) 0x9D}));
        assertEquals("\uFFFD", stream.end());
        assertEquals("d", stream.add(new byte[] {'d'}));
    }
}
