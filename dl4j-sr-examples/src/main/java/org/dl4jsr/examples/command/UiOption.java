package org.dl4jsr.examples.command;

import picocli.CommandLine.Option;

/** Where one run can be watched, as {@code pretrain} and {@code finetune} take it. */
final class UiOption {

    @Option(
            names = "--ui",
            paramLabel = "PORT",
            arity = "0..1",
            fallbackValue = "9000",
            description = "Watch the run in DL4J's training UI, from this machine (default port: 9000).")
    private Integer port;

    /** Null where nobody watches. */
    Integer port() {
        return port;
    }
}
