/**
 * dl4j-sr's backend on ND4J's CUDA backend, nd4j-cuda-11.6: what {@link org.dl4jsr.backend} does, on device memory and
 * ND4J's stream, with the kernels of {@link org.dl4jsr.kernel.cuda}. ND4J loads all of it by name, if nd4j-cuda-11.6 is
 * on the class path. Written after nd4j-cuda's sources and never run on a GPU.
 */
package org.dl4jsr.backend.cuda;
