/**
 * Data-parallel training: N ranks, each with a replica of one network, take steps together and end with the bits of one
 * rank that takes them alone. The random bits of the weight write follow from the step and the element and never from
 * the rank (Ozkara, Yu, Park, arXiv 2502.20566), and the sum of the gradients has an order that does not depend on N.
 *
 * <p>{@link org.dl4jsr.parallel.DataParallel} is the step; what moves bytes between the ranks is a {@link
 * org.dl4jsr.parallel.Transport}.
 */
package org.dl4jsr.parallel;
