package org.dl4jsr.benchmarks.training;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.dl4jsr.policy.Bf16Policy;

/**
 * Prints how fast networks of stock layers are: stock DL4J in FLOAT, {@code bf16-sr}, and PyTorch in FP32 and under
 * autocast; training, and inference for 1 and for 64 examples. All are measured in turn, in processes that stay, and
 * the best of the rounds counts.
 */
public final class NetworkTable {

    /** What begins a line of an answer; the rest of a process' output is not for us. */
    static final String ANSWER = "best ";

    private static final String SCRIPT = "dl4j-sr-benchmarks/pytorch/pytorch_networks.py";
    private static final int ROUNDS = 2;
    /** Examples; 0 for a step of training. */
    private static final List<Integer> BATCHES = List.of(0, 1, 64);

    private static final String OURS = Bf16Policy.SR.toString();

    private final Map<String, Contestant> contestants = new LinkedHashMap<>();

    /** One column: a process, and what it is told beside the network. */
    private record Contestant(Worker worker, String mode) {

        double milliseconds(BenchmarkedModel model, int batch, double seconds) throws IOException {
            return worker.ask(model + mode + " " + batch + " " + seconds);
        }
    }

    /** A process that answers. */
    private static final class Worker {

        private final Process process;
        private final PrintWriter requests;
        private final BufferedReader answers;

        Worker(int threads, List<String> command) throws IOException {
            var builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().put("OMP_NUM_THREADS", Integer.toString(threads));
            process = builder.start();
            requests = new PrintWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8), true);
            answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        double ask(String request) throws IOException {
            requests.println(request);
            for (String line = answers.readLine(); line != null; line = answers.readLine()) {
                if (line.startsWith(ANSWER)) {
                    return Double.parseDouble(line.substring(ANSWER.length()));
                }
            }
            System.err.println("A process has ended at " + request);
            return Double.NaN;
        }
    }

    private NetworkTable() {}

    /**
     * Measures for some minutes.
     *
     * @param args threads; "wall", or "processor" for the processor time of one thread; a Python that has PyTorch, or
     *     "-"; networks, by default all
     */
    public static void main(String[] args) throws IOException {
        List<String> names =
                Arrays.stream(BenchmarkedModel.values()).map(Enum::name).toList();
        List<String> asked = args.length <= 3 ? names : List.of(args).subList(3, args.length);
        if (args.length < 3 || !names.containsAll(asked)) {
            System.err.println(
                    "Expected: THREADS wall|processor PYTHON|- [NETWORK...], a network being one of " + names);
            System.exit(2);
        }
        var table = new NetworkTable();
        try {
            table.start(Integer.parseInt(args[0]), args[1], args[2]);
            table.print(asked.stream().map(BenchmarkedModel::valueOf).toList());
        } finally {
            table.contestants.values().forEach(contestant -> contestant.worker.process.destroy());
        }
    }

    private void start(int threads, String clock, String python) throws IOException {
        for (String policy : List.of(StockBackend.NAME, OURS)) {
            var worker = new Worker(
                    threads,
                    List.of(
                            ProcessHandle.current().info().command().orElse("java"),
                            "-XX:+UseSerialGC",
                            "-Xmx2g",
                            "-cp",
                            System.getProperty("java.class.path"),
                            NetworkTimer.class.getName(),
                            policy,
                            clock));
            contestants.put(policy, new Contestant(worker, ""));
        }
        if (!python.equals("-")) {
            List<String> command =
                    new ArrayList<>(List.of(python, SCRIPT, "--serve", "--threads", Integer.toString(threads)));
            if (clock.equals("processor")) {
                command.add("--processor-time");
            }
            var worker = new Worker(threads, command);
            contestants.put("PyTorch FP32", new Contestant(worker, " fp32"));
            contestants.put("PyTorch autocast", new Contestant(worker, " autocast"));
        }
    }

    private void print(List<BenchmarkedModel> models) throws IOException {
        System.out.println("| network | batch | " + String.join(" | ", contestants.keySet()) + " | " + OURS
                + " against stock | against PyTorch's better |");
        System.out.println("|---".repeat(contestants.size() + 4) + "|");
        for (BenchmarkedModel model : models) {
            for (int batch : BATCHES) {
                System.out.println(row(model, batch));
            }
        }
    }

    /** Milliseconds, and how many times as fast ours is. */
    private String row(BenchmarkedModel model, int batch) throws IOException {
        double seconds = model == BenchmarkedModel.RESNET50 ? 3 : batch == 0 ? 2 : 1; // Java compiles meanwhile
        Map<String, Double> best = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            for (var contestant : contestants.entrySet()) {
                best.merge(contestant.getKey(), contestant.getValue().milliseconds(model, batch, seconds), Math::min);
            }
        }
        var row = new StringBuilder("| " + model + " | " + (batch == 0 ? "training" : "inference, " + batch));
        best.values().forEach(value -> row.append(String.format(Locale.ROOT, " | %.2f ms", value)));
        double ours = best.get(OURS);
        double pyTorch = best.entrySet().stream()
                .filter(entry -> entry.getKey().startsWith("PyTorch"))
                .mapToDouble(Map.Entry::getValue)
                .min()
                .orElse(Double.NaN);
        double stock = best.get(StockBackend.NAME);
        return row + String.format(Locale.ROOT, " | %.2fx | %.2fx |", stock / ours, pyTorch / ours);
    }
}
