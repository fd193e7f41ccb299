package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.command.App;
import org.dl4jsr.examples.io.DirectoryLock;
import org.dl4jsr.examples.run.Preset;
import org.dl4jsr.examples.run.RunDirectory;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Everything a user can get wrong before training begins: one line, exit code 2, nothing written. */
class BadInputTest {

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "pretrain --preset huge | Unknown preset 'huge': choose one of nano, small, gpt2-124m",
                "pretrain --policy bf16 | Unknown policy \"bf16\", expected one of fp32, bf16-o1",
                "pretrain --tokenizer words | Unknown tokenizer 'words': choose one of bytes, gpt2",
                "pretrain --tokens 0 | --tokens 0 is out of range: expected 1 to",
                "pretrain --tokens -1 | --tokens -1 is out of range",
                "pretrain --tokens 9e99 | Invalid value for option '--tokens': '9e99' is not a long",
                "pretrain --tokens 99999999999999999999 | Invalid value for option '--tokens'",
                "pretrain --batch 0 | --batch 0 is out of range: expected 1 to 65536",
                "pretrain --batch 70000 | --batch 70000 is out of range",
                "pretrain --batch 65536 --context 65536 | --batch x --accumulate x --context is 4294967296 tokens a step",
                "pretrain --accumulate 0 | --accumulate 0 is out of range",
                "pretrain --context 0 | --context 0 is out of range",
                "pretrain --tokens 900000000000000 --context 1 | --tokens 900000000000000 is over two billion steps",
                "pretrain --lr 0 | --lr 0.0 is out of range: expected more than 0 and at most 1",
                "pretrain --lr NaN | --lr NaN is out of range",
                "pretrain --lr 1e9 | --lr 1.0E9 is out of range",
                "pretrain --seed x | Invalid value for option '--seed': 'x' is not a long",
                "pretrain --ui 0 | --ui 0 is out of range: expected 1 to 65535",
                "pretrain --ui --seed 2 | --ui needs DL4J's training UI, which is not among the app's libraries: build it",
                "pretrain --preset | Missing required parameter for option '--preset'",
                "pretrain --colour red | Unknown options: '--colour', 'red'",
                "pretrain --resume /no/such | Run directory /no/such does not exist",
                "pretrain --resume a --out b | --out b and --resume a differ",
                "pretrain --batch 65536 --context 4096 | Not enough memory: nano under bf16-sr with batch 65536",
                "pretrain --context 800000 | --context 800000 is out of range",
                "finetune --text x | Missing required option: '--from=DIR'",
                "finetune --from /no/such | /no/such is no folder: expected one with config.json and model.safetensors",
                "export --model x | Missing required option: '--to=DIR'",
                "export --model /no/such --to x | Run directory /no/such does not exist",
                "export --model x --to y --format onnx | Unknown format 'onnx': choose safetensors or gguf",
                "export --model x --to y --dtype f16 | Unknown dtype 'f16': choose bf16 or f32",
                "sample --prompt x | Missing required option: '--model=PATH'",
                "sample --model /no/such | Run directory /no/such does not exist",
                "sample --model x --tokens 0 | --tokens 0 is out of range: expected 1 to 1000000",
                "sample --model x --temperature -1 | --temperature -1.0 is out of range: expected 0 to 100",
                "sample --model x --top-k -1 | --top-k -1 is out of range: expected 0 (all) or more",
                "compare --policies fp32,bf17 | Unknown policy \"bf17\"",
                "compare --policies fp32,fp32 | --policies or --lrs names something twice",
                "compare --seeds 0 | --seeds 0 is out of range: expected 1 to 1000",
                "compare --lrs 1e-3,2 | --lr 2.0 is out of range",
                "compare --lrs 1e-3,x | Invalid value for option '--lrs'",
                "bench --policies nothing | Unknown policy \"nothing\"",
                "bench --policies , | --policies names none: choose from fp32, bf16-o1, bf16-o2, bf16-nearest, bf16-kahan, bf16-sr",
                "compare --policies , | --policies names none: choose from fp32, bf16-o1, bf16-o2, bf16-nearest, bf16-kahan, bf16-sr",
                "bench --in-turn --profile | bench takes one of --profile, --grow, --in-turn and --out, not 2 of them",
                "bench --grow height | Unknown dimension 'height': choose from width, depth, context, batch",
                "bench --preset gpt2-774m --batch 512 | Not enough memory: gpt2-774m under fp32 with batch 512",
                "pretrain --preset gpt-neo-1.3b | gpt-neo-1.3b under bf16-sr has 2,631,639,040 elements of updater state,"
                        + " which would need about 20.0 GiB of memory, and DL4J can hold 2,147,483,647",
                "study fame | Unknown study 'fame': choose one of regularization, stagnation, convergence",
                "study | Missing required parameter: 'NAME'",
                "study moments --seed x | Invalid value for option '--seed'",
                "sample --model x --interactive --prompt y | --interactive takes its prompts from standard input",
                "report | Missing required parameter: 'DIR'",
                "report /no/such | Run directory /no/such does not exist",
                "plan --preset nothing | Unknown preset 'nothing'",
                "plan --batch 0 | --batch 0 is out of range",
                "train | Unmatched argument at index 0: 'train'",
            })
    void isOneLine(String arguments, String message) {
        assertBad(message, arguments.split(" "));
    }

    @Test
    void kernelsThatAreNotThereAreNamed() {
        System.setProperty("org.dl4jsr.kernel.level", "sse");
        try {
            assertBad("org.dl4jsr.kernel.level is sse, and this process can run ", "plan");
        } finally {
            System.clearProperty("org.dl4jsr.kernel.level");
        }
    }

    @Test
    void badTextIsNamed() throws IOException {
        Path empty = Files.createFile(directory.resolve("empty.txt"));
        Path binary = Files.write(directory.resolve("binary"), new byte[] {1, 2, 0});
        Path tiny = Files.writeString(directory.resolve("tiny.txt"), "to be or not to be");
        Path out = directory.resolve("out");
        assertBad("Text /no/such does not exist", "pretrain", "--text", "/no/such");
        assertBad("Text file " + empty + " is empty", "pretrain", "--text", empty.toString());
        assertBad("Text file " + binary + " is not UTF-8 text", "pretrain", "--text", binary.toString());
        assertBad("The text is too short", "pretrain", "--text", tiny.toString(), "--out", out.toString());
        assertBad("The text is too short", "compare", "--text", tiny.toString(), "--out", out.toString());
        assertFalse(Files.exists(out));
    }

    @Test
    void badDirectoriesAreNamed() throws IOException {
        String file = Files.createFile(directory.resolve("file")).toString();
        String empty = Files.createDirectory(directory.resolve("empty")).toString();
        assertBad("Cannot write to directory " + file, "pretrain", "--out", file);
        assertBad("Cannot write to directory /proc/none", "pretrain", "--out", "/proc/none");
        assertBad("Cannot write to directory " + file, "compare", "--out", file);
        assertBad("Cannot write to directory " + file, "bench", "--out", file);
        assertBad("Cannot write to directory " + file, "study", "moments", "--out", file);
        assertBad("Directory " + empty + " holds no run", "pretrain", "--resume", empty);
        assertBad("There is nothing to report: " + empty + " holds no run", "report", empty);
        assertBad("Directory " + empty + " holds no run", "sample", "--model", empty);
    }

    @Test
    void oneProcessAtATimeWritesWhateverTheCommand() throws IOException {
        String text =
                Files.writeString(directory.resolve("text"), TestRuns.text()).toString();
        Path run = directory.resolve("run");
        String out = run.toString();
        try (DirectoryLock lock = DirectoryLock.of(run)) {
            String message = "Another process is writing to " + run;
            assertBad(message, "pretrain", "--text", text, "--context", "8", "--out", out);
            assertBad(message, "compare", "--text", text, "--context", "8", "--out", out);
            assertBad(message, "bench", "--out", out);
            assertBad(message, "study", "moments", "--out", out);
        }
    }

    @Test
    void whatADirectoryHoldsIsNotWrittenOver() throws IOException {
        String text =
                Files.writeString(directory.resolve("text"), TestRuns.text()).toString();
        Path old = Files.createDirectory(directory.resolve("old"));
        for (String name : List.of("compare.csv", "moments.csv", "bench.csv", "config.json")) {
            Files.writeString(old.resolve(name), "old");
        }
        String out = old.toString();
        String message = "Directory " + old + " already holds ";
        assertBad(message + "a run", "pretrain", "--text", text, "--context", "8", "--out", out);
        assertBad(message + "compare.csv", "compare", "--text", text, "--context", "8", "--out", out);
        assertBad(message + "bench.csv", "bench", "--out", out);
        assertBad(message + "moments.csv", "study", "moments", "--out", out);
        assertEquals("old", Files.readString(old.resolve("compare.csv")));
    }

    @Test
    void optionsThatDoNotFitAResumedRunAreNamed() {
        Path run = directory.resolve("run");
        RunDirectory.create(run, Preset.NANO.config()).close();
        String from = " does not fit the run in " + run + ", which has ";
        assertBad("--context 256" + from + "128", "pretrain", "--resume", run.toString(), "--context", "256");
        assertBad("--policy fp32" + from + "bf16-sr", "pretrain", "--resume", run.toString(), "--policy", "fp32");
        assertBad("--preset small" + from + "nano", "pretrain", "--resume", run.toString(), "--preset", "small");
        assertBad(
                "--tokens 5" + from + "2000000: a run can be made",
                "pretrain",
                "--resume",
                run.toString(),
                "--tokens",
                "5");
        assertBad("--text [/x]" + from + "[]", "pretrain", "--resume", run.toString(), "--text", "/x");
        assertBad(
                "The text is not the one that the run in " + run + " began with",
                "pretrain",
                "--resume",
                run.toString());
        assertBad("Run directory " + run + " has no checkpoint yet", "sample", "--model", run.toString());
    }

    private static void assertBad(String message, String... arguments) {
        try (CapturedError error = new CapturedError()) {
            int exitCode = App.run(arguments);
            List<String> lines = error.text()
                    .lines()
                    .filter(line -> !line.startsWith("Resuming "))
                    .toList();
            assertEquals(1, lines.size(), lines.toString());
            assertTrue(lines.get(0).startsWith("Error: " + message), lines.get(0));
            assertEquals(App.BAD_INPUT, exitCode);
        }
    }

    /** What goes wrong around a command is one line, too. */
    @Test
    void resultsThatCannotBeWritten() {
        PrintStream out = System.out;
        System.setOut(new PrintStream(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        }));
        try (CapturedError error = new CapturedError()) {
            assertEquals(App.BAD_INPUT, App.run("plan", "--preset", "nano"));
            List<String> lines = error.text().lines().toList();
            assertEquals(
                    "Error: Cannot write to standard output: the results are not all there",
                    lines.get(lines.size() - 1));
        } finally {
            System.setOut(out);
        }
    }
}
