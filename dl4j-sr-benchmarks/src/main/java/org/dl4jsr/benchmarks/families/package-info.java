/** Small networks of every layer, vertex, loss and setting of DL4J, which a stock FLOAT network and its BF16 twin learn. */
package org.dl4jsr.benchmarks.families;
