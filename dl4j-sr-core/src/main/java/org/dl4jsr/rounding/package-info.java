/**
 * The specification in plain Java: what BF16 is, how a value is rounded to it stochastically, and where the random bits
 * come from. Every other implementation (native, CUDA) is tested against this package, bit for bit. Depends on nothing.
 */
package org.dl4jsr.rounding;
