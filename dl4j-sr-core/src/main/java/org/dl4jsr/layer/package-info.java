/**
 * Layers of DL4J whose passes are a kernel each, in place of many ops, and recurrent ones that compute in FP32. They are
 * DL4J's own layers with the same settings, parameters and results: a policy puts them in place of DL4J's in BF16
 * networks, and takes them out again. What a kernel cannot do they leave to DL4J's code, by one rule a layer.
 */
package org.dl4jsr.layer;
