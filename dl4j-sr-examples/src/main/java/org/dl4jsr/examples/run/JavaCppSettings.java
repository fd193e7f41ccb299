package org.dl4jsr.examples.run;

import java.util.Map;

/** Settings of JavaCPP, which holds the memory outside Java's heap; it reads them once, when it is loaded. */
public final class JavaCppSettings {

    /**
     * No limits: by default they follow the size of the heap, too low for large models, and
     * {@link MachineMemory#require} takes their place. Messages go where those of other libraries go.
     */
    private static final Map<String, String> SETTINGS = Map.of(
            "org.bytedeco.javacpp.maxbytes", "0",
            "org.bytedeco.javacpp.maxphysicalbytes", "0",
            "org.bytedeco.javacpp.logger", "slf4j");

    private JavaCppSettings() {}

    /** Makes the settings, but for those that the user made; to be called before JavaCPP is loaded. */
    public static void apply() {
        SETTINGS.forEach((name, value) -> System.getProperties().putIfAbsent(name, value));
    }
}
