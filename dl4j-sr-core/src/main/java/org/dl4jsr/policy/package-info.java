/** {@link org.dl4jsr.policy.Bf16Policy}: turns a DL4J configuration or a trained network into BF16 in one line. */
package org.dl4jsr.policy;
