package org.dl4jsr.examples.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextsTest {

    @TempDir
    private Path directory;

    @Test
    void controlCharactersBecomePictures() {
        assertEquals(
                "red ␛[31m, bell ␇, back ␈, ␍ again, ␡, \ufffd31m",
                Texts.printable(
                        """
                red \u001b[31m, bell \u0007, back \b, \r again, \u007f, \u009b31m\
                """));
        assertEquals("Größe\t🙂\r\nand\n", Texts.printable("Größe\t🙂\r\nand\n"));
        assertEquals("one␊two␍␊", Texts.oneLine("one\ntwo\r\n"));
    }

    @Test
    void anArgumentIsQuotedWhereItHasTo() {
        assertEquals("runs/nano-bf16-sr_1.5", Texts.quoted("runs/nano-bf16-sr_1.5"));
        assertEquals("'my runs'", Texts.quoted("my runs"));
        assertEquals("'it'\\''s $HOME'", Texts.quoted("it's $HOME"));
        assertEquals("''", Texts.quoted(""));
    }

    @Test
    void onlyRegularFilesAreRead() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "Größe");
        assertEquals("Größe", Texts.read(file));
        assertEquals(
                "none does not exist",
                assertThrows(IOException.class, () -> Texts.read(directory.resolve("none")))
                        .getMessage());
        Path folder = Files.createDirectory(directory.resolve("folder"));
        assertEquals(
                "folder is no regular file",
                assertThrows(IOException.class, () -> Texts.read(folder)).getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "0.002, 0.002", "0.00020000000000000001, 0.0002", "0.0018336, 0.00183", "1e-8, 1e-8", "2.5e-5, 2.5e-5",
        "0.1, 0.1", "1, 1", "0.95, 0.95", "0, 0", "NaN, NaN"
    })
    void numbersAsPeopleWriteThem(double value, String expected) {
        assertEquals(expected, Texts.number(value));
    }

    @Test
    void timesHaveTwoDigitsAfterTheHours() {
        assertEquals("0:02:30", Texts.time(Duration.ofSeconds(150)));
        assertEquals("100:00:09", Texts.time(Duration.ofHours(100).plusSeconds(9)));
    }

    @Test
    void countsKnowOne() {
        assertEquals("1 step", Texts.count(1, "step"));
        assertEquals("2,000 steps", Texts.count(2000, "step"));
        assertEquals("1 pass", Texts.count(1, "pass"));
        assertEquals("2 passes", Texts.count(2, "pass"));
        assertEquals("0 files", Texts.count(0, "file"));
    }
}
