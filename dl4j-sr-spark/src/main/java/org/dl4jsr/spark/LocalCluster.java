package org.dl4jsr.spark;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;

/**
 * A Spark cluster on this machine: its executors are processes of their own, which take the class path of this one. All
 * ports are open on loopback only, and ask for a secret that is made here.
 */
public final class LocalCluster {

    private static final int SECRET_BYTES = 32;

    /**
     * A rank computes in native code and needs little of Java: a collector without threads of its own. The optimizing
     * compiler is left alone: it alone has the processor's AES, without which encryption takes ten times as long.
     */
    private static final String JAVA_OPTIONS = "-XX:+UseSerialGC";

    private LocalCluster() {}

    /**
     * Starts one; {@code stop()} of what is returned ends it. Spark wants a folder {@code jars} in the folder that the
     * environment variable SPARK_HOME names, which may be empty, and SPARK_SCALA_VERSION; SPARK_LOCAL_IP has to be
     * 127.0.0.1.
     *
     * @param executors each a rank
     * @param cores of each
     * @param megabytes of heap of each
     * @throws IllegalStateException where the environment is another
     */
    public static SparkContext start(String name, int executors, int cores, int megabytes) {
        requireEnvironment();
        var secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        var conf = new SparkConf(false)
                .setAppName(name)
                .setMaster("local-cluster[" + executors + "," + cores + "," + megabytes + "]")
                .set("spark.task.cpus", "" + cores)
                .set("spark.executor.cores", "" + cores)
                .set("spark.executor.memory", megabytes + "m")
                .set("spark.executor.extraClassPath", absolute(System.getProperty("java.class.path")))
                .set("spark.executor.extraJavaOptions", JAVA_OPTIONS)
                .set("spark.plugins", RankPlugin.class.getName())
                .set("spark.driver.host", "localhost")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.ui.enabled", "false")
                .set("spark.authenticate", "true")
                .set("spark.authenticate.secret", HexFormat.of().formatHex(secret))
                .set("spark.network.crypto.enabled", "true")
                .set("spark.network.crypto.cipher", "AES/GCM/NoPadding")
                .set("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s");
        return new SparkContext(conf);
    }

    /** A class path for processes in other directories. */
    static String absolute(String classPath) {
        return Arrays.stream(classPath.split(Pattern.quote(File.pathSeparator), -1))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    private static void requireEnvironment() {
        String home = System.getenv("SPARK_HOME");
        if (home == null || !Files.isDirectory(Path.of(home, "jars"))) {
            throw new IllegalStateException("SPARK_HOME is " + home + ", expected a folder with a folder jars in it");
        }
        if (!"127.0.0.1".equals(System.getenv("SPARK_LOCAL_IP"))) {
            throw new IllegalStateException("SPARK_LOCAL_IP is " + System.getenv("SPARK_LOCAL_IP") + ", expected"
                    + " 127.0.0.1: the cluster would listen to other machines");
        }
    }
}
