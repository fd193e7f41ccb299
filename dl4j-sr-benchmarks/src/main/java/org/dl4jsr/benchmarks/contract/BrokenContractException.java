package org.dl4jsr.benchmarks.contract;

/** An implementation does not do what {@link KernelContract} says. */
public final class BrokenContractException extends RuntimeException {

    BrokenContractException(String message) {
        super(message);
    }
}
