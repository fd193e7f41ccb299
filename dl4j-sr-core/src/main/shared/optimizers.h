// The formulas of the fused optimizers, one header each, and the list of them. A formula is a structure of the FP32
// numbers that its class in package org.dl4jsr.kernel has, in the same order; its function direction moves the moments
// by the (scaled) gradient and returns the direction. Included as rounding.h is, after it.

/// Root and quotient, correctly rounded.
struct ExactMath {
    LANES_METHOD F root(F x) { return squareRoot(x); }
    LANES_METHOD F quotient(F a, F b) { return a / b; }
};

#include "adamw.h"

#define OPTIMIZERS(X) X(AdamW)

/// The directions of N times as many weights as F holds.
template <class Math, class Formula, int N>
LANES_FUNCTION void directions(
        Math& math, const Formula& formula, const F (&gradients)[N], F (&moments)[Formula::MOMENTS][N],
        F (&directions)[N]) {
    UNROLLED
    for (int k = 0; k < N; k++) {
        F own[Formula::MOMENTS];
        UNROLLED
        for (int j = 0; j < Formula::MOMENTS; j++) {
            own[j] = moments[j][k];
        }
        directions[k] = formula.direction(math, gradients[k], own);
        UNROLLED
        for (int j = 0; j < Formula::MOMENTS; j++) {
            moments[j][k] = own[j];
        }
    }
}
