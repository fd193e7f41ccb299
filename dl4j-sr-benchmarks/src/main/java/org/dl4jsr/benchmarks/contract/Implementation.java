package org.dl4jsr.benchmarks.contract;

import java.util.List;

/**
 * What a case runs on.
 *
 * @param name for messages
 * @param processors which must give the same bits: one implementation on several numbers of threads, or streams
 */
public record Implementation(String name, List<Processor> processors) {}
