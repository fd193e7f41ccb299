package org.dl4jsr.examples.run;

import java.nio.file.Path;
import org.dl4jsr.examples.io.Texts;

/**
 * What a run uses besides its configuration; nothing of it changes the outcome.
 *
 * @param tokenCache directory that keeps the tokens of large texts
 * @param uiPort where DL4J's training UI listens; null for none
 */
public record RunFacilities(Path tokenCache, Integer uiPort) {

    /** Throws where something of it cannot be had. */
    void require() {
        if (uiPort != null) {
            TrainingUi.require(uiPort);
        }
    }

    /** The options that give a run in {@code directory} the same again; each with a space before it. */
    String options(Path directory) {
        return (tokenCache.equals(RunDirectory.tokenCache(directory))
                        ? ""
                        : " --token-cache " + Texts.quoted(tokenCache.toString()))
                + (uiPort == null ? "" : " --ui=" + uiPort);
    }
}
