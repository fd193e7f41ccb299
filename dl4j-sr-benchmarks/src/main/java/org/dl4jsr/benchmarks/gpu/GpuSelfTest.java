package org.dl4jsr.benchmarks.gpu;

import static org.bytedeco.cuda.global.cudart.cuDriverGetVersion;
import static org.dl4jsr.kernel.cuda.CudaException.checkDriver;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.dl4jsr.benchmarks.contract.BrokenContractException;
import org.dl4jsr.benchmarks.contract.CudaProcessor;
import org.dl4jsr.benchmarks.contract.Implementation;
import org.dl4jsr.benchmarks.contract.KernelCase;
import org.dl4jsr.benchmarks.contract.KernelContract;
import org.dl4jsr.kernel.RootCause;
import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaException;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.Nvrtc;

/**
 * {@link KernelContract} on the GPU at hand, then measurements of its kernels; needs no ND4J.
 *
 * <pre>
 * java -cp ... org.dl4jsr.benchmarks.gpu.GpuSelfTest [--out FILE] [--seed N] [--elements N] [--rows N] [--only NAMES]
 *     [--check | --measure]
 * </pre>
 *
 * {@code --out} writes JSON beside the table, {@code --elements} is the number of parameters of the optimizer's
 * measurements (default 268435456), {@code --rows} the number of tokens of the others (default 65536), {@code --only}
 * leaves out all checks and measurements but the copy that have none of these texts, which are separated by commas, in
 * their names, {@code --check} leaves the measurements out, as a memory checker wants it, {@code --measure} the checks.
 * Exit code 0 if all is right, 1 if a check failed, 2 for bad options and where there is no GPU.
 *
 * <p>On a fake driver it runs in the tests.
 */
public final class GpuSelfTest {

    /** Elements of the checks' largest arrays: more than a grid of 148 multiprocessors covers at once. */
    private static final int LARGEST = 10_000_000;

    private static final int LARGEST_UNDER_CHECKER = 100_000;

    private static final String OPTIONS =
            "--out FILE, --seed N, --elements N, --rows N, --only NAMES, --check, --measure";

    private final List<KernelCase> cases;
    private final PrintStream out;
    private final List<String> checks = new ArrayList<>();
    private boolean failed;

    private GpuSelfTest(List<KernelCase> cases, PrintStream out) {
        this.cases = cases;
        this.out = out;
    }

    public static void main(String[] args) {
        System.exit(run(args, KernelContract.cases(), System.out));
    }

    /** Runs the test with these cases and returns the exit code. */
    static int run(String[] args, List<KernelCase> cases, PrintStream out) {
        try {
            return new GpuSelfTest(cases, out).run(Options.of(args));
        } catch (IllegalArgumentException e) {
            out.println(e.getMessage());
            return 2;
        } catch (IOException e) {
            out.println("The result cannot be written: " + e);
            return 1;
        } catch (OutOfMemoryError e) {
            out.println("Fewer --rows and --elements need less memory: " + e.getMessage());
            return 2;
        }
    }

    private record Options(
            Path out, long seed, long elements, int rows, List<String> only, boolean checks, boolean measurements) {

        boolean names(String name) {
            String lowerCase = name.toLowerCase(Locale.ROOT);
            return only.isEmpty() || only.stream().anyMatch(lowerCase::contains);
        }

        static Options of(String[] args) {
            Path out = null;
            long seed = 1;
            long elements = 1L << 28;
            int rows = 1 << 16;
            List<String> only = List.of();
            boolean checks = true;
            boolean measurements = true;
            for (int i = 0; i < args.length; i++) {
                if (args[i].equals("--check")) {
                    measurements = false;
                    continue;
                }
                if (args[i].equals("--measure")) {
                    checks = false;
                    continue;
                }
                if (i + 1 == args.length) {
                    throw new IllegalArgumentException(
                            args[i] + " is not an option or lacks its value; options are " + OPTIONS);
                }
                switch (args[i]) {
                    case "--out" -> out = Path.of(args[++i]);
                    case "--seed" -> seed = number(args[i], args[++i], Long.MIN_VALUE, Long.MAX_VALUE);
                    case "--elements" -> elements = number(args[i], args[++i], 1, 1L << 33);
                    case "--rows" -> rows = (int) number(args[i], args[++i], 1, 1 << 20);
                    case "--only" -> only =
                            List.of(args[++i].toLowerCase(Locale.ROOT).split(","));
                    default -> throw new IllegalArgumentException(
                            args[i] + " is not an option; options are " + OPTIONS);
                }
            }
            return new Options(out, seed, elements, rows, only, checks, measurements);
        }

        private static long number(String option, String text, long least, long most) {
            try {
                long number = Long.parseLong(text);
                if (number >= least && number <= most) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // said below, as for any other bad value
            }
            throw new IllegalArgumentException(
                    option + " is " + text + ", expected a whole number from " + least + " to " + most);
        }
    }

    private int run(Options options) throws IOException {
        CudaStream stream;
        try {
            if (CudaDevice.count() == 0) {
                out.println("There is no NVIDIA GPU: the driver lists none");
                return 2;
            }
            stream = new CudaStream(CudaDevice.of(0));
        } catch (LinkageError e) {
            out.println("There is no NVIDIA driver or no CUDA library: " + rootMessage(e));
            return 2;
        } catch (CudaException e) {
            out.println("There is no NVIDIA GPU that works: " + e.getMessage());
            return 2;
        }
        int[] driver = new int[1];
        checkDriver(cuDriverGetVersion(driver), "cuDriverGetVersion");
        String nvrtc = Nvrtc.version();
        out.println(stream.device() + ", " + stream.device().multiprocessors() + " multiprocessors, driver for CUDA "
                + driver[0] / 1000 + "." + driver[0] % 1000 / 10 + ", NVRTC " + nvrtc + ", kernels for "
                + Nvrtc.architecture(stream.device().computeCapability()));
        int largest = (int) Math.min(options.elements, options.measurements ? LARGEST : LARGEST_UNDER_CHECKER);
        var gpu = new Implementation(
                "CUDA", List.of(new CudaProcessor(stream), new CudaProcessor(new CudaStream(stream.device()))));
        for (var kernelCase : cases) {
            if (options.checks
                    && options.names(kernelCase.name())
                    && kernelCase.appliesTo(gpu.processors().get(0).kernels())) {
                check(kernelCase, gpu, options.seed, largest);
            }
        }
        List<GpuBenchmark.Measurement> measurements = List.of();
        if (options.measurements && !failed) {
            out.println(new CudaMatmul(stream, false).description());
            measurements = measure(stream, options);
        }
        if (checks.isEmpty() && measurements.size() <= 1) {
            out.println("No check or measurement has one of " + options.only + " in its name");
            return 2;
        }
        if (options.out != null) {
            Files.writeString(options.out, json(stream.device(), driver[0], nvrtc, measurements));
        }
        out.println(failed ? "FAILED" : options.checks ? "All checks passed" : "Nothing was checked");
        return failed ? 1 : 0;
    }

    private void check(KernelCase kernelCase, Implementation gpu, long seed, int largest) {
        String problem = "";
        try {
            KernelContract.check(kernelCase, List.of(gpu), seed, largest);
        } catch (BrokenContractException | CudaException e) {
            problem = e.getMessage();
            failed = true;
        }
        out.println(
                "check " + kernelCase.name() + ": " + (problem.isEmpty() ? "agrees with Java" : "FAILED, " + problem));
        checks.add("{\"name\": " + quoted(kernelCase.name()) + ", \"ok\": " + problem.isEmpty() + ", \"problem\": "
                + quoted(problem) + "}");
    }

    private List<GpuBenchmark.Measurement> measure(CudaStream stream, Options options) {
        out.printf("%-44s %10s %9s %8s %9s %10s%n", "", "ms", "GB/s", "of copy", "TFLOP/s", "G param/s");
        double[] copy = new double[1];
        try (var benchmark = new GpuBenchmark(stream, options::names, m -> {
            copy[0] = copy[0] == 0 ? m.gigabytesPerSecond() : copy[0];
            out.println(String.format(
                            Locale.ROOT,
                            "%-44s %10.4f %9s %8s %9s %10s",
                            m.name(),
                            m.milliseconds(),
                            m.bytes() == 0 ? "" : format("%.0f", m.gigabytesPerSecond()),
                            m.bytes() == 0 ? "" : format("%.3f", m.gigabytesPerSecond() / copy[0]),
                            m.operations() == 0 ? "" : format("%.1f", m.teraflops()),
                            m.parameters() == 0 ? "" : format("%.1f", m.parametersPerSecond() / 1e9))
                    .stripTrailing());
        })) {
            return benchmark.run(options.elements, options.rows);
        }
    }

    private String json(CudaDevice device, int driver, String nvrtc, List<GpuBenchmark.Measurement> measurements) {
        var results = new ArrayList<String>();
        for (var m : measurements) {
            results.add(format(
                    "{\"name\": %s, \"ms\": %.6f, \"gb_per_s\": %.3f, \"tflops\": %.3f,"
                            + " \"parameters_per_s\": %.0f}",
                    quoted(m.name()),
                    m.milliseconds(),
                    m.gigabytesPerSecond(),
                    m.teraflops(),
                    m.parametersPerSecond()));
        }
        return "{\"program\": \"dl4j-sr\", \"device\": " + quoted(device.toString()) + ", \"driver\": " + driver
                + ", \"version\": " + quoted("NVRTC " + nvrtc) + ",\n\"checks\": [\n" + String.join(",\n", checks)
                + "],\n\"results\": [\n" + String.join(",\n", results) + "]}\n";
    }

    private static String rootMessage(Throwable e) {
        return String.valueOf(RootCause.of(e).getMessage()).lines().findFirst().orElse("");
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\s", " ") + '"';
    }
}
