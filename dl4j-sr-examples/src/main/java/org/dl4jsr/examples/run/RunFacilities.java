package org.dl4jsr.examples.run;

import java.nio.file.Path;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.parallel.Cluster;

/**
 * What a run uses besides its configuration; nothing of it changes the outcome.
 *
 * @param tokenCache directory that keeps the tokens of large texts
 * @param uiPort where DL4J's training UI listens; null for none
 * @param workers ranks, each a process of its own; null to train in this process
 * @param launcher the process of the app that has started this one, and tells when to stop; null for none
 */
public record RunFacilities(Path tokenCache, Integer uiPort, Integer workers, StopSignal launcher) {

    /** Throws where something of it cannot be had. */
    void require() {
        if (uiPort != null && workers != null) {
            throw new BadInput("--ui does not go with --workers, whose networks are in other processes: leave it out");
        }
        if (uiPort != null) {
            TrainingUi.require(uiPort);
        }
        if (workers != null) {
            Workers.requireCluster();
        }
    }

    /** Throws where {@code config} does not fit. */
    void require(RunConfig config) {
        if (workers != null) {
            config.budget().requireWorkers(workers);
        }
        if (workers == null || !SparkProcess.isSubmitted()) {
            MachineMemory.require(config, workers == null ? 1 : workers);
        }
    }

    /** How a run is told to stop. */
    StopSignal stopSignal() {
        return launcher == null ? new StopSignal() : launcher;
    }

    /** The processes of the workers for a run in {@code directory}; null where this process trains. */
    Cluster.Processes start(Path directory) {
        return workers == null ? null : Workers.start(workers, directory);
    }

    /** The options that give a run in {@code directory} the same again; each with a space before it. */
    String options(Path directory) {
        return (tokenCache.equals(RunDirectory.tokenCache(directory))
                        ? ""
                        : " --token-cache " + Texts.quoted(tokenCache.toString()))
                + (uiPort == null ? "" : " --ui=" + uiPort)
                + (workers == null ? "" : " --workers " + workers);
    }
}
