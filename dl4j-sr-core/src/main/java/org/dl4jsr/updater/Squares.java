package org.dl4jsr.updater;

/**
 * Sums of squares that a write goes by. Not finite exactly where some value is not.
 *
 * @param gradients of stretches of the gradient
 * @param parameters of all parameters, of which random bits are drawn; 0 in an FP32 network, which draws none
 */
record Squares(double[] gradients, double parameters) {}
