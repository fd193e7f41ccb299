/** Files of Hugging Face's Python libraries, made by {@code dl4j-sr-benchmarks/peers/fixtures.py}, and damaged ones. */
package org.dl4jsr.weights;
