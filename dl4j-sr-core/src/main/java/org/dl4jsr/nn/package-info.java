/**
 * The layers of a GPT as ordinary DL4J layers: configuration, parameter initializer and implementation with an explicit
 * backward pass. Activations are row-major [batch * time, width], FLOAT or BF16.
 */
package org.dl4jsr.nn;
