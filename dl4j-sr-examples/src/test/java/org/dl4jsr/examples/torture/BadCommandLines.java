package org.dl4jsr.examples.torture;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.torture.BadInputs.BadInput;

/** Options with values that none of them takes. */
final class BadCommandLines {

    private static final List<String> NO_NUMBERS =
            List.of("", " ", "x", "1.5", "1e3", "NaN", "0x", "1,000", "🙂", "1\n2");
    private static final List<String> NO_COUNTS = List.of("0", "-1", "-9223372036854775808", "99999999999999999999");
    private static final List<String> NO_RATES =
            List.of("", "0", "-1", "NaN", "Infinity", "1.0001", "1,5", "1e-400", "x", "٠٫٥");
    private static final List<String> NO_NAMES =
            List.of("", " ", "NANO", "Bytes", "bf16", "x\ny", "ı", "\u001b[31m", "--");

    private BadCommandLines() {}

    static List<BadInput> all() {
        List<BadInput> inputs = new ArrayList<>();
        for (String command : List.of("pretrain", "compare", "bench", "plan")) {
            for (String option : List.of("--batch", "--accumulate", "--context")) {
                add(inputs, NO_NUMBERS, command, option);
                add(inputs, NO_COUNTS, command, option);
            }
            add(inputs, NO_NAMES, command, "--preset");
            add(inputs, NO_NAMES, command, "--tokenizer");
            add(inputs, List.of("0", "x"), command, "--unknown");
        }
        for (String command : List.of("pretrain", "compare")) {
            add(inputs, NO_NUMBERS, command, "--tokens");
            add(inputs, NO_COUNTS, command, "--tokens");
            add(inputs, NO_NUMBERS, command, "--seed");
            add(inputs, NO_RATES, command, "--lr");
            add(inputs, List.of("-0.1", "1", "NaN", "x", ""), command, "--beta2");
            add(inputs, List.of("/no/such", "/no\nsuch", "/dev/null", "/proc/self/mem"), command, "--text");
            add(
                    inputs,
                    List.of("/proc/none", "/dev/null", "/dev/null/x", "/proc/\n"),
                    command,
                    "--text",
                    "/etc",
                    "--out");
        }
        add(inputs, NO_NAMES, "pretrain", "--policy");
        add(inputs, List.of("/no/such", "/", "/dev/null", "Größe", "a\nb"), "pretrain", "--resume");
        add(inputs, NO_NAMES, "compare", "--policies");
        add(inputs, NO_RATES, "compare", "--lrs");
        add(inputs, NO_COUNTS, "compare", "--seeds");
        add(inputs, NO_NAMES, "bench", "--policies");
        add(inputs, NO_NAMES, "bench", "--grow");
        add(inputs, List.of("/no/such", "/", "/dev/null", "checkpoint-00000001.zip", "Größe"), "sample", "--model");
        add(inputs, NO_NUMBERS, "sample", "--model", "x", "--tokens");
        add(inputs, NO_COUNTS, "sample", "--model", "x", "--tokens");
        add(inputs, List.of("-1", "NaN", "101", "x"), "sample", "--model", "x", "--temperature");
        add(inputs, List.of("-1", "x", "1.5"), "sample", "--model", "x", "--top-k");
        add(inputs, NO_NAMES, "study");
        add(inputs, List.of("x", "", "1.5"), "study", "moments", "--seed");
        add(inputs, NO_NAMES);
        add(inputs, List.of("train", "Pretrain", "pretrain plan", "@/no/such", "-x", "--", "--help=x"));
        return inputs;
    }

    private static void add(List<BadInput> inputs, List<String> values, String... arguments) {
        for (String value : values) {
            String[] all = Stream.concat(Stream.of(arguments), Stream.of(value)).toArray(String[]::new);
            inputs.add(new BadInput("command line", directory -> AppProcess.of(all)));
        }
    }
}
