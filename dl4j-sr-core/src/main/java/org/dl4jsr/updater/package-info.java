/**
 * The drop-in DL4J updaters whose weight write is rounded stochastically: {@link org.dl4jsr.updater.SrAdam}, one of the
 * fused updaters ({@link org.dl4jsr.updater.FusedUpdater}), and {@link org.dl4jsr.updater.StochasticallyRounded}, for
 * any updater of DL4J. DL4J gives an updater the gradient but never the weights, so that a step waits until DL4J
 * subtracts the gradient from them. Also what belongs beside them: schedule, clipping of the global norm, the guard
 * against gradients that are not finite, and rounding statistics.
 */
package org.dl4jsr.updater;
