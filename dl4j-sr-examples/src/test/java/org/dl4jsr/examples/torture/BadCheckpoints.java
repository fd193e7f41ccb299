package org.dl4jsr.examples.torture;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.io.Json;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.examples.run.Checkpoint;
import org.dl4jsr.examples.run.Checkpoints;
import org.dl4jsr.examples.torture.BadInputs.BadInput;

/** Checkpoints that are cut, changed, or made by hand under a checksum that fits. */
final class BadCheckpoints {

    private static final String LAST = "checkpoint-00000040";
    private static final String CONFIGURATION = "configuration.json";
    private static final List<String> ENTRIES = List.of(CONFIGURATION, "coefficients.bin", "updaterState.bin");

    private static final Map<String, String> NO_CONFIGURATIONS = Map.of(
            "org.dl4jsr.nn", "java.lang",
            "org.deeplearning4j", "com.example",
            "\"nin\" : 32", "\"nin\" : 33",
            "\"nout\" : 32", "\"nout\" : 2147483647",
            "\"seed\" : 1", "\"seed\" : 2",
            "BFLOAT16", "FLOAT");

    /** Changes the files of a run directory. */
    private interface Change {
        void in(Path run) throws IOException;
    }

    private BadCheckpoints() {}

    static List<BadInput> all(GoodRun run, Random random) {
        List<BadInput> inputs = new ArrayList<>();
        for (String file : List.of(LAST + ".zip", LAST + ".json")) {
            for (int i = 0; i < 10; i++) {
                double where = random.nextDouble();
                int bit = 1 << random.nextInt(7);
                add(inputs, run, "cut", path -> change(path.resolve(file), bytes -> cut(bytes, where)));
                if (file.endsWith(".zip")) {
                    add(inputs, run, "changed", path -> change(path.resolve(file), bytes -> flip(bytes, where, bit)));
                }
            }
            add(inputs, run, "empty", path -> change(path.resolve(file), bytes -> new byte[0]));
            add(inputs, run, "lost", path -> Files.delete(path.resolve(file)));
            add(inputs, run, "a directory", path -> {
                Files.delete(path.resolve(file));
                Files.createDirectory(path.resolve(file));
            });
            add(inputs, run, "a link to itself", path -> {
                Files.delete(path.resolve(file));
                Files.createSymbolicLink(path.resolve(file), Path.of(file));
            });
            String extension = file.substring(LAST.length());
            add(
                    inputs,
                    run,
                    "of another step",
                    path -> change(path.resolve(file), bytes -> read(path.resolve("checkpoint-00000020" + extension))));
        }
        for (String entry : ENTRIES) {
            add(inputs, run, "without " + entry, path -> forge(path, entries -> without(entries, entry)));
            for (int i = 0; i < 4; i++) {
                double where = random.nextDouble();
                byte[] noise = new byte[100 + random.nextInt(1000)];
                random.nextBytes(noise);
                add(inputs, run, entry + " cut", path -> forge(path, entry, bytes -> cut(bytes, where)));
                add(inputs, run, entry + " noise", path -> forge(path, entry, bytes -> noise));
            }
            add(
                    inputs,
                    run,
                    entry + " longer",
                    path -> forge(path, entry, bytes -> Arrays.copyOf(bytes, bytes.length + 8)));
            add(inputs, run, entry + " empty", path -> forge(path, entry, bytes -> new byte[0]));
        }
        new TreeMap<>(NO_CONFIGURATIONS)
                .forEach((from, to) -> add(
                        inputs,
                        run,
                        from + " is " + to,
                        path -> forge(path, CONFIGURATION, bytes -> replaced(bytes, from, to))));
        add(
                inputs,
                run,
                "NaN",
                path -> forge(path, "coefficients.bin", bytes -> {
                    byte[] changed = bytes.clone();
                    // the last weight, of two bytes
                    changed[bytes.length - 2] = 0x7f;
                    changed[bytes.length - 1] = (byte) 0xc0;
                    return changed;
                }));
        add(inputs, run, "no zip", path -> seal(path, "a text".getBytes(StandardCharsets.UTF_8)));
        add(inputs, run, "empty zip", path -> forge(path, entries -> new LinkedHashMap<>()));
        return inputs;
    }

    private static void add(List<BadInput> inputs, GoodRun run, String name, Change change) {
        inputs.add(new BadInput("checkpoint: " + name, directory -> {
            Path path = run.copyTo(directory);
            change.in(path);
            return AppProcess.of(
                    "sample",
                    "--tokens",
                    "1",
                    "--model",
                    path.resolve(LAST + ".zip").toString());
        }));
    }

    private static void change(Path file, UnaryOperator<byte[]> change) throws IOException {
        Files.write(file, changed(file.toString(), Files.readAllBytes(file), change));
    }

    private static byte[] changed(String name, byte[] bytes, UnaryOperator<byte[]> change) {
        byte[] changed = change.apply(bytes);
        if (Arrays.equals(bytes, changed)) {
            throw new IllegalStateException("The change leaves " + name + " as it is");
        }
        return changed;
    }

    private static void forge(Path run, String entry, UnaryOperator<byte[]> change) throws IOException {
        forge(run, entries -> {
            Map<String, byte[]> changed = new LinkedHashMap<>(entries);
            changed.put(entry, changed(entry, entries.get(entry), change));
            return changed;
        });
    }

    /** Changes the zip's entries, and its checksum with them. */
    private static void forge(Path run, UnaryOperator<Map<String, byte[]>> change) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(run.resolve(LAST + ".zip")))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                entries.put(entry.getName(), zip.readAllBytes());
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            for (Map.Entry<String, byte[]> entry : change.apply(entries).entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
            }
        }
        seal(run, bytes.toByteArray());
    }

    private static void seal(Path run, byte[] zip) throws IOException {
        Checkpoint checkpoint = Checkpoints.of(run.resolve(LAST + ".zip"));
        Sha256 sha256 = new Sha256();
        Files.write(run.resolve(LAST + ".zip"), zip);
        sha256.over(OutputStream.nullOutputStream()).write(zip);
        sha256.update(Json.compact(checkpoint));
        Path json = run.resolve(LAST + ".json");
        String text = Files.readString(json);
        int start = text.lastIndexOf("\"sha256\" : \"") + "\"sha256\" : \"".length();
        Files.writeString(json, text.substring(0, start) + sha256.hex() + text.substring(start + 64));
    }

    private static Map<String, byte[]> without(Map<String, byte[]> entries, String name) {
        Map<String, byte[]> others = new LinkedHashMap<>(entries);
        others.remove(name);
        return others;
    }

    private static byte[] replaced(byte[] text, String from, String to) {
        return new String(text, StandardCharsets.UTF_8).replace(from, to).getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] cut(byte[] bytes, double where) {
        return Arrays.copyOf(bytes, (int) (where * (bytes.length - 3)));
    }

    private static byte[] flip(byte[] bytes, double where, int bit) {
        byte[] changed = bytes.clone();
        changed[(int) (where * bytes.length)] ^= (byte) bit;
        return changed;
    }

    private static byte[] read(Path file) {
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalStateException("Cannot read " + file, e);
        }
    }
}
