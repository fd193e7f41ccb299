/**
 * {@link org.dl4jsr.updater.SrAdam}, the drop-in DL4J updater: AdamW whose weight write is stochastically rounded, by
 * means of a lazy weight write (DL4J gives an updater the gradient but never the weights), and
 * {@link org.dl4jsr.updater.StochasticallyRounded}, the same for any other updater. Also what belongs beside them:
 * schedule, global-norm clipping, the non-finite guard and rounding statistics.
 */
package org.dl4jsr.updater;
