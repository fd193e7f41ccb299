package org.dl4jsr.spark;

import java.io.IOException;
import java.util.Map;
import org.apache.spark.api.plugin.DriverPlugin;
import org.apache.spark.api.plugin.ExecutorPlugin;
import org.apache.spark.api.plugin.PluginContext;
import org.apache.spark.api.plugin.SparkPlugin;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has executors load ND4J while they still start, and not with their first task: name it in {@code spark.plugins}, and
 * ranks begin a few seconds earlier, after the loss of one, too.
 */
public final class RankPlugin implements SparkPlugin {

    private static final Logger LOG = LoggerFactory.getLogger(RankPlugin.class);

    /** None. */
    @Override
    public DriverPlugin driverPlugin() {
        return null;
    }

    @Override
    public ExecutorPlugin executorPlugin() {
        return new ExecutorPlugin() {
            @Override
            public void init(PluginContext context, Map<String, String> extraConf) {
                var loading = new Thread(RankPlugin::load, "loads ND4J");
                loading.setDaemon(true);
                loading.start();
            }
        };
    }

    /** The rank does it again where this fails, and says why. */
    private static void load() {
        try {
            ExecutorSetup.run();
        } catch (IOException | RuntimeException | LinkageError e) {
            LOG.warn("ND4J does not load", e);
        }
    }
}
