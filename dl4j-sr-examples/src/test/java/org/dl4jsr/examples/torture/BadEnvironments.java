package org.dl4jsr.examples.torture;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.dl4jsr.examples.AppProcess;
import org.dl4jsr.examples.torture.BadInputs.BadInput;

/** Variables, limits and places under which a run cannot go on. */
final class BadEnvironments {

    private BadEnvironments() {}

    static List<BadInput> all(GoodRun run) {
        List<BadInput> inputs = new ArrayList<>();
        for (String threads : List.of("0", "-1", "", " ", "x", "2,1", "1.5", "999", "99999999999", "0x2", "1e1", "٣")) {
            add(inputs, run, "threads", app -> app.with(Map.of("OMP_NUM_THREADS", threads)));
        }
        for (String level : List.of("", "sse", "AVX2", "emulated_amx", "java ", "null")) {
            add(inputs, run, "kernels", app -> app.withJava("-Dorg.dl4jsr.kernel.level=" + level));
        }
        for (String threads : List.of("0", "-3")) {
            add(inputs, run, "threads", app -> app.with(Map.of("SD_MAX_THREADS", threads)));
        }
        add(inputs, run, "backend", app -> app.withJava("-Dbackends=org.nd4j.linalg.cpu.nativecpu.CpuBackend"));
        for (int files : List.of(16, 24, 32, 40, 48, 56, 64)) {
            limited(inputs, run, "ulimit -n " + files);
        }
        for (int blocks : List.of(8, 32, 128, 512)) {
            limited(inputs, run, "ulimit -f " + blocks);
        }
        limited(inputs, run, "exec > /dev/full");
        limited(inputs, run, "exec >&-");
        add(
                inputs,
                run,
                "no place to unpack",
                app -> app.withJava("-Djava.io.tmpdir=/proc/none", "-Duser.home=/proc/none"));
        add(inputs, run, "no place to unpack", app -> app.withJava("-Dorg.bytedeco.javacpp.cachedir=/proc/none"));
        for (String heap : List.of("8m", "10m", "12m", "14m")) {
            add(inputs, run, "heap", app -> app.withJava("-Xmx" + heap));
        }
        for (String name : List.of("file", "file/below", "link", "a link/x")) {
            inputs.add(new BadInput("no directory for output", directory -> {
                Files.createFile(directory.resolve("file"));
                Files.createSymbolicLink(directory.resolve("link"), Path.of("none"));
                Files.createSymbolicLink(directory.resolve("a link"), Path.of("file"));
                return pretrain(run, directory.resolve(name));
            }));
        }
        for (String name : List.of("config.json", "metrics.csv", "report.html", ".lock", "checkpoint-00000020.zip")) {
            inputs.add(new BadInput("a directory in the place of " + name, directory -> {
                Files.createDirectories(directory.resolve("run").resolve(name).resolve("below"));
                return pretrain(run, directory.resolve("run"));
            }));
        }
        return inputs;
    }

    private static void limited(List<BadInput> inputs, GoodRun run, String limit) {
        add(inputs, run, limit, app -> app.wrappedIn("bash", "-c", limit + "; exec \"$@\"", "bash"));
    }

    private static void add(List<BadInput> inputs, GoodRun run, String name, UnaryOperator<AppProcess> change) {
        inputs.add(new BadInput(
                "environment: " + name, directory -> change.apply(pretrain(run, directory.resolve("run")))));
    }

    private static AppProcess pretrain(GoodRun run, Path out) {
        return AppProcess.pretrain(out, run.text(), 20);
    }
}
