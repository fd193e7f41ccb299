/**
 * The layers of a GPT as ordinary DL4J layers, FLOAT or BF16: configuration, parameter initializer and implementation
 * with an explicit backward pass. Activations are sequences [batch, time, width], in memory the rows of a matrix
 * [batch * time, width]. {@link org.dl4jsr.nn.GptConfiguration} puts a whole network together.
 */
package org.dl4jsr.nn;
