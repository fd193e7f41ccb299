package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.run.TestRuns;
import org.dl4jsr.examples.torture.BadInputs.BadInput;

/** Files and directories that are no text. */
final class BadTexts {

    /** NUL, a byte that UTF-8 does not have, a lone continuation, an overlong slash, a surrogate, beyond Unicode. */
    private static final List<byte[]> NO_UTF8 = List.of(
            bytes(0),
            bytes(0xff),
            bytes(0x80),
            bytes(0xc0, 0xaf),
            bytes(0xed, 0xa0, 0x80),
            bytes(0xf4, 0x90, 0x80, 0x80));

    /** Writes a text into a directory and returns where it is. */
    private interface Writing {
        Path in(Path directory) throws IOException;
    }

    private BadTexts() {}

    static List<BadInput> all(Random random) {
        List<BadInput> inputs = new ArrayList<>();
        byte[] good = TestRuns.text().getBytes(StandardCharsets.UTF_8);
        for (byte[] bad : NO_UTF8) {
            for (int i = 0; i < 6; i++) {
                int offset = random.nextInt(good.length);
                add(inputs, "no UTF-8", directory -> Files.write(directory.resolve("text"), with(good, bad, offset)));
            }
        }
        add(
                inputs,
                "cut character",
                directory -> Files.write(directory.resolve("text"), with(good, bytes(0xe2, 0x82), good.length)));
        add(inputs, "empty", directory -> Files.createFile(directory.resolve("text")));
        add(inputs, "short", directory -> Files.writeString(directory.resolve("text"), "to be or not to be"));
        add(inputs, "short, with marks", directory -> Files.writeString(directory.resolve("text"), "\ufeff\ufeff"));
        add(inputs, "nothing", directory -> directory.resolve("none"));
        add(
                inputs,
                "a link to nothing",
                directory -> Files.createSymbolicLink(directory.resolve("text"), Path.of("none")));
        add(
                inputs,
                "a link to itself",
                directory -> Files.createSymbolicLink(directory.resolve("text"), Path.of("text")));
        add(inputs, "an empty directory", directory -> Files.createDirectory(directory.resolve("text")));
        add(inputs, "hidden files", directory -> in(directory, ".text", good));
        add(inputs, "empty files", directory -> in(directory, "empty", new byte[0]));
        add(inputs, "binaries", directory -> in(directory, "image", with(good, bytes(0), 100)));
        add(inputs, "a name with a line end", directory -> in(directory, "a\nb", bytes(0xff)));
        add(inputs, "a link loop", directory -> Files.createSymbolicLink(
                        in(directory, "x", bytes(0)).resolve("loop"), Path.of(".."))
                .getParent());
        add(inputs, "large", directory -> sparse(directory.resolve("text"), 3L << 30));
        add(inputs, "larger than the heap", directory -> sparse(directory.resolve("text"), 500L << 20));
        return inputs;
    }

    private static void add(List<BadInput> inputs, String name, Writing text) {
        for (String command : List.of("pretrain", "compare")) {
            inputs.add(new BadInput(
                    "text: " + name,
                    directory -> AppProcess.of(
                            command,
                            "--out",
                            directory.resolve("run").toString(),
                            "--text",
                            text.in(directory).toString())));
        }
    }

    private static Path in(Path directory, String name, byte[] content) throws IOException {
        Path folder = Files.createDirectory(directory.resolve("text"));
        Files.write(folder.resolve(name), content);
        return folder;
    }

    /** A file of zeros that takes no room. */
    private static Path sparse(Path file, long length) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(length);
        }
        return file;
    }

    private static byte[] with(byte[] text, byte[] inserted, int offset) {
        byte[] all = new byte[text.length + inserted.length];
        System.arraycopy(text, 0, all, 0, offset);
        System.arraycopy(inserted, 0, all, offset, inserted.length);
        System.arraycopy(text, offset, all, offset + inserted.length, text.length - offset);
        return all;
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }
}
