package org.dl4jsr.spark;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.dl4jsr.policy.Bf16Runtime;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/** What has to be so in an executor's process before ND4J is used there. */
final class ExecutorSetup {

    private static final Logger LOG = LoggerFactory.getLogger(ExecutorSetup.class);
    private static final String MAX_BYTES = "org.bytedeco.javacpp.maxbytes";

    private static boolean done;

    private ExecutorSetup() {}

    /**
     * Loads ND4J, one process of a machine after the other: JavaCPP unpacks its libraries into a folder that all share,
     * and several at once may find half of them. JavaCPP's limit of native memory, the size of the heap, is off: Spark
     * bounds the process by the heap and its memoryOverhead. Signals of a terminal, which has them for all processes that
     * were started there, are for the driver.
     */
    static synchronized void run() throws IOException {
        if (done) {
            return;
        }
        if (System.getProperty(MAX_BYTES) == null) {
            System.setProperty(MAX_BYTES, "0");
        }
        Signal.handle(new Signal("INT"), SignalHandler.SIG_IGN);
        Signal.handle(new Signal("HUP"), SignalHandler.SIG_IGN);
        Path folder = Files.createDirectories(Path.of(System.getProperty("user.home"), ".javacpp"));
        try (FileChannel file = FileChannel.open(
                        folder.resolve("dl4j-sr.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = file.lock()) {
            LOG.info("{}", Bf16Runtime.current());
        }
        done = true;
    }
}
