package org.dl4jsr.examples.torture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.torture.BadInputs.BadInput;

/** A {@code config.json} that is none, or not that of the run. */
final class BadConfigurations {

    private static final List<String> NO_VALUES =
            List.of("null", "-1", "\"\"", "[]", "{}", "1.5", "99999999999999999999", "true", "\"NaN\"", "");

    private BadConfigurations() {}

    static List<BadInput> all(GoodRun run, Random random) {
        List<BadInput> inputs = new ArrayList<>();
        List<String> fields = List.of(
                "layers",
                "heads",
                "width",
                "context",
                "vocabulary",
                "tiedHead",
                "sha256",
                "tokenizer",
                "tokens",
                "batch",
                "accumulate",
                "policy",
                "learningRate",
                "beta2",
                "seed");
        for (String field : fields) {
            String line = "\"" + field + "\" : [^,\n]*";
            for (String value : NO_VALUES) {
                add(inputs, run, text -> text.replaceFirst(line, "\"" + field + "\" : " + value));
            }
            add(inputs, run, text -> text.replaceFirst(line + ",?", ""));
        }
        for (String other : List.of("", "null", "[]", "{}", "5", "a text", "{".repeat(100_000), "[".repeat(100_000))) {
            add(inputs, run, text -> other);
        }
        for (int i = 0; i < 20; i++) {
            double part = random.nextDouble();
            add(inputs, run, text -> text.substring(0, (int) (part * (text.lastIndexOf('}') - 1))));
        }
        inputs.add(new BadInput("config.json is a directory", directory -> {
            Path config = run.copyTo(directory).resolve("config.json");
            Files.delete(config);
            Files.createDirectory(config);
            return AppProcess.resume(config.getParent());
        }));
        return inputs;
    }

    private static void add(List<BadInput> inputs, GoodRun run, UnaryOperator<String> change) {
        inputs.add(new BadInput("config.json", directory -> {
            Path config = run.copyTo(directory).resolve("config.json");
            String good = Files.readString(config);
            String bad = change.apply(good);
            if (bad.equals(good)) {
                throw new IOException("The change leaves config.json as it is");
            }
            Files.writeString(config, bad);
            return AppProcess.resume(config.getParent());
        }));
    }
}
