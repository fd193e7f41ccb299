package org.dl4jsr.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * Spark's standalone cluster on this machine: a master and workers, each a process, as {@code java} starts them from plain
 * jars. They listen on loopback, ask for a secret and encrypt.
 */
final class StandaloneCluster implements AutoCloseable {

    /** Before it has been elected it leaves who registers without an answer, and they ask again after 20 seconds. */
    private static final Pattern MASTER =
            Pattern.compile("Starting Spark master at (spark://\\S+).*elected leader", Pattern.DOTALL);

    private static final long PATIENCE = TimeUnit.MINUTES.toNanos(2);

    private final String secret = AttemptKey.random(0).secret();
    private final Path directory;
    private final List<Process> processes = new ArrayList<>();
    private final Path settings;
    private final String master;

    /**
     * @param directory for logs and what the workers need
     * @param workers of one core each
     */
    StandaloneCluster(Path directory, int workers) throws Exception {
        this.directory = directory;
        settings = Files.writeString(
                directory.resolve("cluster.conf"),
                """
                spark.authenticate true
                spark.authenticate.secret %s
                spark.network.crypto.enabled true
                spark.network.crypto.cipher AES/GCM/NoPadding
                spark.master.rest.enabled false
                """
                        .formatted(secret));
        start("master", "org.apache.spark.deploy.master.Master", "--port", "0");
        master = awaitMaster();
        for (int i = 0; i < workers; i++) {
            start(
                    "worker-" + i,
                    "org.apache.spark.deploy.worker.Worker",
                    "--cores",
                    "1",
                    "--memory",
                    "1g",
                    "--work-dir",
                    directory.resolve("work-" + i).toString(),
                    master);
        }
    }

    /** An application on it, with one executor a worker. */
    SparkContext application() {
        return new SparkContext(new SparkConf(false)
                .setAppName("test")
                .setMaster(master)
                .set("spark.executor.cores", "1")
                .set("spark.task.cpus", "1")
                .set("spark.executor.memory", "512m")
                .set("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.ui.enabled", "false")
                .set("spark.authenticate", "true")
                .set("spark.authenticate.secret", secret)
                .set("spark.network.crypto.enabled", "true")
                .set("spark.network.crypto.cipher", "AES/GCM/NoPadding")
                .set("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s"));
    }

    /** Ends the first worker at once (SIGKILL), as if its machine were gone; its executors end with it. */
    void killWorker() throws InterruptedException {
        List<ProcessHandle> executors = processes.get(1).descendants().toList();
        processes.get(1).destroyForcibly().waitFor();
        executors.forEach(ProcessHandle::destroyForcibly);
    }

    private void start(String name, String main, String... arguments) throws IOException {
        var command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(List.of("-Xmx256m", "-cp", System.getProperty("java.class.path"), main));
        command.addAll(List.of("--host", "127.0.0.1", "--webui-port", "0", "--properties-file", settings.toString()));
        command.addAll(List.of(arguments));
        processes.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log(name).toFile())
                .start());
    }

    private Path log(String name) {
        return directory.resolve(name + ".log");
    }

    private String awaitMaster() throws Exception {
        long start = System.nanoTime();
        while (processes.get(0).isAlive() && System.nanoTime() - start < PATIENCE) {
            Matcher line = MASTER.matcher(Files.readString(log("master")));
            if (line.find()) {
                return line.group(1);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        throw new IllegalStateException("No master: " + Files.readString(log("master")));
    }

    @Override
    public void close() {
        processes.forEach(process -> process.descendants().forEach(ProcessHandle::destroyForcibly));
        processes.forEach(Process::destroyForcibly);
    }
}
