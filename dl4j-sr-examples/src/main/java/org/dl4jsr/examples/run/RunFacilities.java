package org.dl4jsr.examples.run;

import java.nio.file.Path;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;

/**
 * What a run uses besides its configuration; nothing of it changes the outcome.
 *
 * @param tokenCache directory that keeps the tokens of large texts
 * @param uiPort where DL4J's training UI listens; null for none
 * @param workers ranks, each a process of its own; null to train in this process
 * @param isDriver whether another process of the app has started this one, and tells when to stop
 */
public record RunFacilities(Path tokenCache, Integer uiPort, Integer workers, boolean isDriver) {

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
        return isDriver ? StopSignal.from(System.in) : new StopSignal();
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
