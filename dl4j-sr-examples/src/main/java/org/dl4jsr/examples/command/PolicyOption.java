package org.dl4jsr.examples.command;

import java.nio.file.Path;
import org.dl4jsr.examples.run.RunConfig;
import picocli.CommandLine.Option;

/** The policy of one run, as {@code pretrain} and {@code finetune} take it. */
final class PolicyOption {

    @Option(
            names = "--policy",
            paramLabel = "NAME",
            completionCandidates = PolicyNames.class,
            description = "One of ${COMPLETION-CANDIDATES}; default bf16-sr.")
    private String policy;

    /** {@code config} under the policy that was given, if one was. */
    RunConfig onto(RunConfig config) {
        return policy == null ? config : config.withPolicy(policy);
    }

    /** As {@link ModelOptions#requireSame(RunConfig, Path)}. */
    void requireSame(RunConfig config, Path directory) {
        ModelOptions.requireSame("--policy", policy, config.policy(), directory);
    }
}
